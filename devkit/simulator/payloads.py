# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The JSON of Meta's webhooks, as of autumn 2026."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from .state import Number, Person


@dataclass
class Update:
    """One thing that Meta reports: a change of one field of one account."""

    account_id: str
    field: str
    value: dict
    number: Number | None = None
    type: str = ""  # message type, status or field: what faults match on
    time: int | None = None  # entry.time, absent for field 'messages'
    tokens: set = field(default_factory=set)  # strings that name the person

    def entry(self) -> dict:
        change = {"field": self.field, "value": self.value}
        entry = {"id": self.account_id, "changes": [change]}
        if self.time is not None:
            entry["time"] = self.time
        return entry


def delivery(updates: list[Update], shape: str = "messages") -> dict:
    """One webhook body of several updates.

    `shape`: 'messages' joins what concerns one number into one value, 'changes' makes
    one entry per account, 'entries' one entry per update.
    """
    if shape == "messages":
        updates = _joined(updates)
    entries = [update.entry() for update in updates]
    if shape == "changes":
        entries = _by_account(entries)
    return {"object": "whatsapp_business_account", "entry": entries}


def _joined(updates: list[Update]) -> list[Update]:
    joined: dict[tuple, Update] = {}
    for update in updates:
        number_id = update.number.id if update.number else None
        key = (update.account_id, update.field, number_id, update.time)
        if update.field != "messages" or key not in joined:
            unique = key if update.field == "messages" else (*key, id(update))
            joined[unique] = Update(
                update.account_id,
                update.field,
                dict(update.value),
                update.number,
                time=update.time,
            )
        else:
            _extend(joined[key].value, update.value)
    return list(joined.values())


def _extend(value: dict, other: dict) -> None:
    for name in ("contacts", "messages", "statuses", "errors", "user_actions"):
        new = [item for item in other.get(name, []) if item not in value.get(name, [])]
        if name != "contacts":
            new = other.get(name, [])
        if new:
            value[name] = [*value.get(name, []), *new]


def _by_account(entries: list[dict]) -> list[dict]:
    accounts: dict[str, dict] = {}
    for entry in entries:
        account = accounts.setdefault(entry["id"], {**entry, "changes": []})
        account["changes"] += entry["changes"]
    return list(accounts.values())


def serialize(body: dict) -> bytes:
    """The bytes of a delivery; like Meta's, with escaped slashes and non-ASCII."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def sign(body: bytes, secret: str) -> str:
    """The value of X-Hub-Signature-256.

    >>> sign(b'{"object":"whatsapp_business_account","entry":[]}', "test_app_secret")
    'sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756'
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def value(number: Number, **lists) -> dict:
    """The `value` of field `messages`; empty lists are left out, as Meta does."""
    head = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.phone,
            "phone_number_id": number.id,
        },
    }
    return head | {name: items for name, items in lists.items() if items}


def contact(
    person: Person, business_id: str, show_phone: bool, username: bool = True
) -> dict:
    """An entry of `contacts`; a withheld phone is a missing key, not an empty one."""
    profile = {"name": person.name}
    if person.username and username:
        profile["username"] = person.username
    card = {"profile": profile}
    if show_phone and person.user:
        card["wa_id"] = person.user
    card["user_id"] = person.user_id(business_id)
    if person.parent_bsuid:
        card["parent_user_id"] = person.parent_bsuid
    return card


def sender(
    person: Person, business_id: str, show_phone: bool, prefix: str = "from"
) -> dict:
    """`from`, `from_user_id` ... of a message (or `to`, `to_user_id` of an echo)."""
    keys = {prefix: person.user} if show_phone and person.user else {}
    keys[f"{prefix}_user_id"] = person.user_id(business_id)
    if person.parent_bsuid:
        keys[f"{prefix}_parent_user_id"] = person.parent_bsuid
    return keys


def status(
    wamid: str,
    name: str,
    timestamp: int,
    person: Person,
    business_id: str,
    by_phone: bool,
    callback_data: str | None = None,
    pricing: dict | None = None,
    errors: list[dict] | None = None,
) -> dict:
    """An entry of `statuses`.

    A failed message sent to a phone names the phone only; every other status names
    the business-scoped user id, and the phone if that was written to.
    """
    entry = {"id": wamid, "status": name, "timestamp": str(timestamp)}
    if by_phone and person.user:
        entry["recipient_id"] = person.user
    if name != "failed" or not by_phone:
        entry["recipient_user_id"] = person.user_id(business_id)
        if person.parent_bsuid:
            entry["recipient_parent_user_id"] = person.parent_bsuid
    if callback_data is not None:
        entry["biz_opaque_callback_data"] = callback_data
    if pricing:
        entry["pricing"] = pricing
    if errors:
        entry["errors"] = errors
    return entry
