# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ..tools.identity import Identity


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _whatsapp_get_channel(self, field_name, gateway):
        """Replace OCA's, which needs a contact and allows it one number only.

        :param str field_name: field of this record with the number
        :param gateway: ``mail.gateway`` to write from
        :return: the conversation, a new one if there is none
        :raise AccessError: the user may not read the record
        :raise UserError: it is no phone number
        """
        person = self._whatsapp_person(field_name)
        return gateway._whatsapp_conversation(person, self.display_name, self)

    @api.model
    def _whatsapp_of_caller(self, model, res_id):
        """Return the record that a caller names, which must be one to be written to.

        :param str model: name of its model
        :param int res_id: its id
        :raise AccessError: the user may not read it, or there is none
        :raise UserError: records of this kind have no phone numbers
        """
        records = self.env.get(model or "")
        if (
            records is None
            or records._abstract
            or records._transient
            or not hasattr(records, "_whatsapp_person")
            or not records._whatsapp_number_names()
        ):
            raise UserError(
                self.env._("WhatsApp messages cannot be written from this document.")
            )
        record = records.browse(res_id).exists()
        if not record or not record.has_access("read"):
            raise AccessError(self.env._("You may not read this document."))
        return record

    def _whatsapp_person(self, field_name):
        """Return whom a field with a number is about, as ``tools.identity.Identity``.

        :raise AccessError: the user may not read the record, or the field
        :raise UserError: the field is none for phone numbers, or holds none
        """
        self.ensure_one()
        if field_name not in self._whatsapp_number_names():
            raise UserError(self.env._("Please choose a field with a phone number."))
        if not self.has_access("read"):
            raise AccessError(self.env._("You may not read this document."))
        # as the web client reads it: with the groups of the field
        number = self.read([field_name])[0][field_name]
        country = self.country_id if "country_id" in self._fields else None
        phone = self.env["discuss.channel"]._normalize_phone_number(number, country)
        if not phone:
            raise UserError(
                self.env._(
                    "%s is no phone number. Please enter it with its country code,"
                    " such as +52 55 1234 5678.",
                    number or self.env._("An empty field"),
                )
            )
        return Identity(phone=phone.lstrip("+"))
