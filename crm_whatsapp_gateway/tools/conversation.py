# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is to be done in a conversation: whose turn it is, and until when it rests."""

from datetime import datetime, time, timedelta

OPEN, ANSWERED, SNOOZED, CLOSED = "open", "answered", "snoozed", "closed"

# Ready ends of a snooze: in hours, or at the next morning of a weekday (0: Monday)
HOURS = {"hour": 1, "hours": 4}
MORNINGS = {"tomorrow": None, "monday": 0}
MORNING = time(9)
PREVIEW = 200  # characters of the last message in the inbox


def after_message(state, author, *, automatic=False, late=False):
    """Return the state of a conversation after a message.

    A customer who writes wants an answer, also if the message comes so late that we
    have written meanwhile: nobody has seen it. What we write is an answer, unless no
    person wrote it, or somebody decided to come back later.

    :param str state: before it
    :param str author: 'customer' or 'us'
    :param bool automatic: no person wrote it
    :param bool late: it is older than the last message that was known

    >>> after_message(CLOSED, "customer"), after_message(OPEN, "us")
    ('open', 'answered')
    >>> after_message(SNOOZED, "us"), after_message(OPEN, "us", automatic=True)
    ('snoozed', 'open')
    """
    if author == "customer":
        return OPEN
    return state if automatic or late or state == SNOOZED else ANSWERED


def next_morning(choice, now):
    """Return the morning of a ready end of a snooze, always in the future.

    :param str choice: one of MORNINGS
    :param datetime now: the user's time, naive; so is what is returned

    >>> next_morning("tomorrow", datetime(2026, 11, 25, 8, 0))
    datetime.datetime(2026, 11, 26, 9, 0)
    >>> next_morning("monday", datetime(2026, 11, 30, 8, 0))  # on a Monday: in a week
    datetime.datetime(2026, 12, 7, 9, 0)
    """
    weekday = MORNINGS[choice]
    days = 1 if weekday is None else (weekday - now.weekday() - 1) % 7 + 1
    return datetime.combine(now.date() + timedelta(days=days), MORNING)


def preview(text):
    """Return the beginning of a message, as one line.

    >>> preview(" Hello,\\n  how much is it? ")
    'Hello, how much is it?'
    """
    # of a long text its beginning, unless that is nothing but spaces
    return " ".join(text[: 10 * PREVIEW].split() or text.split())[:PREVIEW]
