# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The control door: JSON over HTTP, no token, on the same port as Meta's side.

Errors are `400 {"error": "..."}` (what is wrong with the call) and 404 (not there).
Numbers are named by id or phone, persons by id, phone, BSUID, username or name; where
`number` is left out the first one is meant.

| call                               | does                                          |
|------------------------------------|-----------------------------------------------|
| GET /_config                       | {settings, faults}                            |
| POST /_config                      | {settings: {...}, faults: [...]} or one fault |
|                                    | as in `faults`; answers as GET                |
| DELETE /_config[?id=]              | removes one fault, or all                     |
| GET /_control/state                | apps, accounts, numbers, persons, templates   |
| POST /_control/reset               | forgets everything                            |
| POST /_control/setup               | app, account and number in one call:          |
|                                    | {app: {...}, account: {...}, number: {...}}   |
|                                    | -> the three records                          |
| POST /_control/apps, accounts,     | creates, or changes the one whose `id` is     |
|   numbers, persons, templates      | given (persons: also by phone); the attributes|
|                                    | are those of the classes in `state`; accounts |
|                                    | take `preload` (default true), templates take |
|                                    | `count` to make many; a changed status of a   |
|                                    | template is reported (`notify`: false not)    |
| GET /_control/apps/ID ...          | the record                                    |
| POST /_control/apps/ID/verify      | Meta's GET verification of the callback; also |
|                                    | {callback_url, verify_token} to try others    |
|                                    | -> {ok, http, body, challenge, error}         |
| POST /_control/messages            | a customer acts: {number, person, type, ...}, |
|                                    | words in `customer`; besides reply_to (wamid),|
|                                    | forwarded, referral, timestamp, age (seconds  |
|                                    | ago), wamid, raw (merged), omit (keys), value |
|                                    | (merged into the change), standby (Meta's own |
|                                    | agent has the conversation). system messages: |
|                                    | system_type, new_phone, new_bsuid             |
|                                    | -> {wamid, payload, deliveries}               |
| POST /_control/batch               | {messages: [...], shape}: in one delivery     |
| POST /_control/echoes              | staff wrote on the phone of this number;      |
|                                    | agent: true, Meta's own agent did             |
| POST /_control/statuses            | {wamid, status, code, details, bare,          |
|                                    | timestamp}: one status by hand                |
| POST /_control/changes             | {account, field, value}: any other field      |
| POST /_control/raw                 | {app, url, body / body_base64 / payload,      |
|                                    | signature: valid, wrong, missing or a literal}|
|                                    | one attempt -> the delivery                   |
| GET /_control/outbox               | calls of the send endpoint, with the text as  |
|                                    | the customer reads it and the statuses so far;|
|                                    | filters: number, person, type, outcome        |
|                                    | (see Attempt in `state`), callback_data       |
| GET /_control/sent/WAMID           | an accepted message and its statuses          |
| GET /_control/received             | messages of customers, with `read`, `typing`  |
| GET /_control/deliveries[?state=]  | webhook deliveries and each attempt's answer; |
|                                    | ?bodies=1 adds the bodies                     |
| POST /_control/deliveries/ID       | delivers the same bytes once more             |
| GET /_control/requests             | every call of Meta's side                     |
| POST /_control/wait                | {timeout}: until nothing is under way         |
|                                    | -> {idle}                                     |
| GET, POST /_control/clock          | {offset} or {advance} in seconds, or {now}    |
"""

import base64
import functools
import json
from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from . import actions, phones
from .calls import META
from .errors import Refusal
from .meta import Meta
from .payloads import Update, delivery, serialize, sign
from .state import Attempt, Override, assign
from .templates import numbered
from .webhooks import Delivery
from .world import NotThere

BAD_CALL = (ValueError, TypeError)


def door(function: Callable) -> Callable:
    """JSON in, JSON out, plain errors."""

    @functools.wraps(function)
    async def handler(request: web.Request) -> web.Response:
        meta = request.app[META]
        try:
            values = await request.json() if request.can_read_body else {}
            if not isinstance(values, dict):
                raise ValueError("a JSON object is expected")
            answer = await function(meta, request, values)
        except NotThere as error:
            return web.json_response({"error": error.args[0]}, status=404)
        except KeyError as error:
            return web.json_response({"error": f"missing {error}"}, status=400)
        except BAD_CALL as error:
            text = f"{type(error).__name__}: {error}"
            return web.json_response({"error": text}, status=400)
        return web.json_response(answer)

    return handler


def _record(records: dict, identifier: str, kind: str):
    if identifier not in records:
        raise NotThere(f"no {kind} {identifier!r}")
    return records[identifier]


# -- behaviour -----------------------------------------------------------------------


def _config(meta: Meta) -> dict:
    return {
        "settings": asdict(meta.settings),
        "faults": [asdict(fault) for fault in meta.faults.listed()],
    }


@door
async def config_get(meta: Meta, request, values) -> dict:
    return _config(meta)


@door
async def config_set(meta: Meta, request, values: dict) -> dict:
    if "fault" in values:
        values = {"faults": [values]}
    if unknown := set(values) - {"settings", "faults"}:
        raise ValueError(f"unknown keys {sorted(unknown)}; known: settings, faults")
    meta.settings.update(values.get("settings", {}))
    for fault in values.get("faults", []):
        meta.faults.add(fault)
    return _config(meta)


@door
async def config_clear(meta: Meta, request, values) -> dict:
    number = request.query.get("id")
    meta.faults.remove(int(number) if number else None)
    return _config(meta)


@door
async def reset(meta: Meta, request, values) -> dict:
    await meta.reset()
    return {"ok": True}


@door
async def wait(meta: Meta, request, values: dict) -> dict:
    return {"idle": await meta.background.idle(values.get("timeout", 10))}


@door
async def clock(meta: Meta, request, values: dict) -> dict:
    if "offset" in values:
        meta.clock.offset = float(values["offset"])
    if "advance" in values:
        meta.clock.advance(float(values["advance"]))
    if "now" in values:
        meta.clock.set(float(values["now"]))
    return {"now": meta.clock.now(), "offset": meta.clock.offset}


# -- records -------------------------------------------------------------------------


def _override(values: dict) -> dict:
    """A JSON override becomes an Override."""
    if values.get("override"):
        values["override"] = Override(**values["override"])
    return values


def put_app(meta: Meta, values: dict):
    app = meta.state.apps.get(values.get("id"))
    return assign(app, values) if app else meta.new_app(**values)


def put_account(meta: Meta, values: dict):
    account = meta.state.accounts.get(values.get("id"))
    if isinstance(values.get("subscriptions"), list):
        values["subscriptions"] = {app_id: None for app_id in values["subscriptions"]}
    if account:
        return assign(account, values)
    return meta.new_account(**values)


def put_number(meta: Meta, values: dict):
    number = meta.state.numbers.get(values.get("id"))
    values = _override(values)
    if values.get("phone"):
        values["phone"] = phones.digits(values["phone"])
    if number:
        return assign(number, values)
    if values.get("account_id") is None:
        values["account_id"] = next(iter(meta.state.accounts), None)
    _record(meta.state.accounts, values["account_id"], "account")
    return meta.new_number(**values)


def put_person(meta: Meta, values: dict):
    for name in ("id", "phone", "wa_id", "bsuid"):
        known = meta.state.person(str(values[name])) if values.get(name) else None
        if known:
            for key in ("phone", "wa_id"):
                if values.get(key):
                    values[key] = phones.digits(values[key])
            meta.state.index(assign(known, values))
            return known
    return meta.new_person(**values)


async def put_template(meta: Meta, values: dict):
    template = meta.state.templates.get(values.get("id"))
    notify = values.pop("notify", True)
    if template is None:
        values.setdefault("account_id", next(iter(meta.state.accounts), None))
        _record(meta.state.accounts, values["account_id"], "account")
        return meta.new_template(**values)
    before = template.status
    assign(template, values)
    if notify and template.status != before:
        await meta.webhooks.publish([actions.template_change(meta, template)])
    return template


@door
async def setup(meta: Meta, request, values: dict) -> dict:
    """An app, an account that is subscribed to it, and a number."""
    app = put_app(meta, dict(values.get("app", {})))
    account = put_account(
        meta,
        {"app_ids": [app.id], "subscriptions": [app.id]}
        | dict(values.get("account", {})),
    )
    number = put_number(
        meta, {"account_id": account.id} | dict(values.get("number", {}))
    )
    return {
        "app": asdict(app),
        "account": asdict(account),
        "number": asdict(number),
    }


PUT = {"apps": put_app, "accounts": put_account, "numbers": put_number}


@door
async def put(meta: Meta, request, values: dict) -> dict:
    return asdict(PUT[request.match_info["kind"]](meta, values))


@door
async def persons(meta: Meta, request, values: dict) -> dict:
    return _person(meta, put_person(meta, values))


def _person(meta: Meta, person) -> dict:
    """The record, and its BSUID per account."""
    shown = asdict(person)
    shown["user_ids"] = {
        account.id: person.user_id(account.business_id)
        for account in meta.state.accounts.values()
    }
    return shown


@door
async def templates(meta: Meta, request, values: dict):
    if "count" not in values:
        return asdict(await put_template(meta, values))
    account_id = values.get("account_id") or next(iter(meta.state.accounts), None)
    _record(meta.state.accounts, account_id, "account")
    made = numbered(account_id, values["count"], meta.ids.number)
    meta.state.templates.update({template.id: template for template in made})
    return {"made": len(made)}


@door
async def one_record(meta: Meta, request, values) -> dict:
    kind, identifier = request.match_info["kind"], request.match_info["id"]
    if kind == "persons":
        person = meta.state.person(identifier)
        if person is None:
            raise NotThere(f"no person {identifier!r}")
        return _person(meta, person)
    return asdict(_record(getattr(meta.state, kind), identifier, kind[:-1]))


@door
async def state(meta: Meta, request, values) -> dict:
    return overview(meta)


def overview(meta: Meta) -> dict:
    records = meta.state
    listed = {
        kind: [asdict(record) for record in getattr(records, kind).values()]
        for kind in (*PUT, "templates")
    }
    return listed | {
        "persons": [_person(meta, person) for person in records.persons.values()],
        "counts": {
            "attempts": len(records.attempts),
            "sent": len(records.sent),
            "received": len(records.received),
            "deliveries": len(meta.webhooks.deliveries),
            "under_way": len(meta.background),
        },
        "clock": {"now": meta.clock.now(), "offset": meta.clock.offset},
    }


@door
async def verify(meta: Meta, request, values: dict) -> dict:
    app = _record(meta.state.apps, request.match_info["id"], "app")
    url = values.get("callback_url") or app.callback_url
    if not url:
        raise ValueError("the app has no callback_url")
    return await meta.webhooks.verify(url, values.get("verify_token", app.verify_token))


# -- what happens ----------------------------------------------------------------------


async def _publish(meta: Meta, updates: list[Update], shape: str = "messages") -> dict:
    work = meta.background.spawn(meta.webhooks.publish(updates, shape))
    made = await work
    return {
        "payload": delivery(updates, shape),
        "deliveries": [shown(item) for item in made],
    }


@door
async def play(meta: Meta, request, values: dict) -> dict:
    update = actions.message(meta, values)
    answer = await _publish(meta, [update])
    return {"wamid": _wamid(update, "messages")} | answer


def _wamid(update: Update, part: str) -> str | None:
    value = update.value.get(actions.STANDBY, update.value)
    return value[part][0].get("id")


@door
async def batch(meta: Meta, request, values: dict) -> dict:
    shared = {"number": values["number"]} if "number" in values else {}
    updates = [actions.message(meta, shared | spec) for spec in values["messages"]]
    accounts = {update.account_id for update in updates}
    if len(accounts) != 1:
        raise ValueError("a batch needs messages, all to numbers of one account")
    answer = await _publish(meta, updates, values.get("shape", "messages"))
    wamids = [_wamid(update, "messages") for update in updates]
    return {"wamids": wamids} | answer


@door
async def echoes(meta: Meta, request, values: dict) -> dict:
    update = actions.echo(meta, values)
    answer = await _publish(meta, [update])
    return {"wamid": _wamid(update, "message_echoes")} | answer


@door
async def changes(meta: Meta, request, values: dict) -> dict:
    account = values.get("account") or next(iter(meta.state.accounts), None)
    update = actions.change(meta, account, values["field"], values["value"])
    return await _publish(meta, [update])


@door
async def statuses(meta: Meta, request, values: dict) -> dict:
    sent = _record(meta.state.sent, values["wamid"], "sent message")
    failure = None
    if values["status"] == "failed":
        failure = Refusal(
            values.get("code", 131000),
            values.get("details"),
            bare=values.get("bare", False),
        )
    return await meta.send_status(
        sent, values["status"], failure, values.get("timestamp")
    )


def _signature(mode: str, body: bytes, secret: str) -> str | None:
    modes = {
        "valid": lambda: sign(body, secret),
        "wrong": lambda: sign(body, "not the " + secret),
        "missing": lambda: None,
    }
    return modes.get(mode, lambda: mode)()


@door
async def raw(meta: Meta, request, values: dict) -> dict:
    identifier = values.get("app") or next(iter(meta.state.apps), None)
    app = _record(meta.state.apps, identifier, "app")
    if "payload" in values:
        body = serialize(values["payload"])
    elif "body_base64" in values:
        body = base64.b64decode(values["body_base64"])
    else:
        body = values["body"].encode()
    url = values.get("url") or app.callback_url
    if not url:
        raise ValueError("the app has no callback_url")
    signature = _signature(values.get("signature", "valid"), body, app.secret)
    return shown(await meta.webhooks.send_raw(app, url, body, signature))


# -- looking back ----------------------------------------------------------------------


def shown(item: Delivery, bodies: bool = False) -> dict:
    entry = asdict(item)
    body = entry.pop("body")
    if bodies:
        try:
            entry["body"] = json.loads(body)
        except ValueError:
            entry["body"] = body.decode("utf-8", "replace")
        entry["body_base64"] = base64.b64encode(body).decode()
    return entry


@door
async def deliveries(meta: Meta, request, values) -> list:
    wanted, bodies = request.query.get("state"), "bodies" in request.query
    return [
        shown(item, bodies)
        for item in meta.webhooks.deliveries
        if wanted in (None, item.state)
    ]


@door
async def redeliver(meta: Meta, request, values) -> dict:
    index = int(request.match_info["id"])
    found = [item for item in meta.webhooks.deliveries if item.id == index]
    if not found:
        raise NotThere(f"no delivery {index}")
    return shown(await meta.webhooks.redeliver(found[0]))


def _matches(meta: Meta, attempt: Attempt, query) -> bool:
    payload = attempt.payload
    person = meta.state.person(query["person"]) if "person" in query else None
    kind = None if attempt.outcome == "read" else payload.get("type", "text")
    pairs = {
        "number": attempt.number_id,
        "person": attempt.person_id,
        "type": kind,
        "outcome": attempt.outcome,
        "callback_data": payload.get("biz_opaque_callback_data"),
    }
    wanted = {name: query[name] for name in pairs if name in query}
    if "person" in wanted:
        wanted["person"] = person.id if person else "nobody"
    return all(pairs[name] == value for name, value in wanted.items())


@door
async def outbox(meta: Meta, request, values) -> list:
    found = []
    for attempt in meta.state.attempts:
        if not _matches(meta, attempt, request.query):
            continue
        entry = asdict(attempt)
        sent = meta.state.sent.get(attempt.wamid)
        entry["statuses"] = [s["status"] for s in sent.statuses] if sent else []
        entry["text"] = meta.text_of(attempt)
        found.append(entry)
    return found


@door
async def sent_one(meta: Meta, request, values) -> dict:
    return asdict(_record(meta.state.sent, request.match_info["wamid"], "sent message"))


@door
async def received(meta: Meta, request, values) -> list:
    return [asdict(item) for item in meta.state.received.values()]


@door
async def requests(meta: Meta, request, values) -> list:
    return meta.state.requests


RECORDS = "apps|accounts|numbers|persons|templates"
ROUTES = (
    ("GET", "/_config", config_get),
    ("POST", "/_config", config_set),
    ("DELETE", "/_config", config_clear),
    ("GET", "/_control/state", state),
    ("POST", "/_control/reset", reset),
    ("POST", "/_control/setup", setup),
    ("POST", f"/_control/{{kind:{'|'.join(PUT)}}}", put),
    ("POST", "/_control/persons", persons),
    ("POST", "/_control/templates", templates),
    ("GET", f"/_control/{{kind:{RECORDS}}}/{{id}}", one_record),
    ("POST", "/_control/apps/{id}/verify", verify),
    ("POST", "/_control/messages", play),
    ("POST", "/_control/batch", batch),
    ("POST", "/_control/echoes", echoes),
    ("POST", "/_control/statuses", statuses),
    ("POST", "/_control/changes", changes),
    ("POST", "/_control/raw", raw),
    ("GET", "/_control/outbox", outbox),
    ("GET", "/_control/sent/{wamid:.+}", sent_one),
    ("GET", "/_control/received", received),
    ("GET", "/_control/deliveries", deliveries),
    ("POST", "/_control/deliveries/{id}", redeliver),
    ("GET", "/_control/requests", requests),
    ("POST", "/_control/wait", wait),
    ("GET", "/_control/clock", clock),
    ("POST", "/_control/clock", clock),
)


def add_routes(router: web.UrlDispatcher) -> None:
    for method, path, handler in ROUTES:
        router.add_route(method, path, handler)
