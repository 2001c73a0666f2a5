# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Deliveries of Meta: verify the raw bytes, parse them, split them into atoms.

An atom is one message, one status, one echo or one other change: what is stored as
one row, worked once, and may fail without its neighbours. Meta repeats deliveries for
seven days, in any order and batched anew, so each atom carries its own key.
"""

import hashlib
import hmac
import json
import math
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice

from .identity import Identity, contact_of, identity_change
from .limits import cut, limit
from .reading import mapping, mappings
from .terms import _

UTC = timezone(timedelta())  # datetime.UTC is younger than Python 3.10
MAX_BYTES = limit("body")
MAX_DEPTH = limit("depth")
LONGEST_KEY = limit("key")
LONGEST_KIND = limit("kind")
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # the year WhatsApp began
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

KINDS = ("message", "status", "echo", "change", "unknown")
# Field -> list inside its value -> kind of what the list holds. Read 2026-11-22 at
# developers.facebook.com/documentation/business-messaging/whatsapp/webhooks
PARTS = {
    "messages": {
        "messages": "message",
        "statuses": "status",
        "errors": "change",
        "user_actions": "change",
    },
    "smb_message_echoes": {"message_echoes": "echo"},
}
CONTENT_OF = {"message": "messages", "status": "statuses", "echo": "message_echoes"}
ENVELOPE = {"messaging_product", "metadata", "contacts"}

MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")
# Types by which a customer says something to us; all others never make a lead.
CREATES_LEAD = frozenset(
    {"text", "location", "contacts", "button", "interactive", "order", *MEDIA_TYPES}
)

SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")
# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
REFUSALS = {
    "secret": _("No app secret is configured, so nothing is accepted"),
    "missing": _("Header X-Hub-Signature-256 is missing"),
    "malformed": _("Header X-Hub-Signature-256 is not sha256=<64 hex>"),
    "wrong": _("Signature does not match: wrong app secret or changed body"),
}
SURROGATE = re.compile("[\ud800-\udfff]")
PLAIN_KEY = re.compile(r"[!-~]+")


class InvalidSignature(Exception):
    """The delivery does not prove that it comes from Meta.

    Its message, a source for translation, says why.
    """


class MalformedDelivery(ValueError):
    """The body is no JSON object that we can store."""


class TooLarge(MalformedDelivery):
    """The body is larger than what Meta sends."""


def sign(raw, secret):
    """The value of X-Hub-Signature-256 for these bytes.

    >>> sign(b'{"object":"whatsapp_business_account","entry":[]}', "test_app_secret")
    'sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756'
    """
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def verify_signature(raw, header, secret):
    """Raise InvalidSignature unless Meta signed exactly these bytes.

    Without a secret nothing is accepted.

    >>> verify_signature(b"{}", sign(b"{}", "s"), "s")
    >>> verify_signature(b"{ }", sign(b"{}", "s"), "s")
    Traceback (most recent call last):
    ...
    tools.webhook.InvalidSignature: Signature does not match: wrong app secret or \
