# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from odoo.addons.mail_gateway_whatsapp_queue.tools.identity import Identity


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _whatsapp_is_shown_on(self, record, row):
        """The lead of the conversation shows it."""
        return record == row.lead_id or super()._whatsapp_is_shown_on(record, row)

    def _whatsapp_channels_of(self, record):
        """Of a lead, return the conversation in which something was said last."""
        if record._name != "crm.lead" or self.whatsapp_contact_field_id:
            return super()._whatsapp_channels_of(record)
        gateway = self._whatsapp_sender()
        # sudo: crm.lead - an administrator decided that this is sent
        known = record.sudo().whatsapp_channel_ids.filtered(
            lambda channel: channel.gateway_id == gateway
        )
        if known:
            return [known._whatsapp_by_last_message()[-1:]], []
        phone = record._whatsapp_first_phone()
        if not phone:
            return [], [self.env._("there is no phone number.")]
        name = record.contact_name or record.partner_id.name or record.display_name
        person = Identity(phone=phone.lstrip("+"))
        return [self._whatsapp_begin(person, name, record)], []
