# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from .whatsapp_guarded import GUARDED


class MailActivity(models.Model):
    _name = "mail.activity"
    _inherit = ["mail.activity", GUARDED]

    whatsapp_automation_id = fields.Many2one(
        "base.automation",
        string="Automation rule that failed",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The rule failed while Odoo worked on WhatsApp messages.",
    )
