# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    whatsapp_call = fields.Boolean(
        string="Asked for by WhatsApp",
        readonly=True,
        help="Asked for because a customer wrote by WhatsApp: an answer in the chat"
        " may complete it, and it follows the lead to a new salesperson.",
    )
    whatsapp_snooze = fields.Boolean(
        string="End of a WhatsApp snooze",
        readonly=True,
        help="Asked for when the time was over until which a conversation was put"
        " aside: an answer in the chat removes it.",
    )
    whatsapp_channel_id = fields.Many2one(
        "discuss.channel",
        string="Late WhatsApp conversation",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The leader is asked to see to it; an answer completes the activity.",
    )
