# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta
from typing import NamedTuple

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from .mail_gateway import AWAY, WELCOME
from .working_time import WorkingTime

_logger = logging.getLogger(__name__)

ANSWER = "whatsapp.conversation.answer"
LATE_ACTIVITY = "mail.mail_activity_data_warning"
# Older messages get no greeting: Meta delivers for days what it could not deliver
FRESH = timedelta(minutes=10)
# For so long after somebody of us wrote, the customer talks to a person
TALKING = timedelta(minutes=15)


class Wait(NamedTuple):
    """How a customer waits now: since when, until when is in time, already late."""

    since: object
    due: object
    late: bool


class WhatsappConversationAnswer(models.AbstractModel):
    """How long customers wait, and what they are told meanwhile. A part of
    ``whatsapp.conversation``.
    """

    _name = ANSWER
    _description = "How long WhatsApp customers wait"

    answer_due = fields.Datetime(string="Answer due", readonly=True, copy=False)
    late = fields.Boolean(
        readonly=True,
        copy=False,
        help="The customer waits longer than the target of the number.",
    )
    welcomed_at = fields.Datetime(
        string="Welcome message on", readonly=True, copy=False
    )
    away_at = fields.Datetime(string="Away message on", readonly=True, copy=False)

    # ------------------------------------------------------------- waiting

    def write(self, vals):
        """Plan the answer when a customer begins to wait; who is answered is in time.

        Whoever writes 'waiting since' need not know of it, and it costs no second
        UPDATE.
        """
        if "waiting_since" not in vals:
            return super().write(vals)
        since = fields.Datetime.to_datetime(vals["waiting_since"])
        if since:
            for chat in self:
                due = chat._due_values(since)
                super(WhatsappConversationAnswer, chat).write({**vals, **due})
            return True
        late = self.filtered("late")
        planned = late or self.filtered("answer_due")
        clear = {"answer_due": False, "late": False}
        res = super().write({**vals, **(clear if planned else {})})
        late._close_late()
        return res

    def _wait(self):
        return Wait(self.waiting_since, self.answer_due, self.late)

    def _due_values(self, since):
        """Return until when a customer is to be answered, if there is a target."""
        self.ensure_one()
        minutes = self.channel_id.gateway_id.whatsapp_target_minutes
        if minutes <= 0:
            return {}
        due = self._working_time().after(since, minutes * 60)
        return {"answer_due": due, "late": False}

    def _plan_answer(self):
        """Count the target by the hours of who has the lead from now on."""
        for chat in self:
            since = chat.waiting_since
            if since and not chat.late:
                values = chat._due_values(since)
                if values:
                    chat.write(values)

    def _working_time(self):
        """Return the hours in which this customer can expect an answer."""
        self.ensure_one()
        # sudo: resource.* - whoever writes need not read working hours
        channel = self.sudo().channel_id
        return WorkingTime.of(
            channel._whatsapp_company(),
            channel.lead_id._whatsapp_employee().resource_id,
            self.sudo()._team_calendar(),
        )

    def _team_calendar(self):
        channel = self.channel_id
        return (
            channel.gateway_id.whatsapp_away_calendar_id
            or channel._whatsapp_company().resource_calendar_id
        )

    def _record_answer(self, wait, message, by_phone):
        """Note how long the customer waited, if a person ended it.

        :param wait: :class:`Wait` before the answer
        :param message: ``mail.message`` that is the answer
        :param bool by_phone: somebody typed it in the app on the phone
        """
        self.ensure_one()
        if self.waiting_since:
            return  # an older word that arrived late: the customer has written since
        user = message.author_id.with_context(active_test=False).user_ids[:1]
        channel, said = self.channel_id, message.date
        # sudo: whatsapp.answer - nobody writes it by hand
        answers = self.env["whatsapp.answer"].sudo()
        answers.create(
            {
                "channel_id": channel.id,
                "lead_id": channel.lead_id.id,
                "user_id": user.id if not by_phone else False,
                "team_id": channel.whatsapp_team_id.id,
                "gateway_id": channel.gateway_id.id,
                "company_id": channel._whatsapp_company().id,
                "waiting_since": wait.since,
                "answered_at": said,
                "is_first": not answers.search_count(self._answers_before(), limit=1),
                "seconds": (said - wait.since).total_seconds(),
                "working_seconds": self._working_time().seconds(wait.since, said),
                "late": wait.late or bool(wait.due and said > wait.due),
            }
        )

    def _answers_before(self):
        """Return the domain of the answers since WhatsApp opened the lead."""
        lead = self.channel_id.lead_id
        if not lead:
            return [("channel_id", "=", self.channel_id.id)]
        since = lead.whatsapp_opened_at
        return [
            ("lead_id", "=", lead.id),
            # both as exact as the database's clock
            *([("create_date", ">=", since)] if since else []),
        ]

    # ------------------------------------------------------------- late

    @api.model
    def _overdue(self, limit):
        """Return the conversations whose answer is due and that are not marked."""
        self.flush_model(["answer_due", "late"])
        self.env.cr.execute(
            """
            SELECT id
              FROM whatsapp_conversation
             WHERE answer_due <= %s AND late IS NOT TRUE
             ORDER BY answer_due, id
             LIMIT %s
            """,
            (fields.Datetime.now(), limit),
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())

    def _mark_late(self):
        """Mark a conversation whose answer is overdue, and tell who leads the team."""
        self.ensure_one()
        due = self.answer_due
        if self.late or not due or due > fields.Datetime.now():
            return
        lead = self.channel_id.lead_id
        if lead and not lead.active:
            self.answer_due = False  # lost: nobody wants to answer
            return
        self.late = True
        if lead:
            self._ask_leader()
        self.channel_id._whatsapp_wake_inboxes()

    def _ask_leader(self):
        """Ask the leader of the team to see to it; silently, for many may be late."""
        leader = self._late_responsible()
        words = self.with_context(lang=leader.lang).env
        now = fields.Datetime.now()
        channel = self.channel_id
        channel.lead_id.with_context(mail_activity_quick_update=True).activity_schedule(
            LATE_ACTIVITY,
            date_deadline=fields.Datetime.context_timestamp(
                self.with_context(tz=leader.tz), now
            ).date(),
            summary=words._("WhatsApp: the answer is late"),
            # escapes the name, which is the customer's
            note=Markup("<p>%s</p>")
            % words._(
                "%(customer)s has waited since %(since)s; the target is %(minutes)s"
                " working minutes. Salesperson: %(user)s",
                customer=channel.name,
                since=format_datetime(
                    words,
                    self.waiting_since,
                    tz=leader.tz or "UTC",
                    dt_format="short",
                    lang_code=leader.lang,
                ),
                minutes=channel.gateway_id.whatsapp_target_minutes,
                user=channel.lead_id.user_id.name or words._("nobody"),
            ),
            user_id=leader.id,
            whatsapp_channel_id=channel.id,
        )

    def _late_responsible(self):
        """Return who sees to what is late: the team's leader, or who is alerted."""
        channel = self.channel_id
        gateway = channel.gateway_id
        candidates = (
            channel.whatsapp_team_id.user_id,
            *gateway._whatsapp_alerted(),
            *gateway.member_ids,
        )
        for user in candidates:
            if user.active and channel.lead_id.with_user(user).has_access("read"):
                return user
        return self.env.ref("base.user_admin")

    def _close_late(self):
        """Complete what the leader was asked for: the customer waits no more."""
        if not self:
            return
        # sudo: mail.activity - it is the leader's
        asked = self.env["mail.activity"].sudo()
        asked.search(
            [("whatsapp_channel_id", "in", self.channel_id.ids)]
        ).action_feedback(feedback=self.env._("The customer no longer waits."))

    # ------------------------------------------------------------- greetings

    def _greet(self, sent, before):
        """Send the welcome or the away message, if this message of a customer asks.

        :param sent: when the customer wrote, UTC
        :param before: date of the last message before it, False if it is the first
        """
        self.ensure_one()
        channel, now = self.channel_id, fields.Datetime.now()
        gateway = channel.gateway_id
        if (
            not (gateway.whatsapp_welcome_enabled or gateway.whatsapp_away_enabled)
            or now - sent > FRESH
            or not channel.lead_id  # contacts that are no leads
            or self.last_author != "customer"  # it was overtaken
            or gateway.whatsapp_pause_reason  # it would leave hours later
        ):
            return
        kind = self._greeting(now, before)
        if not kind:
            return
        try:
            with self.env.cr.savepoint():
                self._send_greeting(kind)
        except UserError as error:  # the customer's message counts for more
            _logger.warning(
                "conversation %s: no %s message: %s", self.id, kind, type(error)
            )

    def _greeting(self, now, before):
        """Return WELCOME, AWAY or None; out of hours only the latter is said."""
        gateway = self.channel_id.gateway_id
        again = now - timedelta(hours=max(gateway.whatsapp_greeting_hours, 1))

        def due(last):
            return not last or last <= again

        if gateway.whatsapp_away_enabled and self._is_away(now):
            if due(self.away_at) and not self._is_talking(now):
                return AWAY
            return None
        days = gateway.whatsapp_welcome_days
        stranger = not before or (days and now - before >= timedelta(days=days))
        if gateway.whatsapp_welcome_enabled and stranger and due(self.welcomed_at):
            return WELCOME
        return None

    def _is_away(self, now):
        # sudo: resource.* - see _working_time
        company = self.sudo().channel_id._whatsapp_company()
        nobody = self.env["resource.resource"]
        hours = WorkingTime.of(company, nobody, self.sudo()._team_calendar())
        return not hours.is_open(now)

    def _is_talking(self, now):
        """Tell whether a person of ours wrote just now, after hours or not."""
        return bool(
            self.env["mail.message"]
            .sudo()  # when, not what
            .search_count(
                [
                    ("model", "=", "discuss.channel"),
                    ("res_id", "=", self.channel_id.id),
                    ("message_type", "=", "comment"),
                    ("date", ">", now - TALKING),
                    "|",
                    ("whatsapp_by_phone", "=", True),
                    "&",
                    ("whatsapp_message_id", "=", False),
                    ("author_id", "!=", self.env.ref("base.partner_root").id),
                ],
                limit=1,
            )
        )

    def _send_greeting(self, kind):
        """Post a greeting as OdooBot, in the customer's language."""
        channel = self.channel_id
        lang = (
            # of one that was switched off, nothing can be read
            channel.lead_id.lang_id.filtered("active").code
            or channel.gateway_id._whatsapp_lang()
        )
        text = channel.gateway_id.with_context(lang=lang)._whatsapp_greeting_text(kind)
        self.write(
            {"away_at" if kind == AWAY else "welcomed_at": (fields.Datetime.now())}
        )
        channel = channel.with_user(SUPERUSER_ID).with_context(
            lang=lang, no_gateway_notification=False, whatsapp_message_id=False
        )
        channel.message_post(
            body=self.env["mail.gateway.whatsapp"]._whatsapp_to_html(text),
            author_id=self.env.ref("base.partner_root").id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
