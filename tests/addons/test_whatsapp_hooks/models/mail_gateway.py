# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class MailGateway(models.Model):
    _inherit = "mail.gateway"

    def _whatsapp_conversation_vals(self, person, name, record=None):
        values = super()._whatsapp_conversation_vals(person, name, record)
        return {**values, "anonymous_name": f"from {record._name}"}

    def _whatsapp_conversation_users(self, record=None):
        users = super()._whatsapp_conversation_users(record)
        return users | users.search([("login", "=", "responsible")])
