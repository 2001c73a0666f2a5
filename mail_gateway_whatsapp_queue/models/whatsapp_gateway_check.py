# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from dataclasses import dataclass, field
from datetime import datetime

from odoo import api, fields, models
from odoo.tools import format_date, format_datetime

from .. import compat
from ..tools import checks, setup
from ..tools.errors import CloudApiError
from ..tools.masking import values_without_secrets
from ..tools.setup import CheckResult
from .whatsapp_gateway_check_alert import ALERTS
from .whatsapp_gateway_check_fixes import FIXES
from .whatsapp_gateway_check_kinds import KINDS
from .whatsapp_gateway_check_probe import PROBE

DECIDES = ("outcome", "values")  # what the texts are made of


@dataclass
class CheckContext:
    """What the checks of one run have learned, for those that follow."""

    gateway: models.BaseModel
    results: dict = field(default_factory=dict)
    token: dict = field(default_factory=dict)
    numbers: list | None = None
    apps: list = field(default_factory=list)
    subscription: object = None

    @property
    def app_id(self):
        return str(self.token.get("app_id") or "")

    @property
    def app(self):
        return setup.app_name(self.token)


class WhatsappGatewayCheck(models.Model):
    """One thing that must work before a number works, and what its check found.

    There is one row per gateway and kind. Its texts are those of the outcome, in the
    language of who reads it.

    An addon adds a check by extending ``kind`` and ``_checks``, and by a method
    ``_check_<kind>``; what it finds are records of ``whatsapp.gateway.check.outcome``.
    A fix that an outcome names is a method ``_fix_<fix>``.
    """

    _name = "whatsapp.gateway.check"
    _inherit = [ALERTS, FIXES, KINDS, PROBE]
    _description = "WhatsApp set-up check"
    _order = "gateway_id, sequence, id"
    _rec_name = "kind"

    gateway_id = fields.Many2one(
        "mail.gateway", required=True, readonly=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [
            ("copy", "Copy of a database"),
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
            ("bad", "Needs fixing"),
        ],
        default="unknown",
        required=True,
        readonly=True,
    )
    found = fields.Text(string="What was found", compute="_compute_texts")
    advice = fields.Text(string="What to do", compute="_compute_texts")
    fix_label = fields.Char(compute="_compute_texts")
    can_fix = fields.Boolean(compute="_compute_texts")
    asks = fields.Boolean(
        compute="_compute_texts", help="Fixing it takes something from somebody."
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
        """Create missing checks; set their sequence."""
        for sequence, (kind, check) in enumerate(self._checks().items()):
            self.env.cr.execute(
                "UPDATE whatsapp_gateway_check SET step = %s, sequence = %s"
                " WHERE kind = %s",
                (check.step, sequence, kind),
            )
            if not check.optional:
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

    # ------------------------------------------------------------- which checks

    @api.model
    def _checks(self):
        """Return what is checked, in order.

        :return: dict of kind -> ``tools.checks.Check``
        """
        return dict(checks.CHECKS)

    @api.model
    def _kinds(self, gateway):
        """Return the kinds of checks that concern a number, in order."""
        kinds = list(self._checks())
        if not gateway._whatsapp_is_copy():
            kinds.remove("copy")
        return kinds

    @api.model
    def _kinds_by_field(self):
        """Return the kinds that are out of date when a field of the gateway changes.

        :return: dict of the name of the field -> set of kinds
        """
        return checks.kinds_by_field(self._checks())

    @api.model
    def _make(self, gateways):
        """Create the rows that are missing, and drop those that no longer apply.

        :return: the rows of these gateways, with all rights
        """
        # sudo: whatsapp.gateway.check - nobody writes results by hand
        rows = self.sudo()
        known = self._checks()
        order = list(known)
        for gateway in gateways:
            here = rows.search([("gateway_id", "=", gateway.id)])
            is_ours = gateway.gateway_type == "whatsapp"
            kinds = self._kinds(gateway) if is_ours else []
            here.filtered(lambda row, kinds=kinds: row.kind not in kinds).unlink()
            there = set(here.exists().mapped("kind"))
            rows.create(
                [
                    {
                        "gateway_id": gateway.id,
                        "kind": kind,
                        "step": known[kind].step,
                        "sequence": order.index(kind),
                    }
                    for kind in kinds
                    if kind not in there
                ]
            )
        gateways.invalidate_recordset()
        return rows.search([("gateway_id", "in", gateways.ids)])

    # ------------------------------------------------------------- check

    @api.model
    def _run(self, gateway, kinds=None):
        """Check a number, and first what is needed for it. Writes nothing.

        :param kinds: iterable of kinds; None: all
        :return: ``CheckContext`` with the results
        """
        gateway.ensure_one()
        known, context = self._checks(), CheckContext(gateway)
        bad = self.env["whatsapp.gateway.check.outcome"]._bad_codes()
        for kind in checks.with_needs(kinds or self._kinds(gateway), known):
            blocked = checks.blocked(known[kind].needs, context.results, bad)
            context.results[kind] = blocked or self._run_one(kind, context)
        return context

    @api.model
    def _run_one(self, kind, context):
        try:
            result = getattr(self, f"_check_{kind}")(context)
        except CloudApiError as error:
            return self._refusal(error, context.gateway)
        # an address that is told may be ours, of which a part is secret
        secrets = context.gateway._whatsapp_secrets()
        return result._replace(values=values_without_secrets(result.values, *secrets))

    @api.model
    def _refusal(self, error, gateway):
        """Return what an error of Meta says about a check."""
        if error.reason == "copy":
            return CheckResult("not_in_copy")
        values = {"meta": gateway._whatsapp_without_secrets(error)}
        if error.kind in ("transient", "throttled"):
            return CheckResult("missed", values)
        return CheckResult("refused", {**values, "error": list(error.entries)})

    @api.model
    def _keep(self, gateway, results, daily=False):
        """Keep results; alert whoever is to be alerted.

        :param dict results: kind -> ``tools.setup.CheckResult``
        :param bool daily: whether what got worse since the day before is told
        """
        gateway.ensure_one()
        worse, rows = False, self._make(gateway)
        if daily:
            rows._note_delivery(gateway._whatsapp_accepted_at())
        for row in rows:
            if row.kind in results:
                worse |= row._record(results[row.kind], daily)
        number = results.get("number")
        rate = number and number.values.get("rate")
        if rate and rate != gateway.whatsapp_rate_allowed:
            # sudo: mail.gateway - it is Meta's word, whoever asked for it
            gateway.sudo().whatsapp_rate_allowed = rate
        self._notify(gateway, worse)

    # ------------------------------------------------------------- texts

    @api.depends(*DECIDES)
    @api.depends_context("lang", "tz", "uid")
    def _compute_texts(self):
        none = self.env["whatsapp.gateway.check.outcome"]
        outcomes = none._by_code(self.mapped("outcome"))
        for row in self:
            outcome = outcomes.get(row.outcome, none)
            values = row._shown_values()
            row.found = setup.fill(outcome.found or "", values)
            row.advice = setup.fill(outcome.advice or "", values)
            if codes := values.get("error"):
                row.advice = (
                    self.env["whatsapp.error"]._by_code(*codes, "unknown").advice
                )
            row.fix_label = setup.fill(outcome.fix_label or "", values)
            row.can_fix = bool(outcome.fix)
            row.asks = outcome.asks

    @api.model
    def _outcome(self, code):
        """Return the outcome with this code, perhaps none."""
        none = self.env["whatsapp.gateway.check.outcome"]
        return none._by_code([code]).get(code, none)

    def _shown_values(self):
        """Return the values of the result as this person reads them."""
        return {
            name: self._shown_value(name, value)
            for name, value in (self.values or {}).items()
        }

    def _shown_value(self, name, value):
        if name == "by":
            return self._kind_label(value)
        if value and name.endswith("_at"):
            return format_datetime(self.env, datetime.fromisoformat(value))
        if value and name.endswith("_on"):
            return format_date(self.env, datetime.fromisoformat(value).date())
        if isinstance(value, list) and name != "error":
            return ", ".join(value)
        return value

    @api.model
    def _kind_label(self, kind):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        return labels.get(kind, kind)

    # ------------------------------------------------------------- results

    def _record(self, result, daily=False):
        """Keep what a check found.

        :param result: ``tools.setup.CheckResult``
        :param bool daily: whether it is compared with the day before
        :return: True if it got worse since then
        """
        self.ensure_one()
        before, now = self.state, fields.Datetime.now()
        if result.outcome == "missed":
            values = {"missed_at": now}
            if before == "unknown":
                values.update(outcome="missed", values=result.values)
            self.write(values)
            return False
        self.write(
            {
                "outcome": result.outcome,
                "values": result.values,
                "state": self._outcome(result.outcome).state or "unknown",
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
        """Let these checks count as fixed: if they fail again, that is news."""
        self.write({"known_state": "ok", "alerted_from": False})

    def _note_delivery(self, accepted_at):
        """A delivery that was accepted after a check proves more than the check.

        :param accepted_at: when, or False
        """
        proven = {kind for kind, check in self._checks().items() if check.by_delivery}
        self.filtered(
            lambda row: (
                row.kind in proven
                and row.known_state in ("warning", "bad")
                and (row.kind == "signature" or row.known_state == "bad")
                and accepted_at
                and row.checked_at
                and accepted_at > row.checked_at
            )
        )._note_works()

    def _forget(self):
        """Let these checks count as not made: what they depend on has changed."""
        tested = self.filtered(lambda row: row.outcome != "untested")
        tested.write(
            {"outcome": "changed", "values": False, "state": "unknown"},
        )

    # ------------------------------------------------------------- buttons

    def action_test(self):
        """Make this check, and first those that it needs."""
        self.ensure_one()
        self.gateway_id._whatsapp_test([self.kind])

    def action_fix(self):
        """Do what the button says, then check again.

        :return: an action if a person has to do it, else None
        :raise AccessError: only who may change the gateway fixes it
        :raise UserError: Meta refuses, or things have changed meanwhile
        """
        self.ensure_one()
        self.gateway_id.check_access("write")
        self._make(self.gateway_id)
        row = self.exists()
        fix = row and self._outcome(row.outcome).fix
        if not fix:
            return None  # somebody else was quicker
        return getattr(row, f"_fix_{fix}")()
