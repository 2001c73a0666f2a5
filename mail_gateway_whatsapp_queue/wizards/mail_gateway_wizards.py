# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""OCA's dialogs, open to every internal user, ask for the conversation's right."""

from odoo import models


class MailGuestManage(models.TransientModel):
    _inherit = "mail.guest.manage"

    def _merge_partner(self, partner):
        """Let who sees the customer's conversation say which contact that is.

        :raise AccessError: the user may not see it, or not change the contact
        """
        # sudo: mail.guest - whose it is, before anything is done
        guest = self.sudo().guest_id
        if guest.gateway_id.gateway_type != "whatsapp":
            return super()._merge_partner(partner)
        self.env.user._whatsapp_check_works()
        self.guest_id.check_access("read")
        channels = guest.channel_ids.filtered(lambda channel: channel._is_whatsapp())
        channels._whatsapp_check_person()
        partner.check_access("write")
        # sudo: res.partner.gateway.channel, mail.message - both rights were checked
        return super(MailGuestManage, self.sudo())._merge_partner(partner.sudo())


class MailMessageGatewayLink(models.TransientModel):
    _inherit = "mail.message.gateway.link"

    def link_message(self):
        """Show a customer's message on a document, for who sees the conversation.

        :raise AccessError: the user may not see it
        """
        self.message_id.check_access("read")
        # sudo: mail.message - whose it is
        self.message_id.sudo()._whatsapp_channel()._whatsapp_check_person()
        return super().link_message()
