# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How fast a number may send."""

MARGIN = 0.97  # of the rate: messages that leave evenly do not arrive so


class Pace:
    """Keeps a number below the rate that Meta allows.

    >>> pace = Pace()
    >>> [round(pace.wait(7, rate=100, now=50.0), 4) for _n in range(3)]
    [0.0, 0.0103, 0.0206]
    >>> pace.wait(7, rate=80, now=200.0), pace.wait(8, rate=0, now=200.0)
    (0.0, 0.0)
    """

    def __init__(self):
        self._next = {}

    def wait(self, number, rate, now):
        """Return the seconds to wait before the next message of a number.

        :param number: whatever names it
        :param float rate: messages a second; 0: as many as possible
        :param float now: seconds, of any clock that does not jump
        """
        if not rate:
            return 0.0
        turn = max(now, self._next.get(number, 0.0))
        self._next[number] = turn + 1 / (rate * MARGIN)
        return turn - now
