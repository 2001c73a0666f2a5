# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .whatsapp_along import ALONG


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", ALONG]

    # OCA's, and those that say the same to whatever they are sent for
    whatsapp_template_id = fields.Many2one(
        domain="[('gateway_id', '=', whatsapp_gateway_id),"
        " ('model_id', 'in', [model_id, False])]"
    )
    whatsapp_contact_field_id = fields.Many2one(
        "ir.model.fields",
        string="Send to",
        domain="[('model_id', '=', model_id), ('relation', '=', 'res.partner')]",
        ondelete="cascade",
        help="The field with the customer. Empty: the number of the document itself,"
        " else its customer. Whoever works for the company gets nothing.",
    )
    whatsapp_is_recipient_known = fields.Boolean(
        compute="_compute_whatsapp_is_recipient_known"
    )

    @api.depends("model_id", "whatsapp_partner")
    def _compute_whatsapp_is_recipient_known(self):
        """Tell whether documents of this kind say by themselves to whom to send."""
        for action in self:
            documents = self.env.get(action.model_id.model or "")
            action.whatsapp_is_recipient_known = bool(action.whatsapp_partner) or (
                documents is not None
                and bool(
                    documents._mail_get_partner_fields()
                    or documents._whatsapp_number_names()
                )
            )

    @api.constrains("state", "model_id", "whatsapp_contact_field_id")
    def _check_whatsapp_contact_field_id(self):
        for action in self:
            field = action.whatsapp_contact_field_id
            if field and (
                field.model_id != action.model_id or field.relation != "res.partner"
            ):
                raise ValidationError(
                    self.env._(
                        "%(field)s is no contact of %(model)s. Please choose another"
                        " field to send to.",
                        field=field.field_description,
                        model=action.model_id.name,
                    )
                )

    def _run_action_whatsapp_multi(self, eval_context=None):
        """Replace OCA's, which looks for the number in one field that may not exist.

        What cannot be sent is said in the history of the record; the others, and the
        change that caused the action, do not depend on it.
        """
        context = self.env.context
        ids = context.get("active_ids") or [context.get("active_id")]
        if not self.whatsapp_template_id or not any(ids) or self._is_recompute():
            return False
        for record in self.env[self.model_id.model].browse(ids).exists():
            channels, refused = self._whatsapp_channels_of(record)
            for channel in channels:
                try:
                    with self.env.cr.savepoint():
                        row = self._whatsapp_send_to(record, channel)
                except UserError as error:
                    refused.append(error.args[0])
                else:
                    if not self._whatsapp_is_shown_on(record, row):
                        self._whatsapp_say(
                            record,
                            self.env._(
                                "WhatsApp template sent: %s",
                                self.whatsapp_template_id.name,
                            ),
                        )
            for reason in refused:
                self._whatsapp_say(
                    record,
                    self.env._(
                        "The WhatsApp template %(name)s was not sent: %(reason)s",
                        name=self.whatsapp_template_id.name,
                        reason=reason,
                    ),
                )
        return False

    def _whatsapp_say(self, record, words):
        if hasattr(record, "_message_log"):
            record._message_log(body=words)

    def _whatsapp_send_to(self, record, channel):
        """Send the template of this action to one whom a record is about.

        :param record: one record of the model of the action
        :param channel: ``discuss.channel`` with the person
        :return: the new row of ``whatsapp.message.queue``
        :raise UserError: an empty variable, an opt-out
        """
        template = self.whatsapp_template_id
        values = {
            variable: template._whatsapp_default(variable, record)
            for variable in template._whatsapp_variables()
        }
        # sudo: discuss.channel - an administrator decided that this is sent, whoever
        # makes the change that it is sent for
        header = template._whatsapp_header_of(record)
        return template._whatsapp_send(channel.sudo(), values, header)

    def _whatsapp_is_shown_on(self, record, row):
        """Tell whether a record shows the message anyway. A hook.

        :param row: ``whatsapp.message.queue``
        """
        return False

    def _whatsapp_sender(self):
        """Return the ``mail.gateway`` that this action writes from."""
        return self.whatsapp_gateway_id or self.whatsapp_template_id.gateway_id

    def _whatsapp_channels_of(self, record):
        """Return the conversations with those whom a record is about. A hook.

        Each person gets one message, however many numbers there are.

        :return: tuple of list of ``discuss.channel``, new ones where there are none,
            and list of reasons why somebody gets nothing
        """
        customers = self._whatsapp_customers_of(record)
        recipients = record._whatsapp_recipients(customers)
        if customers is None and any(not each.partner for each in recipients):
            recipients = recipients[:1]  # the record says itself whose number it is
            customers = recipients[0].partner
        elif customers is None:
            customers = record._whatsapp_customers()
        chosen = {}
        for each in recipients:
            chosen.setdefault(each.partner, each)
        channels = [
            self._whatsapp_begin(each.person, each.name) for each in chosen.values()
        ]
        refused = [
            self.env._("%s has no phone number.", customer.display_name)
            for customer in customers
            if customer not in chosen
        ]
        if not chosen and not refused:
            refused = [self.env._("there is no phone number.")]
        return list(dict.fromkeys(channels)), refused

    def _whatsapp_begin(self, person, name, record=None):
        """Return the conversation with a person, perhaps a new one.

        :param person: ``tools.identity.Identity``
        :param str name: what a new one is called
        :param record: the document that it begins from, or None
        """
        return self._whatsapp_sender()._whatsapp_conversation(person, name, record)

    def _whatsapp_customers_of(self, record):
        """Return the contacts that the action itself chooses, or None.

        :return: ``res.partner``, never one of ours
        """
        if self.whatsapp_contact_field_id:
            return record[self.whatsapp_contact_field_id.name]._whatsapp_outside()
        if self.whatsapp_partner and record._name != "res.partner":
            rendered = self.env["mail.render.mixin"]._render_template(
                self.whatsapp_partner, record._name, [record.id]
            )[record.id]
            if str(rendered).strip().isdecimal():
                return self.env["res.partner"].browse(int(rendered)).exists()
        return None
