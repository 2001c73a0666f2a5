# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who of the sales team may get a lead now, and whose turn it is.

Values in, a decision out: the models read the values and carry the decision out.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from .terms import _

OFF, LEAVE, HOURS, LIMIT, GONE = "off", "leave", "hours", "limit", "gone"
# Why somebody is off duty, in the words that follow a name
# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
WHY_OFF = {
    OFF: _("receives no WhatsApp leads"),
    LEAVE: _("on leave"),
    HOURS: _("outside working hours"),
    LIMIT: _("at the personal limit"),
    GONE: _("no longer takes care of WhatsApp customers"),
}


@dataclass(frozen=True)
class Agent:
    """One salesperson, as the decision needs to know them.

    `now` is the local time where the person works; `calendar` the id of their working
    hours, None for somebody without fixed hours. `last_turn` grows with each turn that
    anybody takes; 0 means never. A `limit` of 0 means none.
    """

    id: int
    name: str = ""
    receives: bool = True
    on_leave: bool = False
    on_holiday: bool = False
    calendar: int | None = None
    now: datetime | None = None
    last_turn: int = 0
    load: int = 0
    limit: int = 0


@dataclass(frozen=True)
class Hours:
    """One line of a working calendar: a part of a weekday, in local time.

    `weekday` counts from Monday = 0; `week` is None, or 0 or 1 of a calendar that
    changes every other week. Dates are inclusive.
    """

    calendar: int
    weekday: int
    start: float
    end: float
    week: int | None = None
    first: str | None = None
    last: str | None = None

    def cover(self, now):
        """Whether this moment is within.

        >>> night = Hours(calendar=1, weekday=4, start=22, end=24)
        >>> night.cover(datetime(2026, 11, 27, 23, 59)), night.cover(
        ...     datetime(2026, 11, 28, 0, 0))
        (True, False)
        """
        day = now.date().isoformat()
        clock = now.hour + now.minute / 60 + now.second / 3600
        return (
            self.weekday == now.weekday()
            and self.start <= clock < self.end
            and self.week in (None, week_of(now))
            and (not self.first or self.first <= day)
            and (not self.last or day <= self.last)
        )


def week_of(day):
    """0 or 1: which of two alternating weeks a day is in, counted as Odoo does.

    >>> week_of(datetime(2026, 11, 25)), week_of(datetime(2026, 12, 2))
    (0, 1)
    """
    return (day.toordinal() - 1) // 7 % 2


def why_off(agent, hours=None):
    """Why this person gets no lead now, or None for somebody on duty.

    :param agent: :class:`Agent`
    :param hours: list of :class:`Hours` of all calendars; None: at any hour
    :return: one of OFF, LEAVE, HOURS, LIMIT, or None

    >>> noon = datetime(2026, 11, 25, 12)
    >>> morning = [Hours(calendar=1, weekday=2, start=8, end=12)]
    >>> ana = Agent(1, calendar=1, now=noon)
    >>> why_off(ana), why_off(ana, morning), why_off(Agent(1, now=noon), morning)
    (None, 'hours', None)
    >>> why_off(Agent(1, on_leave=True)), why_off(Agent(1, load=3, limit=3))
    ('leave', 'limit')
    """
    if not agent.receives:
        return OFF
    if agent.on_leave:
        return LEAVE
    if hours is not None and not _at_work(agent, hours):
        return HOURS
    if agent.limit and agent.load >= agent.limit:
        return LIMIT
    return None


def _at_work(agent, hours):
    if agent.on_holiday:
        return False
    if agent.calendar is None:
        return True
    return any(
        part.calendar == agent.calendar and part.cover(agent.now) for part in hours
    )


@dataclass(frozen=True)
class Roster:
    """A pool at one moment: who is on duty, in the order of turns, and who is not.

    >>> pool = [Agent(1, last_turn=7), Agent(2, last_turn=5), Agent(3, on_leave=True)]
    >>> roster = Roster.of(pool)
    >>> [agent.id for agent in roster.on_duty], roster.off
    ([2, 1], [(Agent(id=3, name='', receives=True, on_leave=True, on_holiday=False, \
calendar=None, now=None, last_turn=0, load=0, limit=0), 'leave')])
    >>> roster.next.id, Roster.of([]).next
    (2, None)
    """

    on_duty: list = field(default_factory=list)
    off: list = field(default_factory=list)

    @property
    def next(self):
        """Who has been without a turn for the longest, or None."""
        return self.on_duty[0] if self.on_duty else None

    @classmethod
    def of(cls, agents, hours=None):
        """The roster of these people; see :func:`why_off`."""
        judged = [(agent, why_off(agent, hours)) for agent in agents]
        return cls(
            on_duty=sorted(
                (agent for agent, why in judged if why is None),
                key=lambda agent: (agent.last_turn, agent.id),
            ),
            off=[(agent, why) for agent, why in judged if why is not None],
        )


class Absence(NamedTuple):
    """Why somebody cannot care for a customer: GONE, LEAVE or OFF.

    `since` is when the leave began, or when the person was switched off; `until` when
    the leave ends.
    """

    why: str
    since: datetime | None = None
    until: datetime | None = None

    def concerns(self, waiting_since):
        """Whether a customer who waits since then waits in vain.

        Who receives no new leads goes on with the customers who write later.

        >>> noon, one = datetime(2026, 11, 25, 12), datetime(2026, 11, 25, 13)
        >>> off = Absence(OFF, noon)
        >>> off.concerns(noon), off.concerns(one), Absence(GONE).concerns(one)
        (True, False, True)
        """
        return self.why != OFF or waiting_since <= self.since

    def passes_on(self, waiting_since, now, stays=False, minutes=0):
        """Whether the customer goes to somebody else now.

        :param waiting_since: when the customer wrote
        :param bool stays: whether customers stay with who will be back
        :param int minutes: for which they wait for somebody on leave

        >>> noon, one = datetime(2026, 11, 25, 12), datetime(2026, 11, 25, 13)
        >>> leave = Absence(LEAVE, noon)
        >>> leave.passes_on(noon, one), leave.passes_on(noon, one, minutes=61)
        (True, False)
        >>> leave.passes_on(noon, one, stays=True)
        False
        >>> Absence(GONE).passes_on(noon, noon, stays=True, minutes=61)
        True
        """
        if self.why == GONE:
            return True
        if stays or not self.concerns(waiting_since):
            return False
        patience = timedelta(minutes=minutes if self.why == LEAVE else 0)
        return max(waiting_since, self.since) + patience <= now
