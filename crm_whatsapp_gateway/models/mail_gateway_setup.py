# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import secrets

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..concurrency import in_transaction
from ..tools import setup
from ..tools.errors import CloudApiError
from .mail_gateway_examine import OLDER, Findings
from .mail_gateway_secrets import SECRET_FIELDS, SECRETS
from .whatsapp_message_queue_alert import PAUSED

_logger = logging.getLogger(__name__)

WORSE = "crm_whatsapp_gateway.mail_activity_type_setup"
# What Odoo can do by a change of its own, without Meta
AT_HOME = (
    "connect_copy",
    "crons",
    "disconnect_copy",
    "freeze",
    "keys",
    "swap_ids",
    "swap_secrets",
    "use_number",
    "worker",
)
# Secrets that several numbers may share -> the numbers that had the same before
SHARED = {
    "token": "whatsapp_token_sharer_ids",
    "webhook_secret": "whatsapp_secret_sharer_ids",
}


def _checks(step):
    """A page of the set-up shows the checks of one step."""
    return fields.One2many(
        "whatsapp.gateway.check",
        "gateway_id",
        domain=[("step", "=", step)],
        readonly=True,
        groups=SECRETS,
    )


def _sharers(name, string):
    """Numbers that still have the secret that this one had before."""
    return fields.Many2many(
        "mail.gateway",
        f"mail_gateway_{name}_sharer_rel",
        "gateway_id",
        "sharer_id",
        string=string,
        readonly=True,
        copy=False,
        groups=SECRETS,
    )


