# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta

import pytz
from lxml.builder import E

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.columns import column_names
from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_guarded import GUARDED
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import in_transaction
from odoo.addons.mail_gateway_whatsapp_queue.tools import plain_text, window

from ..tools import conversation
from ..tools.conversation import ANSWERED, CLOSED, OPEN, SNOOZED, preview
from .hr_employee import SALESPERSON
from .res_users import ABSENCE
from .whatsapp_conversation_answer import ANSWER
from .whatsapp_conversation_order import ORDER

_logger = logging.getLogger(__name__)

AT_ONCE = 500  # conversations that one run of the cron wakes
AWAKE = {"snoozed_until": False, "snoozed_by_id": False}
CHOICES = 12  # numbers, and teams, that are filters of their own
INBOX = "crm_whatsapp_gateway.action_whatsapp_inbox"
FAILED = ("failed", "uncertain")  # outgoing messages that somebody has to look at
# A merged conversation gets the first of these states that either one has
STATES = (OPEN, ANSWERED, SNOOZED, CLOSED)


class WhatsappConversation(models.Model):
    """What the inbox knows of a conversation: the last message, whose turn it is, how
    it leaves the inbox and comes back. One row for each channel of WhatsApp.

    What the inbox filters, sorts and groups by, and what decides who sees a row, is a
    column here, which Odoo keeps in step with channel and lead.
    """

    _name = "whatsapp.conversation"
    _inherit = [ANSWER, ORDER, GUARDED]
    _description = "WhatsApp conversation"
    _order = "inbox_date desc, id desc"
    _whatsapp_open = frozenset({"opt_in_source", "opt_in_date", "tag_ids"})

    channel_id = fields.Many2one(
        "discuss.channel",
        string="Chat",
        required=True,
        readonly=True,
        ondelete="cascade",
    )

    # ------------------------------------------------- of the channel, as columns

    name = fields.Char(
        string="Customer", related="channel_id.name", store=True, precompute=True
    )
    active = fields.Boolean(related="channel_id.active", store=True, precompute=True)
    company_id = fields.Many2one(
        related="channel_id.company_id", store=True, precompute=True
    )
    gateway_id = fields.Many2one(
        related="channel_id.gateway_id",
        string="Our number",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    phone = fields.Char(
        related="channel_id.whatsapp_phone", store=True, precompute=True
    )
    username = fields.Char(
        related="channel_id.whatsapp_username", store=True, precompute=True
    )
    lead_id = fields.Many2one(
        related="channel_id.lead_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    stage_id = fields.Many2one(
        related="channel_id.lead_id.stage_id",
        string="Stage",
        store=True,
        precompute=True,
    )
    team_id = fields.Many2one(
        related="channel_id.whatsapp_team_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    user_id = fields.Many2one(
        related="channel_id.whatsapp_user_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    is_member = fields.Boolean(
        string="Takes part",
        compute="_compute_is_member",
        search="_search_is_member",
    )

    # ------------------------------------------------- of the channel, as shown

    bsuid = fields.Char(related="channel_id.whatsapp_bsuid")
    opt_out = fields.Boolean(related="channel_id.whatsapp_opt_out")
    opt_in_source = fields.Char(
        related="channel_id.whatsapp_opt_in_source", readonly=False
    )
    opt_in_date = fields.Date(related="channel_id.whatsapp_opt_in_date", readonly=False)
    no_lead_reason = fields.Char(related="channel_id.whatsapp_no_lead_reason")
    last_customer_date = fields.Datetime(
        related="channel_id.whatsapp_last_customer_date"
    )
    window_open = fields.Boolean(related="channel_id.whatsapp_window_open")
    window_closes = fields.Datetime(related="channel_id.whatsapp_window_closes")

    # ------------------------------------------------- of the lead

    # Computed with the rights of the user: a related field, whatever its groups, is
    # grouped, sorted, searched and exported with the rights of the superuser.
    campaign_id = fields.Many2one(
        "utm.campaign",
        compute="_compute_lead_values",
        search="_search_campaign_id",
    )
    expected_revenue = fields.Monetary(
        compute="_compute_lead_values", currency_field="currency_id"
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_lead_values")
    activity_summary = fields.Char(
        string="Next activity", compute="_compute_lead_values"
    )
    activity_date = fields.Date(
        string="Next activity on", compute="_compute_lead_values"
    )
    activity_state = fields.Selection(
        [("overdue", "Overdue"), ("today", "Today"), ("planned", "Planned")],
        string="State of the next activity",
        compute="_compute_lead_values",
    )

    # ------------------------------------------------- of its own

    state = fields.Selection(
        [
            (OPEN, "Open"),
            (ANSWERED, "Answered"),
            (SNOOZED, "Snoozed"),
            (CLOSED, "Closed"),
        ],
        default=ANSWERED,
        readonly=True,
        copy=False,
        group_expand=True,
        help="Open: it is our turn. Answered: it is the customer's turn. Snoozed and"
        " closed ones come back as soon as the customer writes.",
    )
    snoozed_until = fields.Datetime(
        string="Snoozed until", readonly=True, copy=False, index="btree_not_null"
    )
    snoozed_by_id = fields.Many2one(
        "res.users", string="Snoozed by", readonly=True, copy=False
    )
    inbox_date = fields.Datetime(
        string="In the inbox since",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="When the last message came or went, or the conversation came back.",
    )
    last_text = fields.Char(string="Last message", readonly=True, copy=False)
    last_date = fields.Datetime(string="Last message on", readonly=True, copy=False)
    last_author = fields.Selection(
        [("customer", "Customer"), ("us", "Us")],
        string="Last message by",
        readonly=True,
        copy=False,
    )
    waiting_since = fields.Datetime(
        string="Waiting since", readonly=True, copy=False, index="btree_not_null"
    )
    tag_ids = fields.Many2many("whatsapp.conversation.tag", string="Labels", copy=False)
    unread = fields.Integer(compute="_compute_unread")
    window_closing = fields.Boolean(
        string="Window closes soon, unanswered",
        compute="_compute_window_closing",
        search="_search_window_closing",
    )
    failed = fields.Boolean(
        string="Failed messages", compute="_compute_failed", search="_search_failed"
    )
    absent = fields.Boolean(
        string="Waiting for somebody who is away",
        compute="_compute_absent",
        search="_search_absent",
    )

    def init(self):
        """Make the indexes: one row per channel, the inbox, and what nobody has."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS whatsapp_conversation_channel_uniq
                ON whatsapp_conversation (channel_id);
            CREATE INDEX IF NOT EXISTS whatsapp_conversation_inbox_idx
                ON whatsapp_conversation (inbox_date DESC)
             WHERE state IN ('open', 'answered');
            CREATE INDEX IF NOT EXISTS whatsapp_conversation_waiting_idx
                ON whatsapp_conversation (waiting_since, inbox_date DESC)
             WHERE state IN ('open', 'answered');
            -- who may see it asks for what nobody has: few of many
            CREATE INDEX IF NOT EXISTS whatsapp_conversation_nobodys_idx
                ON whatsapp_conversation (gateway_id) WHERE user_id IS NULL;
            -- those that will be late, and those that are
            CREATE INDEX IF NOT EXISTS whatsapp_conversation_due_idx
                ON whatsapp_conversation (answer_due)
             WHERE answer_due IS NOT NULL AND late IS NOT TRUE;
            CREATE INDEX IF NOT EXISTS whatsapp_conversation_late_idx
                ON whatsapp_conversation (answer_due) WHERE late
            """
        )
        return super().init()

    def write(self, vals):
        """Show other labels wherever the conversations are open."""
        res = super().write(vals)
        if "tag_ids" in vals:
            # sudo: discuss.channel - of conversations that the user may change
            channels = self.sudo().channel_id
            channels._whatsapp_refresh_chats()
            channels._whatsapp_wake_inboxes()
        return res

    # ------------------------------------------------------------- compute

    @api.depends_context("uid")
    @api.depends("channel_id.is_member")
    def _compute_is_member(self):
        for chat in self:
            chat.is_member = chat.channel_id.is_member

    @api.model
    def _search_is_member(self, operator, value):
        channels = self.env["discuss.channel"]
        [(_id, is_in, found)] = channels._search_is_member(operator, value)
        return [("channel_id", is_in, found)]

    @api.depends_context("uid")
    @api.depends(
        "lead_id.campaign_id",
        "lead_id.expected_revenue",
        "lead_id.company_currency",
        "lead_id.activity_ids.date_deadline",
        "lead_id.activity_ids.summary",
    )
    def _compute_lead_values(self):
        """Show of a lead what is not for everybody to who may read the lead."""
        # sudo: whatsapp.conversation - the ids; what they say is read with one's own
        # rights
        leads = self.env["crm.lead"].browse(self.sudo().lead_id.ids)
        # by id, since an intersection would read them one by one
        readable = {lead.id: lead for lead in leads._filtered_access("read")}
        for chat in self:
            lead = readable.get(chat.sudo().lead_id.id, leads.browse())
            chat.campaign_id = lead.campaign_id
            chat.expected_revenue = lead.expected_revenue
            chat.currency_id = lead.company_currency
            chat.activity_summary = lead.activity_summary
            chat.activity_date = lead.activity_date_deadline
            chat.activity_state = lead.activity_state

    @api.model
    def _search_campaign_id(self, operator, value):
        leads = self.env["crm.lead"]
        if not leads.has_access("read"):
            return [(0, "=", 1)]
        found = leads.with_context(active_test=False)._search(
            [("campaign_id", operator, value)]
        )
        return [("lead_id", "in", found)]

    @api.depends_context("uid")
    def _compute_unread(self):
        # sudo: discuss.channel.member - the current user's own counters
        members = (
            self.env["discuss.channel.member"]
            .sudo()
            .search(
                [
                    ("channel_id", "in", self.channel_id.ids),
                    ("partner_id", "=", self.env.user.partner_id.id),
                ]
            )
        )
        unread = {
            member.channel_id.id: member.message_unread_counter for member in members
        }
        for chat in self:
            chat.unread = unread.get(chat.channel_id.id, 0)

    @api.depends(
        "waiting_since",
        "channel_id.whatsapp_last_customer_date",
        "channel_id.whatsapp_window_closed_at",
    )
    def _compute_window_closing(self):
        after, until = window.closing_soon(fields.Datetime.now())
        for chat in self:
            # sudo: discuss.channel - of the channel of what the user sees
            channel = chat.channel_id.sudo()
            last = channel.whatsapp_last_customer_date
            chat.window_closing = bool(
                chat.waiting_since
                and not channel.whatsapp_window_closed_at
                and last
                and after < last <= until
            )

    @api.model
    def _search_window_closing(self, operator, value):
        # not a domain in the view: that would grow old while the page is open
        after, until = window.closing_soon(fields.Datetime.now())
        # sudo: discuss.channel - what the rules of conversations leave out stays out
        channels = self.env["discuss.channel"].sudo()
        closing = channels._search(
            [
                ("whatsapp_window_closed_at", "=", False),
                ("whatsapp_last_customer_date", ">", after),
                ("whatsapp_last_customer_date", "<=", until),
            ]
        )
        domain = [("waiting_since", "!=", False), ("channel_id", "in", closing)]
        if compat.is_true(operator, value):
            return domain
        return ["|", ("waiting_since", "=", False), ("channel_id", "not in", closing)]

    def _compute_failed(self):
        failed = self._failed_ids([("channel_id", "in", self.channel_id.ids)])
        for chat in self:
            chat.failed = chat.channel_id.id in failed

    @api.model
    def _search_failed(self, operator, value):
        # ids: few have failed messages, which a subquery would not tell PostgreSQL
        is_in = "in" if compat.is_true(operator, value) else "not in"
        return [("channel_id", is_in, sorted(self._failed_ids()))]

    def _compute_absent(self):
        # sudo: crm.lead - whether the owner is there, of what the user sees
        leads = self.sudo().lead_id
        left = leads._whatsapp_left_rows() if leads else ()
        absent = {row.lead_id for row in left}
        for chat in self:
            lead_id = chat.sudo().lead_id.id
            chat.absent = bool(chat.waiting_since) and lead_id in absent

    @api.model
    def _search_absent(self, operator, value):
        # sudo: crm.lead - what the rules of conversations leave out stays out
        left = self.env["crm.lead"].sudo()._whatsapp_left_rows()
        is_in = "in" if compat.is_true(operator, value) else "not in"
        return [("lead_id", is_in, [row.lead_id for row in left])]

    @api.model
    def _failed_ids(self, domain=()):
        """Return the ids of the channels with messages that failed."""
        # sudo: whatsapp.message.queue - of conversations that the user sees
        rows = self.env["whatsapp.message.queue"].sudo()
        groups = rows._read_group([("state", "in", FAILED), *domain], ["channel_id"])
        return {channel.id for (channel,) in groups}

    # ------------------------------------------------------------- reading

    @api.model
    def search_fetch(self, domain, field_names=None, **kwargs):
        """Read the row along where the conversation of a channel is looked up."""
        if field_names and set(field_names) == {"channel_id", "active"}:
            field_names = column_names(self)
        return super().search_fetch(domain, field_names, **kwargs)

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if view_type != "search":
            return key
        choices = self._filter_choices()
        return (*key, *(choice for group in choices for choice in group))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Offer each number, team and label as a filter of the inbox."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "search":
            for mark in arch.xpath("//separator[@name='choices']"):
                for group in self._filter_choices():
                    for field, record_id, label in group:
                        mark.addprevious(
                            E.filter(
                                name=f"{field}_{record_id}",
                                string=label,
                                domain=f"[('{field}', '=', {record_id})]",
                            )
                        )
                    mark.addprevious(E.separator())
        return arch, view

    @api.model
    def _filter_choices(self):
        """Return the numbers, teams and labels among which one can choose.

        :return: list of lists of (field, id, label); a single one is no choice
        """
        if not self.env.user.has_group(SALESPERSON):
            return []  # the inbox is theirs
        gateways = self.env["mail.gateway"].search(
            [
                ("gateway_type", "=", "whatsapp"),
                ("company_id", "in", [*self.env.companies.ids, False]),
            ],
            order="name",
            limit=CHOICES,
        )
        teams = self.env["crm.team"].search([], limit=CHOICES)
        tags = self.env["whatsapp.conversation.tag"].search([], limit=CHOICES)
        return [
            [(field, record.id, f"{label}: {record.name}") for record in records]
            for field, label, records, least in (
                ("gateway_id", self.env._("Number"), gateways, 2),
                ("team_id", self.env._("Team"), teams, 2),
                ("tag_ids", self.env._("Label"), tags, 1),  # not all have it
            )
            if len(records) >= least
        ]

    # ------------------------------------------------------------- messages

    def _update_sent(self, message, by_phone=False):
        """Keep what we wrote as the last word; it is an answer if a person wrote it.

        :param message: one ``mail.message``
        :param bool by_phone: somebody typed it in the app on the phone
        """
        self.ensure_one()
        channel = self.channel_id
        automatic = not by_phone and message.author_id.id in channel._whatsapp_robots()
        wait, ours = self._wait(), self.state == OPEN
        if automatic and wait.since:
            return  # what the customer said stays the last word: a person has to answer
        self._update_last_message(
            plain_text.from_html(message.body, marks=False)
            or ", ".join(message.attachment_ids.mapped("name")),
            message.date,
            "us",
            automatic=automatic,
        )
        lead = channel.lead_id
        if wait.since and wait.since <= message.date and not automatic:
            users = message.author_id.user_ids.filtered(
                lambda user: user.active and user.has_group(SALESPERSON)
            )
            lead._whatsapp_answered_by(users[:1] if not by_phone else None)
            self._record_answer(wait, message, by_phone)
        if ours and not automatic:
            lead._whatsapp_end_reminders()

    def _update_group(self, text, date, author):
        """Keep the last word of a group. It waits for no answer: none can be sent.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        """
        if not self.last_date or date >= self.last_date:
            self.write(
                {
                    "last_text": preview(text),
                    "last_date": date,
                    "last_author": author,
                    "inbox_date": date,
                }
            )
        self.channel_id._whatsapp_wake_inboxes()

    def _update_last_message(self, text, date, author, automatic=False):
        """Keep the last word and whose turn it is, and wake the inboxes.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        :param bool automatic: no person wrote it, so that it is no answer
        """
        self.ensure_one()
        values = self._state_after(author, date, automatic)
        if not self.last_date or date >= self.last_date:
            values.update(last_text=preview(text), last_date=date, last_author=author)
        if values:
            self.write(values)
        if "state" in values:
            self.channel_id._whatsapp_send_to_chats(self._turn())
        self.channel_id._whatsapp_wake_inboxes()

    def _turn(self):
        """Return the state, and where it is changed, as the web client is told."""
        return {
            "whatsapp_state": self.state or False,
            "whatsapp_conversation": self.id,
        }

    def _state_after(self, author, date, automatic=False):
        """Return what a message changes in the state.

        :param str author: 'customer' or 'us'
        :param date: of the message, UTC
        :param bool automatic: no person wrote it
        :return: dict of what is to be written, 'waiting since' if it changes only
        """
        last = self.last_date
        late = bool(last and date < last)
        before = self.state or ANSWERED
        state = conversation.after_message(
            before, author, automatic=automatic, late=late
        )
        values = {}
        if state != before:
            values["state"] = state
        if before == SNOOZED != state:
            values.update(AWAKE)
        waits = self.waiting_since
        if author == "customer" and not waits:
            values["waiting_since"] = date
        elif author == "us" and waits and not (automatic or late):
            values["waiting_since"] = False
        if not late:
            values["inbox_date"] = max(date, self.inbox_date or date)
        return values

    def _merged_values(self):
        """Return what is written on the one that stays of these conversations.

        It keeps the last word of all, and whose turn it is.
        """
        last = self.sorted(lambda one: one.last_date or one.create_date)[-1:]
        waits = list(filter(None, self.mapped("waiting_since")))
        snoozed = list(filter(None, self.mapped("snoozed_until")))
        states = self.mapped("state")
        state = next((one for one in STATES if one in states), ANSWERED)

        def newest(name):
            return max(filter(None, self.mapped(name)), default=False)

        values = {
            "last_text": last.last_text,
            "last_date": last.last_date,
            "last_author": last.last_author,
            "inbox_date": newest("inbox_date"),
            "welcomed_at": newest("welcomed_at"),
            "away_at": newest("away_at"),
            "state": state,
            "snoozed_until": state == SNOOZED and min(snoozed),
            "tag_ids": [Command.set(self.tag_ids.ids)],
        }
        since = min(waits, default=False)
        if since != self.sorted(lambda one: one.channel_id.id)[0].waiting_since:
            values["waiting_since"] = since
        return values

    # ------------------------------------------------------------- buttons

    def _check_channels(self, operation):
        """Refuse who may not do this with the channels of these conversations.

        :param str operation: 'read' or 'write'
        :return: the ``discuss.channel``, with the rights of the user
        :raise AccessError: the user may not
        """
        self.check_access(operation)
        channels = self.channel_id
        channels.check_access(operation)
        return channels

    def action_close(self):
        """Take conversations out of the inbox, until the customer writes again."""
        self._check_channels("write")
        self._move({**AWAKE, "state": CLOSED, "waiting_since": False})
        # sudo: crm.lead - whoever decides that no answer is needed
        leads = self.sudo().channel_id.lead_id
        leads.filtered("whatsapp_answer_deadline").whatsapp_answer_deadline = False
        leads._whatsapp_end_reminders()
        self.channel_id._whatsapp_unpin()

    def action_reopen(self):
        """Bring conversations back, with the turn of whoever did not write last."""
        self._check_channels("write")
        for chat in self:
            ours = chat.last_author == "us"
            values = {
                **AWAKE,
                "state": ANSWERED if ours else OPEN,
                "inbox_date": fields.Datetime.now(),
            }
            if not (ours or chat.waiting_since):
                values["waiting_since"] = chat.last_date
            chat._move(values)

    def action_choose_snooze(self):
        """Ask until when these conversations are to be put aside."""
        self._check_channels("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Snooze"),
            "res_model": "whatsapp.snooze",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_conversation_ids": self.ids, "dialog_size": "medium"},
        }

    def action_choose_hand_over(self):
        """Ask to whom these conversations are to be given.

        :raise AccessError: the user is no salesperson, or may not change one of them
        """
        if not self.env.user.has_group(SALESPERSON):
            raise AccessError(self.env._("Only salespeople hand conversations over."))
        self._check_channels("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_whatsapp_gateway.action_whatsapp_hand_over"
        )
        return {
            **action,
            "context": {"default_conversation_ids": self.ids, "dialog_size": "medium"},
        }

    def action_open(self):
        """Open the chat; the salesperson of the conversation takes part in it."""
        self.ensure_one()
        return self._check_channels("read").action_open_whatsapp()

    @api.model
    def _open_inbox(self, name, domain, action=INBOX):
        """Return an action: the inbox, or another page, with what a domain finds.

        :param str name: title of the page
        :param str action: XML id of the page whose views are shown
        """
        values = self.env["ir.actions.act_window"]._for_xml_id(action)
        return {
            **values,
            "name": name,
            "display_name": name,
            "domain": domain,
            "context": {ABSENCE: True},
            "path": False,  # the page is not that of the menu
        }

    def action_details(self):
        """Open the form of the conversation."""
        self.ensure_one()
        self._check_channels("read")
        view = self.env.ref("crm_whatsapp_gateway.whatsapp_conversation_view_form")
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(view.id, "form")],
        }

    def action_open_lead(self):
        """Open the lead of the conversation."""
        self.ensure_one()
        return self._check_channels("read").action_open_lead()

    def action_ask_phone(self):
        """Ask a customer who hides the number for it."""
        self.ensure_one()
        return self._check_channels("read").action_ask_phone()

    def action_create_lead(self):
        """Make a lead of a conversation that has none, whoever it is."""
        self.ensure_one()
        return self._check_channels("write").action_create_lead()

    def action_create_leads(self):
        """Make leads of the chosen conversations that have none, and assign them.

        Those of people who never become leads by themselves are left out: of them
        somebody decides one by one.

        :return: action that tells what was done
        :raise AccessError: the user is no salesperson, or may not change one of them
        """
        if not self.env.user.has_group(SALESPERSON):
            raise AccessError(self.env._("Only salespeople make leads."))
        channels = self._check_channels("write")
        without = channels.filtered(
            lambda channel: channel._is_whatsapp() and not channel.sudo().lead_id
        )
        # sudo: discuss.channel - as for a message, which anybody may cause
        refused = without.filtered(
            lambda channel: channel.sudo()._whatsapp_refusal(
                channel._whatsapp_partners()
            )
        )
        for channel in without - refused:
            channel.action_create_lead()
        words = [
            self.env._(
                "%(made)s conversations have a lead now, %(there)s had one.",
                made=len(without - refused),
                there=len(channels - without),
            )
        ]
        if refused:
            words.append(
                self.env._(
                    "Left out, as they are no customers: %s.",
                    ", ".join(refused.mapped("name")),
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if refused else "success",
                "title": self.env._("Leads"),
                "message": " ".join(words),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # ------------------------------------------------------------- snooze

    @api.model
    def _snooze_end(self, choice):
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

    def _snooze(self, until):
        """Put conversations aside, and have the cron bring them back.

        :param until: UTC
        :raise UserError: a time that is past
        """
        self._check_channels("write")
        if until <= fields.Datetime.now():
            raise UserError(self.env._("Please choose a time that is still to come."))
        self._move(
            {
                "state": SNOOZED,
                "snoozed_until": until,
                "snoozed_by_id": self.env.uid,
            }
        )
        # sudo: crm.lead, ir.cron - whoever puts the conversation aside
        self.sudo().channel_id.lead_id._whatsapp_end_reminders()
        cron = self.env.ref("crm_whatsapp_gateway.ir_cron_snoozed").sudo()
        cron._trigger(at=until)

    def _move(self, values):
        """Write another state, and show it wherever the conversations are open."""
        # sudo: whatsapp.conversation - the caller has checked
        chats = self.sudo()
        chats.write(values)
        for chat in chats:
            chat.channel_id._whatsapp_send_to_chats(chat._turn())
        chats.channel_id._whatsapp_wake_inboxes()

    @api.model
    def _cron_wake_snoozed(self):
        """Bring back what was put aside until now; the customer is told nothing."""
        due = self.search(
            [
                ("state", "=", SNOOZED),
                ("snoozed_until", "<=", fields.Datetime.now()),
            ],
            order="snoozed_until",
            limit=AT_ONCE,
        )
        for chat in due:
            try:
                in_transaction(
                    self.env.registry,
                    lambda env, chat=chat: chat.with_env(env)._wake(),
                )
            except Exception:  # one conversation must not keep the others waiting
                _logger.exception("conversation %s could not be woken", chat.id)
        if len(due) == AT_ONCE:
            self.env.ref("crm_whatsapp_gateway.ir_cron_snoozed")._trigger()

    def _wake(self):
        """End a snooze whose time has come, and remind whose conversation it is."""
        now = fields.Datetime.now()
        if not self.exists() or self.state != SNOOZED or self.snoozed_until > now:
            return  # somebody was faster
        user = self.user_id or self.snoozed_by_id
        self._move({**AWAKE, "state": OPEN, "inbox_date": now})
        if user.active:
            self._remind(user)

    def _remind(self, user):
        """Ask somebody to go on with the conversation: on its lead, if it is open.

        :param user: one ``res.users``
        """
        words = self.with_context(lang=user.lang).env
        summary = words._("Go on with the WhatsApp conversation")
        lead = self.channel_id.lead_id
        if lead._whatsapp_is_open():
            lead._whatsapp_add_reminder(user, summary)
            return
        self.env["mail.thread"].message_notify(
            partner_ids=user.partner_id.ids,
            subject=summary,
            body=words._(
                "The time until which you put the conversation with %s aside is over.",
                self.name,
            ),
        )
