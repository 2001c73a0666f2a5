# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import threading
from datetime import timedelta
from itertools import takewhile
from time import monotonic

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import UserError

from ..concurrency import hold_rows
from ..tools import identity as wa_identity
from ..tools.cloud_api import CloudApi
from ..tools.errors import CloudApiError
from .mail_gateway_secrets import SECRETS

_logger = logging.getLogger(__name__)

CALL_ACTIVITY = "mail.mail_activity_data_call"
# seconds until a paused number is tried again, by number of tries
PROBES = (300, 900, 1800, 3600)
OUTAGE_PROBES = (20, 60, 120, 300, 600)
# Meta counts as down if, since the last message that it accepted, those of
# OUTAGE_AT_ONCE conversations failed; or if, for OUTAGE_SINCE, those of
# OUTAGE_CONVERSATIONS failed, or OUTAGE_CONNECTIONS found no connection
OUTAGE_CONVERSATIONS, OUTAGE_CONNECTIONS, OUTAGE_AT_ONCE = 3, 2, 10
OUTAGE_SINCE, OUTAGE_WITHIN = timedelta(seconds=55), timedelta(minutes=5)
LAST_ATTEMPTS = 500  # that are looked at, of all numbers
REFUSALS_EVERY = 5  # seconds between two writes of the counter, per process
WEBHOOK_FIELDS = {
    "active",
    "company_id",
    "gateway_type",
    "integrated_webhook_state",
    "webhook_key",
    "webhook_secret",
    "webhook_user_id",
    "whatsapp_account_id",
    "whatsapp_copy_connected",
    "whatsapp_from_phone",
    "whatsapp_security_key",
}
_refusals = {}  # (database, gateway id) -> [count not yet written, last written]
_refusals_guard = threading.Lock()
_replaced = set()  # (database, gateway id, user id) of which the log tells already