class MailGateway(models.Model):
    """The set-up of a number: what is tested, kept, mended and told."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _name = "mail.gateway"
    _inherit = ["mail.gateway", "mail.thread", "mail.activity.mixin"]

    whatsapp_check_ids = fields.One2many(
        "whatsapp.gateway.check", "gateway_id", readonly=True, groups=SECRETS
    )
    whatsapp_check_first_ids = _checks("first")
    whatsapp_check_token_ids = _checks("token")
    whatsapp_check_number_ids = _checks("number")
    whatsapp_check_secret_ids = _checks("secret")
    whatsapp_check_webhook_ids = _checks("webhook")
    whatsapp_check_team_ids = _checks("team")
    whatsapp_check_server_ids = _checks("server")
    whatsapp_setup_state = fields.Selection(
        [
            ("unknown", "Not tested yet"),
            ("ok", "Everything is fine"),
            ("warning", "Look at this"),
            ("bad", "To be mended"),
        ],
        string="Set-up",
        compute="_compute_whatsapp_setup",
        groups=SECRETS,
    )
    whatsapp_setup_summary = fields.Char(
        string="Result of the tests", compute="_compute_whatsapp_setup", groups=SECRETS
    )
    whatsapp_secret_at = fields.Datetime(
        string="App secret since", readonly=True, copy=False, groups=SECRETS
    )
    whatsapp_unknown_fields = fields.Char(
        string="Webhook fields unknown to Meta",
        readonly=True,
        copy=False,
        help="Meta did not know them when it was asked for them, so that nobody is"
        " warned that they are missing.",
    )
    whatsapp_templates_at = fields.Datetime(
        string="Templates read on", readonly=True, copy=False
    )

    whatsapp_token_sharer_ids = _sharers("token", "Still have the old token")
    whatsapp_secret_sharer_ids = _sharers("secret", "Still have the old app secret")
    whatsapp_refusing = fields.Boolean(
        string="Deliveries are refused",
        compute="_compute_whatsapp_refusing",
        groups=SECRETS,
        help="None was accepted since the last one that was refused.",
    )

    @api.depends("whatsapp_refused_at")
    def _compute_whatsapp_refusing(self):
        for gateway in self:
            gateway.whatsapp_refusing = gateway._whatsapp_is_refusing()

    @api.depends("whatsapp_check_ids.state")
    def _compute_whatsapp_setup(self):
        for gateway in self:
            states = gateway.whatsapp_check_ids.mapped("state")
            fine = states.count("ok")
            worst = next(
                (s for s in ("bad", "warning", "unknown", "ok") if s in states), False
            )
            tested = [state for state in states if state != "unknown"]
            gateway.whatsapp_setup_state = worst if tested or not worst else "unknown"
            gateway.whatsapp_setup_summary = bool(states) and self.env._(
                "%(fine)s of %(all)s are fine", fine=fine, all=len(states)
            )

    # ------------------------------------------------------------- CRUD

    @api.model_create_multi
    def create(self, vals_list):
        """Give a new number the address and the verify token that nobody must guess."""
        for vals in vals_list:
            if vals.get("gateway_type") == "whatsapp":
                for name, value in self._whatsapp_new_keys().items():
                    vals[name] = vals.get(name) or value
        gateways = super().create(vals_list)
        gateways._whatsapp_make_checks()
        return gateways

    def write(self, vals):
        touched = {
            name: self.filtered(
                lambda gateway, name=name: gateway._whatsapp_changes(name, vals[name])
            )
            for name in setup.TOUCHED
            if name in vals
        }
        shared = {
            name: touched[name]._whatsapp_sharing(name)
            for name in SHARED
            if touched.get(name)
        }
        res = super().write(vals)
        for name, sharers in shared.items():
            touched[name]._whatsapp_remember_sharers(name, sharers)
        if "gateway_type" in vals:
            self._whatsapp_make_checks()
        for name, gateways in touched.items():
            gateways._whatsapp_forget(name)
        if touched.get("webhook_secret"):
            touched["webhook_secret"].whatsapp_secret_at = fields.Datetime.now()
        return res

    def _whatsapp_changes(self, name, value):
        """Tell whether a field gets another value; what has many counts as changed."""
        if name in SECRET_FIELDS:
            before = getattr(self._whatsapp_secrets(), SECRET_FIELDS[name])
            return (before or "") != (value or "")
        field = self._fields[name]
        if field.type == "many2many":
            return True
        return field.convert_to_write(self[name], self) != value

    # ------------------------------------------------------------- shared secrets

    def _whatsapp_sharing(self, name):
        """Return which other numbers of the company have the same token or app secret.

        Compared by the database: what is a secret stays out of the cache.

        :param str name: key of SHARED
        :return: dict of the id of each of these gateways -> list of ids
        """
        column = SQL.identifier(name)
        self.flush_model(["active", "company_id", "gateway_type", name])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT mine.id, array_agg(other.id)
                  FROM mail_gateway mine
                  JOIN mail_gateway other
                    ON other.%(column)s = mine.%(column)s
                   AND other.company_id IS NOT DISTINCT FROM mine.company_id
                   AND other.gateway_type = mine.gateway_type
                 WHERE mine.id = ANY(%(ids)s)
                   AND mine.gateway_type = 'whatsapp'
                   AND mine.%(column)s <> ''
                   AND other.active
                   AND other.id <> ALL(%(ids)s)
              GROUP BY mine.id
                """,
                column=column,
                ids=self.ids,
            )
        )
        return dict(rows)

    def _whatsapp_remember_sharers(self, name, sharers):
        """Keep which numbers have what these had before; these have a new one.

        :param dict sharers: see ``_whatsapp_sharing``
        """
        # sudo: mail.gateway - whoever may write the secret
        gateways, field = self.sudo(), SHARED[name]
        gateways.search([(field, "in", self.ids)]).write(
            {field: [Command.unlink(gateway.id) for gateway in self]}
        )
        same = self._whatsapp_sharing(name)
        for gateway in gateways:
            commands = [
                *map(Command.link, sharers.get(gateway.id, [])),
                *map(Command.unlink, same.get(gateway.id, [])),
            ]
            if commands:
                gateway.write({field: commands})

    def action_whatsapp_share(self):
        """Put the new token, or app secret, where the old one still is.

        :raise AccessError: only administrators handle secrets
        """
        self.ensure_one()
        self._whatsapp_check_handles_secrets()
        secrets = self._whatsapp_secrets()
        for name, field in SHARED.items():
            value, sharers = getattr(secrets, SECRET_FIELDS[name]), self[field]
            if value and sharers:
                sharers.write({name: value})

    def action_whatsapp_keep_apart(self):
        """Leave the other numbers what they have.

        :raise AccessError: only administrators handle secrets
        """
        self._whatsapp_check_handles_secrets()
        self.write({field: [Command.clear()] for field in SHARED.values()})

    def _whatsapp_check_handles_secrets(self):
        self.check_access("write")
        if not (self.env.su or self.env.user.has_group(SECRETS)):
            raise AccessError(self.env._("Only administrators handle secrets."))

    def _whatsapp_forget(self, name):
        """Let what depends on a field count as not tested."""
        # sudo: whatsapp.gateway.check - whatever changes the gateway
        rows = self.sudo().whatsapp_check_ids
        rows.filtered(lambda row: row.kind in setup.TOUCHED[name])._forget()

    @api.model
    def _whatsapp_new_keys(self):
        """Return a new part of an address and a new verify token, hard to guess."""
        return {
            "webhook_key": secrets.token_urlsafe(24),
            "whatsapp_security_key": secrets.token_urlsafe(24),
        }

    def _whatsapp_check_kinds(self):
        """Return the kinds of checks that concern this number."""
        there = {"copy": self._whatsapp_is_copy(), "older": self._whatsapp_has_older()}
        return [kind for kind in setup.CHECKS if there.get(kind, True)]

    @api.model
    def _whatsapp_has_older(self):
        # sudo: ir.module.module - what else is installed
        modules = self.env["ir.module.module"].sudo()
        return bool(
            modules.search_count([("name", "=", OLDER), ("state", "=", "installed")])
        )

    def _whatsapp_make_checks(self):
        """Make the rows that are missing, and drop those that no longer apply.

        :return: ``whatsapp.gateway.check`` of these gateways, with all rights
        """
        # sudo: whatsapp.gateway.check - nobody writes verdicts by hand
        checks = self.env["whatsapp.gateway.check"].sudo()
        order = list(setup.CHECKS)
        for gateway in self:
            here = checks.search([("gateway_id", "=", gateway.id)])
            is_ours = gateway.gateway_type == "whatsapp"
            kinds = gateway._whatsapp_check_kinds() if is_ours else []
            here.filtered(lambda row, kinds=kinds: row.kind not in kinds).unlink()
            known = set(here.exists().mapped("kind"))
            checks.create(
                [
                    {
                        "gateway_id": gateway.id,
                        "kind": kind,
                        "step": setup.CHECKS[kind].step,
                        "sequence": order.index(kind),
                    }
                    for kind in kinds
                    if kind not in known
                ]
            )
        self.invalidate_recordset()
        return checks.search([("gateway_id", "in", self.ids)])

    # ------------------------------------------------------------- test

    def action_whatsapp_test(self):
        """Test everything.

        :raise AccessError: only who may change the gateway tests it
        """
        self.ensure_one()
        self._whatsapp_test()

    def _whatsapp_test(self, kinds=None):
        """Test, keep what was found, and close what was told and is well again.

        :param kinds: see ``_whatsapp_examine``
        :raise AccessError: only who may change the gateway tests it
        """
        self.check_access("write")
        self._whatsapp_keep(self._whatsapp_examine(kinds))

    def _whatsapp_keep(self, verdicts, daily=False):
        """Keep verdicts; tell whoever is to be told.

        :param dict verdicts: kind -> ``tools.setup.Verdict``
        :param bool daily: whether what got worse since the day before is told
        """
        self.ensure_one()
        worse, rows = False, self._whatsapp_make_checks()
        if daily:
            rows._note_delivery(self._whatsapp_accepted_at())
        for row in rows:
            if row.kind in verdicts:
                worse |= row._record(verdicts[row.kind], daily)
        number = verdicts.get("number")
        rate = number and number.values.get("rate")
        if rate and rate != self.whatsapp_rate_allowed:
            # sudo: mail.gateway - it is Meta's word, whoever asked for it
            self.sudo().whatsapp_rate_allowed = rate
        self._whatsapp_tell(worse)

    # ------------------------------------------------------------- mend

    def _whatsapp_mend(self, kind):
        """Put something right, and test it.

        :param str kind: the check
        :return: action to go on with, or None
        :raise AccessError: only who may change the gateway mends it
        :raise UserError: Meta refuses
        """
        self.check_access("write")
        row = self._whatsapp_make_checks().filtered(lambda row: row.kind == kind)
        mend = setup.OUTCOMES[row.outcome].mend
        if not mend:
            return None  # somebody else was quicker
        if mend == "agents":
            return self.env["ir.actions.actions"]._for_xml_id(
                "crm_whatsapp_gateway.action_whatsapp_agent"
            )
        if mend in AT_HOME:
            getattr(self, f"_whatsapp_mend_{mend}")(row)
            self._whatsapp_test(self._whatsapp_also(kind))
        elif mend in ("subscribe", "deliver"):
            self._whatsapp_ask_meta(
                lambda client: client.subscribe_app(self.whatsapp_account_id)
            )
            self._whatsapp_test(["subscribed", "webhook"])
        elif mend == "templates":
            return self.button_import_whatsapp_template()
        else:
            self._whatsapp_mend_webhook(row)
        return None

    def _whatsapp_also(self, kind):
        """Return what is to be tested after a change at home."""
        together = {
            "account": ["account", "number"],
            "number": ["account", "number"],
            "secret": ["secret", "webhook"],
            "address": ["address", "reachable"],
        }
        return together.get(kind, [kind])

    def _whatsapp_ask_meta(self, ask):
        """Let Meta do something.

        :raise UserError: it refuses, with what a person can do
        """
        try:
            ask(self._whatsapp_examiner())
        except CloudApiError as error:
            raise self._whatsapp_refused(error) from error

    def _whatsapp_mend_connect_copy(self, row):
        self.action_whatsapp_connect_copy()

    def _whatsapp_mend_disconnect_copy(self, row):
        self.action_whatsapp_disconnect_copy()

    def _whatsapp_mend_keys(self, row):
        known = self._whatsapp_secrets()
        missing = {
            name: value
            for name, value in self._whatsapp_new_keys().items()
            if not getattr(known, SECRET_FIELDS[name])
        }
        self.write(missing)

    def _whatsapp_mend_freeze(self, row):
        # sudo: ir.config_parameter - an administrator has pressed the button
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("web.base.url.freeze", "True")

    def _whatsapp_mend_swap_ids(self, row):
        self.write(
            {
                "whatsapp_from_phone": self.whatsapp_account_id,
                "whatsapp_account_id": self.whatsapp_from_phone,
            }
        )

    def _whatsapp_mend_use_number(self, row):
        self.whatsapp_from_phone = row.values["right"]

    def _whatsapp_mend_swap_secrets(self, row):
        self.write(
            {
                "webhook_secret": self._whatsapp_secrets().verify_token,
                # what stood in its place is perhaps known to others
                "whatsapp_security_key": secrets.token_urlsafe(24),
            }
        )

    def _whatsapp_mend_worker(self, row):
        self.webhook_user_id = self.env.ref("base.user_root")

    def _whatsapp_mend_crons(self, row):
        self._whatsapp_crons().active = True

    def _whatsapp_mend_webhook(self, row):
        """Set up the webhook at Meta: address, verify token and fields.

        Another address than the one that the person saw is not replaced. While Meta is
        asked it verifies ours, in a transaction that must already see it as awaited.
        """
        found = Findings()
        seen = dict(row.values or {}), row.outcome
        for kind in setup.with_needs(["subscribed", "webhook"]):
            verdict = setup.blocked(kind, found.verdicts)
            verdict = verdict or self._whatsapp_examine_one(kind, found)
            found.verdicts[kind] = verdict
        verdict = found.verdicts["webhook"]
        mend = setup.OUTCOMES[verdict.outcome].mend
        if not mend or (
            setup.MENDS[mend].asks and (verdict.values, verdict.outcome) != seen
        ):
            self._whatsapp_keep(found.verdicts)
            return
        known = found.subscription
        siblings = self._whatsapp_siblings()
        target = siblings.get(known and known.callback_url, self)
        target._whatsapp_await_meta()
        try:
            refused = self._whatsapp_subscribe(found.app_id, target, known)
        except CloudApiError as error:
            verdict = self._whatsapp_refusal(error, "webhook_unreached")
            self._whatsapp_afresh(
                lambda gateway: gateway._whatsapp_keep({"webhook": verdict})
            )
        else:

            def test(gateway):
                gateway.whatsapp_unknown_fields = ",".join(refused)
                gateway._whatsapp_test(["webhook"])

            self._whatsapp_afresh(test)

    def _whatsapp_subscribe(self, app_id, target, known):
        """Ask Meta for all fields, and again without those that it does not know.

        :param target: the gateway to whose address Meta is to deliver
        :param known: ``cloud_api.Subscription`` that there is, or None
        :return: list of the fields that Meta does not know
        :raise CloudApiError: Meta refuses for another reason
        """
        client = self._whatsapp_examiner().as_app(
            app_id, self._whatsapp_secrets().app_secret
        )
        wanted, refused = self._whatsapp_wanted_fields(known), []
        while True:
            try:
                client.subscribe(
                    app_id,
                    setup.OBJECT,
                    target._whatsapp_webhook_url(),
                    target._whatsapp_secrets().verify_token,
                    wanted,
                )
                return refused
            except CloudApiError as error:
                before = known.fields if known else ()
                unknown = setup.refused_fields(error, wanted, before)
                if not unknown:
                    raise
                refused += unknown
                wanted = [name for name in wanted if name not in unknown]

    def _whatsapp_afresh(self, work):
        """Do something in a transaction that sees what others wrote meanwhile."""
        in_transaction(
            self.env.registry, lambda env: work(env[self._name].browse(self.id))
        )
        self.env.invalidate_all()

    @api.model
    def _whatsapp_wanted_fields(self, known):
        """Return what Meta is to tell of; nothing is taken away from others."""
        before = known.fields if known else ()
        return sorted(
            {*before, *setup.FIELDS, *setup.FIELDS_BESIDES, *setup.FIELDS_OF_PHONES}
        )

    def _whatsapp_await_meta(self):
        """Let the webhook take a verification, in this process and in all others."""
        if self.integrated_webhook_state:
            return
        self._whatsapp_afresh(lambda gateway: gateway.set_webhook())
        self.env.registry.signal_changes()

    # ------------------------------------------------------------- templates

    def button_import_whatsapp_template(self):
        res = super().button_import_whatsapp_template()
        # sudo: mail.gateway - the check is written by nobody's hand
        gateway = self.sudo()
        gateway.whatsapp_templates_at = fields.Datetime.now()
        verdict = gateway._whatsapp_check_templates(Findings())
        gateway._whatsapp_keep({"templates": verdict})
        return res

    # ------------------------------------------------------------- daily

    @api.model
    def _cron_whatsapp_setup(self):
        """Test every number that is connected; tell what got worse."""
        gateways = self.search([("gateway_type", "=", "whatsapp")])
        for gateway in gateways:
            # Meta verifies one address for all numbers of an app
            app = gateway._whatsapp_same_app()
            if not any(app.mapped("integrated_webhook_state")):
                continue
            try:
                gateway._whatsapp_test_daily()
            except Exception:  # one number must not keep the others waiting
                _logger.exception("gateway %s could not be tested", gateway.id)
        gateways._whatsapp_read_templates()

    def _whatsapp_read_templates(self):
        """Read the templates anew: each account is asked once.

        Only of numbers whose templates somebody read before.
        """
        numbers = self.filtered(
            lambda gateway: gateway.active and gateway.whatsapp_account_id
        )
        read = self.env["mail.whatsapp.template"].with_context(active_test=False)
        read = read.search(
            [("gateway_id", "in", numbers.ids), ("template_uid", "!=", False)]
        ).gateway_id
        for account, gateways in numbers.grouped("whatsapp_account_id").items():
            gateways = gateways.filtered(
                lambda gateway: gateway.whatsapp_templates_at or gateway in read
            )
            try:
                if gateways:
                    gateways._whatsapp_read_account(account)
            except Exception:  # nor must an account
                _logger.exception("templates of account %s could not be read", account)

    def _whatsapp_read_account(self, account):
        """Ask first, then write: see ``_whatsapp_test_daily``.

        :param str account: WhatsApp Business account ID, of all these numbers
        """
        for gateway in self:
            try:
                client = gateway._whatsapp_client()
                described = list(client.templates(account))
                break
            except CloudApiError as error:  # another number has a token of its own
                _logger.warning(
                    "gateway %s could not read its templates: %s", gateway.id, error
                )
        else:
            return
        for gateway in self:
            gateway._whatsapp_afresh(
                lambda number: number._whatsapp_take_templates(described)
            )

    def _whatsapp_take_templates(self, described):
        """Write what Meta says about all templates of the account.

        :param list described: see ``tools.cloud_api.CloudApi.templates``
        """
        self.env["mail.whatsapp.template"]._whatsapp_import(self, described)
        self.whatsapp_templates_at = fields.Datetime.now()

    def _whatsapp_test_daily(self):
        """Ask first, then write: nothing is locked while the network is slow."""
        verdicts = self._whatsapp_examine()
        self._whatsapp_afresh(
            lambda gateway: gateway._whatsapp_keep(verdicts, daily=True)
        )

    def _whatsapp_tell(self, worse):
        """Tell that something got worse, or that all is as before again.

        :param bool worse: whether there is something new to be told
        """
        alerted = self.sudo().whatsapp_check_ids.filtered("alerted_from")
        told = self._whatsapp_told()
        if not alerted:
            for activity in told:
                words = self.with_context(lang=activity.user_id.lang).env
                activity.action_feedback(feedback=words._("It is mended."))
            return
        for user in self._whatsapp_alerted() if worse else told.user_id:
            known = self._whatsapp_known_causes(user)
            rows = alerted.filtered(lambda row, known=known: row.kind not in known)
            mine = told.filtered(lambda one, user=user: one.user_id == user)
            if not rows and not mine:
                continue  # the alert that nothing is sent tells of it
            spoken = (rows or alerted).with_context(lang=user.lang, tz=user.tz)
            note = Markup("<ul>%s</ul>") % Markup().join(
                Markup("<li>%s</li>") % row._told() for row in spoken
            )
            if self.whatsapp_pause_reason:
                note += Markup("<p>%s</p>") % spoken.env._("Sending is paused.")
            summary = spoken.env._("%s: something got worse", self.name)
            if mine:
                if mine.note != note:
                    mine.write({"note": note, "summary": summary})
            elif self._whatsapp_may_be_told(user):
                self.sudo().activity_schedule(
                    WORSE, summary=summary, note=note, user_id=user.id
                )

    def _whatsapp_told(self):
        """Return the open activities about the set-up of this number."""
        # sudo: mail.activity - those of others
        return (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("activity_type_id", "=", self.env.ref(WORSE).id),
                ]
            )
        )

    def _whatsapp_known_causes(self, user):
        """Return the checks of whose failure a person was told when sending stopped.

        :param user: ``res.users``
        """
        queue = self.env["whatsapp.message.queue"].sudo()
        row = queue.new({"gateway_id": self.id})
        alerts = row._open_alerts(PAUSED, user)
        codes = queue.browse(alerts.mapped("res_id")).error_id.mapped("code")
        return {setup.cause_of(code) for code in codes}

    def _whatsapp_know_cause(self, code):
        """Return who was told by a test why nothing is sent.

        :param str code: of the entry of the dictionary of errors
        """
        kind = setup.cause_of(code)
        rows = self.sudo().whatsapp_check_ids
        if not rows.filtered(lambda row: row.alerted_from and row.kind == kind):
            return self.env["res.users"]
        self._whatsapp_tell(False)  # that it is paused now, too
        return self._whatsapp_told().user_id

    def _whatsapp_note_sending(self):
        """Meta takes messages: what hinders that is mended, whatever a test found."""
        for gateway in self:
            # sudo: whatsapp.gateway.check - nobody writes verdicts by hand
            rows = gateway.sudo().whatsapp_check_ids.filtered(
                lambda row: row.kind in setup.CAUSES and row.state == "bad"
            )
            rows._note_works()
            rows._forget()
            gateway._whatsapp_tell(False)

    def _whatsapp_may_be_told(self, user):
        companies = user.company_ids.ids
        theirs = self.with_user(user).with_context(allowed_company_ids=companies)
        return theirs.has_access("read")
