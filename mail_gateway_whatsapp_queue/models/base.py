# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""To whom a message about a record goes, whatever the record is."""

from dataclasses import dataclass
from typing import Any

from odoo import api, models

from ..queue.locks import forget
from ..tools import identity as wa_identity
from ..tools.identity import Identity


@dataclass(frozen=True)
class Recipient:
    """One number, or user id, of one person that a record is about.

    `partner` is the ``res.partner`` it was found on, perhaps none; `name` what a new
    conversation is called.
    """

    person: Identity
    name: str
    partner: Any


class Base(models.AbstractModel):
    _inherit = "base"

    def unlink(self):
        """Remember nothing in work of ours: the database deletes others along."""
        res = super().unlink()
        forget(self.env.cr)
        return res

    @api.model
    def _whatsapp_number_names(self):
        """Return the names of the fields that hold phone numbers."""
        return [
            name for name in self._phone_get_number_fields() if name in self._fields
        ]

    def _whatsapp_customers(self):
        """Return the contacts that a message about this record may go to. A hook.

        :return: ``res.partner``, never one of ours: of a meeting its guests, not who
            organizes it
        """
        self.ensure_one()
        found = self._mail_get_partners()[self.id]
        return found if self._name == "res.partner" else found._whatsapp_outside()

    def _whatsapp_recipients(self, customers=None):
        """Return to whom a message about this record may go, the most likely first.

        The numbers of the record itself, then those of its customers, then the
        conversations of customers who never told their number.

        :param customers: ``res.partner`` to take in place of the record's
        :return: list of :class:`Recipient`, each person once
        """
        self.ensure_one()
        own = {} if customers is not None else self._whatsapp_own_numbers()
        customers = self._whatsapp_customers() if customers is None else customers
        # sudo: res.partner - numbers and conversations of the customers of a record
        # that the caller reads
        known = [customer.sudo() for customer in customers]
        found = {}
        for phone in own:
            partner = next(
                (one for one in known if phone in one._whatsapp_e164()), None
            )
            name = (partner or self).display_name
            partner = (partner or customers.sudo().browse()).with_env(self.env)
            found[phone] = Recipient(Identity(phone=phone.lstrip("+")), name, partner)
        for partner in known:
            shown = partner.display_name, partner.with_env(self.env)
            for phone in partner._whatsapp_e164():
                person = Identity(phone=phone.lstrip("+"))
                found.setdefault(phone, Recipient(person, *shown))
            for token in partner.gateway_channel_ids.mapped("gateway_token"):
                person = Identity.of_token(token)
                if person and not person.phone:
                    found.setdefault(token, Recipient(person, *shown))
        return list(found.values())

    def _whatsapp_own_numbers(self):
        """Return the numbers in the fields of this record, in E.164, each once."""
        names = self._whatsapp_number_names()
        if not names:
            return []
        country = self._phone_get_country().get(self.id)
        company = self["company_id"] if "company_id" in self._fields else None
        country = country or (company or self.env.company).country_id
        found = {}
        for name in names:
            found |= dict.fromkeys(wa_identity.numbers(self[name], country.code))
        return list(found)
