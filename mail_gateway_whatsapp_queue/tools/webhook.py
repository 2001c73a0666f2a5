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
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice

from .identity import Identity, contact_of, identity_change
from .limits import cut, limit
from .reading import line, mapping, mappings
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
CONVERSATION = {
    "messages": "message",
    "message_echoes": "echo",
    "statuses": "status",
    "errors": "change",
    "user_actions": "change",
}
# While Meta's own agent (Meta Business Agent) handles a conversation, everything of it
# comes in this field, in an object of the same name; the agent's words among it as
# echoes. The second field tells that the conversation changes hands.
STANDBY = "standby"
HANDOVERS = "messaging_handovers"
PARTS = {
    "messages": CONVERSATION,
    STANDBY: CONVERSATION,
    "smb_message_echoes": {"message_echoes": "echo"},
}
CONTENT_OF = {"message": "messages", "status": "statuses", "echo": "message_echoes"}
ENVELOPE = {"messaging_product", "metadata", "contacts"}

MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")
# Types by which a customer says nothing to us; all others, also those that Meta has
# not invented yet, are somebody who wrote.
SAYS_NOTHING = frozenset({"reaction", "revoke", "system", "request_welcome"})
# Types that a message without `type` is known by: the name of its content
NAMED_BY_CONTENT = (
    *("text", "location", "contacts", "button", "interactive", "order", *MEDIA_TYPES),
    *("edit", "reaction", "revoke", "system"),
)

