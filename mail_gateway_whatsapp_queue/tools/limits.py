# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How much of what strangers send is read: every bound, in one table.

All are counted in characters unless they say otherwise. What is longer is cut before
anything else looks at it, and the cut is visible; the event keeps the whole.
"""

from typing import NamedTuple

KB = 1024
MB = 1024 * KB


class Limit(NamedTuple):
    """A bound, and why it is there."""

    value: int
    reason: str


LIMITS = {
    # -- a delivery
    "body": Limit(3 * MB, "bytes of a webhook: Meta sends 'up to 3 MB'"),
    "depth": Limit(64, "levels of JSON; Meta's have some 12"),
    "digits": Limit(400, "of a fraction in JSON; no number of Meta has more"),
    "key": Limit(512, "an index entry of PostgreSQL holds some 2,700 bytes"),
    "kind": Limit(64, "name of a type, field or status; Meta's have up to 40"),
    # -- a message
    "text": Limit(64 * KB, "WhatsApp's limit is 4,096, of a caption 1,024"),
    "field": Limit(4 * KB, "title, answer, address: as much as a whole text"),
    "lines": Limit(50, "entries of an order, a form, a list of cards: what one reads"),
    "details": Limit(20, "numbers, addresses, links of one contact card"),
    "nested": Limit(8, "levels of answers within answers of a form"),
    "files": Limit(30, "files of one form: as many as WhatsApp lets one choose"),
    "json": Limit(256 * KB, "answers to a form, which come as JSON in a text"),
    "vcard": Limit(64 * KB, "a card may hold a picture, after name and numbers"),
    "emoji": Limit(32, "the longest emoji has some 15 code points"),
    "file_name": Limit(150, "most file systems take 255 bytes"),
    "mime_type": Limit(150, "the longest registered one has 87"),
    "url": Limit(2000, "what browsers and proxies take"),
    "short": Limit(200, "a reason or a name within a sentence"),
    # -- a person
    "name": Limit(128, "WhatsApp's limit is 25; names from address books are longer"),
    "username": Limit(64, "WhatsApp's limit is 35"),
    "phone": Limit(200, "a field for a phone: some numbers with remarks"),
    "phones": Limit(20, "numbers in one field; each costs a look into a library"),
    "wish": Limit(200, "a message that is one word, with spaces and marks"),
    # -- an ad
    "ad_name": Limit(255, "a headline; Meta shows 40"),
    # -- a notice of Meta
    "notice": Limit(500, "a line on the form of the number"),
    # -- a file
    "file": Limit(100 * MB, "bytes: Meta's own limit for inbound files"),
    "pixels": Limit(50_000_000, "Odoo refuses to show larger pictures"),
}


def limit(name):
    """The bound of this name.

    >>> limit("emoji")
    32
    """
    return LIMITS[name].value


def cut(text, longest):
    """At most `longest` characters of a text, with an ellipsis if some are missing.

    >>> cut("Hello", 5), cut("Hello", 4)
    ('Hello', 'Hel…')
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"
