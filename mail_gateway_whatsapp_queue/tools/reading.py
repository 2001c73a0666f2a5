# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reading what strangers wrote into JSON: any value is possible at any place."""

import math
import re
import unicodedata

from .limits import cut, limit

# What PostgreSQL cannot store; codecs and escapes inside of a text make it anew
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
LARGEST = 10**30  # no id and no quantity is longer
# Letters and signs whose glyph is empty: fillers of Hangul, vowels of Khmer that are
# inherent, the blank of Braille, the null note head
BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159")
# Format characters that a name needs between others: joiners of emoji and of Indic
# and Persian words, tags of flags
JOINERS = frozenset("\u200c\u200d") | frozenset(map(chr, range(0xE0020, 0xE0080)))
# Nobody sees these alone: marks, format and control characters, spaces, no characters
UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"})


def text(value, longest=None):
    """A string of at most `longest` characters, or a whole number as one, else ''.

    >>> text("Hi"), text(7), text(True), text(None), text(["Hi"]), text("Hello", 3)
    ('Hi', '7', '', '', '', 'He…')
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < LARGEST else ""
    if not isinstance(value, str):
        return ""
    return UNSTORABLE.sub("", cut(value, longest or limit("field")))


def line(value, longest):
    """A text as one line without spaces around it, or ''.

    >>> line(" Solar\\n panels ", 20)
    'Solar panels'
    """
    # four times as much as is needed, since runs of spaces become one
    return cut(" ".join(text(value, 4 * longest).split()), longest)


def name(value, longest):
    """A name that strangers chose, as one line; '' if nothing of it can be seen.

    Without control characters, and without those that turn the direction of a text.

    >>> name(" Eva\\nRuiz ", 20), name("\\u3164", 20), name("\\u202eanA\\u202c", 20)
    ('Eva Ruiz', '', 'anA')
    """
    kept = "".join(
        char
        for char in " ".join(text(value, limit("text")).split())
        if char in JOINERS
        or char not in BLANK
        and unicodedata.category(char) not in ("Cc", "Cf", "Cn", "Cs")
    )
    seen = any(unicodedata.category(char) not in UNSEEN for char in kept)
    return line(kept, longest) if seen else ""


def mapping(value):
    """A dict, else an empty one.

    >>> mapping({"a": 1}), mapping([1]), mapping(None)
    ({'a': 1}, {}, {})
    """
    return value if isinstance(value, dict) else {}


def items(value, most=None):
    """The first `most` items of a list, all without; of anything else none.

    >>> items([1, 2, 3], 2), items({"a": 1}), items("abc")
    ([1, 2], [], [])
    """
    return value[:most] if isinstance(value, list) else []


def mappings(value, most=None):
    """The first `most` dicts of a list.

    >>> mappings([{"a": 1}, None, "b", {"c": 2}])
    [{'a': 1}, {'c': 2}]
    """
    found = [item for item in items(value) if isinstance(item, dict)]
    return found[:most]


def number(value):
    """A finite float, or None.

    >>> number("2.50"), number(3), number("1" * 99), number(True), number("nan")
    (2.5, 3.0, None, None, None)
    """
    if isinstance(value, str) and len(value) > 40 or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
