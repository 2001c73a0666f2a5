# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models
from odoo.exceptions import UserError


class MailGatewayWhatsapp(models.AbstractModel):
    _inherit = "mail.gateway.whatsapp"

    def _process_update(self, chat, message, value):
        if message["type"] == "location" and not self.env.context.get("test_later"):
            raise UserError("no places today")  # pylint: disable=translation-required
        return super()._process_update(chat, message, value)

    def _postpone_rest(self, gateway, event, error):
        gateway.whatsapp_notice = f"postponed: {error}"
        return super()._postpone_rest(gateway, event, error)

    def _get_group_vals(self, gateway, atom, name):
        return super()._get_group_vals(gateway, atom, f"Our {name}")
