# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class CalendarAlarm(models.Model):
    _inherit = "calendar.alarm"

    alarm_type = fields.Selection(
        selection_add=[("whatsapp", "WhatsApp")], ondelete={"whatsapp": "set default"}
    )
    whatsapp_template_id = fields.Many2one(
        "mail.whatsapp.template",
        string="WhatsApp template",
        domain="[('state', '=', 'approved'), ('is_supported', '=', True),"
        " ('model', 'in', ['calendar.event', False])]",
        ondelete="restrict",
        help="Each guest who has not declined gets it, from the number that it belongs"
        " to.",
    )
