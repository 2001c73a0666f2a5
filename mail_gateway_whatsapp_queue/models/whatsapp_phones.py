# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..tools import identity as wa_identity
from .whatsapp_guarded import GUARDED
from .whatsapp_lookup import LOOKUP

_logger = logging.getLogger(__name__)

PHONES = "whatsapp.phones"
CANDIDATES = 20  # records with one number that are compared


class WhatsappPhones(models.AbstractModel):
    """Finds records by any spelling of any of their phone numbers.

    ``phone_sanitized`` of Odoo knows the first of a record's numbers only, none
    without a country, and no other spelling of the same person.
    """

    _name = PHONES
    _inherit = [GUARDED, LOOKUP]
    _description = "Phone numbers as WhatsApp knows them"

    # field with the country of numbers that are written without country code
    _whatsapp_country_field = "country_id"

    whatsapp_phones = fields.Char(
        string="Numbers in E.164",
        compute="_compute_whatsapp_phones",
        store=True,
        compute_sudo=True,
        help="Every phone number of the record, in the one spelling that WhatsApp"
        " conversations are matched by.",
    )

    def init(self):
        """Make the index that a conversation finds the record by."""
        if not self._abstract:
            self.env.cr.execute(
                SQL(
                    "CREATE INDEX IF NOT EXISTS %s ON %s"
                    " USING gin (string_to_array(whatsapp_phones, ' '))"
                    " WHERE whatsapp_phones IS NOT NULL",
                    SQL.identifier(f"{self._table}_whatsapp_phones_idx"),
                    SQL.identifier(self._table),
                )
            )
        return super().init()

    def _whatsapp_number_fields(self):
        """Return the names of the fields that hold phone numbers."""
        return [name for name in self._phone_get_number_fields() if name in self]

    def _whatsapp_number_triggers(self):
        if self._abstract:
            return []
        names = [*self._whatsapp_number_fields(), self._whatsapp_country_field]
        return [name for name in names if name and name in self]

    def _whatsapp_region(self):
        """Return the country of numbers that are written without country code."""
        name = self._whatsapp_country_field
        country = self[name] if name and name in self else None
        if not country:
            company = self.company_id if "company_id" in self else None
            country = (company or self.env.company).country_id
        return country.code or None

    @api.depends(lambda self: self._whatsapp_number_triggers())
    def _compute_whatsapp_phones(self):
        for record in self:
            region, found = record._whatsapp_region(), {}
            for name in record._whatsapp_number_fields():
                found |= dict.fromkeys(wa_identity.numbers(record[name], region))
            record.whatsapp_phones = " ".join(found) or False
        self._origin._whatsapp_note()

    def _whatsapp_keep(self, values):
        """Write what a message tells of the person.

        What a rule of the customer's refuses there stops no message.

        :param dict values: as of ``write``; empty if there is nothing to write
        :return: whether it was written
        """
        if not self or not values:
            return False
        try:
            with self.env.cr.savepoint():
                self.write(values)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.warning(
                "%s does not take %s: %s", self, sorted(values), type(error).__name__
            )
            return False
        return True

    def _whatsapp_replace_phone(self, old, phone):
        """Write another number where the old one stands.

        Beside other numbers, or remarks, it is put before them.

        :param old: E.164 spellings of the old number
        :param str phone: E.164 of the new one
        :return: whether the record has the new number now
        """
        if phone in (self.whatsapp_phones or "").split(" "):
            return True
        region, shown = self._whatsapp_region(), wa_identity.display(phone)
        values = {}
        for name in self._whatsapp_number_fields():
            text = self[name]
            found = wa_identity.numbers(text, region)
            if set(found) & set(old):
                alone = len(found) == 1 and not any(map(str.isalpha, text))
                values[name] = shown if alone else f"{shown} / {text}"
        return self._whatsapp_keep(values)

    @api.model
    def _whatsapp_ids_with(self, phones):
        """Return the ids of all records that have one of these numbers, in order.

        :param phones: E.164 spellings of one person, see ``tools.identity.variants``
        """
        if not phones:
            return []
        self._recompute_model(["whatsapp_phones"])  # which notes the new ones
        found = self.sudo()._whatsapp_find_by(whatsapp_phones=phones)
        # one that was changed since may have had the number before
        return found.filtered(
            lambda one: not set(phones).isdisjoint((one.whatsapp_phones or "").split())
        ).ids

    @api.model
    def _whatsapp_query(self, name, values):
        """A record is found by each of its numbers."""
        if name != "whatsapp_phones":
            return super()._whatsapp_query(name, values)
        return SQL(
            "SELECT %s, %s, spelling, id"
            "  FROM %s, unnest(string_to_array(whatsapp_phones, ' ')) AS spelling"
            " WHERE whatsapp_phones IS NOT NULL"
            " AND string_to_array(whatsapp_phones, ' ') && %s::text[]"
            " AND spelling = ANY(%s)",
            self._name,
            name,
            SQL.identifier(self._table),
            values,
            values,
        )

    def _whatsapp_keys(self, names=None):
        """A record is found by each of its numbers."""
        numbers = (self.whatsapp_phones or "").split()
        return [("whatsapp_phones", number) for number in numbers]

    def _whatsapp_typed(self, phones):
        """Return how a number is written on this record, or None.

        :param phones: as in :meth:`_whatsapp_ids_with`
        """
        self.ensure_one()
        region = self._whatsapp_region()
        for name in self._whatsapp_number_fields():
            if set(wa_identity.numbers(self[name], region)) & set(phones):
                return self[name]
        return None
