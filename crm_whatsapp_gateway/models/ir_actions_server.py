# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _whatsapp_is_shown_on(self, record, row):
        """The lead of the conversation shows it."""
        return record == row.lead_id or super()._whatsapp_is_shown_on(record, row)

    def _whatsapp_channel_of(self, record):
        """Return the conversation of a lead in which something was said last."""
        if record._name != "crm.lead":
            return super()._whatsapp_channel_of(record)
        gateway = self._whatsapp_sender()
        # sudo: crm.lead - an administrator decided that this is sent
        known = record.sudo().whatsapp_channel_ids.filtered(
            lambda channel: channel.gateway_id == gateway
        )
        if known:
            return known._whatsapp_by_last_message()[-1:]
        name = record.contact_name or record.partner_id.name or record.display_name
        return self._whatsapp_begin(record._whatsapp_first_phone(), name, record)
