# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import datetime

from odoo import api, fields, models
from odoo.tools import format_date, format_datetime

from .. import compat
from ..tools import setup

DECIDES = ("outcome", "values")  # what the words are made of


class WhatsappGatewayCheck(models.Model):
    """One thing that must work before a number works, and what its test found.

    There is one row per gateway and kind. What it says is made of the verdict when
    somebody reads it, in their language.
    """

    _name = "whatsapp.gateway.check"
    _description = "WhatsApp set-up check"
    _order = "gateway_id, sequence, id"
    _rec_name = "kind"

    gateway_id = fields.Many2one(
        "mail.gateway", required=True, readonly=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [
            ("copy", "Copy of a database"),
            ("older", "Older module"),
            ("token", "Access token"),
            ("account", "WhatsApp Business account ID"),
            ("number", "Phone number ID"),
            ("secret", "App secret"),
            ("address", "Webhook address"),
            ("reachable", "Odoo answers at its address"),
            ("subscribed", "The account delivers to the app"),
            ("webhook", "Meta delivers to Odoo"),
            ("signature", "Signed deliveries arrive"),
            ("templates", "Templates"),
            ("salespeople", "Salespeople"),
            ("alerts", "Who is told when something fails"),
            ("worker", "Webhook user"),
            ("crons", "Scheduled actions"),
        ],
        required=True,
        readonly=True,
    )
    step = fields.Selection(
        [
            ("first", "First of all"),
            ("token", "Access token"),
            ("number", "Number and account"),
            ("secret", "App secret"),
            ("webhook", "Webhook"),
            ("team", "Team"),
            ("server", "Server"),
        ],
        required=True,
        readonly=True,
    )
    sequence = fields.Integer(readonly=True)
    outcome = fields.Char(default="untested", required=True, readonly=True)
    values = fields.Json(readonly=True)
    state = fields.Selection(
        [
            ("unknown", "Not tested yet"),
            ("ok", "Fine"),
            ("warning", "Look at this"),
            ("bad", "To be mended"),
        ],
        default="unknown",
        required=True,
        readonly=True,
    )
    found = fields.Text(string="What was found", compute="_compute_words")
    advice = fields.Text(string="What to do", compute="_compute_words")
    mend_label = fields.Char(compute="_compute_words")
    can_mend = fields.Boolean(compute="_compute_words")
    asks = fields.Boolean(
        compute="_compute_words", help="Mending it takes something from somebody."
    )
    checked_at = fields.Datetime(string="Tested on", readonly=True)
    missed_at = fields.Datetime(
        string="Could not be tested on",
        readonly=True,
        help="Meta did not answer: what was found before still stands.",
    )
    known_state = fields.Selection(
        [(state, state) for state in setup.STATES],
        readonly=True,
        help="As the daily test saw it last, or better if any test did since.",
    )
    alerted_from = fields.Selection(
        [(state, state) for state in setup.STATES],
        readonly=True,
        help="How it was before it got worse; empty if nobody need be told.",
    )
    vars().update(
        compat.unique("kind", "UNIQUE(gateway_id, kind)", "There is one row of a kind.")
    )

    def init(self):
        """Give the numbers of before their rows, and all rows their place."""
        for sequence, (kind, check) in enumerate(setup.CHECKS.items()):
            self.env.cr.execute(
                "UPDATE whatsapp_gateway_check SET step = %s, sequence = %s"
                " WHERE kind = %s",
                (check.step, sequence, kind),
            )
            if kind not in setup.OPTIONAL:
                self.env.cr.execute(
                    """
                    INSERT INTO whatsapp_gateway_check
                                (gateway_id, kind, step, sequence, outcome, state)
                    SELECT gateway.id, %(kind)s, %(step)s, %(sequence)s,
                           'untested', 'unknown'
                      FROM mail_gateway gateway
                     WHERE gateway.gateway_type = 'whatsapp'
                       AND NOT EXISTS (
                           SELECT FROM whatsapp_gateway_check row
                            WHERE row.gateway_id = gateway.id
                              AND row.kind = %(kind)s)
                    """,
                    {"kind": kind, "step": check.step, "sequence": sequence},
                )
        return super().init()

    # ------------------------------------------------------------- words

    @api.depends(*DECIDES)
    @api.depends_context("lang", "tz", "uid")
    def _compute_words(self):
        for row in self:
            outcome = setup.OUTCOMES.get(row.outcome) or setup.OUTCOMES["untested"]
            mend = setup.MENDS.get(outcome.mend)
            values = row._shown_values()
            row.found = outcome.found and self.env._(outcome.found, **values)
            row.advice = outcome.advice and self.env._(outcome.advice, **values)
            if codes := values.get("error"):
                dictionary = self.env["whatsapp.error"]
                row.advice = dictionary._called(*codes, "unknown").advice
            row.mend_label = mend and self.env._(mend.label, **values)
            row.can_mend = bool(mend)
            row.asks = bool(mend and mend.asks)

    def _shown_values(self):
        """Return the values of the verdict as this person reads them."""
        return {
            name: self._shown_value(name, value)
            for name, value in (self.values or {}).items()
        }

    def _shown_value(self, name, value):
        if name == "by":
            return dict(self._fields["kind"]._description_selection(self.env))[value]
        if value and name.endswith("_at"):
            return format_datetime(self.env, datetime.fromisoformat(value))
        if value and name.endswith("_on"):
            return format_date(self.env, datetime.fromisoformat(value).date())
        if isinstance(value, list) and name != "error":
            return ", ".join(value)
        return value

    def _told(self):
        """Return one line: which point, and what is the matter with it."""
        kind = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        return f"{kind}: {' '.join(filter(None, [self.found, self.advice]))}"

    # ------------------------------------------------------------- verdicts

    def _record(self, verdict, daily=False):
        """Keep what a test found.

        :param verdict: ``tools.setup.Verdict``
        :param bool daily: whether it is compared with the day before
        :return: True if it got worse since then
        """
        self.ensure_one()
        before, now = self.state, fields.Datetime.now()
        if verdict.outcome == "missed":
            values = {"missed_at": now}
            if before == "unknown":
                values.update(outcome="missed", values=verdict.values)
            self.write(values)
            return False
        self.write(
            {
                "outcome": verdict.outcome,
                "values": verdict.values,
                "state": verdict.state,
                "checked_at": now,
                "missed_at": False,
            }
        )
        return self._compare(before, daily)

    def _compare(self, before, daily):
        """Remember whether it is worse than the day before; see ``_record``."""
        if self.alerted_from and self.state in setup.STATES:
            if not setup.worse(self.state, self.alerted_from):
                self.alerted_from = False
        if setup.worse(self.known_state, self.state):
            self.known_state = self.state  # if it gets worse again that is news
        if not daily or self.state not in setup.STATES:
            return False
        known = self.known_state or (before if before in setup.STATES else self.state)
        self.known_state = self.state
        if not setup.worse(self.state, known):
            return False
        self.alerted_from = self.alerted_from or known
        return True

    def _note_works(self):
        """Let these points count as mended: if they fail again, that is news."""
        self.write({"known_state": "ok", "alerted_from": False})

    def _note_delivery(self, accepted_at):
        """A delivery that was accepted after a test proves more than the test.

        :param accepted_at: when, or False
        """
        self.filtered(
            lambda row: (
                row.kind in setup.PROVEN
                and row.known_state in ("warning", "bad")
                and (row.kind == "signature" or row.known_state == "bad")
                and accepted_at
                and row.checked_at
                and accepted_at > row.checked_at
            )
        )._note_works()

    def _forget(self):
        """Let these points count as not tested: what they depend on has changed."""
        tested = self.filtered(lambda row: row.outcome != "untested")
        tested.write(
            {"outcome": "changed", "values": False, "state": "unknown"},
        )

    # ------------------------------------------------------------- buttons

    def action_test(self):
        """Test this point, and first what it needs."""
        self.ensure_one()
        self.gateway_id._whatsapp_test([self.kind])

    def action_mend(self):
        """Do what the button says, then test again.

        :return: an action if a person has to do it, else None
        :raise UserError: Meta refuses, or things have changed meanwhile
        """
        self.ensure_one()
        return self.gateway_id._whatsapp_mend(self.kind)
