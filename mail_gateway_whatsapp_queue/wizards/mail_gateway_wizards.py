# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""OCA's dialogs, open to every internal user, ask for the conversation's right."""

from odoo import api, models
from odoo.exceptions import UserError


class MailGuestManage(models.TransientModel):
    _inherit = "mail.guest.manage"

    def _get_partner_vals(self):
        """Give the new contact the number that it writes from."""
        # sudo: mail.guest - see _merge_partner
        channel = self.sudo().guest_id.channel_ids._whatsapp_latest()
        values = super()._get_partner_vals()
        if channel._is_whatsapp():
            values.update(channel._whatsapp_contact_values())
        return values

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
        res = super(MailGuestManage, self.sudo())._merge_partner(partner.sudo())
        channels._whatsapp_contact_linked(partner)
        return res


class MailMessageGatewayLink(models.TransientModel):
    _inherit = "mail.message.gateway.link"

    @api.model
    def _selection_target_model(self):
        """Offer the documents that the user may change: not what exists at all."""
        # sudo: ir.model - for administrators only; each is asked for below
        kinds = self.env["ir.model"].sudo().search([("is_mail_thread", "=", True)])
        return [
            (kind.model, kind.name)
            for kind in kinds
            if (records := self.env.get(kind.model)) is not None
            and not (records._abstract or records._transient)
            and records.has_access("write")
        ]

    def link_message(self):
        """Show a customer's message on a document, for who sees the conversation.

        :raise AccessError: the user may not see it, or not change the document
        :raise UserError: no document was chosen
        """
        self.message_id.check_access("read")
        # sudo: mail.message - whose it is
        channel = self.message_id.sudo()._whatsapp_channel()
        if not channel:
            return super().link_message()
        channel._whatsapp_check_person()
        if not self.resource_ref:
            raise UserError(self.env._("Please choose a document."))
        self.resource_ref.with_user(self.env.uid).check_access("write")
        # sudo: mail.message - it is the customer's; all rights were asked for
        return super(MailMessageGatewayLink, self.sudo()).link_message()