class MailGateway(models.Model):
    _inherit = "mail.gateway"

    whatsapp_account_id = fields.Char(string="WhatsApp Business account ID")
    whatsapp_team_id = fields.Many2one(
        "crm.team",
        string="Sales team of new leads",
        check_company=True,
        help="Empty: the default team of the assigned salesperson.",
    )
    whatsapp_lead_type = fields.Selection(
        [
            ("team", "As the sales team works"),
            ("lead", "Lead"),
            ("opportunity", "Opportunity"),
        ],
        string="Strangers become",
        default="team",
        required=True,
        help="As the sales team works: a lead if the team qualifies leads first, else"
        " an opportunity. Returning customers always become an opportunity.",
    )
    whatsapp_reopen_days = fields.Integer(
        string="Reopen lost leads for",
        default=30,
        help="A customer whose lead was lost fewer days ago gets it back, with a note."
        " Later, and with 0, a new opportunity is made for the same salesperson.",
    )
    whatsapp_won_days = fields.Integer(
        string="Stay with won leads for",
        default=0,
        help="For so many days after a sale, what the customer writes stays with the"
        " won opportunity. Later, and with 0, it makes a new one for the same"
        " salesperson.",
    )
    whatsapp_excluded_tag_ids = fields.Many2many(
        "res.partner.category",
        "mail_gateway_whatsapp_excluded_tag_rel",
        string="Contacts that are no leads",
        help="Messages of contacts with one of these tags make no lead. Nor do those"
        " of your own users and of blacklisted numbers.",
    )
    whatsapp_employee_ids = fields.Many2many(
        "hr.employee",
        "mail_gateway_whatsapp_employee_rel",
        string="Salespeople",
        check_company=True,
        groups=SECRETS,
        help="Who takes turns at this number. Empty: the members of the sales team;"
        " if none of them ever received WhatsApp leads, everybody who does.",
    )
    whatsapp_only_working_hours = fields.Boolean(
        string="Only within working hours",
        help="Leads go to people within the working hours of their calendar, in their"
        " time zone. Until somebody's hours begin, a lead waits in the queue.",
    )
    whatsapp_answer_minutes = fields.Integer(
        string="Pass on without an answer after",
        help="Working minutes of the salesperson in which the first answer has to come."
        " Then the lead goes to the next one. 0: it stays.",
    )
    whatsapp_pass_on_times = fields.Integer(
        string="Pass on at most",
        default=2,
        help="How often a lead is passed on; then the leader of the team gets it.",
    )
    whatsapp_absence_rule = fields.Selection(
        [
            ("pass_on", "Go to the next salesperson"),
            ("stay", "Stay, and are listed"),
        ],
        string="Customers whose salesperson is away",
        default="pass_on",
        required=True,
        help="If the salesperson is on leave, or was switched off while customers wait:"
        " waiting customers go to the next salesperson now, others when they write"
        " again. Or they stay, and are listed under 'Needs attention'. If the"
        " salesperson no longer works here, they always go to somebody else.",
    )
    whatsapp_absence_minutes = fields.Integer(
        string="Wait for who is on leave",
        help="Minutes from the beginning of the leave, or from the customer's message."
        " 0: they are passed on at once.",
    )
    whatsapp_show_unassigned = fields.Boolean(
        string="Salespeople see what nobody has",
        default=True,
        help="Each salesperson sees their own conversations. With this, also those of"
        " their team that nobody has yet.",
    )
    whatsapp_activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Activity of a new lead",
        domain=[("res_model", "in", (False, "crm.lead"))],
        default=lambda self: self.env.ref(CALL_ACTIVITY, False),
        help="What the salesperson is asked for when a lead is opened by WhatsApp."
        " Empty: a call.",
    )
    whatsapp_activity_hours = fields.Integer(
        string="Due after",
        help="Hours until the activity is due. 0: at once.",
    )
    whatsapp_activity_done_by_answer = fields.Boolean(
        string="Done by an answer",
        default=True,
        help="The activity is marked as done when somebody answers in the chat first.",
    )
    whatsapp_alert_user_ids = fields.Many2many(
        "res.users",
        "mail_gateway_whatsapp_alert_rel",
        string="Alert",
        domain=[("share", "=", False)],
        default=lambda self: self.env.ref("base.user_admin", False),
        help="Who is told when messages cannot be sent.",
    )
    whatsapp_receipts = fields.Selection(
        [
            ("none", "Nothing"),
            ("read", "That we read"),
            ("typing", "That we read, and that we type"),
        ],
        string="Customers see",
        default="typing",
        required=True,
        help="The blue ticks on their messages as soon as somebody of the company has"
        " read them here, and 'typing...' while somebody writes an answer.",
    )
    whatsapp_refused_count = fields.Integer(
        string="Refused deliveries",
        readonly=True,
        copy=False,
        groups=SECRETS,
        help="Deliveries without a valid signature. If Meta's own messages are "
        "among them, the app secret of this gateway is wrong.",
    )
    whatsapp_refused_at = fields.Datetime(
        string="Last refusal", readonly=True, copy=False, groups=SECRETS
    )
    whatsapp_refused_reason = fields.Char(
        string="Why it was refused", readonly=True, copy=False, groups=SECRETS
    )
    whatsapp_pause_reason = fields.Char(
        string="Sending is paused",
        readonly=True,
        copy=False,
        help="Meta refuses everything from this number until somebody acts.",
    )
    whatsapp_resumed_at = fields.Datetime(
        string="Sends again since", readonly=True, copy=False
    )
    whatsapp_outage = fields.Boolean(
        string="Meta is down",
        readonly=True,
        copy=False,
        help="Sending is paused since Meta's servers fail. It goes on by itself.",
    )
    whatsapp_probe_at = fields.Datetime(
        string="Sending is tried again at",
        readonly=True,
        copy=False,
        help="One message is tried; if Meta takes it, all others follow.",
    )
    whatsapp_probes = fields.Integer(readonly=True, copy=False)
    whatsapp_rate = fields.Integer(
        string="Messages a second at most",
        default=80,
        help="What Meta allows this number: 80, or 20 if it is used in the app on the"
        " phone as well. 0: no limit of ours.",
    )
    whatsapp_rate_allowed = fields.Integer(
        string="Allowed by Meta",
        readonly=True,
        copy=False,
        help="Messages a second that Meta reported for this number at the last test;"
        " Odoo does not send faster.",
    )
    whatsapp_stop_words = fields.Char(
        string="Words against marketing",
        default="BAJA, STOP",
        help="Separated by commas. A customer who writes nothing but one of them gets"
        " no more marketing templates.",
    )
    whatsapp_start_words = fields.Char(
        string="Words for marketing",
        default="ALTA, START",
        help="Separated by commas. They take the wish back.",
    )
    whatsapp_limit = fields.Char(
        string="Messaging limit",
        readonly=True,
        copy=False,
        help="How many people Meta lets you begin a conversation with in 24 hours.",
    )
    whatsapp_notice = fields.Char(
        string="Last notice of Meta", readonly=True, copy=False
    )
    whatsapp_notice_at = fields.Datetime(string="Noticed on", readonly=True, copy=False)

    # ------------------------------------------------------------- cache

    def write(self, vals):
        res = super().write(vals)
        if WEBHOOK_FIELDS & vals.keys():
            self.env.registry.clear_cache()
        if {"token", "whatsapp_from_phone"} & vals.keys():
            self._whatsapp_resume()
        return res

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res

    @api.model
    def _whatsapp_is_address(self, usage, key):
        """Tell whether a gateway has this address, without a trace if none has.

        :param str usage: type of the gateway, as a stranger wrote it
        :param str key: its webhook key, likewise
        """
        states = ("pending", "integrated")
        return any(self._get_gateway(key, state, usage) for state in states)

    @api.model
    def _get_gateway_map(self, state="integrated", gateway_type=False):
        """Cache no type that strangers invent."""
        if gateway_type not in self._fields["gateway_type"].get_values(self.env):
            return {}
        return self._whatsapp_gateway_map(state, gateway_type)

    @api.model
    @tools.ormcache("state", "gateway_type")
    def _whatsapp_gateway_map(self, state, gateway_type):
        """Replace OCA's map, which 18.0 caches without its arguments.

        There, one GET on the webhook leaves the map of pending gateways in the
        cache, and then each message of a working gateway is dropped.
        """
        gateways = self.sudo().search(
            [
                ("integrated_webhook_state", "=", state),
                ("gateway_type", "=", gateway_type),
            ]
        )
        known = {
            gateway.webhook_key: gateway._get_gateway_data() for gateway in gateways
        }
        gateways._forget_secrets()
        return known

    @api.model
    def _whatsapp_webhook(self, key):
        """Return what the webhook must know to take a delivery.

        :param str key: webhook key, the last part of the address
        :return: None, or a dict, see ``_whatsapp_webhooks``
        """
        # sudo: mail.gateway - the webhook is called by nobody
        return self.sudo()._whatsapp_webhooks().get(key)

    @api.model
    @tools.ormcache()
    def _whatsapp_webhooks(self):
        """Return what the webhook must know of each address.

        One entry in the cache, whatever strangers ask for.

        :return: dict of webhook key -> dict: id, secret, verify_token, and
            gateways: every gateway of the same Meta app by phone number id (one app
            signs with one secret, and may serve several numbers)
        """
        gateways = self.search(
            [
                ("webhook_key", "!=", False),
                ("gateway_type", "=", "whatsapp"),
                ("integrated_webhook_state", "in", ("pending", "integrated")),
                ("active", "=", True),
            ]
        )
        return {
            gateway._whatsapp_secrets().webhook_key: gateway._whatsapp_webhook_data()
            for gateway in gateways
            if not gateway._whatsapp_is_cut_off()
        }

    def _whatsapp_webhook_data(self):
        self.ensure_one()
        gateway, secrets = self, self._whatsapp_secrets()
        return {
            "id": gateway.id,
            "secret": secrets.app_secret,
            "verify_token": secrets.verify_token,
            "gateways": {
                sibling.whatsapp_from_phone: {
                    "gateway_id": sibling.id,
                    "company_id": sibling.company_id.id or None,
                }
                for sibling in gateway._whatsapp_same_app()
                if sibling.whatsapp_from_phone and not sibling._whatsapp_is_cut_off()
            },
        }

    # ------------------------------------------------------------- webhook

    @api.model
    def _whatsapp_count_refusal(self, gateway_id, reason):
        """Count a refused delivery; write at most every few seconds.

        :param int gateway_id: gateway that was addressed; 0 if there is none: then
            the same is done, and nothing written
        :param str reason: why, an English source of ``tools``
        """
        key = (self.env.cr.dbname, gateway_id)
        with _refusals_guard:
            waiting = _refusals.setdefault(key, [0, 0.0])
            waiting[0] += 1
            if monotonic() - waiting[1] < REFUSALS_EVERY:
                return
            count, _refusals[key] = waiting[0], [0, monotonic()]
        lang = self.browse(gateway_id)._whatsapp_lang()
        words = self.with_context(lang=lang).env._(reason)
        with self.env.registry.cursor() as cr:
            cr.execute(
                """
                UPDATE mail_gateway
                   SET whatsapp_refused_count =
                           COALESCE(whatsapp_refused_count, 0) + %s,
                       whatsapp_refused_at = %s,
                       whatsapp_refused_reason = %s
                 WHERE id IN (SELECT id FROM mail_gateway WHERE id = %s
                                 FOR NO KEY UPDATE SKIP LOCKED)
                """,
                (count, cr.now(), words, gateway_id),
            )

    def _whatsapp_lang(self):
        """Return the language of what is written for nobody in particular."""
        # sudo: res.partner and res.users - whoever writes may not read them
        gateway = self.sudo()
        return gateway.company_id.partner_id.lang or gateway.webhook_user_id.lang

    @api.model
    def _whatsapp_kept_since(self):
        """Return the datetime before which what is dealt with is removed."""
        days = self.env["ir.config_parameter"]._whatsapp_value("event_retention_days")
        return fields.Datetime.now() - timedelta(days=days)

    def _whatsapp_worker(self):
        """Return the user in whose name inbound work is done.

        The webhook user, as long as that is a colleague of the gateway's company;
        else OdooBot, since nobody's leaving may stop a message.
        """
        self.ensure_one()
        # sudo: res.users - whoever asks
        user, company = self.sudo().webhook_user_id, self.company_id
        if user.id == SUPERUSER_ID:
            return user
        if (
            user.active
            and not user.share
            and (not company or company in user.company_ids)
        ):
            return user
        key = (self.env.cr.dbname, self.id, user.id)
        if key not in _replaced:
            _replaced.add(key)
            _logger.warning(
                "gateway %s: its webhook user %s is archived, no colleague, or not of"
                " its company; OdooBot works instead",
                self.id,
                user.id,
            )
        return user.browse(SUPERUSER_ID)

    # ------------------------------------------------------------- conversations

    def _get_channel_id(self, chat_token):
        """Find the conversation of a WhatsApp person by every name of theirs."""
        if self.gateway_type != "whatsapp":
            return super()._get_channel_id(chat_token)
        person = wa_identity.Identity.of_token(str(chat_token))
        return self._whatsapp_find_channel(person, str(chat_token)).id

    def _whatsapp_find_channel(self, person, token=None):
        """Return the conversation of a person with this number, or none.

        One whose number was deleted goes on with this one.

        :param person: ``tools.identity.Identity``
        :param str token: as it is stored, if it may be none of WhatsApp's
        """
        return self._whatsapp_find_channels(person, token)[:1]

    def _whatsapp_find_channels(self, person, token=None):
        """Return all conversations of a person with this number, the best one first.

        There are several if they began under different names of the person: a number,
        and a user id without one.

        :param person: ``tools.identity.Identity``
        :param str token: as it is stored, if it may be none of WhatsApp's
        """
        found = self._whatsapp_look_up(person, token)
        if person.bsuid in found.sudo().mapped("whatsapp_bsuid"):
            # a number may go to somebody else, a user id never does
            strangers = found.sudo()._whatsapp_lose_number(person.bsuid)
            found -= strangers.with_env(self.env)
        if found and not found[0].sudo().gateway_id:
            self._whatsapp_adopt(found.sudo())
        return found

    def _whatsapp_look_up(self, person, token=None):
        """Return the conversations of a person with this number, the best one first.

        Archived conversations and those that record rules hide count: the
        unique index counts them too. So does one without a number, if it is of ours,
        which know the person, and of the same company.

        :param person: ``tools.identity.Identity``
        :param str token: as it is stored, if it may be none of WhatsApp's
        """
        self.ensure_one()
        names = {
            "gateway_channel_token": list(person.tokens) or [token],
            "whatsapp_bsuid": [person.bsuid],
            "whatsapp_phone": list(person.phones),
        }
        known = [(name, "in", values) for name, values in names.items() if any(values)]
        if not known:
            return self.env["discuss.channel"]
        # a token alone may be that of another service
        here = {name: [self.id, False] for name in names}
        here["gateway_channel_token"] = [self.id]
        # sudo: discuss.channel - see above
        found = (
            self.env["discuss.channel"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("channel_type", "=", "gateway"),  # the index is partial
                    *["|"] * (len(known) - 1),
                    *(
                        leaf
                        for each in known
                        for leaf in ("&", ("gateway_id", "in", here[each[0]]), each)
                    ),
                ],
                order="id",
            )
        )
        ours, no_company = found.filtered("gateway_id"), self.env["res.company"]
        if ours:
            best = ours.browse()
            for name, _operator, values in known:
                best |= ours.filtered(lambda c, n=name, v=values: c[n] in v)
            return best.with_env(self.env)
        orphan = (found - ours).filtered(
            lambda channel: channel.company_id in (self.company_id, no_company)
        )[-1:]
        return orphan.with_env(self.env)

    def _whatsapp_conversation(self, person, name, lead=None):
        """Return the conversation with a person, a new one if there is none.

        :param person: ``tools.identity.Identity``
        :param str name: what a new conversation is called
        :param lead: ``crm.lead`` that a new one belongs to, or None
        """
        self.ensure_one()
        found = self._whatsapp_find_channel(person)
        if found:
            return found
        # sudo: discuss.channel - whoever may sell may write first
        channel = (
            self.env["discuss.channel"]
            .sudo()
            .create(
                {
                    "name": name or person.label,
                    "channel_type": "gateway",
                    "gateway_id": self.id,
                    "gateway_channel_token": person.token,
                    "company_id": self.company_id.id,
                    "lead_id": lead.id if lead else False,
                }
            )
        )
        colleagues = lead.sudo().user_id if lead else self.env["res.users"]
        if self.env.user._is_internal():
            colleagues |= self.env.user  # who begins a conversation takes part in it
        channel._whatsapp_join(colleagues)
        return channel.with_env(self.env)

    # ------------------------------------------------------------- templates

    def button_import_whatsapp_template(self):
        """Replace OCA's, which reads the first page of templates only.

        :raise AccessError: only who may change the gateway reads them
        :raise UserError: no account, or what Meta answers instead
        """
        self.ensure_one()
        self.check_access("write")
        if not self.whatsapp_account_id:
            raise UserError(
                self.env._("Please enter the WhatsApp Business account ID first.")
            )
        templates = self.env["mail.whatsapp.template"]
        try:
            described = list(
                self._whatsapp_client().templates(self.whatsapp_account_id)
            )
        except CloudApiError as error:
            raise self._whatsapp_refused(error) from error
        new, changed, gone = templates._whatsapp_import(self, described)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "title": self.env._("Templates"),
                "message": self.env._(
                    "%(new)s new, %(changed)s read again, %(gone)s gone at Meta.",
                    new=new,
                    changed=changed,
                    gone=gone,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _whatsapp_refused(self, error):
        """Return the UserError that says what Meta answered, and what can be done.

        :param error: ``tools.errors.CloudApiError``
        """
        if error.reason == "copy":
            return UserError(self._whatsapp_why_off())
        words = self._whatsapp_without_secrets(error)
        return UserError(
            self.env._(
                "%(advice)s Meta says: %(error)s",
                advice=self.env["whatsapp.error"]._advice(error),
                error=words,
            )
        )

    # ------------------------------------------------------------- sending

    def _whatsapp_cloud_api(self):
        """Return the client for this number, with the rights of the gateway."""
        self.ensure_one()
        gateway = self.sudo()  # mail.gateway - whoever is about to send
        secrets = self._whatsapp_secrets()
        return CloudApi(
            secrets.token,
            version=gateway.whatsapp_version,
            base_url=self.env["ir.config_parameter"]._whatsapp_value("graph_url"),
            proxies=self.env["mail.gateway.whatsapp"]._get_proxies(),
            secrets=secrets,
        )

    def _whatsapp_number_and_rate(self):
        """Return the phone number ID, and its messages a second at most; 0: any."""
        # sudo: mail.gateway - the sender's number is for administrators
        gateway = self.sudo()
        limits = (gateway.whatsapp_rate, gateway.whatsapp_rate_allowed)
        rate = min((limit for limit in limits if limit > 0), default=0)
        return gateway.whatsapp_from_phone or "", rate

    def _whatsapp_hold(self):
        """Take the row before it is written, see ``concurrency.hold_rows``."""
        self.flush_recordset()
        hold_rows(self)

    def _whatsapp_alerted(self):
        """Return whom to tell about these numbers; at the worst the administrator."""
        # sudo: mail.gateway - salespeople need not read users
        users = self.sudo().whatsapp_alert_user_ids.filtered("active")
        return users or self.env.ref("base.user_admin").sudo()

    def _whatsapp_pause(self, error, outage=False):
        """Stop sending from this number until it works again.

        :param error: ``tools.errors.CloudApiError`` of kind auth, or of the outage
        :param bool outage: Meta is down, and nobody here can do anything
        :return: True if it was not paused before
        """
        self.ensure_one()
        self._whatsapp_hold()
        if self.whatsapp_pause_reason and (outage or not self.whatsapp_outage):
            return False  # of many on their way, or the one that was tried
        lang = self._whatsapp_alerted()[:1].lang or self._whatsapp_lang()
        dictionary = self.env["whatsapp.error"].with_context(lang=lang)
        self.write(
            {
                "whatsapp_pause_reason": dictionary._advice(error),
                "whatsapp_outage": outage,
                "whatsapp_probes": 0,
            }
        )
        self._whatsapp_probe_later()
        return True

    def _whatsapp_probe_later(self):
        """Plan when a paused number is tried, or tried again."""
        self._whatsapp_hold()
        pauses = OUTAGE_PROBES if self.whatsapp_outage else PROBES
        seconds = pauses[min(self.whatsapp_probes, len(pauses) - 1)]
        at = fields.Datetime.now() + timedelta(seconds=seconds)
        self.write(
            {"whatsapp_probe_at": at, "whatsapp_probes": self.whatsapp_probes + 1}
        )
        self.env["whatsapp.message.queue"]._whatsapp_cron()._trigger(at=at)

    def _whatsapp_probed(self, error):
        """Resume after a try, or say that the number still cannot send.

        :param error: ``tools.errors.CloudApiError``, None if Meta took the message
        """
        kind = error and error.kind
        if not self.whatsapp_outage:
            if kind in (None, "permanent"):  # Meta takes messages of this number
                self._whatsapp_resume()
        elif kind == "auth":
            self._whatsapp_pause(error)
        elif not (error and error.fault):
            self._whatsapp_resume()
        else:  # still down after a test: tell the administrators
            waiting = self.env["whatsapp.message.queue"].search(
                [("gateway_id", "=", self.id), ("state", "=", "queued")],
                order="id",
                limit=1,
            )
            waiting._alert_admin()

    def _whatsapp_judge_outage(self):
        """Pause sending if Meta fails, whatever the message is.

        One message alone may be at fault itself; so several conversations have to be
        concerned, unless there is no connection at all. Failures mixed with successes
        are no outage.

        :return: True if it is paused now, and was not before
        """
        if self.whatsapp_pause_reason:
            return False
        now = fields.Datetime.now()
        since, resumed_at = now - OUTAGE_WITHIN, self.whatsapp_resumed_at
        if resumed_at and since < resumed_at <= now:
            since = resumed_at
        self.env["whatsapp.message.attempt"].flush_model()
        self.env.cr.execute(
            """
            SELECT attempt.fault, part.channel_id, attempt.date,
                   part.attachment_checksum IS NOT NULL
              FROM (SELECT * FROM whatsapp_message_attempt
                     ORDER BY id DESC LIMIT %s) attempt
              JOIN whatsapp_message_queue part ON part.id = attempt.row_id
             WHERE part.gateway_id = %s AND attempt.date > %s
               AND attempt.delivery IS NULL
             ORDER BY attempt.id DESC
            """,
            (LAST_ATTEMPTS, self.id, since),
        )
        failed = list(takewhile(lambda row: row[0], self.env.cr.fetchall()))
        conversations = len({row[1] for row in failed})
        # an upload may fail because of its file
        connections = [row for row in failed if row[0] == "connection" and not row[3]]
        is_down = conversations >= OUTAGE_AT_ONCE or (
            failed[-1:]
            and failed[-1][2] <= now - OUTAGE_SINCE
            and (
                conversations >= OUTAGE_CONVERSATIONS
                or len(connections) >= OUTAGE_CONNECTIONS
            )
        )
        outage = CloudApiError("transient", reason="outage")
        return is_down and self._whatsapp_pause(outage, True)

    def _whatsapp_client(self):
        """Return the client for this number.

        :raise CloudApiError: what an administrator typed cannot be used
        """
        try:
            return self._whatsapp_cloud_api()
        except ValueError as error:
            raise CloudApiError(
                "auth", details=str(error), reason="settings"
            ) from error

    def action_whatsapp_resume(self):
        """Send again: what Meta complained about is repaired.

        :raise AccessError: only who may change the gateway says so
        """
        self.check_access("write")
        self._whatsapp_resume()

    def _whatsapp_resume(self):
        """Lift the pause, except of a copy that nobody connected on purpose."""
        paused = self.filtered(
            lambda gateway: (
                gateway.whatsapp_pause_reason and not gateway._whatsapp_is_cut_off()
            )
        )
        if paused:
            paused._whatsapp_hold()
            paused.write(
                {
                    "whatsapp_pause_reason": False,
                    "whatsapp_outage": False,
                    "whatsapp_probe_at": False,
                    "whatsapp_probes": 0,
                    "whatsapp_resumed_at": fields.Datetime.now(),
                }
            )
            queue = self.env["whatsapp.message.queue"]
            queue._close_alerts(paused)
            queue._whatsapp_cron()._trigger()