changed body
    """
    if not secret:
        raise InvalidSignature(REFUSALS["secret"])
    if not header:
        raise InvalidSignature(REFUSALS["missing"])
    stated = SIGNATURE.fullmatch(header.strip())
    if not stated:
        raise InvalidSignature(REFUSALS["malformed"])
    expected = sign(raw, secret).removeprefix("sha256=")
    if not hmac.compare_digest(expected, stated.group(1).lower()):
        raise InvalidSignature(REFUSALS["wrong"])


def parse(raw):
    """The delivery as a dict that PostgreSQL can store as jsonb.

    NUL characters go, lone surrogates become U+FFFD, NaN, infinities and endless
    fractions null; of a repeated key the last value counts. Raises MalformedDelivery
    or TooLarge.

    >>> parse(b'{"a": "x\\\\u0000y", "b": NaN, "b": 1e999}')
    {'a': 'xy', 'b': None}
    """
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"Body has {len(raw)} bytes, the limit is {MAX_BYTES}")
    try:
        delivery = json.loads(
            raw.decode("utf-8-sig"),
            parse_constant=lambda name: None,
            parse_float=_finite,
        )
        if not isinstance(delivery, dict):
            raise MalformedDelivery("Body is not a JSON object")
        return _storable(delivery, MAX_DEPTH)
    except UnicodeDecodeError as error:
        raise MalformedDelivery("Body is not UTF-8") from error
    except RecursionError as error:
        raise MalformedDelivery("Body is nested too deeply") from error
    except MalformedDelivery:
        raise
    except ValueError as error:  # includes integers beyond Python's digit limit
        raise MalformedDelivery("Body is not JSON") from error


def _finite(text):
    number = float(text) if len(text) <= limit("digits") else math.nan
    return number if math.isfinite(number) else None


def _storable(value, depth):
    if depth < 0:
        raise MalformedDelivery("Body is nested too deeply")
    if isinstance(value, dict):
        return {
            _storable(key, 0): _storable(item, depth - 1) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", value.replace("\0", ""))
    return value


@dataclass(frozen=True)
class Atom:
    """One message, status, echo or other change of a delivery.

    `type` is the message's type, the status' value or the field's name. `key` is the
    same each time Meta repeats it. `value` is the change's value, narrowed to this atom
    and the contact it speaks of. `timestamp` is aware, in UTC, or None if not credible.
    """

    kind: str
    type: str
    key: str
    phone_number_id: str | None
    account_id: str | None
    field: str
    timestamp: datetime | None
    identity: Identity | None
    value: dict

    @property
    def content(self):
        """The message, status or echo itself; of other kinds the value."""
        part = CONTENT_OF.get(self.kind)
        return self.value[part][0] if part else self.value

    @property
    def message_id(self):
        """The wamid, or what stands for one that no index could hold."""
        return self.key.partition(":")[2]

    @property
    def keys(self):
        """Names of the person for locks; of a change of number, old and new ones."""
        people = [self.identity] if self.identity else []
        if self.kind == "message":
            people += identity_change(self.content) or ()
        return tuple(dict.fromkeys(key for person in people for key in person.keys))

    @property
    def creates_lead(self):
        """Whether this may open a lead: customers' content, and nothing else."""
        return self.kind == "message" and self.type in CREATES_LEAD

    def update(self):
        """A complete delivery that holds this atom only."""
        entry = {"changes": [{"field": self.field, "value": self.value}]}
        if self.account_id:
            entry["id"] = self.account_id
        if self.kind == "change" and self.timestamp:
            entry["time"] = int(self.timestamp.timestamp())
        return {"object": "whatsapp_business_account", "entry": [entry]}

    def to_json(self):
        """A dict of JSON values from which `from_json` makes the same atom."""
        timestamp = self.timestamp and self.timestamp.isoformat()
        return {**asdict(self), "timestamp": timestamp}

    @classmethod
    def from_json(cls, data):
        """The atom of `to_json`.

        >>> change = {"field": "security", "value": {}}
        >>> [atom] = split({"entry": [{"changes": [change]}]})
        >>> Atom.from_json(json.loads(json.dumps(atom.to_json()))) == atom
        True
        """
        timestamp = data["timestamp"] and datetime.fromisoformat(data["timestamp"])
        identity = data["identity"] and Identity(**data["identity"])
        return cls(**{**data, "timestamp": timestamp, "identity": identity})


@dataclass(frozen=True)
class _Change:
    """One change of a delivery, while it is split."""

    field: str
    value: dict
    account_id: str | None
    time: object

    @property
    def phone_number_id(self):
        metadata = self.value.get("metadata")
        return _short_id(mapping(metadata).get("phone_number_id"))

    def atom(self, kind, content_type, key, value, timestamp=None, identity=None):
        return Atom(
            kind=kind,
            type=content_type,
            key=key,
            phone_number_id=self.phone_number_id,
            account_id=self.account_id,
            field=self.field,
            timestamp=moment(timestamp),
            identity=identity or None,
            value=value,
        )

    def narrowed(self, part, content, contact):
        value = {
            key: self.value[key]
            for key in ("messaging_product", "metadata")
            if key in self.value
        }
        if contact:
            value["contacts"] = [contact]
        return {**value, part: [content]}

    def other(self, content_type, value):
        """What has no id: known again by its content."""
        parts = [self.field, self.account_id, self.time, value]
        key = "change:" + _digest(parts)
        return self.atom("change", content_type, key, value, self.time)

    def unknown(self, piece):
        value = piece if isinstance(piece, dict) else {"unknown": piece}
        key = "unknown:" + _digest([self.field, self.account_id, self.time, value])
        return self.atom("unknown", "unknown", key, value, self.time)