# Types of what Meta does not pass on; the second is the older word
UNREADABLE = ("unsupported", "unknown")
GROUP = "group:"
# What is in the role of Meta's own agent, in a change of hands
AGENTS = ("ai_agent", "business_agent")
LONGEST_GROUP = 128

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
class InboundEvent:
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
        names = [key for person in people for key in person.keys]
        if self.group:
            names.append(self.group)
        return tuple(dict.fromkeys(names))

    @property
    def group(self):
        """The id of the group in which this was written, or None."""
        return group_of(self.content) if self.kind in ("message", "echo") else None

    @property
    def by_agent(self):
        """Whether Meta's own agent wrote this."""
        return self.kind == "echo" and self.field == STANDBY

    @property
    def customer_speaks(self):
        """Whether a customer says something to us, and not in a group."""
        return self.kind == "message" and not self.group and speaks(self.content)

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
        >>> InboundEvent.from_json(json.loads(json.dumps(atom.to_json()))) == atom
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
        for name in ("metadata", "recipient"):  # the second one in handovers
            if found := mapping(self.value.get(name)).get("phone_number_id"):
                return _short_id(found)
        return None

    def atom(self, kind, content_type, key, value, timestamp=None, identity=None):
        return InboundEvent(
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

    def other(self, content_type, value, identity=None):
        """What has no id: known again by its content."""
        parts = [self.field, self.account_id, self.time, value]
        key = "change:" + _digest(parts)
        return self.atom("change", content_type, key, value, self.time, identity)

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
    if change.field == HANDOVERS:
        yield change.other(HANDOVERS, change.value, _handed_over(change.value))
        return
    if change.field == STANDBY:
        change = _unwrapped(change)
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


def _unwrapped(change):
    """The change with what its object `standby` holds in the value itself."""
    inner = change.value.get(STANDBY)
    value = {key: below for key, below in change.value.items() if key != STANDBY}
    gathered = set()  # keys of lists that are ours to extend
    for piece in [inner] if isinstance(inner, dict) else mappings(inner):
        if not any(part in piece for part in (*CONVERSATION, "contacts")):
            piece = {"messages": [piece]}
        for key, below in piece.items():
            if isinstance(value.get(key), list) and isinstance(below, list):
                if key not in gathered:
                    value[key] = list(value[key])
                    gathered.add(key)
                value[key].extend(below)
            else:
                value[key] = below
                gathered.discard(key)
    return replace(change, value=value)


def _handed_over(value):
    """The customer whose conversation changes hands, as far as it is told."""
    sender = mapping(value.get("sender"))
    names = ("phone_number", "wa_id", "phone", "id")
    phone = next(filter(None, (_id(sender.get(name)) for name in names)), None)
    person = {"from": phone, "from_user_id": sender.get("user_id")}
    return Identity.of_message(person, value.get("contacts"))


def _unheard_of_lists(change, parts):
    """Lists that Meta may add beside those that we know are kept too."""
    for part, pieces in change.value.items():
        if part not in parts and part not in ENVELOPE and isinstance(pieces, list):
            for piece in pieces:
                yield _split_other(change, _short_id(part) or "unknown", piece)


def _split_message(change, part, message):
    if not isinstance(message, dict):
        return change.unknown({part: [message]})
    if _is_ours(change, message):
        return _split_echo(change, "message_echoes", message)
    contacts = change.value.get("contacts")
    identity = Identity.of_message(message, contacts)
    if not identity and identity_change(message):
        identity = identity_change(message)[0]
    value = change.narrowed(part, message, contact_of(identity, contacts))
    if not identity and not group_of(message):
        return change.unknown(value)
    key = _key("message", message.get("id"), message)
    kind = message_type(message)
    return change.atom("message", kind, key, value, message.get("timestamp"), identity)


def _split_echo(change, part, echo):
    if not isinstance(echo, dict):
        return change.unknown({part: [echo]})
    echo = _flat_echo(echo)
    contacts = change.value.get("contacts")
    identity = Identity.of_echo(echo, contacts)
    value = change.narrowed(part, echo, contact_of(identity, contacts))
    if _is_our_number(change, identity):
        if not _is_ours(change, echo):
            return _split_message(change, "messages", echo)
        return change.unknown(value)
    if not identity and not group_of(echo):
        return change.unknown(value)
    key = _key("echo", echo.get("id"), echo)
    kind = message_type(echo)
    return change.atom("echo", kind, key, value, echo.get("timestamp"), identity)


def _flat_echo(echo):
    """An echo as those of phones are; that of Meta's agent holds a `message`.

    >>> sent = {"to": "34612345678", "type": "text", "text": {"body": "Hi"}}
    >>> _flat_echo({"id": "w", "message": sent}) == {"id": "w", **sent}
    True
    """
    inner = mapping(echo.get("message"))
    if inner and not echo.get("type"):
        echo = {**inner, **{k: v for k, v in echo.items() if k != "message"}}
    if not echo.get("to") and _id(echo.get("recipient")):
        echo = {**echo, "to": echo["recipient"]}
    return echo


def _is_ours(change, message):
    """Whether the agent says this: in its field, and from our own number."""
    return _is_our_number(change, Identity.of_token(_id(message.get("from")) or ""))


def _is_our_number(change, identity):
    if change.field != STANDBY:
        return False
    shown = mapping(change.value.get("metadata")).get("display_phone_number")
    digits = re.sub(r"\D", "", cut(_id(shown) or "", limit("phone")))
    ours = Identity.of_token(digits).canonical
    return bool(ours) and identity.canonical == ours


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
    present = (name for name in NAMED_BY_CONTENT if name in message)
    return _short_id(message.get("type")) or next(present, "unknown")


def speaks(message):
    """Whether somebody says something by this message, readable for us or not.

    An edit does, since its original may never have come.

    >>> speaks({"type": "text"}), speaks({"type": "of the future"}), speaks({})
    (True, True, True)
    >>> speaks({"type": "unsupported", "unsupported": {"type": "poll_creation"}})
    True
    >>> speaks({"type": "unsupported", "unsupported": {"type": "reaction"}})
    False
    >>> speaks({"type": "reaction"}), speaks({"type": "revoke"})
    (False, False)
    """
    kind = message_type(message)
    if kind in UNREADABLE:
        kind = _id(mapping(message.get(kind)).get("type"))
    return kind not in SAYS_NOTHING


def group_of(message):
    """The name of the group that a message belongs to, or None.

    It begins with 'group:', so that no id is taken for a phone number.

    >>> group_of({"group_id": "120363025246125486"}), group_of({})
    ('group:120363025246125486', None)
    """
    in_group = message.get("recipient_type") == "group"
    name = _id(message.get("group_id")) or in_group and _id(message.get("to"))
    if not name:
        return None
    if len(name) > LONGEST_GROUP or not PLAIN_KEY.fullmatch(name):
        name = _digest(name)
    return GROUP + name


@dataclass(frozen=True)
class Handover:
    """Who has a conversation now, and what was said of it.

    `ours` is None if only `kind`, Meta's word, tells what happened.
    """

    kind: str
    ours: bool | None
    summary: str = ""


def handover(value):
    """What a change of field `messaging_handovers` tells.

    The new owner's role decides, else that of the owner before, else the kind: Meta
    tells who gets a conversation that it is passed, who loses it that it is taken.

    >>> told = {"type": "control_passed",
    ...         "control_passed": {"previous_owner_app_role": "meta_business_agent"}}
    >>> handover(told).ours, handover({"type": "control_taken"}).ours, handover({})
    (True, False, None)
    """
    stated = _id(value.get("type"))
    kinds = [stated, *(key for key in value if "control" in key)]
    kind = next((k for k in kinds if k and ("pass" in k or "tak" in k)), stated)
    if not kind:
        return None
    details = mapping(value.get(kind))
    ours = True if "pass" in kind else False if "tak" in kind else None
    for owner, agent_has_it in (("new_owner", True), ("previous_owner", False)):
        if role := _role(details, owner):
            ours = any(word in role for word in AGENTS) is not agent_has_it
            break
    context = details.get("conversation_context") or value.get("conversation_context")
    summary = mapping(mapping(context).get("summary")).get("text")
    return Handover(
        cut(kind, LONGEST_KIND), ours, cut(_id(summary) or "", limit("field"))
    )


def _role(details, owner):
    """What an owner is called, such as 'ai_agent'; '' if that is not told."""
    inner = mapping(details.get(owner))
    names = ("role", "app_role")
    stated = [details.get(f"{owner}_{name}") for name in names]
    stated += [inner.get(name) for name in names]
    return cut(" ".join(filter(None, map(_id, stated))), limit("short")).lower()


def group_subject(message):
    """What people call the group of a message, as far as Meta tells; else ''.

    >>> group_subject({"group_id": "1", "group": {"subject": "Family\\n"}})
    'Family'
    """
    group = mapping(message.get("group"))
    names = (group.get("subject"), group.get("name"), message.get("group_subject"))
    return line(next(filter(None, map(_id, names)), ""), limit("name"))


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


def message_and_value(atom, received):
    """A message and its change's value, with every key that OCA's hooks read unasked.

    People without a phone appear under their user id. `received` (aware datetime)
    stands in for a missing timestamp.

    >>> [atom] = split({"entry": [{"changes": [{"field": "messages", "value": {
    ...     "messages": [{"id": "w", "from_user_id": "ES.13", "type": "text"}],
    ...     "contacts": [{"user_id": "ES.13", "profile": {"username": "ana"}}]}}]}]})
    >>> message, value = message_and_value(atom, received=moment(1790000000))
    >>> message["from"], message["timestamp"], value["messages"] == [message]
    ('ES.13', '1790000000', True)
    >>> value["contacts"][0]["wa_id"], value["contacts"][0]["profile"]["name"]
    ('ES.13', '@ana')
    """
    seconds = str(int((atom.timestamp or received).timestamp()))
    sender = atom.identity.token if atom.identity else ""
    message = {
        **atom.content,
        "timestamp": seconds,
        "from": sender,
        "id": atom.message_id,
    }
    value = {**atom.value, "messages": [message], "field": atom.field}
    if atom.identity:
        value["contacts"] = [_gateway_contact(atom)]
    return message, value


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
