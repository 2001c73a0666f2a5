# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import threading
from datetime import timedelta
from time import monotonic

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import UserError

from .. import compat
from ..tools import identity as wa_identity
from ..tools.errors import CloudApiError
from .mail_gateway_secrets import GUARDED, SECRETS, SECRETS_OF, UNIQUE
from .mail_gateway_sending import SENDING
from .mail_gateway_setup import SETUP
from .whatsapp_gateway_check import CheckContext

_logger = logging.getLogger(__name__)

# what a number leaves behind: field with the gateway, by model
HISTORY = {
    "discuss.channel": "gateway_id",
    "whatsapp.webhook.event": "gateway_id",
    "whatsapp.message.queue": "gateway_id",
}

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
    """A number of WhatsApp: what its webhook knows, and whom it talks with."""

    _name = "mail.gateway"
    _inherit = [
        "mail.gateway",
        "mail.thread",
        "mail.activity.mixin",
        SECRETS_OF,
        SENDING,
        SETUP,
    ]

    active = fields.Boolean(
        default=True,
        help="An archived number is not connected: it receives and sends nothing. Its"
        " conversations stay readable.",
    )
    whatsapp_copy_connected = fields.Boolean(
        string="Connected in a copy",
        readonly=True,
        copy=False,
        groups=SECRETS,
        help="An administrator connected this number on purpose, though the database"
        " is a neutralized copy.",
    )
    # salespeople read gateways; what opens doors is for administrators
    # salespeople read gateways; what opens doors is for administrators
    token = fields.Char(groups=SECRETS, prefetch=False, copy=False)
    webhook_key = fields.Char(groups=SECRETS, prefetch=False, copy=False)
    webhook_secret = fields.Char(
        groups=SECRETS,
        prefetch=False,
        copy=False,
        help="WhatsApp: the app secret of the Meta app, which signs each delivery. "
        "Without it every delivery is refused.",
    )
    webhook_url = fields.Char(groups=SECRETS)
    whatsapp_security_key = fields.Char(
        string="Webhook verify token",
        groups=SECRETS,
        prefetch=False,
        copy=False,
        help="The text that you type as 'Verify token' in the Meta app.",
    )
    can_set_webhook = fields.Boolean(compute_sudo=True)
    integrated_webhook_state = fields.Selection(copy=False)
    whatsapp_from_phone = fields.Char(string="Phone number ID", copy=False)

    whatsapp_account_id = fields.Char(string="WhatsApp Business account ID")
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
        string="Opt-out keywords",
        default="BAJA, STOP",
        help="Separated by commas. A customer who writes nothing but one of them gets"
        " no more marketing templates.",
    )
    whatsapp_start_words = fields.Char(
        string="Opt-in keywords",
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
            ("bad", "Needs fixing"),
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

    # When they are violated, the database tells the values: see UNIQUE
    vars().update(
        compat.no_constraints("mail_gateway_token", "mail_gateway_webhook_key")
    )

    def init(self):
        """Make the unique indexes; what is there twice already stays."""
        for name, (expression, condition) in UNIQUE.items():
            # names and expressions are those of UNIQUE
            # pylint: disable=sql-injection
            self.env.cr.execute(
                f"SELECT array_agg(id ORDER BY id) FROM mail_gateway"
                f" WHERE {condition} GROUP BY {expression} HAVING count(*) > 1"
            )
            twice = [ids for (ids,) in self.env.cr.fetchall()]
            if twice:
                _logger.warning(
                    "the gateways %s have the same %s: please leave one of them and"
                    " update the addon",
                    twice,
                    name.removeprefix("mail_gateway_").removesuffix("_uniq"),
                )
                continue
            self.env.cr.execute(
                f"CREATE UNIQUE INDEX IF NOT EXISTS {name}"
                f" ON mail_gateway (({expression})) WHERE {condition}"
            )
        return super().init()

    @api.depends("gateway_type")
    def _compute_webhook_checks(self):
        """Forget the key that OCA looks at with all rights."""
        res = super()._compute_webhook_checks()
        self._forget_secrets()
        return res

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

    # ------------------------------------------------------------- create, write

    @api.model_create_multi
    def create(self, vals_list):
        """Make the keys that nobody must guess; refuse what cannot be stored.

        Before the database says so, with the values.
        """
        vals_list = [self._without_spaces(vals) for vals in vals_list]
        required = [
            name
            for name, field in self._fields.items()
            if field.required and field.store and not field.compute
        ]
        for vals in vals_list:
            if vals.get("gateway_type") == "whatsapp":
                for name, value in self._whatsapp_new_keys().items():
                    vals[name] = vals.get(name) or value
            filled = self._add_missing_default_values(vals)
            self._check_filled({**dict.fromkeys(required), **filled})
        self._check_taken(vals_list)
        with self._writing_secrets():
            gateways = super().create(vals_list)
            gateways.flush_recordset()
        gateways._forget_secrets()
        self.env["whatsapp.gateway.check"]._make(gateways)
        return gateways

    def write(self, vals):
        """Refuse what cannot be stored before the database says so, with its values.

        What depends on it counts as not tested; what waits goes on when it can.
        """
        vals = self._without_spaces(vals)
        archived = self.browse()
        if vals.get("active"):
            archived = self.filtered(lambda gateway: not gateway.active)
        note_touched = self._whatsapp_touched(vals)
        self._check_filled(vals)
        if GUARDED & vals.keys():
            self.check_access("write")
            kept = {"gateway_type"} - vals.keys()
            if "gateway_type" in vals:
                kept = {"whatsapp_from_phone"} - vals.keys()
            self._check_taken(
                [{**{name: each[name] for name in kept}, **vals} for each in self], self
            )
            with self._writing_secrets():
                res = super().write(vals)
                self.flush_recordset()
            self._forget_secrets()
        else:
            res = super().write(vals)
        if WEBHOOK_FIELDS & vals.keys():
            self.env.registry.clear_cache()
        if {"token", "whatsapp_from_phone"} & vals.keys():
            self._whatsapp_resume()
        if "active" in vals:
            self._whatsapp_show_off()
        if archived:
            self.env["whatsapp.message.queue"]._whatsapp_cron()._trigger()
        note_touched()
        return res

    def copy_data(self, default=None):
        """Copy settings, and nothing by which a number is known or opened."""
        vals_list = super().copy_data(default)
        for gateway, vals in zip(self, vals_list, strict=True):
            vals.setdefault("token", "")
            if gateway.gateway_type == "whatsapp" and "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", gateway.name)
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_history(self):
        """Keep numbers with which something was said.

        :raise UserError: with what there is, and the way: archiving
        """
        for gateway in self.filtered(lambda one: one.gateway_type == "whatsapp"):
            # sudo: what others may not read counts all the same
            found = {
                model: self.env[model]
                .sudo()
                .with_context(active_test=False)
                .search_count([(name, "=", gateway.id)])
                for model, name in HISTORY.items()
            }
            if any(found.values()):
                raise UserError(
                    self.env._(
                        "%(name)s cannot be deleted: it has %(channels)s conversations,"
                        " %(events)s deliveries of Meta and %(rows)s outgoing messages,"
                        " which would be lost. Please archive it instead (Action,"
                        " Archive): then it receives and sends nothing, and what was"
                        " said stays readable.",
                        name=gateway.name,
                        channels=found["discuss.channel"],
                        events=found["whatsapp.webhook.event"],
                        rows=found["whatsapp.message.queue"],
                    )
                )

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
        # sudo: discuss.channel - see above
        channels = self.env["discuss.channel"].sudo()
        found = channels._whatsapp_find_by(**names).filtered(
            lambda channel: channel.channel_type == "gateway"
        )
        ours = found.filtered(lambda channel: channel.gateway_id == self)
        if ours:
            best = ours.browse()
            for name, values in names.items():
                best |= ours.filtered(lambda c, n=name, v=values: c[n] and c[n] in v)
            return best.with_env(self.env)
        # a token alone may be that of another service
        orphan = found.filtered(
            lambda channel: (
                not channel.gateway_id
                and channel.company_id in (self.company_id, self.env["res.company"])
                and (
                    (person.bsuid and channel.whatsapp_bsuid == person.bsuid)
                    or channel.whatsapp_phone in person.phones
                )
            )
        )[-1:]
        return orphan.with_env(self.env)

    def _whatsapp_conversation(self, person, name, record=None):
        """Return the conversation with a person, a new one if there is none.

        :param person: ``tools.identity.Identity``
        :param str name: what a new conversation is called
        :param record: the document that it begins from, or None
        """
        self.ensure_one()
        found = self._whatsapp_find_channel(person)
        if found:
            return found
        values = self._whatsapp_conversation_vals(person, name, record)
        # sudo: discuss.channel - whoever may write to customers may write first
        channel = self.env["discuss.channel"].sudo().create(values)
        channel._whatsapp_add_members(self._whatsapp_conversation_users(record))
        return channel.with_env(self.env)

    def _whatsapp_conversation_of_user(self, person, name, record=None):
        """Return the conversation with a person for who may write in it.

        :param person: ``tools.identity.Identity``
        :param str name: what a new conversation is called
        :param record: the document that it begins from, or None
        :raise AccessError: the user does not work with WhatsApp, may not read the
            number, or begins no conversations from it
        :raise UserError: it is a colleague's conversation
        """
        self.ensure_one()
        self.env.user._whatsapp_check_works()
        self.check_access("read")
        known = self._whatsapp_look_up(person)[:1]
        if not known:
            self._whatsapp_check_writer()
        known._whatsapp_check_mine()
        channel = self._whatsapp_conversation(person, name, record)
        channel._whatsapp_check_mine()
        return channel

    def _whatsapp_conversation_vals(self, person, name, record=None):
        """Return the values of a conversation that we begin. A hook.

        :param person: ``tools.identity.Identity``
        :param str name: what it is called
        :param record: the document that it begins from, or None
        """
        return {
            "name": name or person.label,
            "channel_type": "gateway",
            "gateway_id": self.id,
            "gateway_channel_token": person.token,
            "company_id": self.company_id.id,
        }

    def _whatsapp_conversation_users(self, record=None):
        """Return the users who take part in a conversation that we begin. A hook.

        :param record: the document that it begins from, or None
        """
        user = self.env.user
        return user if user._is_internal() else user.browse()

    def _whatsapp_adopt(self, orphan):
        """Take over a conversation whose number was deleted.

        :param orphan: ``discuss.channel`` of the same person, with all rights
        """
        self.ensure_one()
        orphan.write({"gateway_id": self.id})
        orphan._message_log(
            body=self.env._("The conversation goes on with the number %s.", self.name)
        )

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
        # sudo: mail.gateway - the check is written by nobody's hand
        gateway = self.sudo()
        gateway.whatsapp_templates_at = fields.Datetime.now()
        checks = gateway.env["whatsapp.gateway.check"]
        result = checks._check_templates(CheckContext(gateway))
        checks._keep(gateway, {"templates": result})
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
