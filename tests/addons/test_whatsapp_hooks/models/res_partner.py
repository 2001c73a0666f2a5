# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _whatsapp_sent_from(self, rows):
        res = super()._whatsapp_sent_from(rows)
        self.sudo().function = f"sent {rows.type} by {self.env.user.login}"
        return res

    def _whatsapp_first_text(self):
        return f"Dear {self.name}"

    def _whatsapp_gateway_for(self, person, gateways):
        backwards = gateways.sorted("id", reverse=True)
        return super()._whatsapp_gateway_for(person, backwards)

    def _whatsapp_reports(self):
        return super()._whatsapp_reports().browse()
