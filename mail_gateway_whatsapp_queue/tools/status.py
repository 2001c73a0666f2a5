# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How far a message of ours has come. Reports arrive twice, late and out of order."""

# Later steps only. `failed` stands below `delivered`: a failure never replaces a proof
# of arrival, and a proof of arrival replaces a failure.
RANK = {
    "queued": 0,
    "sending": 1,
    "accepted": 2,
    "sent": 3,
    "failed": 4,
    "delivered": 5,
    "read": 6,
    "played": 7,
}
# What Meta reports (M/webhooks/reference/messages/status, copy of 2026-09-11).
REPORTED = frozenset({"sent", "delivered", "read", "played", "failed"})


def advance(current, reported):
    """The new status of a message, or None if the report changes nothing.

    >>> advance(None, "sent"), advance("sent", "read"), advance("read", "delivered")
    ('sent', 'read', None)
    >>> advance("sent", "failed"), advance("delivered", "failed"), advance("sent", "?")
    ('failed', None, None)
    """
    if reported not in REPORTED:
        return None
    return reported if RANK[reported] > RANK.get(current, -1) else None
