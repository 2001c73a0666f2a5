# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class WhatsappMessageQueue(models.Model):
    _inherit = "whatsapp.message.queue"

    lead_id = fields.Many2one(related="channel_id.lead_id")

    def _alert_records(self):
        """Lead to the lead, too."""
        return [*super()._alert_records(), *self.lead_id]
