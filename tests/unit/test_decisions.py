# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Status, retry and window: small rules, tried in full."""

from datetime import datetime, timedelta
from itertools import permutations

import pytest
from tools.retry import RetryPolicy
from tools.status import RANK, REPORTED, advance
from tools.window import closes_at, is_open

NOW = datetime(2026, 11, 22, 12, 0)


def outcome(reports, current="queued"):
    for report in reports:
        current = advance(current, report) or current
    return current


@pytest.mark.parametrize(
    ("reports", "end"),
    [
        (["sent", "delivered", "read", "failed"], "read"),
        (["sent", "delivered", "read", "played"], "played"),
        (["sent", "delivered"], "delivered"),
        (["sent", "failed"], "failed"),
        (["delivered", "failed"], "delivered"),
    ],
)
def test_every_order_of_reports_ends_alike(reports, end):
    for order in permutations(reports * 2 if len(reports) < 4 else reports):
        assert outcome(order) == end


@pytest.mark.parametrize("current", [None, *RANK, "no_such_status"])
def test_a_report_never_lowers_the_status(current):
    for report in REPORTED:
        new = advance(current, report)
        assert new in (None, report)
        if new:
            assert RANK[new] > RANK.get(current, -1)
    assert advance(current, "warning") is None
    assert advance(current, "queued") is None


@pytest.mark.parametrize(
    ("attempts", "kind", "retry_after", "minutes"),
    [
        (0, "transient", None, 1),
        (1, "transient", None, 1),
        (2, "transient", None, 5),
        (3, "transient", None, 15),
        (4, "transient", None, None),
        (400, "throttled", 60, None),
        (1, "transient", 30, 1),
        (1, "transient", 600, 10),
        (3, "transient", 600, 15),
        (1, "auth", None, None),
        (1, "permanent", 60, None),
        (1, "uncertain", None, None),
        (1, "no_such_kind", None, None),
    ],
)
def test_next_attempt(attempts, kind, retry_after, minutes):
    expected = minutes and NOW + timedelta(minutes=minutes)
    assert RetryPolicy().next_attempt(attempts, kind, NOW, retry_after) == expected


def test_other_delays():
    policy = RetryPolicy(delays=(2,))
    assert policy.next_attempt(1, "transient", NOW) == NOW + timedelta(minutes=2)
    assert policy.next_attempt(2, "transient", NOW) is None


def test_window_is_open_for_24_hours_after_the_customer_wrote():
    assert closes_at(NOW) == NOW + timedelta(hours=24)
    assert is_open(NOW, NOW + timedelta(hours=23, minutes=59, seconds=59))
    assert not is_open(NOW, NOW + timedelta(hours=24))
    assert not is_open(None, NOW)
    assert closes_at(None) is None
