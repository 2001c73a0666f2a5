# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError

from ..tools import plain_text


class WhatsappComposer(models.TransientModel):
    """OCA's dialog beside each phone number, which made records when it was opened."""

    _inherit = "whatsapp.composer"

    def _whatsapp_document(self):
        """Return the document that is written from.

        :raise AccessError: the user may not read it
        :raise UserError: documents of this kind have no phone numbers
        """
        return self.env["mail.thread"]._whatsapp_of_caller(self.res_model, self.res_id)

    def _whatsapp_known_channel(self):
        """Return the conversation with the number, none if there is none yet."""
        try:
            person = self._whatsapp_document()._whatsapp_person(self.number_field_name)
        except UserError:
            return self.env["discuss.channel"]
        return self.gateway_id._whatsapp_look_up(person)[:1]

    @api.depends("res_model", "res_id", "number_field_name", "gateway_id")
    def _compute_is_required_template(self):
        for wizard in self:
            known = (
                wizard.res_model
                and wizard.gateway_id
                and wizard.number_field_name
                and self.env.user._whatsapp_works()
            )
            # sudo: discuss.channel - it may be a colleague's, which is said later
            wizard.is_required_template = bool(known) and not (
                wizard._whatsapp_known_channel().sudo().whatsapp_window_open
            )

    @api.onchange("template_id")
    def onchange_template_id(self):
        """Show the template as the customer will see it."""
        if self.template_id:
            text = self.template_id._whatsapp_text(self._whatsapp_values())
            self.body = plain_text.from_html(text)

    def _whatsapp_values(self):
        # a template shows it with rights of its own
        record = self._whatsapp_document()
        variables = self.template_id._whatsapp_variables()
        if variables and self.template_id.sudo().model != record._name:
            raise UserError(
                self.env._(
                    "The template %s takes its values from documents of another kind."
                    " Please choose another one.",
                    self.template_id.name,
                )
            )
        return {
            variable: self.template_id._whatsapp_default(variable, record)
            for variable in variables
        }

    def _action_send_whatsapp(self):
        """Send the template with its values, or the text.

        :raise AccessError: the user does not work with WhatsApp, may read neither the
            document nor the gateway, or begins no conversations from this one
        :raise UserError: no number, closed window, an empty variable, an opt-out
        """
        self.env.user._whatsapp_check_works()
        record = self._whatsapp_document()
        self.gateway_id.check_access("read")
        if not self._whatsapp_known_channel():
            self.gateway_id._whatsapp_check_writer()
        channel = record._whatsapp_get_channel(self.number_field_name, self.gateway_id)
        channel._whatsapp_check_mine()
        if self.template_id:
            values = self._whatsapp_values()
            header = self.template_id._whatsapp_header_of(record)
            self.template_id._whatsapp_send(channel, values, header)
            return
        channel.message_post(
            body=Markup("<p>%s</p>") % self.body,
            subtype_xmlid="mail.mt_comment",
            message_type="comment",
        )

    def action_view_whatsapp(self):
        """Open the conversation over the page; it begins with the first message."""
        self.ensure_one()
        self.env.user._whatsapp_check_works()
        channel = self._whatsapp_known_channel()
        if not channel:
            raise UserError(
                self.env._("There is no conversation with this number yet.")
            )
        return channel.action_open_whatsapp()
