# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from odoo import SUPERUSER_ID, api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL
from odoo.tools.sql import column_exists

from ..concurrency import automation_run
from ..tools import identity as wa_identity
from .whatsapp_guarded import GUARDED

_logger = logging.getLogger(__name__)

PHONES = "whatsapp.phones"


class WhatsappPhones(models.AbstractModel):
    """Finds records by any spelling of any of their phone numbers.

    ``phone_sanitized`` of Odoo knows the first of a record's numbers only, none
    without a country, and no other spelling of the same person.
    """

    _name = PHONES
    _inherit = GUARDED
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
        self.flush_model(["whatsapp_phones"])
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM %s WHERE whatsapp_phones IS NOT NULL"
                " AND string_to_array(whatsapp_phones, ' ') && %s::text[] ORDER BY id",
                SQL.identifier(self._table),
                list(phones),
            )
        )
        return [record_id for (record_id,) in rows]

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


class ResPartner(models.Model):
    """Whether a contact is taken for the person who has its number.

    A number that a customer typed, in the portal or the web shop, proves nothing: it
    may be a stranger's, whose messages would then be shown as the contact's.
    """

    _name = "res.partner"
    _inherit = ["res.partner", PHONES]

    whatsapp_unconfirmed = fields.Boolean(
        string="Number typed by the customer",
        readonly=True,
        copy=False,
        help="The number was typed in the portal or on the website, so a WhatsApp"
        " message from it is not taken for one of this contact. Typing the number"
        " anew, or choosing the contact as the customer of the WhatsApp lead,"
        " confirms it.",
    )

    def _auto_init(self):
        """Mark, once, the contacts that portal and website have written so far."""
        is_new = not column_exists(self.env.cr, self._table, "whatsapp_unconfirmed")
        res = super()._auto_init()
        if is_new:
            mark_unconfirmed(self.env.cr)
        return res

    @api.model_create_multi
    def create(self, vals_list):
        """Keep whether somebody outside typed the number."""
        for vals in vals_list:
            if any(vals.get(name) for name in self._whatsapp_number_fields()):
                vals.update(self._whatsapp_typed_values(vals))
        return super().create(vals_list)

    def write(self, vals):
        """Keep whether somebody outside typed the number, or somebody of ours since."""
        typed = self._whatsapp_typed_values(vals)
        if not typed:
            return super().write(vals)
        partners = self
        if typed["whatsapp_unconfirmed"] or self.env.context.get("import_file"):
            # what a form or a file repeats says nothing new
            partners = self.filtered(lambda partner: partner._whatsapp_changes(vals))
        if others := self - partners:
            super(ResPartner, others).write(vals)
        return super(ResPartner, partners).write({**vals, **typed})

    def _whatsapp_typed_values(self, vals):
        """Return what the writing of a number says about it.

        :param dict vals: of ``create`` or ``write``
        :return: dict to be written, too; empty if it says nothing
        """
        if not self.env.user._is_internal():
            # a number without country code is another one in another country
            named = any(name in vals for name in self._whatsapp_number_triggers())
            return {"whatsapp_unconfirmed": True} if named else {}
        named = any(name in vals for name in self._whatsapp_number_fields())
        nobody = self.env.uid == SUPERUSER_ID or automation_run(self.env.cr)
        # contacts that are merged bring what is known of their numbers along
        if not named or nobody or "whatsapp_unconfirmed" in vals:
            return {}
        return {"whatsapp_unconfirmed": False}

    def _whatsapp_changes(self, vals):
        """Tell whether these values change a number of this contact."""
        return any(
            self._fields[name].convert_to_write(self[name], self)
            != (vals[name] or False)
            for name in self._whatsapp_number_triggers()
            if name in vals
        )

    # ------------------------------------------------------------- identity

    def _whatsapp_users(self):
        """Return all users of these contacts, also those that are archived."""
        # sudo: res.users - whoever asks
        return self.sudo().with_context(active_test=False).user_ids

    def _whatsapp_of_company(self, company):
        """Return those of these contacts that a company uses, people before companies.

        :param company: ``res.company``
        """
        return self.filtered(
            lambda partner: (
                partner.active and partner.company_id in (company, company.browse())
            )
        ).sorted(lambda partner: (partner.is_company, partner.id))

    def _whatsapp_by_number(self):
        """Return those of these contacts that are taken for who has their number.

        Nobody outside has ever had the number in their hands: no user of the portal
        or the website belongs to them, and none typed it.
        """
        return self.filtered(
            lambda partner: (
                not partner.whatsapp_unconfirmed
                and not any(partner._whatsapp_users().mapped("share"))
            )
        )


def mark_unconfirmed(cr):
    """Distrust what was written, or linked by number alone, before we kept who did.

    :param cr: cursor
    """
    cr.execute(
        """
        UPDATE res_partner partner
           SET whatsapp_unconfirmed = TRUE
          FROM res_users person
         WHERE person.id IN (partner.create_uid, partner.write_uid)
           AND person.share
        """
    )
    # OCA links whichever contact has the number, in the name of the webhook user
    cr.execute(
        """
        DELETE FROM res_partner_gateway_channel link
         USING mail_gateway gateway, res_partner partner
         WHERE gateway.id = link.gateway_id
           AND gateway.gateway_type = 'whatsapp'
           AND link.create_uid IN (%s, gateway.webhook_user_id)
           AND partner.id = link.partner_id
           AND (partner.whatsapp_unconfirmed
                OR EXISTS (SELECT FROM res_users person
                            WHERE person.partner_id = partner.id AND person.share))
        """,
        (SUPERUSER_ID,),
    )
