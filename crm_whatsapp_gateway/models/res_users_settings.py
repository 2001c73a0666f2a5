# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

WAITING, CLOSING, NEWEST = "waiting", "closing", "newest"


class ResUsersSettings(models.Model):
    _inherit = "res.users.settings"

    whatsapp_inbox_order = fields.Selection(
        [
            (WAITING, "Longest wait first"),
            (CLOSING, "Window closing first"),
            (NEWEST, "Newest first"),
        ],
        string="Order of the WhatsApp inbox",
        default=WAITING,
    )
