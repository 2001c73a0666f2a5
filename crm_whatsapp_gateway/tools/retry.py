# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""When to send again."""

from dataclasses import dataclass
from datetime import timedelta

REPEATABLE = ("transient", "throttled")


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait before sending again, in minutes after each failed attempt.

    >>> from datetime import datetime
    >>> now, policy = datetime(2026, 11, 22, 12, 0), RetryPolicy()
    >>> [f"{policy.next_attempt(done, 'transient', now):%H:%M}" for done in (1, 2, 3)]
    ['12:01', '12:05', '12:15']
    >>> print(policy.next_attempt(4, "transient", now))
    None
    >>> print(policy.next_attempt(1, "permanent", now))
    None
    >>> print(policy.next_attempt(1, "throttled", now, retry_after=3600))
    2026-11-22 13:00:00
    """

    delays: tuple = (1, 5, 15)

    def next_attempt(self, attempts_done, error_kind, now, retry_after=None):
        """When to try again, or None to give up.

        `attempts_done` counts the one that just failed; `retry_after` are the seconds
        that Meta asks for, and counts if it is longer.
        """
        attempt = max(attempts_done, 1)
        if error_kind not in REPEATABLE or attempt > len(self.delays):
            return None
        delay = timedelta(minutes=self.delays[attempt - 1])
        return now + max(delay, timedelta(seconds=retry_after or 0))
