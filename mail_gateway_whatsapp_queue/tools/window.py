# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The 24 hours after a customer's message in which we may answer freely.

Only what the customer sends opens the window, by Meta's timestamp. All times in one
call are either aware or naive UTC.
"""

from datetime import timedelta

WINDOW = timedelta(hours=24)
SOON = timedelta(hours=2)


def closes_at(last_customer_message, closed_at=None):
    """When the window closes, or None if the customer never wrote.

    :param closed_at: when Meta said that it is closed, if the customer has not written
        since

    >>> from datetime import datetime
    >>> closes_at(datetime(2026, 11, 22, 9, 30)), closes_at(None)
    (datetime.datetime(2026, 11, 23, 9, 30), None)
    >>> closes_at(datetime(2026, 11, 22, 9, 30), datetime(2026, 11, 22, 12, 0))
    datetime.datetime(2026, 11, 22, 12, 0)
    """
    if not last_customer_message:
        return None
    closing = last_customer_message + WINDOW
    return min(closing, closed_at) if closed_at else closing


def is_open(last_customer_message, now, closed_at=None):
    """Whether free text may be sent now.

    >>> from datetime import datetime
    >>> wrote = datetime(2026, 11, 22, 9, 30)
    >>> is_open(wrote, datetime(2026, 11, 23, 9, 29)), is_open(wrote, wrote + WINDOW)
    (True, False)
    >>> is_open(None, wrote)
    False
    """
    closing = closes_at(last_customer_message, closed_at)
    return bool(closing) and now < closing


def closing_soon(now):
    """Between which times a customer wrote last whose window closes soon.

    :return: tuple; the first is excluded, the second included

    >>> from datetime import datetime
    >>> closing_soon(datetime(2026, 11, 23, 9, 30))
    (datetime.datetime(2026, 11, 22, 9, 30), datetime.datetime(2026, 11, 22, 11, 30))
    """
    return now - WINDOW, now - WINDOW + SOON
