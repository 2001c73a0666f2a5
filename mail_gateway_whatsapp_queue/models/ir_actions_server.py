# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models
from odoo.exceptions import UserError

from ..tools.identity import Identity
from .whatsapp_along import ALONG


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", ALONG]

    def _run_action_whatsapp_multi(self, eval_context=None):
        """Replace OCA's, which looks for the number in one field that may not exist.

        A record that nothing can be sent to says so in its history; the others, and
        the change that caused the action, do not depend on it.
        """
        context = self.env.context
        ids = context.get("active_ids") or [context.get("active_id")]
        if not self.whatsapp_template_id or not any(ids) or self._is_recompute():
            return False
        for record in self.env[self.model_id.model].browse(ids).exists():
            try:
                with self.env.cr.savepoint():
                    row = self._whatsapp_send_to(record)
            except UserError as error:
                self._whatsapp_say(
                    record,
                    self.env._(
                        "The WhatsApp template %(name)s was not sent: %(reason)s",
                        name=self.whatsapp_template_id.name,
                        reason=error.args[0],
                    ),
                )
            else:
                if not self._whatsapp_is_shown_on(record, row):
                    self._whatsapp_say(
                        record,
                        self.env._(
                            "WhatsApp template sent: %s", self.whatsapp_template_id.name
                        ),
                    )
        return False

    def _whatsapp_say(self, record, words):
        if hasattr(record, "_message_log"):
            record._message_log(body=words)

    def _whatsapp_send_to(self, record):
        """Send the template of this action to whom a record is about.

        :param record: one record of the model of the action
        :return: the new row of ``whatsapp.message.queue``
        :raise UserError: no number, an empty variable, an opt-out
        """
        template = self.whatsapp_template_id
        channel = self._whatsapp_channel_of(record)
        values = {
            variable: template._whatsapp_default(variable, record)
            for variable in template._whatsapp_variables()
        }
        # sudo: discuss.channel - an administrator decided that this is sent, whoever
        # makes the change that it is sent for
        return template._whatsapp_send(channel.sudo(), values)

    def _whatsapp_is_shown_on(self, record, row):
        """Tell whether a record shows the message anyway. A hook.

        :param row: ``whatsapp.message.queue``
        """
        return False

    def _whatsapp_sender(self):
        """Return the ``mail.gateway`` that this action writes from."""
        return self.whatsapp_gateway_id or self.whatsapp_template_id.gateway_id

    def _whatsapp_channel_of(self, record):
        """Return the conversation with whom a record is about. A hook.

        :raise UserError: there is no number
        """
        contact = self._whatsapp_contact_of(record)
        phone = (contact.whatsapp_phones or "").split(" ")[0]
        return self._whatsapp_begin(phone, contact.display_name)

    def _whatsapp_begin(self, phone, name, record=None):
        """Return the conversation with a number, perhaps a new one.

        :param str phone: E.164, or ''
        :param str name: what a new one is called
        :param record: the document that it begins from, or None
        :raise UserError: there is no number
        """
        if not phone:
            raise UserError(self.env._("there is no phone number."))
        person = Identity(phone=phone.lstrip("+"))
        return self._whatsapp_sender()._whatsapp_conversation(person, name, record)

    def _whatsapp_contact_of(self, record):
        """Return the contact that a record is about, as the action says."""
        if record._name == "res.partner":
            return record
        if self.whatsapp_partner:
            rendered = self.env["mail.render.mixin"]._render_template(
                self.whatsapp_partner, record._name, [record.id]
            )[record.id]
            if str(rendered).strip().isdecimal():
                return self.env["res.partner"].browse(int(rendered)).exists()
        if "partner_id" in record._fields:
            return record.partner_id
        return self.env["res.partner"]
