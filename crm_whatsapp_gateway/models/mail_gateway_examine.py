# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from odoo import api, fields, http, models
from odoo.tools import consteq
from odoo.tools.misc import hmac

from ..tools import duty, setup
from ..tools.cloud_api import COEXISTENCE, PHONE_NUMBER_FIELDS
from ..tools.errors import CloudApiError
from ..tools.masking import values_without_secrets
from ..tools.reach import knock
from ..tools.setup import Verdict

PATIENCE = (5, 9)  # seconds to connect to Meta, and to wait for its answer
KNOCK_SECONDS = 8
QUESTION_SECONDS = 60  # for which our own question may be answered
OVERDUE = 15  # minutes until a scheduled action is late
OLDER = "crm_import_leads"
NEUTRALIZED = "neutralized-"  # begins what neutralize.sql leaves of a token
NO_SUCH_OBJECT = 100  # Meta's code, also for a field that this kind of object lacks


@dataclass
class Findings:
    """What the tests of one run have learned, for those that follow."""

    verdicts: dict = field(default_factory=dict)
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


class MailGateway(models.Model):
    """The tests of a number: each asks, and returns a verdict; none writes."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "mail.gateway"

    def _whatsapp_examine(self, kinds=None):
        """Test, and first what is needed for it. Writes nothing.

        :param kinds: iterable of keys of ``tools.setup.CHECKS``; None: all
        :return: dict of kind -> ``tools.setup.Verdict``
        """
        self.ensure_one()
        found = Findings()
        for kind in setup.with_needs(kinds or self._whatsapp_check_kinds()):
            found.verdicts[kind] = setup.blocked(
                kind, found.verdicts
            ) or self._whatsapp_examine_one(kind, found)
        return found.verdicts

    def _whatsapp_examine_one(self, kind, found):
        try:
            verdict = getattr(self, f"_whatsapp_check_{kind}")(found)
        except CloudApiError as error:
            return self._whatsapp_refusal(error)
        # an address that is told may be ours, of which a part is secret
        secrets = self._whatsapp_secrets()
        return verdict._replace(values=values_without_secrets(verdict.values, *secrets))

    def _whatsapp_refusal(self, error, outcome="refused"):
        """Return what an error of Meta says about a check."""
        if error.reason == "copy":
            return Verdict("not_in_copy")
        values = {"meta": self._whatsapp_without_secrets(error)}
        values["error"] = list(error.entries)
        if error.kind in ("transient", "throttled"):
            return Verdict("missed", values)
        return Verdict(outcome, values)

    def _whatsapp_examiner(self):
        """Return a client of Meta that does not wait for long.

        :raise CloudApiError: a setting of the gateway cannot be used
        """
        return self._whatsapp_client().patient(PATIENCE)

    # ------------------------------------------------------------- first

    def _whatsapp_check_copy(self, found):
        return Verdict("copied" if self._whatsapp_is_cut_off() else "copy_connected")

    def _whatsapp_check_older(self, found):
        return Verdict("older_installed")

    # ------------------------------------------------------------- Meta

    def _whatsapp_check_token(self, found):
        """Ask Meta what it knows of the token: also whether it will end."""
        token = self._whatsapp_secrets().token or ""
        if not token:
            return Verdict("token_missing")
        if token.startswith(NEUTRALIZED):
            return Verdict("token_neutralized")
        found.token = self._whatsapp_examiner().token_info()
        now = fields.Datetime.now().replace(tzinfo=UTC)
        return setup.judge_token(found.token, int(now.timestamp()))

    def _whatsapp_check_account(self, found):
        account = self.whatsapp_account_id
        if not account:
            return Verdict("account_missing")
        client = self._whatsapp_examiner()
        try:
            name = client.account(account).get("name")
            found.numbers = client.phone_numbers(account)
        except CloudApiError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return self._whatsapp_wrong_account(found, client)
        granted = setup.granted_accounts(found.token)
        if granted and account not in granted:
            return Verdict("account_not_granted", {"targets": granted})
        shown = [str(each.get("display_phone_number")) for each in found.numbers]
        return Verdict("account_ok", {"name": name or "?", "numbers": shown or ["-"]})

    def _whatsapp_wrong_account(self, found, client):
        """Tell an ID of a number that stands in the place of the account's."""
        if self._whatsapp_is(client.phone_number, self.whatsapp_account_id):
            other = self.whatsapp_from_phone
            swapped = other and self._whatsapp_is(client.phone_numbers, other)
            return Verdict("account_swapped" if swapped else "account_swapped_alone")
        granted = setup.granted_accounts(found.token)
        if granted:
            return Verdict("account_not_granted", {"targets": granted})
        return Verdict("account_unknown")

    def _whatsapp_is(self, ask, object_id):
        """Tell whether Meta answers a question that only one kind of object has."""
        try:
            ask(object_id)
        except CloudApiError as error:
            if error.code == NO_SUCH_OBJECT:
                return False
            raise
        return True

    def _whatsapp_check_number(self, found):
        number = (self.whatsapp_from_phone or "").strip()
        if not number:
            return Verdict("number_missing")
        client = self._whatsapp_examiner()
        if not number.isdecimal():
            return setup.find_number(number, found.numbers)
        try:
            answer = self._whatsapp_ask_number(client, number)
        except CloudApiError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return self._whatsapp_wrong_number(number, found, client)
        return setup.judge_number(answer, self.whatsapp_account_id, found.numbers)

    def _whatsapp_ask_number(self, client, number):
        """Return what Meta says of a number, with what not all versions know."""
        try:
            return client.phone_number(number, (*PHONE_NUMBER_FIELDS, COEXISTENCE))
        except CloudApiError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return client.phone_number(number)

    def _whatsapp_wrong_number(self, number, found, client):
        """Tell an account's ID, or a phone number, in the place of a number's ID."""
        if self._whatsapp_is(client.phone_numbers, number):
            account = self.whatsapp_account_id
            swapped = account and self._whatsapp_is(client.phone_number, account)
            return Verdict("number_swapped" if swapped else "number_swapped_alone")
        return setup.find_number(number, found.numbers)

    def _whatsapp_check_secret(self, found):
        """Prove the app secret before any delivery: the app itself may ask with it."""
        secrets = self._whatsapp_secrets()
        if not secrets.app_secret:
            return Verdict("secret_missing")
        client = self._whatsapp_examiner()
        subscriptions = self._whatsapp_as_app(client, found, secrets.app_secret)
        if subscriptions is not None:
            found.subscription = next(
                (each for each in subscriptions if each.object == setup.OBJECT), None
            )
            return Verdict("secret_ok", {"app": found.app})
        other = secrets.verify_token or ""
        if setup.APP_SECRET.fullmatch(other):
            if self._whatsapp_as_app(client, found, other) is not None:
                return Verdict("secret_swapped")
        return Verdict("secret_wrong", {"app": found.app})

    def _whatsapp_as_app(self, client, found, secret):
        """Return the subscriptions of the app, or None if this is not its secret.

        Meta has several codes for a wrong secret, so the HTTP status decides.
        """
        try:
            return client.as_app(found.app_id, secret).subscriptions(found.app_id)
        except CloudApiError as error:
            wrong = error.status in (400, 401, 403) and error.kind != "throttled"
            if wrong or error.reason == "token":
                return None
            raise

    def _whatsapp_check_subscribed(self, found):
        apps = self._whatsapp_examiner().subscribed_apps(self.whatsapp_account_id)
        found.apps = apps
        ours = {self._whatsapp_webhook_url(), *self._whatsapp_siblings()}
        return setup.judge_apps(apps, found.app_id, found.app, ours)

    def _whatsapp_check_webhook(self, found):
        siblings = self._whatsapp_siblings()
        override = setup.override_of(found.apps, found.app_id)
        address = override or (found.subscription and found.subscription.callback_url)
        counts = siblings.get(address, self)
        return setup.judge_webhook(
            found.subscription,
            found.app,
            self._whatsapp_webhook_url(),
            {url: sibling.name for url, sibling in siblings.items()},
            override,
            seen=counts.integrated_webhook_state == "integrated",
            refused=(self.whatsapp_unknown_fields or "").split(","),
        )

    def _whatsapp_siblings(self):
        """Return the other gateways of the same Meta app, by address."""
        siblings = self._whatsapp_same_app() - self
        return {
            sibling._whatsapp_webhook_url(): sibling
            for sibling in siblings
            if sibling._whatsapp_secrets().webhook_key
        }

    # ------------------------------------------------------------- address

    def _whatsapp_check_address(self, found):
        secrets = self._whatsapp_secrets()
        if not secrets.webhook_key or not secrets.verify_token:
            return Verdict("address_missing")
        # sudo: ir.config_parameter - where Odoo says that it is
        parameter = self.env["ir.config_parameter"].sudo().get_param
        graph = self.env["ir.config_parameter"]._whatsapp_value("graph_url")
        return setup.judge_address(
            self._whatsapp_webhook_url(),
            frozen=bool(parameter("web.base.url.freeze")),
            simulated=setup.is_loopback(graph),
        )

    def _whatsapp_check_reachable(self, found):
        """Knock at our own door with a question that only this database answers."""
        key = self._whatsapp_secrets().webhook_key
        question = self._whatsapp_own_question(key)
        answer = self._whatsapp_knock(question)
        host = setup.host_of(self._whatsapp_webhook_url())
        return setup.judge_knock(
            answer,
            self._whatsapp_heard(answer.text, key, question),
            open_here=bool(self.integrated_webhook_state),
            databases=len(http.db_list(force=True, host=host)),
            seconds=KNOCK_SECONDS,
        )

    def _whatsapp_knock(self, question):
        return knock(self._whatsapp_webhook_url(), question, KNOCK_SECONDS)

    def _whatsapp_own_question(self, key):
        """Return a question that nobody else can ask: time, chance and signature."""
        now = int(fields.Datetime.now().timestamp())
        question = f"{now}.{secrets.token_hex(16)}"
        return f"{question}.{self._whatsapp_sign('question', key, question)}"

    @api.model
    def _whatsapp_is_own_question(self, key, question):
        """Tell whether this database asked it, just now and of this address."""
        text, _dot, signature = question.rpartition(".")
        expected = self._whatsapp_sign("question", key, text)
        if not consteq(signature.encode(), expected.encode()):
            return False
        asked = int(text.partition(".")[0])
        return abs(fields.Datetime.now().timestamp() - asked) <= QUESTION_SECONDS

    @api.model
    def _whatsapp_own_answer(self, key, question, is_open):
        """Return what proves who answers.

        :param bool is_open: whether the webhook takes deliveries at this address
        """
        said = f"{'open' if is_open else 'closed'} {self._whatsapp_place()}"
        return f"{said} {self._whatsapp_sign('answer', key, question, said)}"

    @api.model
    def _whatsapp_heard(self, answer, key, question):
        """Return what an answer proves, see ``tools.setup.Heard``, or None."""
        said, _space, signature = answer.rpartition(" ")
        expected = self._whatsapp_sign("answer", key, question, said)
        if not consteq(signature.encode(), expected.encode()):
            return None
        state, _space, place = said.partition(" ")
        return setup.Heard(place == self._whatsapp_place(), state == "open")

    @api.model
    def _whatsapp_sign(self, *parts):
        # sudo: ir.config_parameter - the secret of the database; nobody sees it
        return hmac(self.env(su=True), "crm_whatsapp_gateway.knock", parts)

    @api.model
    def _whatsapp_place(self):
        """Return what no other database shares: neither a copy nor its server."""
        self.env.cr.execute(
            "SELECT oid::text, pg_postmaster_start_time()::text"
            "  FROM pg_database WHERE datname = current_database()"
        )
        server = self.env.cr.fetchone()
        # sudo: ir.config_parameter - the database's id; only its hash is told
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return self._whatsapp_sign("place", uuid, *server)[:16]

    def _whatsapp_check_signature(self, found):
        row = self.whatsapp_check_ids.filtered(lambda row: row.kind == "signature")
        # what is dealt with is removed after a month, what was proven is not forgotten
        known = (row.values or {}).get("accepted_at")
        times = [self._whatsapp_accepted_at(), known and datetime.fromisoformat(known)]
        return setup.judge_signature(
            max(filter(None, times), default=None),
            self._whatsapp_is_refusing() and self.whatsapp_refused_at,
            self.whatsapp_secret_at,
            self.whatsapp_refused_reason,
        )

    def _whatsapp_accepted_at(self):
        """Return when the last delivery for these numbers was accepted, or False."""
        events = self.env["whatsapp.webhook.event"].search(
            [("gateway_id", "in", self.ids)], order="id desc", limit=1
        )
        return events.create_date

    def _whatsapp_is_refusing(self):
        """Tell whether no delivery of the app was accepted since the last refusal.

        All of its numbers are signed with one secret.
        """
        refused = self.whatsapp_refused_at
        accepted = refused and self._whatsapp_same_app()._whatsapp_accepted_at()
        return bool(refused and not (accepted and accepted > refused))

    # ------------------------------------------------------------- team

    def _whatsapp_check_templates(self, found):
        templates = self.env["mail.whatsapp.template"].search(
            [("gateway_id", "=", self.id), ("state", "!=", "deleted")]
        )
        approved = templates.filtered(lambda each: each.state == "approved")
        read_at = self.whatsapp_templates_at
        values = {
            "count": len(templates),
            "approved": len(approved),
            "read_at": read_at and fields.Datetime.to_string(read_at),
        }
        if not templates:
            return Verdict("templates_none")
        if not approved:
            return Verdict("templates_waiting", values)
        return Verdict("templates_ok" if read_at else "templates_some", values)

    def _whatsapp_check_salespeople(self, found):
        company = self.company_id or self.env.company
        # sudo: hr.employee - administrators need not be of the personnel department
        members, hours = self.env["hr.employee"].sudo()._whatsapp_pool(company, self)
        agents = [
            member.agent
            for member in members
            if member.in_pool and member.agent.receives
        ]
        roster = duty.Roster.of(agents, hours)
        names = [agent.name for agent in agents]
        if roster.on_duty:
            on = [agent.name for agent in roster.on_duty]
            return Verdict("people_ok", {"on": on})
        if not agents:
            return Verdict("people_nobody")
        if any(why == duty.HOURS for _agent, why in roster.off):
            return Verdict("people_later", {"names": names})
        return Verdict("people_away", {"names": names})

    def _whatsapp_check_alerts(self, found):
        chosen = self.whatsapp_alert_user_ids.filtered("active")
        users = self._whatsapp_alerted()
        values = {"names": users.mapped("name")}
        if not chosen:
            return Verdict("alerts_default", values)
        if not any(chosen.mapped("email")):
            return Verdict("alerts_mute", values)
        return Verdict("alerts_ok", values)

    # ------------------------------------------------------------- server

    def _whatsapp_check_worker(self, found):
        """Tell who works on what arrives; see ``_whatsapp_worker``."""
        # sudo: res.users - administrators of numbers need not read users
        user, company = self.sudo().webhook_user_id, self.company_id
        values = {"name": user.name, "company": company.name}
        if not user:
            return Verdict("worker_none")
        if self._whatsapp_worker() == user:
            return Verdict("worker_ok", values)
        if not user.active:
            return Verdict("worker_archived", values)
        return Verdict("worker_stranger" if user.share else "worker_elsewhere", values)

    def _whatsapp_check_crons(self, found):
        crons = self._whatsapp_crons()
        off = crons.filtered(lambda cron: not cron.active)
        if off:
            return Verdict("crons_off", {"names": off.mapped("name")})
        since = fields.Datetime.now() - timedelta(minutes=OVERDUE)
        late = crons.filtered(lambda cron: cron.nextcall < since)
        if late:
            names = late.mapped("name")
            return Verdict("crons_late", {"names": names, "minutes": OVERDUE})
        return Verdict("crons_ok", {"count": len(crons)})

    def _whatsapp_crons(self):
        """Return the scheduled actions of this addon."""
        # sudo: ir.model.data and ir.cron - who looks need not be allowed to change them
        ids = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("module", "=", "crm_whatsapp_gateway"),
                    ("model", "=", "ir.cron"),
                ]
            )
            .mapped("res_id")
        )
        crons = self.env["ir.cron"].sudo().with_context(active_test=False)
        return crons.browse(ids).exists()
