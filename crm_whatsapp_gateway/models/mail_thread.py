# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models
from odoo.exceptions import UserError

from ..tools.identity import Identity


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _whatsapp_get_channel(self, field_name, gateway):
        """Replace OCA's, which needs a contact and allows it one number only.

        :param str field_name: field of this record with the number
        :param gateway: ``mail.gateway`` to write from
        :return: the conversation, a new one if there is none
        :raise UserError: it is no phone number
        """
        person = self._whatsapp_person(field_name)
        lead = self if self._name == "crm.lead" else None
        return gateway._whatsapp_conversation(person, self.display_name, lead)

    def _whatsapp_person(self, field_name):
        """Return whom a field with a number is about, as ``tools.identity.Identity``.

        :raise UserError: it is no phone number
        """
        number = self[field_name]
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
