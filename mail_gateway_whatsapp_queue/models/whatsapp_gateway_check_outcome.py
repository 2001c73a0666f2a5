# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from .. import compat

SHIPPED_LANG = "en_US"
TRANSLATED = ("fix_label", "found", "advice")


class WhatsappGatewayCheckOutcome(models.Model):
    """What a check of the set-up may find: how bad it is, and what a person can do.

    The records are shipped in ``data/whatsapp.gateway.check.outcome.csv``. An addon
    that adds a check ships its own.
    """

    _name = "whatsapp.gateway.check.outcome"
    _description = "WhatsApp set-up check outcome"
    _order = "code"
    _rec_name = "code"

    code = fields.Char(required=True, readonly=True)
    kind = fields.Char(readonly=True, help="The check; empty if any may find it.")
    state = fields.Selection(
        [
            ("unknown", "Not tested yet"),
            ("ok", "Fine"),
            ("warning", "Look at this"),
            ("bad", "Needs fixing"),
        ],
        required=True,
        readonly=True,
    )
    found = fields.Text(string="What was found", translate=True, readonly=True)
    advice = fields.Text(string="What to do", translate=True, readonly=True)
    fix = fields.Char(
        readonly=True,
        help="What Odoo can do itself: the method _fix_... of the check.",
    )
    fix_label = fields.Char(string="Button", translate=True, readonly=True)
    asks = fields.Boolean(
        readonly=True, help="The fix takes something from somebody: a person confirms."
    )
    vars().update(compat.unique("code", "UNIQUE(code)", "This code is there already."))

    def _load_records_write(self, values):
        """Drop the translations of before: those that we ship are loaded next."""
        res = super()._load_records_write(values)
        langs = [lang for lang, _name in self.env["res.lang"].get_installed()]
        for name in TRANSLATED:
            self.update_field_translations(
                name, {lang: False for lang in langs if lang != SHIPPED_LANG}
            )
        return res

    @api.model
    def _by_code(self, codes):
        """Return the outcomes with these codes, by their code.

        :param codes: iterable of str
        """
        # sudo: whatsapp.gateway.check.outcome - texts; the check itself is guarded
        outcomes = self.sudo().search([("code", "in", list(codes))])
        return {outcome.code: outcome for outcome in outcomes}

    @api.model
    def _bad_codes(self):
        """Return the codes of the outcomes with which what depends on it fails."""
        # sudo: whatsapp.gateway.check.outcome - whoever may check a number
        return set(self.sudo().search([("state", "=", "bad")]).mapped("code"))
