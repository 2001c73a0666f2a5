# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What opens a number at Meta: how it is kept, read, written and kept apart.

The ORM's cache is no place for it: what is in there, 18.0 gives to every user of the
same transaction, whatever the groups of the field. So the fields are never prefetched,
our code reads them by SQL, and what was written is forgotten once it is stored.
"""

import logging
import threading
from contextlib import contextmanager
from typing import NamedTuple

import psycopg2

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..tools.masking import without_secrets

_logger = logging.getLogger(__name__)

SECRETS_OF = "whatsapp.gateway.secrets"
SECRETS = "base.group_system"
# field -> what it is, an attribute of Secrets
SECRET_FIELDS = {
    "token": "token",
    "webhook_secret": "app_secret",
    "whatsapp_security_key": "verify_token",
    "webhook_key": "webhook_key",
}
# Unique index -> what it is made of. Its values stand in the words of the database when
# it is violated: secrets are hashed.
UNIQUE = {
    "mail_gateway_whatsapp_number_uniq": (
        "whatsapp_from_phone",
        "gateway_type = 'whatsapp' AND whatsapp_from_phone <> ''",
    ),
    "mail_gateway_webhook_key_uniq": (
        "hashtextextended(webhook_key, 0)",
        "webhook_key <> ''",
    ),
    # several numbers of WhatsApp may share one token
    "mail_gateway_token_uniq": (
        "hashtextextended(token, 0)",
        "gateway_type <> 'whatsapp' AND token <> ''",
    ),
}
GUARDED = {*SECRET_FIELDS, "gateway_type", "whatsapp_from_phone"}


class Secrets(NamedTuple):
    """What opens a number at Meta, each a str or None. Nobody sees it by accident."""

    token: str | None = None
    app_secret: str | None = None
    verify_token: str | None = None
    webhook_key: str | None = None

    def __repr__(self):
        return "Secrets(***)"


class _Unlogged(logging.Filter):
    """Drops what the thread logs while it writes secrets.

    Odoo logs a query that fails with all of its values. ``mute_logger`` would silence
    all threads, and for ever if two of them leave it in the wrong order.
    """

    def __init__(self):
        super().__init__()
        self._local = threading.local()

    def filter(self, record):
        return not getattr(self._local, "depth", 0)

    @contextmanager
    def __call__(self):
        self._local.depth = getattr(self._local, "depth", 0) + 1
        try:
            yield
        finally:
            self._local.depth -= 1


_unlogged = _Unlogged()
logging.getLogger("odoo.sql_db").addFilter(_unlogged)


class WhatsappGatewaySecrets(models.AbstractModel):
    """How the secrets of a number are read, and kept. A part of ``mail.gateway``."""

    _name = SECRETS_OF
    _description = "Secrets of a WhatsApp number"

    # ------------------------------------------------------------- reading

    def _whatsapp_secrets(self):
        """Return what opens this number at Meta, as ``Secrets``, past all rights.

        For code that acts in the company's name. What it returns, and what is made of
        it, is for no person and for no field but those it came from.
        """
        self.ensure_one()
        gateway = self._origin
        gateway.flush_recordset(list(SECRET_FIELDS))
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM mail_gateway WHERE id = %s",
                SQL(", ").join(map(SQL.identifier, SECRET_FIELDS)),
                gateway.id or 0,
            )
        )
        return Secrets(*rows[0]) if rows else Secrets()

    def _whatsapp_webhook_url(self):
        """Return the address of the webhook, whose last part but one is secret."""
        # sudo: ir.config_parameter - where Odoo says that it is
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        return f"{base}/gateway/whatsapp/{self._whatsapp_secrets().webhook_key}/update"

    def _whatsapp_same_app(self):
        """Return all numbers of the same Meta app, this one included, with all rights.

        One app signs with one secret, and may serve several numbers.
        """
        self.ensure_one()
        self.flush_model(["gateway_type", "webhook_secret"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT other.id
                  FROM mail_gateway mine
                  JOIN mail_gateway other ON other.webhook_secret = mine.webhook_secret
                 WHERE mine.id = %s
                   AND mine.webhook_secret <> ''
                   AND other.gateway_type = 'whatsapp'
                """,
                self.id,
            )
        )
        # sudo: mail.gateway - they may be of other companies
        gateways = self.sudo()
        return gateways | gateways.search([("id", "in", [row[0] for row in rows])])

    def _whatsapp_without_secrets(self, error):
        """Return the text of an error without what opens this number.

        :param error: exception or str
        """
        return without_secrets(str(error), *self._whatsapp_secrets())

    def _forget_secrets(self):
        """Leave no secret in the cache, from which 18.0 gives them to everybody."""
        self._origin.invalidate_recordset(list(SECRET_FIELDS))

    # ------------------------------------------------------------- writing

    @api.model
    def _without_spaces(self, vals):
        number = vals.get("whatsapp_from_phone")
        if not isinstance(number, str):
            return vals
        return {**vals, "whatsapp_from_phone": number.strip()}

    @api.model
    def _check_filled(self, vals):
        """Refuse an empty value, for which the database would show the whole row.

        :raise ValidationError: with the names of what is missing
        """
        missing = [
            self._fields[name]._description_string(self.env) or name
            for name, value in vals.items()
            if name in self._fields
            and self._fields[name].required
            and (value is None or value is False)
        ]
        if missing:
            raise ValidationError(
                self.env._("Please fill in: %s.", ", ".join(sorted(missing)))
            )

    @api.model
    def _check_taken(self, vals_list, own=None):
        """Refuse what belongs to another gateway, also to an archived one.

        :param vals_list: values of gateways, one dict each, as they are to be
        :param own: the gateways themselves if they exist
        :raise ValidationError: which gateway has it, and what to do
        """
        seen = set()
        for index, vals in enumerate(vals_list):
            is_ours = vals.get("gateway_type") == "whatsapp"
            for name in ("webhook_key", "whatsapp_from_phone" if is_ours else "token"):
                value = vals.get(name)
                if not value or not self._may_be_told(name):
                    continue
                if (name, value) in seen:
                    raise self._taken(name, value)
                seen.add((name, value))
                others = self._having(name, value) - (own or self)[index : index + 1]
                if others:
                    raise self._taken(name, value, others[0])

    def _may_be_told(self, name):
        """Tell whether this user may learn that a value is used: nobody guesses one."""
        return (
            name not in SECRET_FIELDS or self.env.su or self.env.user.has_group(SECRETS)
        )

    @api.model
    def _having(self, name, value):
        """Return the gateways that have a value which must be unique."""
        domain = [(name, "=", value)]
        if name != "webhook_key":
            operator = "!=" if name == "token" else "="
            domain.append(("gateway_type", operator, "whatsapp"))
        # sudo: mail.gateway - it may be of another company
        gateways = self.sudo().with_context(active_test=False)
        with _unlogged():
            return gateways.search(domain, order="id")

    @api.model
    def _taken(self, name, value, other=None):
        """Return the error that something belongs to another gateway.

        :param other: the gateway, with all rights; None: not known, or of the same call
        """
        who = self.env._("another gateway")
        if other and self.browse(other.id).has_access("read"):
            who = other.name
        if name == "whatsapp_from_phone" and other and not other.active:
            return ValidationError(
                self.env._(
                    "The phone number ID %(number)s belongs to %(gateway)s, which is"
                    " archived. A number has one gateway: please unarchive that one"
                    " instead (filter Archived, then Action, Unarchive).",
                    number=value,
                    gateway=who,
                )
            )
        if name == "whatsapp_from_phone":
            return ValidationError(
                self.env._(
                    "The phone number ID %(number)s belongs to %(gateway)s already. A"
                    " number has one gateway: please change that one, for example its"
                    " token.",
                    number=value,
                    gateway=who,
                )
            )
        if name == "webhook_key":
            return ValidationError(
                self.env._(
                    "This webhook key belongs to %s already. Please choose another"
                    " one.",
                    who,
                )
            )
        return ValidationError(
            self.env._("This token belongs to %s already: it must be unique.", who)
        )

    @contextmanager
    def _writing_secrets(self):
        """Let no error of the database show or log what is written.

        A conflict with another transaction passes as it is: Odoo repeats the request.

        :raise ValidationError: in place of any other error of the database
        """
        try:
            with self.env.cr.savepoint(), _unlogged():
                yield
        except psycopg2.OperationalError:
            raise
        except psycopg2.DatabaseError as error:
            where = error.diag.constraint_name or error.diag.column_name or ""
            # its own words have the values
            _logger.warning(
                "a gateway was not saved: %s %s", type(error).__name__, where
            )
            if where in UNIQUE:
                words = self.env._(
                    "Another gateway has this phone number ID, webhook key or token"
                    " already."
                )
            else:
                words = self.env._(
                    "The gateway could not be saved: a value does not fit (%s).",
                    where or type(error).__name__,
                )
            raise ValidationError(words) from None

    # ------------------------------------------------------------- webhook

    def set_webhook(self):
        """Let the webhook be verified.

        :raise AccessError: only who may change the gateway
        """
        self.check_access("write")
        return super().set_webhook()

    def remove_webhook(self):
        """Take the webhook away.

        :raise AccessError: only who may change the gateway
        """
        self.check_access("write")
        return super().remove_webhook()

    def update_webhook(self):
        """Take the webhook away, and let it be verified again.

        :raise AccessError: only who may change the gateway
        """
        self.check_access("write")
        return super().update_webhook()
