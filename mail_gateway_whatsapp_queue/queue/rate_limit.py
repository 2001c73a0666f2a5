# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Keeps a number below what Meta allows, over all threads, processes and hosts.

Each message takes its turn: the time at which it may leave, kept in one row for each
number. Each statement is a transaction of its own, in READ COMMITTED, and measures by
the clock of the database, which all hosts share.

When Meta refuses several for the rate, the rate is halved, but not below what Meta took
in the last second; and it grows again slowly while messages have to wait for it.
"""

import threading
from collections import defaultdict
from time import sleep

import psycopg2

from ..tools.errors import CloudApiError, is_rate_refusal
from ..tools.rate import HIGHEST, Answers

USUAL = 80  # messages a second of a number of which nothing is known
LOWEST = 1  # to which refusals may bring it
GROWS_IN = 160  # seconds from nothing to all that is allowed

_VALUES = """
    clock AS (SELECT extract(epoch FROM clock_timestamp())::float8 AS now),
    known AS (SELECT %(number)s AS number, %(allowed)s::float8 AS allowed,
                     %(usual)s::float8 AS usual)
"""
# Messages that leave at even intervals arrive unevenly. So the interval is 3 % longer
# than the rate asks, and up to 10 % more at low rates, where one message too many in a
# second is refused.
_NEXT = """
    last_turn + (1.03 + least(0.1, 1 / {rate})) / {rate}
"""
_RATE = "least(coalesce(learned_rate, allowed), allowed)"
_REFUSED = "least(coalesce(learned_rate, usual), allowed)"
# A turn in the far future was written by another clock: before a restore.
_TAKE = f"""
    WITH {_VALUES}
    UPDATE whatsapp_rate_limit
       SET last_turn = CASE WHEN last_turn < now + 60
                            THEN greatest(now, {_NEXT.format(rate=_RATE)})
                            ELSE now END,
           learned_rate = CASE WHEN learned_rate >= allowed THEN NULL
                               WHEN {_NEXT.format(rate=_RATE)} > now
                               THEN learned_rate + usual / %(grows_in)s / {_RATE}
                               ELSE learned_rate END
      FROM clock, known
     WHERE whatsapp_rate_limit.number = known.number
 RETURNING last_turn - now
"""
_ADD = """
    INSERT INTO whatsapp_rate_limit (number, last_turn) VALUES (%(number)s, 0)
        ON CONFLICT (number) DO NOTHING
"""
# At most once a second: refusals of messages already on their way are about the old
# rate. Then nothing leaves until the second in which Meta counted too many is over.
_REDUCE = f"""
    WITH {_VALUES}
    UPDATE whatsapp_rate_limit
       SET learned_rate = greatest(least(%(taken)s, {_REFUSED}), {_REFUSED} / 2,
                                   %(lowest)s),
           last_turn = greatest(last_turn,
                                now + greatest(0, 1 - %(taken)s / {_REFUSED})),
           reduced_at = now
      FROM clock, known
     WHERE whatsapp_rate_limit.number = known.number
       AND (reduced_at IS NULL OR NOT reduced_at BETWEEN now - 1 AND now)
 RETURNING learned_rate
"""


_answers = defaultdict(Answers)  # of this process, by database and number
_guard = threading.Lock()


class RateLimiter:
    """Gives the turns to send.

    :param str dbname: database
    :param execute: function of SQL and its values, from any thread; commits, and
        returns the rows
    """

    def __init__(self, dbname, execute):
        self._dbname, self._execute = dbname, execute

    def turns(self, number, allowed):
        """Return the :class:`Turns` of a number.

        :param str number: phone number ID
        :param float allowed: messages a second; 0: as many as Meta takes
        """
        with _guard:
            answers = _answers[self._dbname, number]
        return Turns(self._execute, number, allowed, answers)


class Turns:
    """Lets a message wait until it may leave, and learns from what became of it."""

    def __init__(self, execute, number, allowed, answers):
        self._execute, self._answers = execute, answers
        self._values = {
            "number": number,
            "allowed": float(allowed or HIGHEST),
            "usual": float(allowed or USUAL),
            "grows_in": GROWS_IN,
            "lowest": LOWEST,
        }

    def wait(self):
        """Wait until a message may leave.

        :raise CloudApiError: the database cannot be asked; nothing has left
        """
        reductions = None
        try:
            # what was promised before the rate was reduced would be too soon
            while reductions != self._answers.reductions:
                reductions = self._answers.reductions
                sleep(self._take())
        except psycopg2.Error as error:
            raise CloudApiError("transient", reason="busy") from error

    def _take(self):
        found = self._execute(_TAKE, self._values)
        if not found:
            self._execute(_ADD, self._values)
            found = self._execute(_TAKE, self._values)
        return max(0.0, found[0][0])

    def learn(self, outcome):
        """Keep what became of a message that had its turn.

        :param outcome: ``tools.cloud_api.Sent`` or ``CloudApiError``
        """
        if not isinstance(outcome, CloudApiError):
            with _guard:
                self._answers.take()
        elif is_rate_refusal(outcome):
            with _guard:
                taken = self._answers.refuse()
            if taken is not None:
                self._reduce(taken)

    def _reduce(self, taken):
        try:
            reduced = self._execute(_REDUCE, {**self._values, "taken": float(taken)})
        except psycopg2.Error:
            return  # the next refusal tells
        if reduced:
            with _guard:
                self._answers.reduced()
