# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The system parameters of the addon: what each of them may be, in one table."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from .probe import is_loopback
from .setup import host_of
from .slots import MOST
from .terms import _

PREFIX = "mail_gateway_whatsapp_queue."
URL = re.compile(
    r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:/[\w./~-]*)?",
    re.ASCII | re.IGNORECASE,
)


class Parameter(NamedTuple):
    """One parameter: how its text is read, and what is allowed.

    `read` returns the value of a text, or raises ValueError; `allowed` says in words
    what it takes, `help` what the parameter is for.
    """

    default: str
    read: Callable[[str], Any]
    allowed: str
    help: str


def _whole(text, lowest, highest):
    """The whole number of a text.

    >>> _whole(" 7 ", 1, 10)
    7
    """
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(text)
    number = int(text)
    if not lowest <= number <= highest:
        raise ValueError(text)
    return number


def _between(lowest, highest):
    return lambda text: _whole(text, lowest, highest)


def _minutes(text):
    """The minutes between commas.

    >>> _minutes("1, 5,15")
    (1, 5, 15)
    """
    parts = text.split(",")
    if len(parts) > 10:
        raise ValueError(text)
    return tuple(_whole(part, 1, 10080) for part in parts)


def _address(text):
    """The address of an API: encrypted, unless it is on this machine.

    >>> _address("https://graph.facebook.com/"), _address("http://127.0.0.1:8099")
    ('https://graph.facebook.com', 'http://127.0.0.1:8099')
    """
    text = text.strip().rstrip("/")
    secure = text.lower().startswith("https://") or is_loopback(text)
    if not (URL.fullmatch(text) and host_of(text) and secure):
        raise ValueError(text)
    return text


# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
_SLOTS = _("a whole number from 1 to 16; 0: as many as what waits is worth")

PARAMETERS = {
    "event_retention_days": Parameter(
        "30",
        _between(1, 3650),
        _("a whole number of days from 1 to 3650"),
        _("Days that what is dealt with is kept: deliveries of Meta, and the queue."),
    ),
    "retry_minutes": Parameter(
        "1, 5, 15",
        _minutes,
        _("up to 10 whole numbers of minutes from 1 to 10080, between commas"),
        _("Minutes until each further attempt of a message that failed."),
    ),
    "undelivered_hours": Parameter(
        "24",
        _between(1, 168),
        _("a whole number of hours from 1 to 168"),
        _("Hours after which what was sent and not delivered is shown as such."),
    ),
    "inbound_slots": Parameter(
        "0",
        _between(0, MOST),
        _SLOTS,
        _("How many threads work at once on what arrives, in the whole database."),
    ),
    "media_slots": Parameter(
        "0", _between(0, MOST), _SLOTS, _("The same for files that are fetched.")
    ),
    "outbound_slots": Parameter(
        "0", _between(0, MOST), _SLOTS, _("The same for sending.")
    ),
    "graph_url": Parameter(
        "https://graph.facebook.com",
        _address,
        _("an address such as https://host; without https only on this machine"),
        _("Address of Meta's API; another one is for tests with the simulator."),
    ),
}


def known(key):
    """The name in the table of a system parameter's key, or None.

    >>> known("mail_gateway_whatsapp_queue.graph_url"), known("web.base.url")
    ('graph_url', None)
    """
    name = (key or "").removeprefix(PREFIX)
    return name if name in PARAMETERS and key == PREFIX + name else None


def value(name, text):
    """What a stored text means, and whether it could be used.

    :param str name: key of PARAMETERS
    :param text: as it is stored; None or False if it is not
    :return: tuple of the value, and whether it is that of the text (True also
        without one)

    >>> value("inbound_slots", "4"), value("inbound_slots", "17")
    ((4, True), (0, False))
    >>> value("retry_minutes", None)
    ((1, 5, 15), True)
    """
    parameter = PARAMETERS[name]
    if text is not None and text is not False:
        try:
            return parameter.read(str(text)), True
        except ValueError:
            return parameter.read(parameter.default), False
    return parameter.read(parameter.default), True
