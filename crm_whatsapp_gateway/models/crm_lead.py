# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

import pytz
from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_phones import PHONES
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import (
    automation_run,
    remembered,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools import identity as wa_identity
from odoo.addons.mail_gateway_whatsapp_queue.tools.identity import Identity

from ..tools import duty
from ..tools.conversation import ANSWERED
from .crm_lead_absence import ABSENCE
from .crm_lead_panel import PANEL
from .hr_employee import Choice

CANDIDATES = 20  # leads of one person that are compared
# What the chat shows of its lead to everybody in it
SUMMARY = {"name", "phone", "stage_id", "user_id"}
# What a merged lead takes over from those that are merged into it
MERGED = (
    "whatsapp_ad_id",
    "whatsapp_ctwa_clid",
    "whatsapp_match_reason",
    "whatsapp_opened_at",
)


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", PHONES, ABSENCE, PANEL]

    whatsapp_channel_ids = fields.One2many(
        "discuss.channel", "lead_id", string="WhatsApp channels"
    )
    whatsapp_conversation_ids = fields.One2many(
        "whatsapp.conversation", "lead_id", string="WhatsApp conversations"
    )
    whatsapp_channel_count = fields.Integer(
        string="Conversations", compute="_compute_whatsapp_channels"
    )
    whatsapp_unread = fields.Integer(
        string="Unread WhatsApp messages", compute="_compute_whatsapp_channels"
    )
    whatsapp_username = fields.Char(
        string="WhatsApp username",
        compute="_compute_whatsapp_username",
        search="_search_whatsapp_username",
    )
    whatsapp_waiting_since = fields.Datetime(
        string="The customer waits since", compute="_compute_whatsapp_channels"
    )
    whatsapp_opened_at = fields.Datetime(
        string="Opened by WhatsApp",
        readonly=True,
        copy=False,
        help="When a WhatsApp message created this lead, was first linked to it, or"
        " opened it again.",
    )
    whatsapp_gateway_id = fields.Many2one(
        "mail.gateway",
        string="Came by the number",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The number whose message created this lead.",
    )
    whatsapp_match_reason = fields.Char(
        string="Why this lead",
        readonly=True,
        copy=False,
        help="Why the WhatsApp conversation belongs to this lead.",
    )
    whatsapp_assignment_ids = fields.One2many(
        "whatsapp.assignment", "lead_id", string="WhatsApp assignments"
    )
    whatsapp_assign_reason = fields.Char(
        string="Why this salesperson", compute="_compute_whatsapp_assign_reason"
    )
    whatsapp_duplicate_ids = fields.Many2many(
        "crm.lead",
        string="Open leads of the same person",
        compute="_compute_whatsapp_duplicate_ids",
    )
    whatsapp_queued_at = fields.Datetime(
        string="Waits for a salesperson since",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    whatsapp_answer_deadline = fields.Datetime(
        string="Passed on without an answer at",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    whatsapp_passed_on = fields.Integer(
        string="Times passed on", readonly=True, copy=False
    )
    whatsapp_ad_id = fields.Many2one(
        "whatsapp.ad",
        string="Came by the ad",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    whatsapp_ctwa_clid = fields.Char(
        string="Click ID",
        readonly=True,
        copy=False,
        help="Meta's id of the click on the ad (ctwa_clid), which the Conversions API"
        " asks for.",
    )

    # ------------------------------------------------------------- compute

    @api.depends_context("uid")
    @api.depends("whatsapp_channel_ids")
    def _compute_whatsapp_channels(self):
        # sudo: whatsapp.conversation - the numbers alone tell nothing
        chats = self.env["whatsapp.conversation"].sudo()
        by_lead = chats.search([("lead_id", "in", self.ids)]).grouped("lead_id")
        for lead in self:
            own = by_lead.get(lead._origin, chats)
            lead.whatsapp_channel_count = len(own)
            lead.whatsapp_unread = sum(own.mapped("unread"))
            waits = filter(None, own.mapped("waiting_since"))
            lead.whatsapp_waiting_since = min(waits, default=False)

    @api.depends("whatsapp_channel_ids.whatsapp_username")
    def _compute_whatsapp_username(self):
        for lead in self:
            # sudo: discuss.channel - who may read the lead may know who it is
            channels = lead.sudo().whatsapp_channel_ids
            names = filter(None, channels.mapped("whatsapp_username"))
            lead.whatsapp_username = next(names, False)

    @api.model
    def _search_whatsapp_username(self, operator, value):
        if isinstance(value, str):
            value = value.strip().lstrip("@")
        # sudo: discuss.channel - the leads found are those that the user may read
        channels = self.env["discuss.channel"].sudo()
        found = channels._search(
            [("lead_id", "!=", False), ("whatsapp_username", operator, value)]
        )
        return [("id", "in", found.subselect("lead_id"))]

    @api.depends("whatsapp_assignment_ids", "user_id")
    @api.depends_context("lang")
    def _compute_whatsapp_assign_reason(self):
        last = {}
        rows = self.env["whatsapp.assignment"].search([("lead_id", "in", self.ids)])
        for row in rows:  # the newest first
            last.setdefault(row.lead_id.id, row)
        for lead in self:
            row = last.get(lead._origin.id, rows.browse())
            lead.whatsapp_assign_reason = (
                lead._whatsapp_changed_by()
                if row and row.user_id != lead.user_id
                else row.reason
            )

    def _whatsapp_changed_by(self):
        """Return who made whoever has the lead now its salesperson, in words."""
        # sudo: mail.tracking.value - the history of the lead, for who reads the lead
        change = (
            self.env["mail.tracking.value"]
            .sudo()
            .search(
                [
                    ("mail_message_id.model", "=", self._name),
                    ("mail_message_id.res_id", "=", self._origin.id),
                    ("field_id.name", "=", "user_id"),
                    ("new_value_integer", "=", self.user_id.id or 0),
                ],
                order="id desc",
                limit=1,
            )
        )
        if not change:
            return self.env._("Changed after the assignment")
        return self.env._(
            "Changed by %(name)s on %(date)s",
            name=change.mail_message_id.author_id.name,
            date=format_date(self.env, change.create_date),
        )

    @api.depends("whatsapp_phones", "whatsapp_channel_ids")
    def _compute_whatsapp_duplicate_ids(self):
        for lead in self:
            channel = lead.whatsapp_channel_ids[:1]
            lead.whatsapp_duplicate_ids = (
                channel._whatsapp_leads_of_person().filtered(
                    lambda twin: twin._whatsapp_is_open()
                )
                - lead._origin
                if channel and lead._whatsapp_is_open()
                else False
            )

    # ------------------------------------------------------------- owner

    def write(self, vals):
        """Move the conversations, and what is asked for, to a new owner.

        Those of a lead that is won or lost are over, unless the customer waits. Chats
        that are open show what has changed.
        """
        before = [(lead, lead.user_id) for lead in self] if "user_id" in vals else []
        confirms = self._whatsapp_confirms(vals)
        asked = [(lead, lead.partner_id) for lead in self] if confirms else []
        res = super().write(vals)
        for lead, old in before:
            if lead.user_id and lead.user_id != old:
                lead._whatsapp_moved(old)
        for lead, old in asked:
            if lead.partner_id and lead.partner_id != old:
                lead._whatsapp_confirm_customer()
        if not vals.keys().isdisjoint(("active", "stage_id")):
            self._whatsapp_close_answered()
        if SUMMARY & vals.keys():
            # sudo: discuss.channel - colleagues have them open, too
            self.sudo().whatsapp_channel_ids._whatsapp_refresh_chats()
        return res

    # ------------------------------------------------------------- customer

    def _whatsapp_confirms(self, vals):
        """Tell whether a person of ours chooses the customer here.

        Leads that are merged, and those of a file, get theirs without a look at it.

        :param dict vals: of ``write``
        """
        user = self.env.user
        return (
            bool(vals.get("partner_id"))
            and self.env.uid != SUPERUSER_ID
            and user._is_internal()
            and not automation_run(self.env.cr)
            and not self.env.context.get("import_file")
            and "whatsapp_opened_at" not in vals  # which merging alone writes along
        )

    def _whatsapp_confirm_customer(self):
        """Let the customer whom somebody chose be who writes in the conversations.

        OCA's table takes one row for each contact and number of ours: the last one
        that was chosen counts.
        """
        # sudo: res.partner.gateway.channel, discuss.channel - who may choose the
        # customer of the lead says so
        links = self.env["res.partner.gateway.channel"].sudo()
        lead, partner = self.sudo(), self.sudo().partner_id
        for gateway, channels in lead.whatsapp_channel_ids.grouped(
            "gateway_id"
        ).items():
            channel = channels._whatsapp_latest()
            tokens = channel._whatsapp_tokens()
            known = links.search(
                [
                    ("gateway_id", "=", gateway.id),
                    "|",
                    ("gateway_token", "in", tokens),
                    ("partner_id", "=", partner.id),
                ]
            )
            right = known.filtered(
                lambda link, tokens=tokens: (
                    link.partner_id == partner and link.gateway_token in tokens
                )
            )
            (known - right).unlink()
            if not right:
                links.create(
                    {
                        "partner_id": partner.id,
                        "gateway_id": gateway.id,
                        "gateway_token": channel.gateway_channel_token,
                    }
                )
                lead._message_log(
                    body=self.env._(
                        "%(user)s confirmed that %(contact)s writes in the WhatsApp"
                        " conversation %(conversation)s.",
                        user=self.env.user.name,
                        contact=partner.name,
                        conversation=channel.name,
                    )
                )
            phones = wa_identity.variants(channel.whatsapp_phone or "")
            if partner.whatsapp_unconfirmed and partner._whatsapp_typed(phones):
                partner.whatsapp_unconfirmed = False

    def _whatsapp_propose_contacts(self, partners):
        """Name the contacts that have the number, but are not taken for the person.

        :param partners: ``res.partner``
        """
        for partner in partners - partners._whatsapp_by_number():
            link = partner._get_html_link()
            words = (
                self.env._(
                    "The contact %s has this number, but it was typed by a portal"
                    " user. Choose it as the customer of this lead if it is this"
                    " person.",
                    link,
                )
                if partner.whatsapp_unconfirmed
                else self.env._(
                    "The contact %s has this number, but is a portal user. Choose it"
                    " as the customer of this lead if it is this person.",
                    link,
                )
            )
            self._message_log(body=Markup("<p>%s</p>") % words)

    def _whatsapp_keep_phone(self, phone):
        """Write the number of the person on the lead.

        :param str phone: E.164
        """
        self._whatsapp_keep({"phone": wa_identity.display(phone)})

    def _whatsapp_moved(self, old):
        """Let the new owner into the conversations, and the old one out.

        :param old: ``res.users`` who had the lead, perhaps nobody
        """
        # sudo: discuss.channel, mail.activity - the new owner may not see them yet
        lead = self.sudo()
        if lead.whatsapp_queued_at:
            lead.whatsapp_queued_at = False
        for channel in lead.whatsapp_channel_ids:
            channel._whatsapp_add_members(lead.user_id)
            channel._whatsapp_remove_members(old)
            if not old:
                channel._whatsapp_remove_watchers(
                    channel.gateway_id.member_ids - lead.user_id
                )
        lead.whatsapp_channel_ids._whatsapp_wake_inboxes()
        asked = (lead._whatsapp_calls() | lead._whatsapp_reminders()).filtered(
            lambda activity: activity.user_id != self.user_id
        )
        # the notice of the lead tells of it
        asked.with_context(mail_activity_quick_update=True).user_id = lead.user_id
        if lead.whatsapp_answer_deadline:
            lead.whatsapp_answer_deadline = lead._whatsapp_deadline()

    def _whatsapp_assign(self, user):
        """Make somebody the salesperson; the lead stays in its team."""
        self.ensure_one()
        values = {"user_id": user.id}
        if self.team_id:
            values["team_id"] = self.team_id.id
        self.write(values)

    def _whatsapp_has_owner(self):
        """Tell whether somebody who still cares for customers here has the lead."""
        absence = self._whatsapp_absence()
        return bool(self.user_id) and not (absence and absence.why == duty.GONE)

    def _whatsapp_responsible(self):
        """Return who has to care: the salesperson, or who leads the team."""
        return (
            self.user_id
            or self.team_id.user_id
            or self._whatsapp_gateway().member_ids[:1]
            or self.env.user
        )

    # ------------------------------------------------------------- state

    def _whatsapp_is_open(self):
        return self.active and not self.stage_id.is_won

    def _whatsapp_is_won(self):
        return bool(self.stage_id.is_won)

    def _whatsapp_closed_at(self):
        return self.date_closed or self.write_date

    def _whatsapp_chats(self):
        """Return the ``whatsapp.conversation`` of these leads."""
        # sudo: whatsapp.conversation - whoever works with the lead
        return self.sudo().whatsapp_channel_ids.whatsapp_conversation_ids

    def _whatsapp_latest_channel(self):
        """Return the conversation in which the customer wrote last."""
        return self.whatsapp_channel_ids._whatsapp_latest()

    def _whatsapp_gateway(self):
        """Return the number that the customer wrote to last, perhaps none."""
        return self._whatsapp_latest_channel().gateway_id

    # ------------------------------------------------------------- finding

    def _whatsapp_best_open(self):
        """Return the open lead that fits best, the same one each time.

        Owned before unowned, then the one in which something happened last.
        """
        leads = self.filtered(lambda lead: lead._whatsapp_is_open())
        if len(leads) < 2:
            return leads
        said = dict(
            self.env["mail.message"]
            .sudo()  # when it was, not what
            ._read_group(
                [("model", "=", self._name), ("res_id", "in", leads.ids)],
                ["res_id"],
                ["date:max"],
            )
        )

        def activity(lead):
            moments = (
                lead.write_date,
                said.get(lead.id),
                *lead._whatsapp_chats().mapped("last_date"),
            )
            return max(filter(None, moments))

        return leads.sorted(lambda lead: (bool(lead.user_id), activity(lead), lead.id))[
            -1:
        ]

    def _whatsapp_last_closed(self):
        """Return the lead of these that was won or lost last, or none."""
        closed = self.filtered(lambda lead: not lead._whatsapp_is_open())
        return closed.sorted(lambda lead: (lead._whatsapp_closed_at(), lead.id))[-1:]

    def _whatsapp_reopen(self):
        """Take up a lost lead again."""
        closed_at = self._whatsapp_closed_at()
        # with the probability that Odoo computes; on 19.0 a lead may be archived and
        # not lost, so that unarchiving keeps 0 percent
        getattr(self, "action_restore", self.action_unarchive)()
        self._message_log(
            body=self.env._(
                "Opened again: the customer has written by WhatsApp. The lead was"
                " lost on %s.",
                fields.Date.to_string(closed_at),
            )
        )

    # ------------------------------------------------------------- merging

    def _merge_dependences(self, opportunities):
        """Take the conversations of merged leads, and what is asked for there."""
        res = super()._merge_dependences(opportunities)
        # sudo: discuss.channel, whatsapp.assignment - whoever may merge the leads
        others, lead = opportunities.sudo(), self.sudo()
        for name in MERGED:
            if not lead[name]:
                lead[name] = next(filter(None, others.mapped(name)), False)
        for channel in others.with_context(active_test=False).whatsapp_channel_ids:
            old = channel.whatsapp_user_id
            channel.lead_id = lead
            channel._whatsapp_add_members(lead.user_id)
            channel._whatsapp_remove_members(old - lead.user_id)
        others.whatsapp_assignment_ids.lead_id = lead
        if not (lead | others).user_id:
            waiting = (lead | others).filtered("whatsapp_queued_at")
            lead.whatsapp_queued_at = min(
                waiting.mapped("whatsapp_queued_at"), default=False
            )
        # Odoo has moved the activities; one call is enough
        lead.invalidate_recordset(["activity_ids"])
        lead._whatsapp_calls()[1:].unlink()
        return res

    def action_whatsapp_merge(self):
        """Open Odoo's own tool with all open leads of this person."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Merge"),
            "res_model": "crm.merge.opportunity",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "active_model": self._name,
                "active_ids": (self | self.whatsapp_duplicate_ids).ids,
            },
        }

    # ------------------------------------------------------------- ads

    def _whatsapp_apply_referral(self, referral):
        """Keep by which ad the customer came: the first one counts, all are noted.

        :param referral: ``tools.referral.Referral`` of a message
        """
        self.ensure_one()
        # sudo: utm.*, whatsapp.ad - the webhook user need not manage campaigns
        ads = self.env["whatsapp.ad"].sudo()
        untouched = not (self.source_id or self.medium_id or self.campaign_id)
        values = ads._attribution(referral, self._whatsapp_gateway().company_id)
        if not untouched:
            # the click is kept for Meta, unless there was one before
            first = not (self.whatsapp_ad_id or self.whatsapp_ctwa_clid)
            values = {
                name: values[name]
                for name in ("whatsapp_ad_id", "whatsapp_ctwa_clid")
                if first
            }
        if values:
            self.write(values)
        self._message_log(body=self._whatsapp_ad_words(referral))

    @api.model
    def _whatsapp_ad_words(self, referral):
        """Return what a lead says about the ad, with a link to it."""
        label = Markup("%s") % referral.label
        if referral.url:
            label = Markup('<a href="%s" target="_blank" rel="noreferrer">%s</a>') % (
                referral.url,
                referral.label,
            )
        if referral.is_post:
            words = self.env._("Came by the post %s", label)
        else:
            words = self.env._("Came by the ad %s", label)
        body = Markup("<br/>%s") % referral.body if referral.body else ""
        return Markup("<p>%s%s</p>") % (words, body)

    # ------------------------------------------------------------- call

    def _whatsapp_calls(self):
        """Return the open activities that WhatsApp asked for."""
        return self.activity_ids.filtered("whatsapp_call")

    def _stage_find(self, team_id=False, domain=None, **kwargs):
        """Find the first stage once in work of ours that makes many leads."""
        known = remembered(self.env.cr, "stages")
        asked = (team_id, self.team_id, repr(domain), repr(kwargs), self.env.lang)
        if asked not in known:
            known[asked] = super()._stage_find(team_id, domain, **kwargs)
        return known[asked].with_env(self.env)

    def _message_auto_subscribe(self, updated_values, *args, **kwargs):
        """Keep, in work of ours, who follows as the salesperson from now on."""
        res = super()._message_auto_subscribe(updated_values, *args, **kwargs)
        users = self.user_id.filtered("active") if "user_id" in updated_values else ()
        follow = remembered(self.env.cr, "follow")
        follow.update(
            (lead.id, lead.user_id.partner_id.ids)
            for lead in self
            if lead.user_id in users
        )
        return res

    def message_subscribe(self, partner_ids=None, *args, **kwargs):
        """Subscribe nobody to a call who follows the lead as its salesperson."""
        follow = remembered(self.env.cr, "follow")
        if follow and not any((*args, *kwargs.values())):
            if all(follow.get(lead.id) == partner_ids for lead in self):
                return True
        return super().message_subscribe(partner_ids, *args, **kwargs)

    def _whatsapp_call_words(self, lang):
        """Return what a call is asked for by: the number first, if there is none.

        :param str lang: of who is asked
        :return: dict of summary and note of a ``mail.activity``
        """
        env = self.with_context(lang=lang).env
        if self._whatsapp_first_phone() or not self.whatsapp_channel_ids:
            return {
                "summary": env._("Call now: WhatsApp message"),
                "note": env._("The customer has just written by WhatsApp."),
            }
        username = self.whatsapp_username and f"@{self.whatsapp_username}"
        name = username or self.contact_name or env._("The customer")
        return {
            "summary": env._("Ask for the phone number: WhatsApp message"),
            # escapes the name, which is the customer's
            "note": Markup("<p>%s</p>")
            % env._(
                "%s has just written by WhatsApp and hides the number. Please answer"
                " in the chat, where 'Ask for the phone number' sends a question that"
                " the customer answers with one tap; then call.",
                name,
            ),
        }

    def _whatsapp_refresh_calls(self):
        """Ask for a call in place of the number, now that there is one."""
        for call in self._whatsapp_calls():
            words = self._whatsapp_call_words(call.user_id.lang)
            asked = self.with_context(lang=call.user_id.lang).env._(
                "Ask for the phone number: WhatsApp message"
            )
            if call.summary == asked != words["summary"]:  # else somebody wrote it
                call.write(words)

    def _whatsapp_answered_by(self, user=None):
        """Somebody answered in the chat: nothing is overdue, the call is done.

        :param user: ``res.users`` who did; a lead of nobody is theirs then
        """
        # sudo: crm.lead, mail.activity - a colleague's answer counts, too
        for lead in self.sudo():
            takes = user and user != lead.user_id and lead._whatsapp_is_open()
            if takes and not lead._whatsapp_has_owner():
                lead._whatsapp_assign(user)
                reason = self.env._("Was the first to answer")
                choice = Choice(user, self.env["hr.employee"], reason)
                self.env["whatsapp.assignment"]._note(lead, choice)
            if lead.whatsapp_answer_deadline:
                lead.whatsapp_answer_deadline = False
            calls = lead._whatsapp_calls()
            if calls and lead._whatsapp_gateway().whatsapp_activity_done_by_answer:
                calls.action_feedback(
                    feedback=self.env._("Answered in the WhatsApp chat.")
                )

    # ------------------------------------------------------------- conversations

    def _whatsapp_close_answered(self):
        """Close the conversations of leads that are won or lost, if nothing waits."""
        closed = self.filtered(lambda lead: not lead._whatsapp_is_open())
        if closed:
            # sudo: whatsapp.conversation - whoever may close the lead
            self.env["whatsapp.conversation"].sudo().search(
                [("lead_id", "in", closed.ids), ("state", "=", ANSWERED)]
            ).action_close()

    def _whatsapp_reminders(self):
        """Return the open activities that say that a snooze is over."""
        return self.activity_ids.filtered("whatsapp_snooze")

    def _whatsapp_add_reminder(self, user, summary):
        """Ask somebody, once, to go on with the conversation today.

        :param user: one ``res.users``
        :param str summary: what to do
        """
        if not self._whatsapp_reminders():
            today = fields.Date.context_today(self.with_context(tz=user.tz))
            self.with_context(mail_activity_quick_update=True).activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=today,
                summary=summary,
                user_id=user.id,
                whatsapp_snooze=True,
            )

    def _whatsapp_end_reminders(self):
        """Somebody has gone on: there is nothing to be reminded of."""
        # sudo: mail.activity - a colleague's answer counts, too
        self.sudo()._whatsapp_reminders().unlink()

    # ------------------------------------------------------------- queue

    @api.model
    def _whatsapp_in_queue(self, limit=None):
        """Return the leads that wait for a salesperson, the oldest first."""
        return self._whatsapp_due("whatsapp_queued_at", limit)

    @api.model
    def _whatsapp_overdue(self, limit=None):
        """Return the leads that nobody answered in time."""
        return self._whatsapp_due("whatsapp_answer_deadline", limit)

    @api.model
    def _whatsapp_due(self, name, limit):
        return self.search(
            [
                (name, "<=", fields.Datetime.now()),
                "|",
                ("stage_id", "=", False),
                ("stage_id.is_won", "=", False),
            ],
            order=f"{name}, id",
            limit=limit,
        )

    def _whatsapp_company(self):
        """Return the company whose salespeople care for the lead."""
        return (
            self.company_id or self._whatsapp_gateway().company_id or self.env.company
        )

    def _whatsapp_queue(self):
        """Return what says who could get a lead that waits."""
        gateway = self._whatsapp_gateway()
        return (self._whatsapp_company().id, self.team_id.id, gateway.id)

    def _whatsapp_answer_queue(self):
        """Return what says who could get a lead that nobody answered."""
        return (*self._whatsapp_queue(), self.user_id.id, self._whatsapp_is_passed_on())

    def _whatsapp_assign_queued(self):
        """Give a waiting lead to whoever came on duty.

        :return: False if nobody is on duty still
        """
        self.ensure_one()
        if self._whatsapp_has_owner():
            self.whatsapp_queued_at = False
            return True
        channel, preferred = self._whatsapp_latest_channel(), ()
        if channel:
            leads = channel._whatsapp_leads_of_person() - self
            preferred = channel._whatsapp_preferred(leads._whatsapp_last_closed())
        choice = self._whatsapp_choose(preferred)
        if not choice.user:
            return False
        self._whatsapp_assign(choice.user)
        self.env["whatsapp.assignment"]._note(self, choice)
        self._whatsapp_start_clock()
        return True

    def _whatsapp_choose(self, preferred=(), exclude=()):
        """Return who gets this lead; see ``hr.employee._whatsapp_choose``."""
        # sudo: hr.employee - the webhook user need not read employees
        return (
            self.env["hr.employee"]
            .sudo()
            ._whatsapp_choose(
                self._whatsapp_company(),
                self._whatsapp_gateway(),
                self.team_id,
                preferred,
                exclude,
            )
        )

    # ------------------------------------------------------------- passing on

    def _whatsapp_start_clock(self):
        """Begin to wait for the first answer, if the number asks for it."""
        chats = self._whatsapp_chats()
        waits = any(chats.mapped("waiting_since"))
        deadline = waits and self._whatsapp_deadline()
        if deadline or self.whatsapp_answer_deadline or self.whatsapp_passed_on:
            self.write({"whatsapp_answer_deadline": deadline, "whatsapp_passed_on": 0})
        chats._plan_answer()

    def _whatsapp_deadline(self):
        """Return until when the salesperson has to answer, or False for never.

        Counts the working time of the salesperson, by Odoo's own calendars.
        """
        minutes = self._whatsapp_gateway().whatsapp_answer_minutes
        if not minutes or not self.user_id:
            return False
        now = fields.Datetime.now()
        employee = self._whatsapp_employee()
        calendar = employee.resource_id.calendar_id
        deadline = None
        if calendar and not calendar.flexible_hours:
            deadline = calendar.plan_hours(
                minutes / 60,
                pytz.utc.localize(now),
                compute_leaves=True,
                resource=employee.resource_id,
            )
        if not deadline:
            return now + timedelta(minutes=minutes)
        return deadline.astimezone(pytz.utc).replace(tzinfo=None)

    def _whatsapp_employee(self):
        """Return the salesperson as an employee of the lead's company, perhaps none."""
        company = self._whatsapp_company()
        # sudo: hr.employee - see _whatsapp_choose
        return self.user_id.sudo().employee_ids.filtered(
            lambda employee: employee.company_id == company
        )[:1]

    def _whatsapp_reassign(self):
        """Give a lead that nobody answered to the next one, then to the leader.

        :return: False if nobody else is on duty now
        """
        self.ensure_one()
        gateway, old = self._whatsapp_gateway(), self.user_id
        if not gateway.whatsapp_answer_minutes or not old:
            self.whatsapp_answer_deadline = False
            return True
        if self._whatsapp_is_passed_on():
            choice = self._whatsapp_leader()
        else:
            had = self.whatsapp_assignment_ids.filtered(
                lambda row: row.create_date >= self.whatsapp_opened_at
            ).user_id
            choice = self._whatsapp_choose(exclude=(had | old).ids)
            if not choice.user:
                choice = self._whatsapp_choose(exclude=old.ids)
            if not choice.user:
                return False
        self._whatsapp_reassign_to(choice, old, gateway.whatsapp_answer_minutes)
        return True

    def _whatsapp_is_passed_on(self):
        """Tell whether it is the leader's turn: it went on as often as it may."""
        return (
            self.whatsapp_passed_on >= self._whatsapp_gateway().whatsapp_pass_on_times
        )

    def _whatsapp_leader(self):
        """Return the leader of the team, as the last one who gets a lead."""
        gateway = self._whatsapp_gateway()
        leader = self.team_id.user_id or gateway._whatsapp_alerted()[:1]
        return Choice(
            leader.filtered("active"),
            self.env["hr.employee"],
            self.env._("Nobody answered in time: it went to the leader of the team"),
        )

    def _whatsapp_reassign_to(self, choice, old, minutes):
        """Move the lead, say so on it, and tell both.

        :param choice: ``models.hr_employee.Choice``
        :param old: ``res.users`` who did not answer
        :param int minutes: working minutes that they had
        """
        to_leader = not choice.employee
        new = choice.user or old
        times = self.whatsapp_passed_on + 1
        if new != old:
            # both are told below
            self.with_context(mail_auto_subscribe_no_notify=True)._whatsapp_assign(new)
        self.write(
            {
                "whatsapp_passed_on": times,
                "whatsapp_answer_deadline": False
                if to_leader
                else self._whatsapp_deadline(),
            }
        )
        self.env["whatsapp.assignment"]._note(self, choice._replace(user=new))

        def words(lang):
            return self.with_context(lang=lang).env._(
                "%(old)s has not answered the WhatsApp message within %(minutes)s"
                " working minutes. %(new)s takes care of the lead now.",
                old=old.name,
                minutes=minutes,
                new=new.name,
            )

        self._message_log(body=words(self.env.context.get("lang")))
        self._whatsapp_notify(old | new, words)

    def _message_auto_subscribe_notify(self, partner_ids, template):
        """Tell who gets a customer of WhatsApp in our words, with the chat at hand."""
        # sudo: discuss.channel - whoever assigns the lead
        ours = self.filtered(lambda lead: lead.sudo().whatsapp_channel_ids)
        if not self.env.context.get("mail_auto_subscribe_no_notify"):
            for lead in ours:
                lead._whatsapp_notify_owner(partner_ids)
        return super(CrmLead, self - ours)._message_auto_subscribe_notify(
            partner_ids, template
        )

    def _whatsapp_notify_owner(self, partner_ids):
        """Tell somebody that the customer is theirs, and what the customer said.

        :param partner_ids: list of ids of ``res.partner``, all of this language
        """
        # sudo: discuss.channel - whoever assigns the lead
        channel = self.sudo()._whatsapp_latest_channel()
        text = channel.whatsapp_conversation_ids.last_text
        self.message_notify(
            partner_ids=partner_ids,
            subject=self.env._("WhatsApp: %s is your customer now", channel.name),
            body=(Markup("<p>%s</p>") % text if text else Markup())
            + channel._whatsapp_link_to(self.env),
            model_description=self.env["ir.model"]._get(self._name).display_name,
            email_layout_xmlid="mail.mail_notification_layout",
        )

    def _whatsapp_notify(self, users, words):
        """Tell each of these users something about the lead.

        :param words: function of a language that returns what they read
        """
        channel = self._whatsapp_latest_channel()
        for user in users:
            env = self.with_context(lang=user.lang).env
            self.message_notify(
                partner_ids=user.partner_id.ids,
                subject=self.name,
                body=Markup("<p>%s</p>") % words(user.lang)
                + (channel._whatsapp_link_to(env) if channel else Markup()),
            )

    # ------------------------------------------------------------- buttons

    def action_open_whatsapp(self):
        """Open the conversation over the lead; let one choose among several.

        Also before the first message, by the number of the lead or its contact.
        """
        self.ensure_one()
        self.check_access("read")
        self.env.user._whatsapp_check_works()
        channels = self.whatsapp_channel_ids
        # we began with a number that the lead has no longer, and nobody answered
        wrong = channels.filtered(
            lambda channel: (
                not channel.whatsapp_last_customer_date
                and channel._whatsapp_other_phone()
            )
        )
        channels = channels - wrong or self._whatsapp_first_conversation()
        if len(channels) == 1:
            return channels.action_open_whatsapp()
        return {
            "type": "ir.actions.client",
            "tag": "crm_whatsapp_gateway.choose_chat",
            "params": {"channels": channels._whatsapp_choices()},
        }

    def _whatsapp_first_conversation(self, gateway=None):
        """Return the conversation with the number of this lead, perhaps a new one.

        :param gateway: ``mail.gateway`` to write from; default: the team's number
        :raise UserError: no number, no gateway, or it is a colleague's
        """
        phone = self._whatsapp_first_phone()
        if not phone:
            raise UserError(
                self.env._(
                    "Neither the lead nor its contact has a phone number. Please enter"
                    " one with its country code, such as +52 55 1234 5678."
                )
            )
        gateway = gateway or self._whatsapp_default_gateway()
        if not gateway:
            raise UserError(
                self.env._(
                    "This company has no WhatsApp number yet. Please ask an"
                    " administrator to set one up."
                )
            )
        person = wa_identity.Identity.of_token(phone)
        name = self.contact_name or self.partner_id.name or self.name
        channel = gateway._whatsapp_conversation(person, name, self)
        if not channel.has_access("read"):
            # sudo: discuss.channel - whom to ask; the name of a colleague, no more
            raise UserError(
                self.env._(
                    "%s has a conversation with this number. Please ask for it.",
                    channel.sudo().whatsapp_user_id.name or self.env._("A colleague"),
                )
            )
        linked = channel.sudo().lead_id
        if self._whatsapp_is_open() and not linked._whatsapp_is_open():
            channel.sudo()._whatsapp_link(self.sudo())
        return channel

    def _whatsapp_conversations(self, gateway, customers=None):
        """Return the conversation of the lead in which something was said last."""
        if customers is not None:
            return super()._whatsapp_conversations(gateway, customers)
        # sudo: crm.lead - an administrator decided that this is sent
        known = self.sudo().whatsapp_channel_ids.filtered(
            lambda channel: channel.gateway_id == gateway
        )
        if known:
            return [known._whatsapp_by_last_message()[-1:]], []
        phone = self._whatsapp_first_phone()
        if not phone:
            return [], [self.env._("there is no phone number.")]
        name = self.contact_name or self.partner_id.name or self.display_name
        person = Identity.of_token(phone)
        return [gateway._whatsapp_conversation(person, name, self)], []

    def _whatsapp_first_phone(self):
        """Return the first number of the lead or its contact as E.164, or ''."""
        phones = self.whatsapp_phones or self.sudo().partner_id.whatsapp_phones or ""
        return phones.split(" ")[0]

    def _whatsapp_default_gateway(self):
        """Return the number to write from: that of the team, else the company's."""
        gateways = self.env["mail.gateway"].search(
            [
                ("gateway_type", "=", "whatsapp"),
                ("company_id", "in", (self._whatsapp_company().id, False)),
            ],
            order="id",
        )
        of_team = gateways.filtered(
            lambda gateway: self.team_id and gateway.whatsapp_team_id == self.team_id
        )
        return (of_team or gateways)[:1]

    def _whatsapp_gateway_for(self, person, gateways):
        """Prefer the number of the team."""
        of_team = gateways.filtered(
            lambda gateway: self.team_id and gateway.whatsapp_team_id == self.team_id
        )
        return super()._whatsapp_gateway_for(person, of_team | gateways)

    def _whatsapp_sent_from(self, rows):
        """Link the conversation with this lead, unless it has an open one."""
        res = super()._whatsapp_sent_from(rows)
        channel = rows.channel_id[:1]
        if self._whatsapp_is_open() and not channel.lead_id._whatsapp_is_open():
            # sudo: crm.lead - the user reads it, and sends it
            channel.sudo()._whatsapp_link(self.sudo())
        return res

    def _whatsapp_matched_by(self, channel):
        """Return why the person of a conversation is the one of this lead.

        :param channel: ``discuss.channel``
        """
        self.ensure_one()
        if channel.whatsapp_bsuid and channel.whatsapp_bsuid in (
            self.whatsapp_channel_ids.mapped("whatsapp_bsuid")
        ):
            return self.env._("the same WhatsApp user (%s)", channel.whatsapp_bsuid)
        phones = wa_identity.variants(channel.whatsapp_phone or "")
        here = "+" + (channel.gateway_channel_token or "").lstrip("+")
        if here.lstrip("+") not in {phone.lstrip("+") for phone in phones}:
            here = channel.whatsapp_phone
        if typed := self._whatsapp_typed(phones):
            return self.env._(
                "the same number (%(here)s = %(there)s)", here=here, there=typed
            )
        if self.partner_id and (typed := self.partner_id._whatsapp_typed(phones)):
            return self.env._(
                "the same number (%(here)s = %(there)s of the contact %(name)s)",
                here=here,
                there=typed,
                name=self.partner_id.name,
            )
        return self.env._("the same contact (%s)", self.partner_id.name)
