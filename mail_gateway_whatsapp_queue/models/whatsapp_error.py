# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.tools import SQL

from .. import compat
from ..tools.errors import CATALOGUE

SHIPPED_LANG = "en_US"
TRANSLATED = ("name", "advice")
RENEWED = (*TRANSLATED, "kind", "actor", "wait_seconds")


class WhatsappError(models.Model):
    """What an error of Meta means, who has to act, and what a person can do.

    The entries are shipped in ``data/whatsapp.error.csv`` and decide what becomes of a
    message, what the chat says and who is alerted. An administrator may add a code
    that Meta invents tomorrow.
    """

    _name = "whatsapp.error"
    _description = "WhatsApp error"
    _order = "code"

    code = fields.Char(
        required=True,
        help="Meta's code, with a subcode behind a slash. Words are ours, for what"
        " happens without an answer of Meta.",
    )
    name = fields.Char(string="Meaning", required=True, translate=True)
    kind = fields.Selection(
        [
            ("transient", "Sent again after some minutes"),
            ("throttled", "Sent again when Meta allows it"),
            ("auth", "The number stops until it works again"),
            ("permanent", "Not sent again"),
            ("uncertain", "Perhaps delivered: a status or a person decides"),
        ],
        string="What happens",
        required=True,
    )
    actor = fields.Selection(
        [
            ("nobody", "Nobody"),
            ("salesperson", "Salesperson"),
            ("administrator", "Administrator"),
        ],
        string="Who has to act",
        required=True,
        help="The salesperson reads it in the chat. An administrator is alerted.",
    )
    advice = fields.Text(string="What to do", required=True, translate=True)
    wait_seconds = fields.Integer(
        string="Wait at least (seconds)",
        help="Before it is sent again, if Meta's answer names no time.",
    )
    own_changes = fields.Json(
        readonly=True,
        copy=False,
        help="Fields that were changed here, each with its languages: an update of the"
        " addon renews all others.",
    )
    vars().update(compat.unique("code", "UNIQUE(code)", "This code is there already."))

    # ------------------------------------------------------------- own changes

    def write(self, vals):
        """Remember what people change."""
        res = super().write(vals)
        if not self.env.context.get("install_mode"):
            lang = self.env.lang or SHIPPED_LANG
            for name in vals.keys() & set(RENEWED):
                self._keep_changes(name, [lang])
        return res

    def update_field_translations(self, field_name, translations, *args, **kwargs):
        """Remember what people translate."""
        res = super().update_field_translations(
            field_name, translations, *args, **kwargs
        )
        self._keep_changes(field_name, translations)
        return res

    def _keep_changes(self, name, langs):
        """Let an update of the addon leave a field alone.

        :param str name: of the field
        :param langs: iterable of codes of languages
        """
        for entry in self:
            known = entry.own_changes or {}
            if not set(langs) <= set(known.get(name, ())):
                entry.own_changes = {
                    **known,
                    name: sorted({*known.get(name, ()), *langs}),
                }

    def _load_records_write(self, values):
        """Renew what we ship, except what was changed here."""
        if not self.env.context.get("install_mode"):
            return super()._load_records_write(values)
        own = self.own_changes or {}
        res = super()._load_records_write(
            {
                name: value
                for name, value in values.items()
                if not self._is_own(own, name)
            }
        )
        self.flush_recordset()
        for name in TRANSLATED:
            # what is missing comes from the translations that we ship, after the data
            self.env.cr.execute(
                SQL(
                    "UPDATE whatsapp_error SET %(field)s = (SELECT"
                    " jsonb_object_agg(key, value) FROM jsonb_each(%(field)s)"
                    " WHERE key = ANY(%(langs)s)) WHERE id = %(id)s",
                    field=SQL.identifier(name),
                    langs=[SHIPPED_LANG, *own.get(name, ())],
                    id=self.id,
                )
            )
        self.invalidate_recordset(TRANSLATED)
        return res

    def _is_own(self, own, name):
        langs = own.get(name, ())
        return SHIPPED_LANG in langs if name in TRANSLATED else bool(langs)

    # ------------------------------------------------------------- entries

    @api.depends("code", "name")
    def _compute_display_name(self):
        for entry in self:
            is_meta = (entry.code or "").partition("/")[0].isdecimal()
            entry.display_name = (
                f"{entry.name} ({entry.code})" if is_meta else entry.name
            )

    @api.model
    def _for_error(self, error):
        """Return the entry of an error, at the worst that of unknown ones.

        :param error: ``tools.errors.CloudApiError``
        """
        return self._by_code(*error.entries, "unknown")

    @api.model
    def _by_code(self, *codes):
        """Return the first entry with one of these codes, perhaps none."""
        known = {entry.code: entry for entry in self.search([("code", "in", codes)])}
        return next((known[code] for code in codes if code in known), self.browse())

    @api.model
    def _advice(self, error):
        """Return what a person can do, in the language of the environment."""
        return self._for_error(error).advice or CATALOGUE[error.reason].advice
