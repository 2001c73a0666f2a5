# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What happens on the customers' side and at Meta, as webhook updates.

Each function changes the world as the event would, and returns the Update to publish.
"""

from dataclasses import replace

from . import customer, media, payloads, phones
from .payloads import Update
from .state import Number, Person, Received, Template
from .world import NotThere, World

ECHO = "smb_message_echoes"
STANDBY = "standby"
THREE_DAYS = 3 * 86400


def report(
    world: World, number: Number, value: dict, kind: str, person: Person
) -> Update:
    """An update of field `messages`."""
    return Update(
        number.account_id,
        "messages",
        value,
        number,
        kind,
        tokens=world.tokens(person, number),
    )


def message(world: World, spec: dict) -> Update:
    """What Meta would report of one action of a customer (see `customer`)."""
    number = world.find_number(spec.get("number"))
    person = world.find_person(spec["person"])
    if spec.get("type") == "system":
        return _system_message(world, spec, number, person)
    message = _head(world, spec, person, number)
    message |= customer.build(spec, _keeper(world, number))
    if context := _context(world, spec, number):
        message["context"] = context
    message = _shaped(message, spec)
    _remember(world, message, spec, number, person)
    card = payloads.contact(
        person, world.business_of(number), world.shows_phone(person)
    )
    value = payloads.value(number, contacts=[card], messages=[message])
    value |= spec.get("value", {})
    update = report(world, number, value, message["type"], person)
    return _in_standby(update) if spec.get("standby") else update


def _in_standby(update: Update) -> Update:
    """The same while Meta's own agent handles the conversation."""
    head = {k: update.value.pop(k) for k in ("messaging_product", "metadata")}
    return replace(update, field=STANDBY, value=head | {STANDBY: update.value})


def _head(world: World, spec: dict, person: Person, number: Number) -> dict:
    moment = spec.get("timestamp")
    if moment is None:
        moment = world.clock.seconds() - spec.get("age", 0)
    return payloads.sender(
        person, world.business_of(number), world.shows_phone(person)
    ) | {
        "id": spec.get("wamid") or world.ids.wamid(),
        "timestamp": str(int(moment)),
    }


def _keeper(world: World, number: Number):
    def keep(mime_type, content, filename=None, lost=False):
        item = world.keep_file(
            number.account_id, mime_type, content, filename, media.RECEIVED_LIFETIME
        )
        url = world.file_url(item) if world.settings.media_url else None
        if lost:
            del world.state.media[item.id]
        return item, url

    return keep


def _context(world: World, spec: dict, number: Number) -> dict | None:
    if spec.get("forwarded"):
        return {"forwarded": True}
    if spec.get("frequently_forwarded"):
        return {"frequently_forwarded": True}
    wamid = spec.get("reply_to")
    if not wamid:
        return None
    received = world.state.received.get(wamid)
    if received is None:
        return {"from": number.phone, "id": wamid}
    quoted = world.state.persons[received.person_id]
    head = payloads.sender(quoted, world.business_of(number), world.shows_phone(quoted))
    return head | {"id": wamid}


def _remember(world: World, message, spec, number: Number, person: Person) -> None:
    wamid, moment = message.get("id"), int(message.get("timestamp") or 0)
    if wamid:
        world.state.received[wamid] = Received(
            wamid, number.id, person.id, message, moment
        )
    if message.get("type") in customer.NOT_OPENING:
        return
    key = (number.id, person.id)
    world.state.windows[key] = max(moment, world.state.windows.get(key, 0))
    if message.get("referral"):
        world.state.entry_points[key] = moment + THREE_DAYS


def _system_message(world: World, spec: dict, number: Number, person: Person) -> Update:
    """A changed phone (the BSUID changes too), or a changed BSUID alone."""
    business = world.business_of(number)
    kind = spec.get("system_type", "user_changed_number")
    show = world.shows_phone(person) and kind != "user_changed_user_id"
    message = {"from": person.user} if show else {}
    message |= {
        "id": spec.get("wamid") or world.ids.wamid(),
        "timestamp": str(int(spec.get("timestamp") or world.clock.seconds())),
        "type": "system",
    }
    before, old_phone = person.user_id(business), person.user
    if kind in ("user_changed_number", "user_changed_user_id"):
        _renew(person, spec)
        world.state.index(person)
    system = {"type": kind, "user_id": person.user_id(business)}
    changed = (before, system["user_id"])
    if show:
        system["wa_id"] = person.user
        changed = (old_phone, person.user)
    if system["user_id"] != before:
        system["previous_user_id"] = before
    default = f"User {person.name} changed from {changed[0]} to {changed[1]}"
    system["body"] = spec.get("body", default)
    message["system"] = spec.get("content", system)
    message = _shaped(message, spec)
    value = payloads.value(number, messages=[message]) | spec.get("value", {})
    return report(world, number, value, "system", person)


def _renew(person: Person, spec: dict) -> None:
    if spec.get("new_phone"):
        person.phone = phones.digits(spec["new_phone"])
        person.wa_id = None
        person.aliases = []
    person.generation += 1
    person.bsuid = spec.get("new_bsuid")
    person.bsuids = {}


def echo(world: World, spec: dict) -> Update:
    """What staff wrote on the phone of a coexistence number, or Meta's agent."""
    number = world.find_number(spec.get("number"))
    person = world.find_person(spec["person"])
    business, show = world.business_of(number), world.shows_phone(person)
    echo = {"from": number.phone}
    echo |= payloads.sender(person, business, show, prefix="to")
    head = _head(world, spec, person, number)
    echo |= {"id": head["id"], "timestamp": head["timestamp"]}
    echo |= customer.build(spec, _keeper(world, number))
    if spec.get("agent"):
        return _of_agent(world, number, person, _shaped(echo, spec))
    value = payloads.value(
        number,
        contacts=[payloads.contact(person, business, show)],
        message_echoes=[_shaped(echo, spec)],
    )
    return Update(
        number.account_id,
        ECHO,
        value,
        number,
        echo["type"],
        time=world.clock.seconds(),
        tokens=world.tokens(person, number),
    )


def _of_agent(world: World, number: Number, person: Person, echo: dict) -> Update:
    """An echo as those of Meta's agent are seen: its content one level deeper."""
    outer = {name: echo.pop(name) for name in ("id", "timestamp")}
    del echo["from"]
    recipient = echo.get("to") or echo["to_user_id"]
    inner = {"recipient": recipient, "recipient_type": "individual", **echo}
    value = payloads.value(number, message_echoes=[outer | {"message": inner}])
    return _in_standby(report(world, number, value, echo["type"], person))


def change(world: World, account_id: str, field: str, value: dict) -> Update:
    """Any other webhook field of an account."""
    if account_id not in world.state.accounts:
        raise NotThere(f"no account {account_id!r}")
    return Update(account_id, field, value, type=field, time=world.clock.seconds())


def template_change(world: World, template: Template) -> Update:
    """The webhook of a template whose status was changed."""
    value = {
        "event": template.status,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language.replace("_", "-"),
        "message_template_category": template.category,
        "reason": template.rejected_reason,
    }
    if template.status == "REJECTED" and template.rejection_info:
        value["rejection_info"] = template.rejection_info
    return change(world, template.account_id, "message_template_status_update", value)


def _shaped(message: dict, spec: dict) -> dict:
    """`omit` removes keys and `raw` adds them: for payloads nobody foresaw."""
    kept = {k: v for k, v in message.items() if k not in spec.get("omit", ())}
    return kept | spec.get("raw", {})