def split(delivery):
    """All atoms of a delivery, in its order. Never raises on what `parse` returned.

    What has the wrong form becomes an atom of kind 'unknown' and spoils nothing else.

    >>> value = {"metadata": {"phone_number_id": "10"}, "messages": ["?", {
    ...     "id": "wamid.1", "from": "34612345678", "timestamp": "1790000000",
    ...     "type": "text", "text": {"body": "Hi"}}]}
    >>> change = {"field": "messages", "value": value}
    >>> for atom in split({"entry": [{"changes": [change]}]}):
    ...     print(atom.kind, atom.phone_number_id, atom.timestamp, atom.key[:15])
    unknown 10 None unknown:8800f88
    message 10 2026-09-21 14:13:20+00:00 message:wamid.1
    """
    if not delivery:
        return []
    entries = delivery.get("entry") if isinstance(delivery, dict) else None
    if not isinstance(entries, list):
        return [_Change("", {}, None, None).unknown(delivery)]
    return [atom for entry in entries for atom in _split_entry(entry)]


def _split_entry(entry):
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list):
        yield _Change("", {}, None, None).unknown(entry)
        return
    account_id, time = _short_id(entry.get("id")), entry.get("time")
    for change in changes:
        value = change.get("value") if isinstance(change, dict) else None
        field = _short_id(mapping(change).get("field"))
        if field and isinstance(value, dict):
            yield from _split_change(_Change(field, value, account_id, time))
        else:
            yield _Change(field or "", {}, account_id, time).unknown(change)


def _split_change(change):
    parts = PARTS.get(change.field)
    if not parts or not any(change.value.get(part) for part in parts):
        yield change.other(change.field, change.value)
        return
    for part, kind in parts.items():
        pieces = change.value.get(part)
        if pieces is None:
            continue
        if not isinstance(pieces, list):
            yield change.unknown({part: pieces})
            continue
        for piece in pieces:
            yield SPLITTERS[kind](change, part, piece)
    yield from _unheard_of_lists(change, parts)


def _unheard_of_lists(change, parts):
    """Lists that Meta may add beside those that we know are kept too."""
    for part, pieces in change.value.items():
        if part not in parts and part not in ENVELOPE and isinstance(pieces, list):
            for piece in pieces:
                yield _split_other(change, _short_id(part) or "unknown", piece)


def _split_message(change, part, message):
    if not isinstance(message, dict):
        return change.unknown({part: [message]})
    contacts = change.value.get("contacts")
    identity = Identity.of_message(message, contacts)
    if not identity and identity_change(message):
        identity = identity_change(message)[0]
    value = change.narrowed(part, message, contact_of(identity, contacts))
    if not identity:
        return change.unknown(value)
    key = _key("message", message.get("id"), message)
    kind = message_type(message)
    return change.atom("message", kind, key, value, message.get("timestamp"), identity)


def _split_echo(change, part, echo):
    if not isinstance(echo, dict):
        return change.unknown({part: [echo]})
    contacts = change.value.get("contacts")
    identity = Identity.of_echo(echo, contacts)
    value = change.narrowed(part, echo, contact_of(identity, contacts))
    if not identity:
        return change.unknown(value)
    key = _key("echo", echo.get("id"), echo)
    kind = message_type(echo)
    return change.atom("echo", kind, key, value, echo.get("timestamp"), identity)


def _split_status(change, part, status):
    report = _short_id(mapping(status).get("status"))
    wamid = _id(status.get("id")) if report else None
    if not wamid:
        return change.unknown({part: [status]})
    contacts = change.value.get("contacts")
    identity = Identity.of_status(status, contacts)
    value = change.narrowed(part, status, contact_of(identity, contacts))
    name = f"{wamid}:{report}"
    if status.get("recipient_type") == "group" and identity:
        name += ":" + identity.token
    key = _key("status", name, status)
    return change.atom("status", report, key, value, status.get("timestamp"), identity)


def _split_other(change, part, piece):
    if not isinstance(piece, dict):
        return change.unknown({part: [piece]})
    return change.other(part, change.narrowed(part, piece, None))


SPLITTERS = {
    "message": _split_message,
    "status": _split_status,
    "echo": _split_echo,
    "change": _split_other,
}


def message_type(message):
    """The stated type, else the one whose content is there, else 'unknown'.

    >>> message_type({"type": "poll"}), message_type({"text": {}}), message_type({})
    ('poll', 'text', 'unknown')
    """
    present = (name for name in sorted(CREATES_LEAD) if name in message)
    return _short_id(message.get("type")) or next(present, "unknown")


