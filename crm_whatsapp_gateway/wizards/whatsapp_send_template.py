# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.tools import identity as wa_identity


class WhatsappSendTemplate(models.TransientModel):
    """Besides, lets one choose if the lead has another number than the chat."""

    _inherit = "whatsapp.send.template"

    lead_id = fields.Many2one("crm.lead", compute="_compute_lead_id")
    other_phone = fields.Char(
        string="The lead's number",
        compute="_compute_other_phone",
        help="Shown if it is another one than that of the chat.",
    )
    phone = fields.Char(string="Number of the chat", compute="_compute_other_phone")
    to_other_phone = fields.Boolean(
        string="Send to the lead's number",
        compute="_compute_to_other_phone",
        store=True,
        readonly=False,
        help="The template goes to the conversation with that number, which begins"
        " with it if there is none.",
    )

    @api.depends("channel_id")
    def _compute_lead_id(self):
        for wizard in self:
            wizard.lead_id = wizard._channel().lead_id

    @api.depends("channel_id")
    def _compute_other_phone(self):
        for wizard in self:
            channel = wizard._channel() if wizard.channel_id else wizard.channel_id
            lead = channel.lead_id.with_user(self.env.uid)
            other = lead and lead.has_access("read") and channel._whatsapp_other_phone()
            wizard.phone = wa_identity.display(channel.whatsapp_phone or "")
            wizard.other_phone = wa_identity.display(other or "")

    @api.depends("other_phone")
    def _compute_to_other_phone(self):
        for wizard in self:
            # sudo: discuss.channel - whether anybody answered at the number before
            answered = wizard.channel_id.sudo().whatsapp_last_customer_date
            wizard.to_other_phone = bool(wizard.other_phone and not answered)

    def _recipient(self):
        """Return the conversation with the lead's number, if that was chosen."""
        if not (self.to_other_phone and self.other_phone):
            return super()._recipient()
        lead = self._channel().lead_id.with_user(self.env.uid)
        lead.check_access("read")
        channel = lead._whatsapp_first_conversation(self.channel_id.gateway_id)
        return channel, channel.action_open_whatsapp()
