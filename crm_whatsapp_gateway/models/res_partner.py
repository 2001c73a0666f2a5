# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.tools import identity as wa_identity

INBOX = "crm_whatsapp_gateway.action_whatsapp_inbox"


class ResPartner(models.Model):
    """The contact opens its conversations over the page, or begins one."""

    _inherit = "res.partner"

    whatsapp_channel_count = fields.Integer(
        string="WhatsApp conversations", compute="_compute_whatsapp_channel_count"
    )

    @api.depends_context("uid")
    def _compute_whatsapp_channel_count(self):
        works = self.env.user._whatsapp_works()
        for partner in self:
            channels = partner._whatsapp_channels() if works and partner.ids else ()
            partner.whatsapp_channel_count = len(channels)

    def _whatsapp_channels(self):
        """Return the conversations with this contact, and with its own contacts.

        By what somebody linked, by their numbers, and by their leads.

        :return: ``discuss.channel`` that the user may read, the latest first
        """
        self.ensure_one()
        # sudo: discuss.channel, crm.lead, res.partner - what is found is filtered below
        partners = self.sudo().search([("id", "child_of", self.ids)])
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        phones = {
            spelling
            for partner in partners
            for phone in partner._whatsapp_e164()
            for spelling in wa_identity.variants(phone)
        }
        links = partners.gateway_channel_ids
        channels = self.env["discuss.channel"].sudo()
        found = leads.search([("partner_id", "in", partners.ids)]).whatsapp_channel_ids
        found |= channels._whatsapp_find_by(
            gateway_channel_token=links.mapped("gateway_token"),
            whatsapp_phone=list(phones),
        ).filtered(lambda channel: channel._is_whatsapp())
        seen = found.with_user(self.env.uid).with_env(self.env)._filtered_access("read")
        return seen._whatsapp_by_last_message()[::-1]

    def action_open_whatsapp(self):
        """Open the conversation over the contact; all of them if there are several.

        Before the first message, the dialog that begins one.

        :raise AccessError: the user does not work with WhatsApp, or may not read it
        :raise UserError: there is no conversation, and no number to begin one with
        """
        self.ensure_one()
        self.check_access("read")
        self.env.user._whatsapp_check_works()
        channels = self._whatsapp_channels()
        if not channels:
            return self.env["whatsapp.send.document"].action_open_for(
                self._name, self.ids
            )
        if len(channels) == 1:
            return channels.action_open_whatsapp()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(INBOX),
            "name": self.env._("WhatsApp: %s", self.display_name),
            "domain": [("channel_id", "in", channels.ids)],
            "context": {},
        }
