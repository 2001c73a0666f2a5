# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who a person on WhatsApp is: a business-scoped user id and perhaps a phone.

Phone numbers come in several spellings of one person (Mexico's old mobile 1,
Brazil's ninth digit). The rules are ours and not the library's, because the answer
of `phonenumbers` depends on its release.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

from .limits import limit
from .reading import mapping
from .reading import name as read_name
from .reading import text as read_text

WA_ID = re.compile(r"[1-9][0-9]{6,14}")
PHONE_TOKEN = re.compile(r"[0-9]{3,20}")
BSUID = re.compile(r"[A-Z]{2}\.(?!ENT\.)[A-Za-z0-9]{1,128}")
PARENT_BSUID = re.compile(r"[A-Z]{2}\.ENT\.[A-Za-z0-9]{1,128}")
ANY_SCOPED_ID = re.compile(r"\s*[A-Za-z]{2}\.(ENT\.)?[A-Za-z0-9]", re.IGNORECASE)
CHAT_LINK = re.compile(r"(?:wa\.me/|[?&]phone=)(?:\+|%2B)?([1-9][0-9]{6,14})\b")
# So long, and no national number: a list from elsewhere that lost its plus signs.
BARE = re.compile(r"[1-9][0-9]{10,14}")
WORD = re.compile(r"[^\W\d_]{2,}\.?")
KEPT = 1024  # numbers that a process has read last: each message asks several times

# Country -> (spelling, what we write instead), on E.164.
CANONICAL = {
    # Dialling prefixes of Mexico until 2019; WhatsApp still gives 521 to old accounts.
    "MX": (re.compile(r"\+52(?:1|01|044|045)(\d{10})"), r"+52\1"),
    # Mobile numbers got a ninth digit; WhatsApp ids often lack it. Landlines begin 2-5.
    "BR": (re.compile(r"\+55(\d\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
    # All numbers got 01 in front on 2024-11-30.
    "BJ": (re.compile(r"\+229(\d{8})"), r"+22901\1"),
}
# Country -> pairs of (canonical spelling, another spelling of the same person).
TWINS = {
    "MX": [(re.compile(r"\+52(\d{10})"), r"+521\1")],
    "BR": [(re.compile(r"\+55(\d\d)9([6-9]\d{7})"), r"+55\1\2")],
    "BJ": [(re.compile(r"\+22901(\d{8})"), r"+229\1")],
    # Both are valid and neither is wrong: mobile with 9, the same without it.
    "AR": [
        (re.compile(r"\+549(\d{10})"), r"+54\1"),
        (re.compile(r"\+54((?!9)\d{10})"), r"+549\1"),
    ],
}


def is_bsuid(token):
    """Whether this is a business-scoped user id.

    >>> is_bsuid("US.13491208655302741918"), is_bsuid("US.ENT.118"), is_bsuid("521")
    (True, False, False)
    """
    return isinstance(token, str) and bool(BSUID.fullmatch(token))


def is_parent_bsuid(token):
    """Whether this is a user id of a group of business portfolios.

    >>> is_parent_bsuid("US.ENT.11815799212886844830"), is_parent_bsuid("US.118")
    (True, False)
    """
    return isinstance(token, str) and bool(PARENT_BSUID.fullmatch(token))


def normalize(number, region=None):
    """Any spelling by people of one phone number as canonical E.164, or None.

    Without country code in the number, `region` (ISO alpha-2) decides; without both
    there is no answer rather than a guess.

    >>> normalize("+52 1 55 1234 5678"), normalize("044 55 1234 5678", "MX")
    ('+525512345678', '+525512345678')
    >>> normalize("(41) 8888-7777", "BR"), normalize("011 15 2233-4455", "AR")
    ('+5541988887777', '+5491122334455')
    >>> normalize("0034 612 345 678"), normalize("612345678", "ES")
    ('+34612345678', '+34612345678')
    >>> normalize("5215512345678", "ES"), normalize("https://wa.me/34612345678", "MX")
    ('+525512345678', '+34612345678')
    >>> normalize("612345678"), normalize("MX.12345678", "MX"), normalize("hello")
    (None, None, None)
    """
    return next(iter(numbers(number, region)), None)


def numbers(text, region=None):
    """Every phone number in a text that people typed, as :func:`normalize` knows them.

    >>> numbers("55 1234 5678 / 55 8765 4321 (casa)", "MX")
    ('+525512345678', '+525587654321')
    >>> numbers("612-34.56/78", "ES"), numbers("ask at the desk", "ES")
    (('+34612345678',), ())
    """
    if not isinstance(text, str):
        return ()
    country = region.upper() if isinstance(region, str) and region else None
    return _numbers(text[: limit("phone")], country)


@lru_cache(KEPT)
def _numbers(text, country):
    if link := CHAT_LINK.search(text):
        return (from_wa_id(link.group(1)),)
    if ANY_SCOPED_ID.match(text):
        return ()
    text = re.sub(r"\([^\d()]*\)", " ", text)  # "612 345 678 (home)"
    # the library would read words as the letters of a keypad
    parts = [*WORD.split(text), *re.split(WORD.pattern + r"|[/;,|\n]", text)]
    parts = list(dict.fromkeys(filter(None, map(str.strip, parts))))
    parts = parts[: limit("phones")]
    found = [
        _with_own_code(part, country)
        or _normalize_one(re.sub(r"^\D{0,3}00(?=\s*[1-9])", "+", part), country)
        for part in parts
    ]
    if not any(found):
        found = map(_with_lost_plus, parts)
    return tuple(dict.fromkeys(filter(None, found)))


def _with_lost_plus(text, code=""):
    """The number if these are the digits of an international one, or None."""
    digits = re.sub(r"[\s.()-]", "", text)
    if not BARE.fullmatch(digits) or not digits.startswith(code):
        return None
    e164 = _canonical("+" + digits)
    return e164 if any(map(_is_valid, variants(e164))) else None


def _with_own_code(text, country):
    """The same, if they begin with the code of this country.

    Where numbers are of any length (Germany) the library takes them for national ones.
    """
    code = phonenumbers.country_code_for_region(country or "")
    return _with_lost_plus(text, str(code)) if code else None


def _normalize_one(text, country):
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    raw = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    e164 = _canonical(raw)
    # An old release of the library knows the old spelling only, a new one the new.
    known = any(_is_valid(spelling) for spelling in (raw, *variants(e164)))
    # A range younger than the library, but written with its country code.
    plausible = "+" in text and _is_possible(e164)
    return e164 if known or plausible else None


def from_wa_id(digits):
    """Canonical E.164 of an id that Meta gave, or None if it cannot be a phone.

    The library has no say: Meta knows ranges that its release does not.

    >>> from_wa_id("5215512345678"), from_wa_id("554188887777")
    ('+525512345678', '+5541988887777')
    >>> from_wa_id("15550783881"), from_wa_id("22507123456"), from_wa_id("MX.1234567")
    ('+15550783881', '+22507123456', None)
    """
    digits = _digits(digits)
    if not digits or not WA_ID.fullmatch(digits):
        return None
    return _canonical("+" + digits)


def variants(number):
    """All E.164 spellings of the person with this E.164 number or WhatsApp id.

    The canonical one comes first. Empty if it is no phone number.

    >>> variants("+525512345678"), variants("5215512345678")
    (('+525512345678', '+5215512345678'), ('+525512345678', '+5215512345678'))
    >>> variants("553188888888")
    ('+5531988888888', '+553188888888')
    >>> variants("+5491122334455"), variants("+34612345678"), variants("US.1349")
    (('+5491122334455', '+541122334455'), ('+34612345678',), ())
    """
    canonical = from_wa_id(number)
    if not canonical:
        return ()
    twins = [
        pattern.sub(twin, canonical)
        for rules in TWINS.values()
        for pattern, twin in rules
        if pattern.fullmatch(canonical)
    ]
    return tuple(dict.fromkeys([canonical, *twins, "+" + _digits(number)]))


def display(e164):
    """The number as people write it, or what came in if it is no number.

    >>> display("+525512345678"), display("+5491122334455"), display("?")
    ('+52 55 1234 5678', '+54 9 11 2233-4455', '?')
    """
    parsed = _parse(e164)
    if not parsed:
        return e164 or ""
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def region(e164):
    """The ISO alpha-2 code of the number's country, or None.

    >>> region("+525512345678"), region("+15550783881"), region("?")
    ('MX', 'US', None)
    """
    parsed = _parse(e164)
    if not parsed:
        return None
    code = phonenumbers.region_code_for_number(parsed)
    code = code or phonenumbers.region_code_for_country_code(parsed.country_code)
    return code if code and code.isalpha() and code != "ZZ" else None


@lru_cache(KEPT)
def _canonical(e164):
    for pattern, spelling in CANONICAL.values():
        if pattern.fullmatch(e164):
            return pattern.sub(spelling, e164)
    return e164


@lru_cache(KEPT)
def _parse(e164):
    try:
        return phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None


def _is_valid(e164):
    parsed = _parse(e164)
    return bool(parsed) and phonenumbers.is_valid_number(parsed)


def _is_possible(e164):
    parsed = _parse(e164)
    return bool(parsed) and phonenumbers.is_possible_number(parsed)


def _digits(value):
    """The digits of an id as Meta writes it (a string, at times with '+'), or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 < value < 10**20 else None
    if not isinstance(value, str):
        return None
    value = value.strip().removeprefix("+")
    return value if PHONE_TOKEN.fullmatch(value) else None


@dataclass(frozen=True)
class Identity:
    """All that one payload says about who a person is; each part may be missing.

    `phone` holds the digits exactly as Meta gave them, since answers go there.

    >>> ana = Identity(phone="5215512345678", bsuid="MX.1349", name="Ana")
    >>> ana.canonical, ana.token, ana.label
    ('+525512345678', '5215512345678', 'Ana')
    >>> ana.keys
    ('phone:+525512345678', 'bsuid:MX.1349')
    >>> ana.recipient(), Identity(bsuid="MX.1349").recipient()
    ({'to': '+5215512345678'}, {'recipient': 'MX.1349'})
    >>> bool(Identity(name="Nobody"))
    False
    """

    phone: str | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None
    username: str | None = None
    name: str | None = None

    def __bool__(self):
        return bool(self.token)

    @property
    def canonical(self):
        """E.164, or None without a phone."""
        return from_wa_id(self.phone)

    @property
    def token(self):
        """The id of this person in a conversation of the gateway, or None."""
        return self.phone or self.bsuid or self.parent_bsuid

    @property
    def keys(self):
        """Strings that name the person, the most stable first; equal for all spellings.

        Two payloads of one person share at least one of them.
        """
        phone = self.canonical or self.phone
        parts = [("phone", phone), ("bsuid", self.bsuid), ("parent", self.parent_bsuid)]
        return tuple(f"{kind}:{value}" for kind, value in parts if value)

    @property
    def phones(self):
        """Every E.164 spelling of the number, the canonical one first."""
        return variants(self.phone) if self.phone else ()

    @property
    def tokens(self):
        """Every `token` under which this person may have been stored.

        >>> Identity(phone="5215512345678", bsuid="MX.1349").tokens
        ('5215512345678', '525512345678', 'MX.1349')
        """
        spellings = [self.phone, *(phone.lstrip("+") for phone in self.phones)]
        names = [*spellings, self.bsuid, self.parent_bsuid]
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def label(self):
        """What people call this person; never empty for a person."""
        username = self.username and "@" + self.username
        phone = self.canonical and display(self.canonical)
        return self.name or username or phone or self.token or ""

    @property
    def placeholders(self):
        """What may stand for the name of this person while it is not known.

        >>> sorted(Identity(phone="5215512345678", username="ana").placeholders)
        ['+52 55 1234 5678', '+525512345678', '5215512345678', '525512345678', '@ana']
        """
        phones = [form for e164 in self.phones[:1] for form in (e164, display(e164))]
        username = self.username and "@" + self.username
        return {name for name in (*self.tokens, *phones, username) if name}

    def recipient(self):
        """The addressee of a send: the phone if known, since Meta prefers it.

        Always with '+': without it Meta puts the sender's country code in front.
        """
        if self.phone:
            return {"to": "+" + self.phone}
        if not self:
            raise ValueError("An identity without phone and user id has no address")
        return {"recipient": self.bsuid or self.parent_bsuid}

    @classmethod
    def of_message(cls, message, contacts=None):
        """The sender of an inbound message."""
        return cls._of(message, "from", contacts)

    @classmethod
    def of_echo(cls, echo, contacts=None):
        """The customer to whom staff wrote with the phone app."""
        return cls._of(echo, "to", contacts)

    @classmethod
    def of_status(cls, status, contacts=None):
        """The customer about whom a status speaks; in groups, the participant."""
        in_group = isinstance(status, dict) and status.get("recipient_type") == "group"
        if not in_group:
            return cls._of(status, "recipient", contacts, phone_key="recipient_id")
        prefix = "recipient_participant"
        return cls._of(status, prefix, contacts, phone_key=prefix + "_id")

    @classmethod
    def of_token(cls, token):
        """The person with this conversation id.

        >>> Identity.of_token("MX.1349").bsuid, Identity.of_token("+5255").phone
        ('MX.1349', '5255')
        """
        if is_bsuid(token):
            return cls(bsuid=token)
        if is_parent_bsuid(token):
            return cls(parent_bsuid=token)
        return cls(phone=_digits(token))

    @classmethod
    def _of(cls, content, prefix, contacts, phone_key=None):
        content = content if isinstance(content, dict) else {}
        stated = cls.of_token(_text(content.get(phone_key or prefix)))
        bsuid = _scoped(content.get(prefix + "_user_id"), is_bsuid)
        parent = _scoped(content.get(prefix + "_parent_user_id"), is_parent_bsuid)
        stated = cls(
            phone=stated.phone,
            bsuid=bsuid or stated.bsuid,
            parent_bsuid=parent or stated.parent_bsuid,
        )
        contact = contact_of(stated, contacts) or {}
        profile = mapping(contact.get("profile"))
        return cls(
            phone=stated.phone or _digits(contact.get("wa_id")),
            bsuid=stated.bsuid or _scoped(contact.get("user_id"), is_bsuid),
            parent_bsuid=stated.parent_bsuid
            or _scoped(contact.get("parent_user_id"), is_parent_bsuid),
            username=read_name(profile.get("username"), limit("username")) or None,
            name=read_name(profile.get("name"), limit("name")) or None,
        )


def contact_of(identity, contacts):
    """The entry of `contacts` that describes this person, or None.

    All senders of a delivery are listed, so a lone entry is the sender, unless the
    message or the entry names someone else.
    """
    contacts = contacts if isinstance(contacts, list) else []
    lone = contacts[0] if len(contacts) == 1 else None
    contacts = [contact for contact in contacts if isinstance(contact, dict)]
    for contact in contacts:
        if identity.bsuid and contact.get("user_id") == identity.bsuid:
            return contact
    for contact in contacts:
        spelling = _digits(contact.get("wa_id"))
        if spelling and _same_phone(spelling, identity.phone):
            return contact
    usable = isinstance(lone, dict) and not (identity and _names_someone(lone))
    return lone if usable else None


def _names_someone(contact):
    return bool(contact.get("wa_id") or contact.get("user_id"))


def identity_change(message):
    """(old, new) identity of a `system` message about a new number or id, else None.

    >>> old, new = identity_change({"type": "system", "from": "5215512345678",
    ...     "system": {"type": "user_changed_user_id", "user_id": "MX.2",
    ...                "previous_user_id": "MX.1"}})
    >>> old.keys, new.keys
    (('phone:+525512345678', 'bsuid:MX.1'), ('bsuid:MX.2',))
    """
    system = mapping(message).get("system")
    if not isinstance(system, dict):
        return None
    sender = Identity.of_message(message)
    new = Identity(
        phone=_digits(system.get("wa_id") or system.get("new_wa_id")),
        bsuid=_scoped(system.get("user_id"), is_bsuid),
        parent_bsuid=_scoped(system.get("parent_user_id"), is_parent_bsuid),
    )
    old = Identity(
        phone=sender.phone,
        bsuid=_scoped(system.get("previous_user_id"), is_bsuid) or sender.bsuid,
        parent_bsuid=_scoped(system.get("previous_parent_user_id"), is_parent_bsuid)
        or sender.parent_bsuid,
    )
    changed = old and not set(new.keys) <= set(old.keys)
    return (old, new) if changed else None


def _same_phone(one, other):
    return one == other or (from_wa_id(one) or one) == from_wa_id(other)


def _text(value, longest=None):
    """A non-empty string without spaces around it, or None."""
    value = value.strip() if isinstance(value, str) else value
    return read_text(value, longest).strip() or None


def _scoped(value, check):
    return value if check(value) else None
