# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta's answers say of the rate of a number."""

from collections import deque
from time import monotonic

HIGHEST = 1000  # messages a second of any number of Meta
# One refusal alone says little: so many, and such a share of all, in the last seconds
REFUSALS, SHARE, LATELY = 2, 0.1, 3


class Answers:
    """When Meta took messages of a number, and when it refused them for the rate.

    `reductions` counts how often the rate was reduced.
    """

    def __init__(self):
        self._taken = deque(maxlen=LATELY * HIGHEST)
        self._refused = deque(maxlen=LATELY * HIGHEST)
        self.reductions = 0

    def take(self, now=None):
        """Note that a message was taken.

        :param float now: seconds, of a clock that does not jump
        """
        self._taken.append(monotonic() if now is None else now)

    def refuse(self, now=None):
        """Note a refusal.

        :return: None, or if the rate is too high how many were taken in the last second

        >>> answers = Answers()
        >>> print(answers.refuse(50.0))
        None
        >>> answers.take(50.1)
        >>> answers.refuse(50.2)
        1
        >>> for number in range(30):
        ...     answers.take(50.3 + number / 100)
        >>> print(answers.refuse(50.6))
        None
        """
        now = monotonic() if now is None else now
        self._refused.append(now)
        refused = _since(self._refused, now - LATELY)
        calls = refused + _since(self._taken, now - LATELY)
        if refused < max(REFUSALS, SHARE * calls):
            return None
        return _since(self._taken, now - 1)

    def reduced(self):
        """Note that the rate was reduced: further refusals are of the new one."""
        self._refused.clear()
        self.reductions += 1


def _since(moments, first):
    return sum(moment >= first for moment in moments)