def in_words(content):
    """What a change of the account says, for people: its names and values as they are.

    >>> in_words({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
    ...     {"restriction_type": "RESTRICTED_X", "expiration": 1790000000}]})
    'ACCOUNT_RESTRICTION, restriction_type: RESTRICTED_X, \
expiration: 2026-09-21 14:13 UTC'
    """
    longest = limit("notice")
    return cut(", ".join(islice(_leaves(None, content), longest)), longest)


def _leaves(name, value):
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(key, below)
    elif isinstance(value, list):
        for below in value[:20]:
            yield from _leaves(name, below)
    elif value not in (None, ""):
        when = "expiration" in (name or "") and moment(value)
        text = when.strftime("%Y-%m-%d %H:%M UTC") if when else str(value)
        text, name = cut(text, limit("notice")), name and cut(name, LONGEST_KIND)
        yield text if name in (None, "event") else f"{name}: {text}"


def moment(value):
    """Unix seconds, as Meta's string or number, as an aware UTC datetime.

    None for what no message of WhatsApp can bear: before 2009, after 2099, nonsense.

    >>> moment("1790000000"), moment("99999999999999999999"), moment("x"), moment(None)
    (datetime.datetime(2026, 9, 21, 14, 13, 20, tzinfo=datetime.timezone.utc), None, \
None, None)
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not EARLIEST.timestamp() <= value < LATEST.timestamp():
        return None
    return datetime.fromtimestamp(int(value), tz=UTC)


def gateway_update(atom, received):
    """The atom's delivery with every key that OCA's `_receive_update` reads unasked.

    People without a phone appear under their user id. `received` (aware datetime)
    stands in for a missing timestamp.

    >>> [atom] = split({"entry": [{"changes": [{"field": "messages", "value": {
    ...     "messages": [{"id": "w", "from_user_id": "ES.13", "type": "text"}],
    ...     "contacts": [{"user_id": "ES.13", "profile": {"username": "ana"}}]}}]}]})
    >>> update = gateway_update(atom, received=moment(1790000000))
    >>> value = update["entry"][0]["changes"][0]["value"]
    >>> value["messages"][0]["from"], value["messages"][0]["timestamp"]
    ('ES.13', '1790000000')
    >>> value["contacts"][0]["wa_id"], value["contacts"][0]["profile"]["name"]
    ('ES.13', '@ana')
    """
    normalise = {"message": _gateway_message, "status": _gateway_status}.get(atom.kind)
    value = dict(atom.value)
    if normalise:
        when = atom.timestamp or received
        seconds = str(int(when.timestamp()))
        part = CONTENT_OF[atom.kind]
        content = {**atom.content, "timestamp": seconds, **normalise(atom)}
        value[part] = [content]
    if atom.identity:
        value["contacts"] = [_gateway_contact(atom)]
    update = atom.update()
    update["entry"][0]["changes"][0]["value"] = value
    return update


def _gateway_message(atom):
    return {"from": atom.identity.token, "id": atom.message_id}


def _gateway_status(atom):
    errors = mappings(atom.content.get("errors"))
    recipient = atom.identity.token if atom.identity else ""
    return {"recipient_id": recipient, "errors": [_gateway_error(e) for e in errors]}


def _gateway_error(error):
    details = mapping(error.get("error_data")).get("details")
    details = details or error.get("message") or error.get("title") or ""
    return {**error, "code": error.get("code", 0), "error_data": {"details": details}}


def _gateway_contact(atom):
    identity = atom.identity
    contact = contact_of(identity, atom.value.get("contacts")) or {}
    profile = mapping(contact.get("profile"))
    return {
        **contact,
        "wa_id": identity.token,
        "profile": {**profile, "name": identity.label},
    }


def _key(kind, wamid, content):
    name = _id(wamid) or "sha256:" + _digest(content)
    if len(name) > LONGEST_KEY or not PLAIN_KEY.fullmatch(name):
        name = "sha256:" + _digest(name)
    return f"{kind}:{name}"


def _digest(value):
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _short_id(value):
    """The same of a word or a number of Meta's, which no stranger chose."""
    found = _id(value)
    return found and cut(found, LONGEST_KIND)


def _id(value):
    """A non-empty string (Meta's ids are at times numbers), or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else None
    return value if isinstance(value, str) and value else None
