# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from .. import compat
from ..tools.errors import DICTIONARY


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
    vars().update(compat.unique("code", "UNIQUE(code)", "This code is there already."))

    @api.depends("code", "name")
    def _compute_display_name(self):
        for entry in self:
            is_meta = (entry.code or "").partition("/")[0].isdecimal()
            entry.display_name = (
                f"{entry.name} ({entry.code})" if is_meta else entry.name
            )

    @api.model
    def _of(self, error):
        """Return the entry of an error, at the worst that of unknown ones.

        :param error: ``tools.errors.CloudApiError``
        """
        return self._called(*error.entries, "unknown")

    @api.model
    def _called(self, *codes):
        """Return the first entry with one of these codes, perhaps none."""
        known = {entry.code: entry for entry in self.search([("code", "in", codes)])}
        return next((known[code] for code in codes if code in known), self.browse())

    @api.model
    def _advice(self, error):
        """Return what a person can do, in the language of the environment."""
        return self._of(error).advice or DICTIONARY[error.reason].advice
