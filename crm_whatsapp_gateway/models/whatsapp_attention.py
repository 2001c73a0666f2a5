# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime

from odoo.addons.mail_gateway_whatsapp_queue.tools.window import closing_soon

from .whatsapp_conversation import INBOX

RECENT = timedelta(days=7)
FORGOTTEN = timedelta(days=1)
SHOWN = 3  # names on a card
CONVERSATIONS = [("gateway_id", "!=", False)]
WAITING = [*CONVERSATIONS, ("waiting_since", "!=", False)]


class Card(NamedTuple):
    """What a card counts, and what it opens.

    ``by`` is the field by which the card tells who or why; ``since`` the date of which
    it tells the oldest. What is no alarm, and still not in order, is ``milder``: it is
    told, and opened, if nothing else is counted.
    """

    model: str
    action: str
    domain: list
    by: str
    since: str | None = None
    milder: list | None = None


def _cards(now):
    """Return the cards by kind, in the order of their importance."""
    after, until = closing_soon(now)
    return {
        "paused": Card(
            "mail.gateway",
            "mail_gateway.mail_gateway_act_window",
            [
                ("gateway_type", "=", "whatsapp"),
                ("whatsapp_pause_reason", "!=", False),
            ],
            "name",
        ),
        "late": Card(
            "whatsapp.conversation",
            INBOX,
            [*CONVERSATIONS, ("late", "=", True)],
            "user_id",
            "waiting_since",
            WAITING,
        ),
        "closing": Card(
            "whatsapp.conversation",
            INBOX,
            [
                *WAITING,
                ("channel_id.whatsapp_window_closed_at", "=", False),
                ("channel_id.whatsapp_last_customer_date", ">", after),
                ("channel_id.whatsapp_last_customer_date", "<=", until),
            ],
            "user_id",
            "waiting_since",
        ),
        "unassigned": Card(
            "whatsapp.conversation",
            INBOX,
            [*WAITING, ("user_id", "=", False)],
            "team_id",
            "waiting_since",
        ),
        "absent": Card(
            "whatsapp.conversation",
            INBOX,
            [*WAITING, ("absent", "=", True)],
            "user_id",
            "waiting_since",
        ),
        "snoozed": Card(
            "whatsapp.conversation",
            INBOX,
            [
                *WAITING,
                ("state", "=", "snoozed"),
                ("waiting_since", "<=", now - FORGOTTEN),
            ],
            "user_id",
            "waiting_since",
        ),
        "failed": Card(
            "whatsapp.message.queue",
            "mail_gateway_whatsapp_queue.action_whatsapp_message_queue",
            [
                ("state", "in", ("failed", "uncertain")),
                ("create_date", ">=", now - RECENT),
            ],
            "error_id",
            "create_date",
        ),
        "undelivered": Card(
            "whatsapp.message.queue",
            "mail_gateway_whatsapp_queue.action_whatsapp_message_queue",
            [("is_undelivered", "=", True), ("create_date", ">=", now - RECENT)],
            "gateway_id",
            "sent_at",
        ),
        "events": Card(
            "whatsapp.webhook.event",
            "mail_gateway_whatsapp_queue.action_whatsapp_webhook_event",
            [("state", "=", "failed")],
            "type",
            "create_date",
        ),
    }


class WhatsappAttention(models.Model):
    """What needs somebody now: cards that count, and open what they count.

    Everybody sees what they may see: a leader the team's, a salesperson the own.
    """

    _name = "whatsapp.attention"
    _description = "WhatsApp: needs attention"
    _auto = False
    _order = "id"
    _rec_name = "kind"

    kind = fields.Selection(
        [
            ("paused", "Numbers that cannot send"),
            ("late", "Late answers"),
            ("closing", "Window closes within 2 hours"),
            ("unassigned", "Waiting, and nobody has them"),
            ("absent", "Waiting for somebody who is away"),
            ("snoozed", "Put aside while the customer waits"),
            ("failed", "Messages that failed"),
            ("undelivered", "Sent, never delivered"),
            ("events", "Messages that could not be taken"),
        ],
        readonly=True,
    )
    count = fields.Integer(compute="_compute_count")
    # 'danger' if something is counted, 'warning' if there is something milder, else
    # 'success'
    level = fields.Char(compute="_compute_count")
    words = fields.Char(compute="_compute_count")
    who = fields.Char(compute="_compute_count")
    since = fields.Char(compute="_compute_count")

    @property
    def _table_query(self):
        kinds = [
            kind
            for kind, card in _cards(fields.Datetime.now()).items()
            if self.env[card.model].has_access("read")
        ]
        rows = [SQL("(%s, %s)", number, kind) for number, kind in enumerate(kinds, 1)]
        return SQL(
            "SELECT id::integer, kind::varchar FROM (VALUES %s) AS card (id, kind)",
            SQL(", ").join(rows),
        )

    @api.depends_context("uid", "lang", "tz")
    def _compute_count(self):
        cards = _cards(fields.Datetime.now())
        for row in self:
            card = cards[row.kind]
            groups = self._groups(card, card.domain)
            row.count = self._total(groups)
            row.level = "danger" if row.count else "success"
            row.words = False
            if (
                card.milder
                and not groups
                and (groups := self._groups(card, card.milder))
            ):
                row.level = "warning"
                row.words = self.env._(
                    "Nobody is late in working time, yet customers wait: %s",
                    self._total(groups),
                )
            row.who = self._who(groups)
            row.since = (
                self._moment(min(group[2] for group in groups))
                if card.since and groups
                else False
            )

    def _groups(self, card, domain):
        """Count by who or why, the most first.

        :return: list of tuples of that, the number and perhaps the oldest date
        """
        return self.env[card.model]._read_group(
            domain,
            [card.by],
            ["__count", *([f"{card.since}:min"] if card.since else [])],
            order="__count desc",
        )

    def _total(self, groups):
        return sum(group[1] for group in groups)

    def _who(self, groups):
        """Return the first names, or reasons, with their numbers."""
        names = [
            f"{self._label(by)} ({count})" if len(groups) > 1 else self._label(by)
            for by, count, *_since in groups[:SHOWN]
        ]
        return ", ".join(names) + (" ..." if len(groups) > SHOWN else "")

    def _label(self, value):
        if isinstance(value, models.BaseModel):
            # sudo: res.users, crm.team - names of who has what may be counted
            value = value.sudo().display_name
        return value or self.env._("nobody")

    def _moment(self, moment):
        return format_datetime(self.env, moment, dt_format="short")

    def action_open(self):
        """Open what the card counts."""
        self.ensure_one()
        card = _cards(fields.Datetime.now())[self.kind]
        labels = dict(self._fields["kind"]._description_selection(self.env))
        return self.env["whatsapp.conversation"]._open_inbox(
            labels[self.kind],
            card.milder if self.level == "warning" else card.domain,
            card.action,
        )
