# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Contact cards as telephones export them (vCard 2.1 to 4.0, RFC 6350)."""

import quopri
import re

from .limits import limit

MOST_LINES = 2000
# [group.]NAME[;parameters]:value
LINE = re.compile(r"(?:[\w-]{1,40}\.)?([A-Za-z-]{1,40})((?:;[^:\n]*)?):(.*)", re.DOTALL)
FOLDED = re.compile(r"\r\n|\r|\n")
CHARSET = re.compile(r"CHARSET=\"?([\w.:-]{1,40})", re.IGNORECASE)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# Names that end nothing: their lines may be long, and nobody reads them
SKIPPED = ("PHOTO", "LOGO", "SOUND", "KEY")


def read_vcard(text):
    """What people read of a vCard, as the keys of WhatsApp's own contact cards.

    >>> read_vcard("BEGIN:VCARD\\nFN:Ana\\nitem1.TEL;type=CELL:+34 612\\nEND:VCARD")
    {'name': {'formatted_name': 'Ana'}, 'phones': [{'phone': '+34 612'}]}
    >>> card = "FN;ENCODING=QUOTED-PRINTABLE:Jos=C3=A9 =\\n N=C3=BA=C3=B1ez"
    >>> read_vcard(card)["name"]
    {'formatted_name': 'José Núñez'}
    >>> read_vcard("N:P\\\\, x;Ana;;;\\nORG:Sol;Ventas\\nTITLE:Due\\n ña")["org"]
    {'company': 'Sol', 'department': 'Ventas', 'title': 'Dueña'}
    """
    found = {}
    for name, value in _values(text):
        found.setdefault(name, []).append(value)
    card = {}
    if full := _first(found, "FN") or _name(_first(found, "N")):
        card["name"] = {"formatted_name": full}
    for name, key, inner in (
        ("TEL", "phones", "phone"),
        ("EMAIL", "emails", "email"),
        ("URL", "urls", "url"),
    ):
        values = [_plain(value) for value in found.get(name, ())]
        values = [value.removeprefix("tel:") for value in values if value]
        if values:
            card[key] = [{inner: value} for value in values[: limit("details")]]
    names = ("company", "department")
    org = dict(zip(names, _parts(_first(found, "ORG", raw=True)), strict=False))
    org["title"] = _first(found, "TITLE")
    if org := {key: value for key, value in org.items() if value}:
        card["org"] = org
    if addresses := [_address(value) for value in found.get("ADR", ())]:
        card["addresses"] = [a for a in addresses[: limit("details")] if a]
    if birthday := _first(found, "BDAY"):
        card["birthday"] = birthday
    return card


def _values(text):
    """(name, value) of each line, unfolded and decoded; not unescaped."""
    for line in _unfolded(text):
        match = LINE.fullmatch(line)
        if match and match[1].upper() not in SKIPPED:
            yield match[1].upper(), _decoded(match[3], match[2])


def _unfolded(text):
    """Lines in their whole length: later ones go on with a space in front.

    In quoted-printable a line that ends with '=' goes on, too.
    """
    lines, goes_on, quoted = [], False, False
    for line in FOLDED.split(text)[:MOST_LINES]:
        if goes_on:
            lines[-1].append(line)
        elif line[:1] in (" ", "\t") and lines:
            lines[-1].append(line[1:])
        else:
            lines.append([line])
            quoted = _is_quoted(line)
        goes_on = quoted and line.endswith("=")
        if goes_on:
            lines[-1][-1] = lines[-1][-1][:-1]
    return ("".join(pieces) for pieces in lines)


def _is_quoted(line):
    return "QUOTED-PRINTABLE" in line.partition(":")[0].upper()


def _decoded(value, parameters):
    if not _is_quoted(parameters):
        return value
    # what is no quoted-printable at all stays as it is
    raw = quopri.decodestring(value.encode("utf-8", "replace"))
    charset = CHARSET.search(parameters)
    for encoding in (charset and charset[1], "utf-8", "latin-1"):
        try:
            return raw.decode(encoding or "utf-8")
        except (LookupError, UnicodeError):
            continue
    return value


def _first(found, name, raw=False):
    values = (value if raw else _plain(value) for value in found.get(name, ()))
    return next(filter(None, values), "")


def _plain(value):
    """A value without the marks of its escaping, in one line."""
    text = ESCAPED.sub(lambda m: " " if m[1] in "nN" else m[1], value)
    return " ".join(text.split())


def _parts(value):
    """The parts of a value with several, which semicolons divide."""
    return [_plain(part) for part in re.split(r"(?<!\\);", value)]


def _name(value):
    family, given, *_rest = [*_parts(value), "", ""]
    return f"{given} {family}".strip()


def _address(value):
    _box, _more, street, city, state, code, country, *_rest = [
        *_parts(value),
        *[""] * 7,
    ]
    values = {
        "street": street,
        "zip": code,
        "city": city,
        "state": state,
        "country": country,
    }
    return {key: value for key, value in values.items() if value}
