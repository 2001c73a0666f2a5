# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import in_transaction
from odoo.addons.mail_gateway_whatsapp_queue.tools import window

from ..tools import conversation
from ..tools.conversation import ANSWERED, CLOSED, OPEN, SNOOZED

_logger = logging.getLogger(__name__)

AT_ONCE = 500  # conversations that one run of the cron wakes
AWAKE = {"whatsapp_snoozed_until": False, "whatsapp_snoozed_by_id": False}
FAILED = ("failed", "uncertain")  # outgoing messages that somebody has to look at


class DiscussChannel(models.Model):
    """Whose turn it is in a conversation; how it leaves the inbox and comes back."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel"

    whatsapp_state = fields.Selection(
        [
            (OPEN, "Open"),
            (ANSWERED, "Answered"),
            (SNOOZED, "Snoozed"),
            (CLOSED, "Closed"),
        ],
        string="State",
        readonly=True,
        copy=False,
        group_expand=True,
        help="Open: it is our turn. Answered: it is the customer's turn. Snoozed and"
        " closed ones come back as soon as the customer writes.",
    )
    whatsapp_snoozed_until = fields.Datetime(
        string="Snoozed until", readonly=True, copy=False, index="btree_not_null"
    )
    whatsapp_snoozed_by_id = fields.Many2one(
        "res.users", string="Snoozed by", readonly=True, copy=False
    )
    whatsapp_inbox_date = fields.Datetime(
        string="In the inbox since",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="When the last message came or went, or the conversation came back.",
    )
    whatsapp_window_closing = fields.Boolean(
        string="Window closes soon, unanswered",
        compute="_compute_whatsapp_window_closing",
        search="_search_whatsapp_window_closing",
    )
    whatsapp_failed = fields.Boolean(
        string="Failed messages",
        compute="_compute_whatsapp_failed",
        search="_search_whatsapp_failed",
    )

    whatsapp_absent = fields.Boolean(
        string="Waiting for somebody who is away",
        compute="_compute_whatsapp_absent",
        search="_search_whatsapp_absent",
    )

    def init(self):
        """Make the inbox's index, and give older conversations their state."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS discuss_channel_whatsapp_inbox_idx
                ON discuss_channel (whatsapp_inbox_date DESC)
             WHERE whatsapp_state IN ('open', 'answered');
            UPDATE discuss_channel channel
               SET whatsapp_state = CASE
                       WHEN channel.whatsapp_waiting_since IS NULL THEN 'answered'
                       ELSE 'open'
                   END,
                   whatsapp_inbox_date = channel.whatsapp_last_date
              FROM mail_gateway gateway
             WHERE gateway.id = channel.gateway_id
               AND gateway.gateway_type = 'whatsapp'
               AND channel.whatsapp_state IS NULL;
            """
        )
        return super().init()

    # ------------------------------------------------------------- compute

    @api.depends(
        "whatsapp_last_customer_date",
        "whatsapp_waiting_since",
        "whatsapp_window_closed_at",
    )
    def _compute_whatsapp_window_closing(self):
        after, until = window.closing_soon(fields.Datetime.now())
        for channel in self:
            last = channel.whatsapp_last_customer_date
            channel.whatsapp_window_closing = bool(
                channel.whatsapp_waiting_since
                and not channel.whatsapp_window_closed_at
                and last
                and after < last <= until
            )

    @api.model
    def _search_whatsapp_window_closing(self, operator, value):
        # not a domain in the view: that would grow old while the page is open
        after, until = window.closing_soon(fields.Datetime.now())
        domain = [
            ("whatsapp_waiting_since", "!=", False),
            ("whatsapp_window_closed_at", "=", False),
            ("whatsapp_last_customer_date", ">", after),
            ("whatsapp_last_customer_date", "<=", until),
        ]
        if compat.is_true(operator, value):
            return domain
        # sudo: discuss.channel - left out of what the rules let the user find
        return [("id", "not in", self.sudo()._search(domain))]

    def _compute_whatsapp_failed(self):
        failed = self._whatsapp_failed_ids([("channel_id", "in", self.ids)])
        for channel in self:
            channel.whatsapp_failed = channel.id in failed

    @api.model
    def _search_whatsapp_failed(self, operator, value):
        # ids: few have failed messages, which a subquery would not tell PostgreSQL
        is_in = "in" if compat.is_true(operator, value) else "not in"
        return [("id", is_in, sorted(self._whatsapp_failed_ids()))]

    def _compute_whatsapp_absent(self):
        # sudo: crm.lead - whether the owner is there, of what the user sees
        leads = self.sudo().lead_id
        left = leads._whatsapp_left_rows() if leads else ()
        absent = {row.lead_id for row in left}
        for channel in self:
            waits = channel.whatsapp_waiting_since
            lead_id = channel.sudo().lead_id.id
            channel.whatsapp_absent = bool(waits) and lead_id in absent

    @api.model
    def _search_whatsapp_absent(self, operator, value):
        # sudo: crm.lead - what the rules of conversations leave out stays out
        left = self.env["crm.lead"].sudo()._whatsapp_left_rows()
        is_in = "in" if compat.is_true(operator, value) else "not in"
        return [("lead_id", is_in, [row.lead_id for row in left])]

    @api.model
    def _whatsapp_failed_ids(self, domain=()):
        """Return the ids of the conversations with messages that failed."""
        # sudo: whatsapp.message.queue - of conversations that the user sees
        rows = self.env["whatsapp.message.queue"].sudo()
        groups = rows._read_group([("state", "in", FAILED), *domain], ["channel_id"])
        return {channel.id for (channel,) in groups}

    # ------------------------------------------------------------- create

    @api.model_create_multi
    def create(self, vals_list):
        """Begin without anything to do: the first message decides."""
        gateways = self.env["mail.gateway"]
        for vals in vals_list:
            if gateways.browse(vals.get("gateway_id")).gateway_type == "whatsapp":
                vals.setdefault("whatsapp_state", ANSWERED)
        return super().create(vals_list)

    # ------------------------------------------------------------- buttons

    def action_whatsapp_close(self):
        """Take conversations out of the inbox, until the customer writes again."""
        self.check_access("write")
        self._whatsapp_move(
            {**AWAKE, "whatsapp_state": CLOSED, "whatsapp_waiting_since": False}
        )
        # sudo: crm.lead - whoever decides that no answer is needed
        leads = self.sudo().lead_id
        leads.filtered("whatsapp_answer_deadline").whatsapp_answer_deadline = False
        leads._whatsapp_end_reminders()
        self._whatsapp_unpin()

    def action_whatsapp_reopen(self):
        """Bring conversations back, with the turn of whoever did not write last."""
        self.check_access("write")
        for channel in self:
            ours = channel.whatsapp_last_author == "us"
            values = {
                **AWAKE,
                "whatsapp_state": ANSWERED if ours else OPEN,
                "whatsapp_inbox_date": fields.Datetime.now(),
            }
            if not (ours or channel.whatsapp_waiting_since):
                values["whatsapp_waiting_since"] = channel.whatsapp_last_date
            channel._whatsapp_move(values)

    def action_whatsapp_choose_snooze(self):
        """Ask until when these conversations are to be put aside."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Snooze"),
            "res_model": "whatsapp.snooze",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_channel_ids": self.ids, "dialog_size": "medium"},
        }

    @api.model
    def _whatsapp_snooze_end(self, choice):
        """Return when a ready snooze ends, UTC; mornings are the user's own.

        :param str choice: one of ``tools.conversation`` HOURS and MORNINGS
        """
        now = fields.Datetime.now()
        if choice in conversation.HOURS:
            return now + timedelta(hours=conversation.HOURS[choice])
        zone = pytz.timezone(self.env.user.tz or "UTC")
        here = pytz.utc.localize(now).astimezone(zone).replace(tzinfo=None)
        morning = zone.localize(conversation.next_morning(choice, here))
        return morning.astimezone(pytz.utc).replace(tzinfo=None)

    def _whatsapp_snooze(self, until):
        """Put conversations aside, and have the cron bring them back.

        :param until: UTC
        :raise UserError: a time that is past
        """
        self.check_access("write")
        if until <= fields.Datetime.now():
            raise UserError(self.env._("Please choose a time that is still to come."))
        self._whatsapp_move(
            {
                "whatsapp_state": SNOOZED,
                "whatsapp_snoozed_until": until,
                "whatsapp_snoozed_by_id": self.env.uid,
            }
        )
        # sudo: crm.lead, ir.cron - whoever puts the conversation aside
        self.sudo().lead_id._whatsapp_end_reminders()
        cron = self.env.ref("crm_whatsapp_gateway.ir_cron_snoozed").sudo()
        cron._trigger(at=until)

    def _whatsapp_move(self, values):
        """Write another state, and show it wherever the conversations are open."""
        # sudo: discuss.channel - the caller has checked
        self.sudo().write(values)
        for channel in self:
            channel._bus_send(
                "mail.record/insert",
                {"discuss.channel": [{"id": channel.id, **channel._whatsapp_turn()}]},
            )
        self._whatsapp_wake_inboxes()

    def _whatsapp_turn(self):
        """Return the state as the web client is told."""
        return {"whatsapp_state": self.whatsapp_state or False}

    # ------------------------------------------------------------- by themselves

    def _whatsapp_state_after(self, author, date, automatic=False):
        """Return what a message changes in the state.

        :param str author: 'customer' or 'us'
        :param date: of the message, UTC
        :param bool automatic: no person wrote it
        :return: dict of what is to be written, 'waiting since' if it changes only
        """
        last = self.whatsapp_last_date
        late = bool(last and date < last)
        before = self.whatsapp_state or ANSWERED
        state = conversation.after_message(
            before, author, automatic=automatic, late=late
        )
        values = {}
        if state != before:
            values["whatsapp_state"] = state
        if before == SNOOZED != state:
            values.update(AWAKE)
        waits = self.whatsapp_waiting_since
        if author == "customer" and not waits:
            values["whatsapp_waiting_since"] = date
        elif author == "us" and waits and not (automatic or late):
            values["whatsapp_waiting_since"] = False
        if not late:
            values["whatsapp_inbox_date"] = max(date, self.whatsapp_inbox_date or date)
        return values

    @api.model
    def _cron_wake_snoozed(self):
        """Bring back what was put aside until now; the customer is told nothing."""
        due = self.search(
            [
                ("whatsapp_state", "=", SNOOZED),
                ("whatsapp_snoozed_until", "<=", fields.Datetime.now()),
            ],
            order="whatsapp_snoozed_until",
            limit=AT_ONCE,
        )
        for channel in due:
            try:
                in_transaction(
                    self.env.registry,
                    lambda env, channel=channel: channel.with_env(env)._whatsapp_wake(),
                )
            except Exception:  # one conversation must not keep the others waiting
                _logger.exception("conversation %s could not be woken", channel.id)
        if len(due) == AT_ONCE:
            self.env.ref("crm_whatsapp_gateway.ir_cron_snoozed")._trigger()

    def _whatsapp_wake(self):
        """End a snooze whose time has come, and remind whose conversation it is."""
        now = fields.Datetime.now()
        if (
            not self.exists()
            or self.whatsapp_state != SNOOZED
            or self.whatsapp_snoozed_until > now
        ):
            return  # somebody was faster
        user = self.whatsapp_user_id or self.whatsapp_snoozed_by_id
        self._whatsapp_move(
            {**AWAKE, "whatsapp_state": OPEN, "whatsapp_inbox_date": now}
        )
        if user.active:
            self._whatsapp_remind(user)

    def _whatsapp_remind(self, user):
        """Ask somebody to go on with the conversation: on its lead, if it is open.

        :param user: one ``res.users``
        """
        words = self.with_context(lang=user.lang).env
        summary = words._("Go on with the WhatsApp conversation")
        if self.lead_id._whatsapp_is_open():
            self.lead_id._whatsapp_add_reminder(user, summary)
            return
        self.env["mail.thread"].message_notify(
            partner_ids=user.partner_id.ids,
            subject=summary,
            body=words._(
                "The time until which you put the conversation with %s aside is over.",
                self.name,
            ),
        )
