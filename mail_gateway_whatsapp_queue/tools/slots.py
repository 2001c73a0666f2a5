# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How many slots a queue has when nobody says it."""

MOST = 16  # of a queue, in the whole database
# Persons, or conversations, for whom one slot is enough: a further one costs a start,
# and takes what another process would have for its answers
EACH = {"inbound": 20, "media": 8, "outbound": 100}


def wanted(queue, waiting):
    """How many slots at once a backlog is worth.

    :param str queue: key of EACH
    :param int waiting: persons, or conversations, with something that is due
    :return: from 1 to MOST

    >>> [wanted("inbound", waiting) for waiting in (0, 19, 20, 300, 10**6)]
    [1, 1, 2, 16, 16]
    """
    return min(MOST, 1 + waiting // EACH[queue])


def enough(queue):
    """How many need to be counted at most to know how many slots are wanted.

    >>> wanted("media", enough("media")), wanted("media", enough("media") - 1)
    (16, 15)
    """
    return EACH[queue] * (MOST - 1)
