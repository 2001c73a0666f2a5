# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's side: the routes under graph.facebook.com, with or without `/vNN.N`."""

import asyncio
import base64
import functools
import json
import re
from collections.abc import Callable

from aiohttp import web

from . import media, send, templates
from .errors import Refusal, bad_token, no_token, unknown_object
from .faults import OUTCOMES, Fault, facts
from .meta import Meta
from .state import Account, App, Attempt, Media, Number, Override, Template

META: web.AppKey[Meta] = web.AppKey("meta", Meta)
PAGE = 25
DEFAULT_VERSION = "v25.0"
OLDEST_VERSION = 21  # a call to an ended version is served by the next living one
FOREVER = 3600.0


class Cut(Exception):
    """The connection is to be closed without an answer."""


class Raw(Exception):
    """An answer that is not Meta's JSON, as a proxy in between would give."""

    def __init__(self, response: web.Response):
        self.response = response
        super().__init__(response.status)


# -- what every call has in common -------------------------------------------------


def endpoint(function: Callable) -> Callable:
    """Token check, Meta's headers, refusals as JSON, and a line in the request log."""

    @functools.wraps(function)
    async def handler(request: web.Request) -> web.StreamResponse:
        meta = request.app[META]
        entry = {
            "at": meta.clock.now(),
            "method": request.method,
            "path": request.path,
            "http": None,
            "code": None,
        }
        meta.state.requests.append(entry)
        trace = meta.ids.trace()
        try:
            response = await function(meta, request, authorised(meta, request))
        except Refusal as refusal:
            entry["code"] = refusal.code
            response = web.json_response(
                refusal.answer(trace), status=refusal.http, headers=refusal.headers
            )
        except Raw as raw:
            response = raw.response
        except Cut:
            return abort(request)
        entry["http"] = response.status
        if not response.prepared:
            response.headers.update(_headers(request, trace))
        return response

    return handler


def _headers(request: web.Request, trace: str) -> dict:
    return {
        "facebook-api-version": served_version(request.match_info.get("version")),
        "x-fb-trace-id": trace,
        "x-fb-request-id": trace,
    }


def served_version(asked: str | None) -> str:
    """
    >>> served_version("v18.0"), served_version("v23.0"), served_version(None)
    ('v21.0', 'v23.0', 'v25.0')
    """
    if asked is None:
        return DEFAULT_VERSION
    living = int(asked[1:].split(".")[0]) >= OLDEST_VERSION
    return asked if living else f"v{OLDEST_VERSION}.0"


def abort(request: web.Request) -> web.Response:
    """Close the connection; the response object is never seen by anybody."""
    if request.transport:
        request.transport.abort()
    return web.Response()


def authorised(meta: Meta, request: web.Request) -> App:
    """The app of the Bearer token (header, or `access_token`); raises Refusal."""
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() if header else ""
    token = token or request.query.get("access_token", "")
    if not token:
        raise no_token()
    app = meta.state.app_of_token(token)
    if app is None:
        raise bad_token()
    if not app.token_valid:
        raise bad_token(app.token_subcode)
    return app


async def misbehave(
    meta: Meta, request: web.Request, name: str, known: dict
) -> Fault | None:
    """Act on faults before a call is looked at.

    Returns the outcome that has to wait until the call was accepted, if any.
    """
    delay = meta.faults.take(name, ("delay",), known)
    if delay:
        await asyncio.sleep(delay.get("seconds", 1))
    outcome = meta.faults.take(name, OUTCOMES, known)
    if outcome is None or outcome.get("accept", outcome.fault == "hang"):
        return outcome
    await act(outcome)
    return None


async def act(outcome: Fault) -> None:
    """Never returns: an error, or a connection that is cut now or after a while."""
    if outcome.fault == "error":
        raise _error(outcome)
    if outcome.fault == "hang":
        await asyncio.sleep(outcome.get("seconds", FOREVER))
    raise Cut


def _error(fault: Fault) -> Exception:
    """Meta's refusal, or raw text as a proxy in between would give."""
    headers = {}
    if fault.get("retry_after") is not None:
        headers["Retry-After"] = str(fault.get("retry_after"))
    refusal = Refusal(
        fault.get("code", 131000),
        fault.get("details"),
        http=fault.get("http"),
        subcode=fault.get("subcode"),
        headers=headers,
        bare=fault.get("bare", False),
    )
    if fault.get("body") is None:
        return refusal
    return Raw(
        web.Response(
            text=fault.get("body"),
            content_type="text/html",
            status=refusal.http,
            headers=headers,
        )
    )


async def parsed(request: web.Request) -> dict:
    """The call's JSON or form fields; raises Refusal if it is neither."""
    if request.content_type.startswith(("multipart/", "application/x-www-form")):
        return dict(await request.post())
    raw = await request.read()
    if not raw:
        return {}
    try:
        values = json.loads(raw)
    except ValueError:
        raise Refusal(100, "The request body is not valid JSON.") from None
    if not isinstance(values, dict):
        raise Refusal(100, "The request body is not a JSON object.")
    return values


def account_for(meta: Meta, app: App, account_id: str, method: str) -> Account:
    account = meta.state.accounts.get(account_id)
    if account is None or app.id not in account.app_ids:
        raise unknown_object(account_id, method)
    return account


def number_for(meta: Meta, app: App, number_id: str, method: str) -> Number:
    number = meta.state.numbers.get(number_id)
    if number is None:
        raise unknown_object(number_id, method)
    try:
        account_for(meta, app, number.account_id, method)
    except Refusal:
        raise unknown_object(number_id, method) from None
    return number


# -- messages ------------------------------------------------------------------------


@endpoint
async def messages(meta: Meta, request: web.Request, app: App) -> web.Response:
    number = number_for(meta, app, request.match_info["node"], "post")
    payload = await parsed(request)
    attempt = Attempt(
        len(meta.state.attempts) + 1, meta.clock.now(), number.id, payload
    )
    meta.state.attempts.append(attempt)
    try:
        if "status" in payload:
            return await _mark_read(meta, request, number, attempt)
        return await _send(meta, request, number, attempt)
    except Refusal as refusal:
        attempt.http, attempt.code = refusal.http, refusal.code
        attempt.details = refusal.details
        raise
    except Raw as raw:
        attempt.http = raw.response.status
        raise
    except (Cut, asyncio.CancelledError):
        if attempt.outcome == "refused":
            attempt.outcome = "cut"
        raise


async def _send(meta, request, number: Number, attempt: Attempt) -> web.Response:
    payload = attempt.payload
    outcome = await misbehave(
        meta, request, "messages", _send_facts(meta, number, payload)
    )
    sent, late = meta.accept(payload, number)
    attempt.wamid, attempt.person_id = sent.wamid, sent.person_id
    attempt.outcome = "lost" if outcome else "accepted"
    await meta.report(sent, late)
    if outcome:
        await act(outcome)
    attempt.http = 200
    return web.json_response(meta.answer(sent))


def _send_facts(meta: Meta, number: Number, payload: dict) -> dict:
    """What a fault may match before the payload was checked."""
    tokens = set()
    try:
        person, _ = send.recipient(payload, number, meta.state, lambda digits: None)
        tokens = meta.tokens(person, number)
    except (Refusal, KeyError):
        pass  # nobody we know: such a send matches no person
    template = payload.get("template")
    name = template.get("name") if isinstance(template, dict) else None
    return facts(
        number=number.id, person=tokens, type=payload.get("type", "text"), template=name
    )


async def _mark_read(meta, request, number: Number, attempt: Attempt) -> web.Response:
    payload = attempt.payload
    outcome = await misbehave(meta, request, "read", facts(number=number.id))
    received = send.check_read(payload, number, meta.state, meta.clock.now())
    for other in meta.state.received.values():
        same = (other.number_id, other.person_id) == (number.id, received.person_id)
        if same and other.timestamp <= received.timestamp:
            other.read = True
    received.typing = "typing_indicator" in payload
    attempt.outcome, attempt.http = "read", 200
    attempt.person_id = received.person_id
    if outcome:
        await act(outcome)
    return web.json_response({"success": True})


# -- media ---------------------------------------------------------------------------


@endpoint
async def upload(meta: Meta, request: web.Request, app: App) -> web.Response:
    number = number_for(meta, app, request.match_info["node"], "post")
    form = await parsed(request)
    outcome = await misbehave(meta, request, "upload", facts(number=number.id))
    if form.get("messaging_product") != "whatsapp":
        raise Refusal(100, "The parameter messaging_product is required.")
    file = form.get("file")
    if not isinstance(file, web.FileField):
        raise Refusal(100, "The parameter file is required.")
    asked = form.get("type")
    mime_type = asked if asked and "/" in asked else file.content_type
    content = file.file.read()
    _check_upload(mime_type, content)
    item = meta.keep_file(number.account_id, mime_type, content, file.filename)
    if outcome:
        await act(outcome)
    return web.json_response({"id": item.id})


def _check_upload(mime_type: str, content: bytes) -> None:
    if not media.kinds_of(mime_type):
        known = ", ".join(t for _, types in media.LIMITS.values() for t in types)
        raise Refusal(
            100,
            f"Param file must be a file with one of the following types: {known}."
            f" Received file of type '{mime_type}'.",
        )
    if not content:
        raise Refusal(131053, "The file is empty.")
    if len(content) > media.largest(mime_type):
        raise Refusal(131053, f"File size exceeds the limit for {mime_type}.")


def media_for(meta: Meta, app: App, media_id: str, method: str) -> Media:
    item = meta.state.media.get(media_id)
    expired = item and meta.clock.now() > item.created + item.lifetime
    if item is None or expired:
        raise unknown_object(media_id, method)
    account_for(meta, app, item.account_id, method)
    return item


async def _media_info(meta: Meta, request: web.Request, app: App) -> web.Response:
    item = media_for(meta, app, request.match_info["node"], "get")
    wanted = request.query.get("phone_number_id")
    if wanted:
        number = number_for(meta, app, wanted, "get")
        if number.account_id != item.account_id:
            raise unknown_object(item.id)
    if outcome := await misbehave(meta, request, "media", facts(type=item.mime_type)):
        await act(outcome)
    return web.json_response(
        {
            "url": meta.file_url(item),
            "mime_type": item.mime_type,
            "sha256": item.sha256,
            "file_size": len(item.content),
            "id": item.id,
            "messaging_product": "whatsapp",
        }
    )


@endpoint
async def download(meta: Meta, request: web.Request, app: App) -> web.StreamResponse:
    """The bytes, at the address that `GET /{media_id}` or a webhook told."""
    item = meta.state.media.get(request.query.get("mid", ""))
    known = facts(type=item.mime_type if item else None)
    if outcome := await misbehave(meta, request, "download", known):
        await act(outcome)
    expired = meta.faults.take("download", ("expired",), known)
    if item is None or expired or not _valid_address(meta, request, item):
        return web.Response(status=404, text="URL signature expired")
    account = meta.state.accounts.get(item.account_id)
    if account is None or app.id not in account.app_ids:
        return web.Response(status=404, text="Not found")
    fault = meta.faults.take("download", ("slow", "truncate"), known)
    return await _bytes(request, item, fault)


def _valid_address(meta: Meta, request: web.Request, item: Media) -> bool:
    try:
        expires = int(request.query.get("ext", ""))
    except ValueError:
        return False
    signed = meta.url_signature(item.id, expires) == request.query.get("hash")
    return signed and meta.clock.now() <= expires


async def _bytes(
    request: web.Request, item: Media, fault: Fault | None
) -> web.StreamResponse:
    headers = {"Content-Type": item.mime_type, "Content-Length": str(len(item.content))}
    if fault is None:
        return web.Response(body=item.content, headers=headers)
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    if fault.fault == "truncate":
        await response.write(item.content[: fault.get("bytes", len(item.content) // 2)])
        await asyncio.sleep(0.05)  # let the bytes leave before the connection closes
        raise Cut
    pieces = 10
    size = -(-len(item.content) // pieces)
    for start in range(0, len(item.content), size):
        await asyncio.sleep(fault.get("seconds", 1) / pieces)
        await response.write(item.content[start : start + size])
    await response.write_eof()
    return response


# -- nodes: numbers, accounts, templates, media, apps --------------------------------


def selected(request: web.Request, values: dict, default: tuple, kind: str) -> dict:
    """`?fields=a,b` of a node; raises Refusal for a field that does not exist."""
    asked = request.query.get("fields")
    names = [n.strip() for n in asked.split(",")] if asked else list(default)
    picked = {}
    for name in filter(None, names):
        plain = re.split(r"[.{(]", name)[0]
        if plain not in values:
            raise Refusal(
                100,
                message=f"(#100) Tried accessing nonexisting field ({plain}) on node"
                f" type ({kind})",
                details="",
            )
        picked[plain] = values[plain]
    return picked | {"id": values["id"]}


def _callbacks(app: App | None, account: Account, number: Number) -> dict:
    own = account.subscriptions.get(app.id) if app else None
    found = {}
    if app and app.callback_url:
        found["application"] = app.callback_url
    if own:
        found["whatsapp_business_account"] = own.callback_url
    if number.override:
        found["phone_number"] = number.override.callback_url
    return found


NUMBER_FIELDS = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
)


def number_values(meta: Meta, app: App, number: Number) -> dict:
    account = meta.state.account_of(number)
    return {
        "id": number.id,
        "display_phone_number": number.display,
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "quality_score": {"score": number.quality_rating},
        "throughput": {"level": number.throughput_level},
        "whatsapp_business_manager_messaging_limit": number.messaging_limit,
        "messaging_limit_tier": number.messaging_limit,
        "code_verification_status": number.code_verification_status,
        "name_status": number.name_status,
        "new_name_status": "NONE",
        "status": number.status if number.registered else "PENDING",
        "platform_type": "CLOUD_API" if number.registered else "NOT_APPLICABLE",
        "account_mode": "SANDBOX" if number.allowed_recipients is not None else "LIVE",
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "is_on_biz_app": False,
        "last_onboarded_time": "2026-01-15T09:00:00+0000",
        "webhook_configuration": _callbacks(app, account, number),
        "health_status": {
            "can_send_message": "AVAILABLE" if number.registered else "BLOCKED"
        },
    }


def account_values(account: Account) -> dict:
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "timezone_id": account.timezone_id,
        "account_review_status": account.review_status,
        "business_verification_status": "verified",
        "country": "ES",
        "message_template_namespace": "0" * 32,
        "owner_business_info": {"id": account.business_id, "name": account.name},
        "status": "ACTIVE",
        "health_status": {"can_send_message": "AVAILABLE"},
    }


def template_values(template: Template) -> dict:
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "status": template.status,
        "components": template.components,
        "parameter_format": template.parameter_format,
        "quality_score": {"score": template.quality_score},
        "rejected_reason": template.rejected_reason,
    }


TEMPLATE_FIELDS = (
    "name",
    "parameter_format",
    "components",
    "language",
    "status",
    "category",
)


async def _number_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    number = number_for(meta, app, request.match_info["node"], "get")
    if outcome := await misbehave(meta, request, "number", facts(number=number.id)):
        await act(outcome)
    values = number_values(meta, app, number)
    kind = "WhatsAppBusinessPhoneNumber"
    return web.json_response(selected(request, values, NUMBER_FIELDS, kind))


async def _account_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    if outcome := await misbehave(meta, request, "account", facts()):
        await act(outcome)
    default = ("name", "currency", "timezone_id", "message_template_namespace")
    values = account_values(account)
    return web.json_response(
        selected(request, values, default, "WhatsAppBusinessAccount")
    )


def template_for(meta: Meta, app: App, template_id: str, method: str) -> Template:
    template = meta.state.templates.get(template_id)
    if template is None:
        raise unknown_object(template_id, method)
    account_for(meta, app, template.account_id, method)
    return template


async def _template_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    template = template_for(meta, app, request.match_info["node"], "get")
    if outcome := await misbehave(
        meta, request, "templates", facts(template=template.name)
    ):
        await act(outcome)
    values = template_values(template)
    return web.json_response(
        selected(request, values, TEMPLATE_FIELDS, "WhatsAppMessageTemplate")
    )


async def _app_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    if request.match_info["node"] != app.id:
        raise unknown_object(request.match_info["node"])
    return web.json_response({"id": app.id, "name": app.name})


@endpoint
async def node(meta: Meta, request: web.Request, app: App) -> web.Response:
    """GET /{id} of whatever the id is."""
    identifier, state = request.match_info["node"], meta.state
    for records, handler in (
        (state.numbers, _number_node),
        (state.accounts, _account_node),
        (state.templates, _template_node),
        (state.media, _media_info),
        (state.apps, _app_node),
    ):
        if identifier in records:
            return await handler(meta, request, app)
    if await misbehave(meta, request, "any", facts()):
        raise Cut
    raise unknown_object(identifier)


@endpoint
async def node_delete(meta: Meta, request: web.Request, app: App) -> web.Response:
    """DELETE /{media_id}."""
    item = media_for(meta, app, request.match_info["node"], "delete")
    del meta.state.media[item.id]
    return web.json_response({"success": True})


@endpoint
async def node_edit(meta: Meta, request: web.Request, app: App) -> web.Response:
    """POST /{template_id} edits a template; POST /{number_id} sets its callback."""
    identifier = request.match_info["node"]
    values = await parsed(request)
    if identifier in meta.state.templates:
        template = template_for(meta, app, identifier, "post")
        components = values.get("components")
        if components is not None:
            templates.check_components(components, template.parameter_format)
            template.components = components
        template.category = values.get("category", template.category)
        template.status = "PENDING"
        return web.json_response({"success": True})
    number = number_for(meta, app, identifier, "post")
    wanted = values.get("webhook_configuration")
    if wanted is None:
        raise Refusal(100, "The parameter webhook_configuration is required.")
    number.override = await _override(meta, wanted)
    return web.json_response({"success": True})


async def _override(meta: Meta, values: dict) -> Override | None:
    """A verified callback override; None if the values name none."""
    url = values.get("override_callback_uri")
    if not url:
        return None
    override = Override(url, values.get("verify_token", ""))
    result = await meta.webhooks.verify(url, override.verify_token)
    if not result["ok"]:
        raise Refusal(
            100,
            "Callback verification failed with the following errors: "
            f"HTTP Status Code = {result['http']}; {result['error'] or ''}",
            subcode=2200,
        )
    return override


# -- edges of accounts ------------------------------------------------------------


def page(request: web.Request, items: list) -> dict:
    """`{data, paging}` with cursors, 25 at a time unless `limit` says otherwise."""
    limit = _whole(request.query.get("limit"), PAGE)
    start = _position(request.query.get("after"), -1) + 1
    if before := request.query.get("before"):
        start = max(0, _position(before, 0) - limit)
    shown = items[start : start + limit]
    answer = {"data": shown}
    if not shown:
        return answer
    last = start + len(shown) - 1
    answer["paging"] = {"cursors": {"before": _cursor(start), "after": _cursor(last)}}
    if last + 1 < len(items):
        url = request.url.update_query(limit=str(limit), after=_cursor(last))
        answer["paging"]["next"] = str(url)
    if start:
        url = request.url.without_query_params("after")
        url = url.update_query(limit=str(limit), before=_cursor(start))
        answer["paging"]["previous"] = str(url)
    return answer


def _whole(text: str | None, default: int) -> int:
    try:
        return max(1, int(text)) if text else default
    except ValueError:
        raise Refusal(100, "Param limit must be an integer.") from None


def _cursor(index: int) -> str:
    return base64.urlsafe_b64encode(f"item:{index}".encode()).decode()


def _position(cursor: str | None, default: int) -> int:
    if not cursor:
        return default
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().split(":")[1])
    except (ValueError, IndexError):
        raise Refusal(100, "Invalid cursor.") from None


@endpoint
async def template_list(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    if outcome := await misbehave(meta, request, "templates", facts()):
        await act(outcome)
    found = []
    for template in meta.state.templates_of(account.id):
        values = template_values(template)
        if all(
            request.query.get(name, values[name]) == values[name]
            for name in ("name", "language", "status", "category")
        ):
            kind = "WhatsAppMessageTemplate"
            found.append(selected(request, values, TEMPLATE_FIELDS, kind))
    return web.json_response(page(request, found))


@endpoint
async def template_create(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "post")
    values = await parsed(request)
    if outcome := await misbehave(meta, request, "templates", facts()):
        await act(outcome)
    if isinstance(values.get("components"), str):
        values["components"] = json.loads(values["components"])
    templates.check_new(values, meta.state.templates_of(account.id))
    approved = meta.settings.auto_approve_templates
    template = meta.new_template(
        account_id=account.id,
        name=values["name"],
        language=values["language"],
        category=values["category"],
        components=values["components"],
        parameter_format=values.get("parameter_format") or "POSITIONAL",
        status="APPROVED" if approved else "PENDING",
    )
    if approved:
        meta.background.spawn(meta.webhooks.publish([meta.template_change(template)]))
    return web.json_response(
        {
            "id": template.id,
            "status": template.status,
            "category": template.category,
        }
    )


@endpoint
async def template_delete(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "delete")
    query = dict(request.query) or await parsed(request)
    ids = query.get("hsm_ids") or ([query["hsm_id"]] if query.get("hsm_id") else [])
    if isinstance(ids, str):
        ids = json.loads(ids)
    if len(ids) > 100:
        raise Refusal(100, "hsm_ids: at most 100.")
    wanted = {str(identifier) for identifier in ids}
    name = query.get("name")
    doomed = [
        template.id
        for template in meta.state.templates_of(account.id)
        if (template.id in wanted if wanted else template.name == name)
    ]
    if not doomed:
        raise Refusal(100, "Message template was not found.", subcode=2593002)
    for identifier in doomed:
        del meta.state.templates[identifier]
    return web.json_response({"success": True})


@endpoint
async def number_list(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    if outcome := await misbehave(meta, request, "account", facts()):
        await act(outcome)
    kind = "WhatsAppBusinessPhoneNumber"
    found = [
        selected(request, number_values(meta, app, number), NUMBER_FIELDS, kind)
        for number in meta.state.numbers_of(account.id)
    ]
    return web.json_response(page(request, found))


@endpoint
async def subscription_list(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    if outcome := await misbehave(meta, request, "account", facts()):
        await act(outcome)
    found = []
    for app_id, override in account.subscriptions.items():
        subscribed = meta.state.apps[app_id]
        entry = {
            "whatsapp_business_api_data": {
                "id": app_id,
                "name": subscribed.name,
                "link": f"https://www.facebook.com/games/?app_id={app_id}",
            }
        }
        if override:
            entry["override_callback_uri"] = override.callback_url
        found.append(entry)
    return web.json_response({"data": found})


@endpoint
async def subscribe(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "post")
    override = await _override(meta, await parsed(request))
    account.subscriptions[app.id] = override
    return web.json_response({"success": True})


@endpoint
async def unsubscribe(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "delete")
    account.subscriptions.pop(app.id, None)
    return web.json_response({"success": True})


@endpoint
async def app_subscribe(meta: Meta, request: web.Request, app: App) -> web.Response:
    """POST /{app_id}/subscriptions: a new callback, verified at once."""
    if request.match_info["node"] != app.id:
        raise unknown_object(request.match_info["node"], "post")
    values = await parsed(request)
    for name in ("object", "callback_url", "verify_token"):
        if not values.get(name):
            raise Refusal(100, f"The parameter {name} is required.")
    wanted = {
        "override_callback_uri": values["callback_url"],
        "verify_token": values["verify_token"],
    }
    await _override(meta, wanted)
    app.callback_url, app.verify_token = values["callback_url"], values["verify_token"]
    if names := values.get("fields"):
        app.fields = names.split(",") if isinstance(names, str) else list(names)
    return web.json_response({"success": True})


@endpoint
async def debug_token(meta: Meta, request: web.Request, app: App) -> web.Response:
    asked = request.query.get("input_token")
    if not asked:
        raise Refusal(100, "The parameter input_token is required.")
    owner = meta.state.app_of_token(asked)
    if owner is None:
        problem = {"code": 190, "message": "Invalid OAuth access token."}
        return web.json_response(
            {"data": {"error": problem, "is_valid": False, "scopes": []}}
        )
    scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
    targets = [a.id for a in meta.state.accounts.values() if owner.id in a.app_ids]
    return web.json_response(
        {
            "data": {
                "app_id": owner.id,
                "type": "SYSTEM_USER",
                "application": owner.name,
                "data_access_expires_at": 0,
                "expires_at": 0,
                "is_valid": owner.token_valid,
                "issued_at": meta.clock.seconds() - 86400,
                "scopes": scopes,
                "granular_scopes": [
                    {"scope": scope, "target_ids": targets} for scope in scopes
                ],
            }
        }
    )


@endpoint
async def lost(meta: Meta, request: web.Request, app: App) -> web.Response:
    path = request.path.lstrip("/")
    raise Refusal(
        2500, http=400, message=f"Unknown path components: /{path}", details=""
    )


ROUTES = (
    ("GET", "/debug_token", debug_token),
    ("POST", "/{node}/messages", messages),
    ("POST", "/{node}/media", upload),
    ("GET", "/{node}/message_templates", template_list),
    ("POST", "/{node}/message_templates", template_create),
    ("DELETE", "/{node}/message_templates", template_delete),
    ("GET", "/{node}/phone_numbers", number_list),
    ("GET", "/{node}/subscribed_apps", subscription_list),
    ("POST", "/{node}/subscribed_apps", subscribe),
    ("DELETE", "/{node}/subscribed_apps", unsubscribe),
    ("POST", "/{node}/subscriptions", app_subscribe),
    ("GET", "/{node}", node),
    ("POST", "/{node}", node_edit),
    ("DELETE", "/{node}", node_delete),
)


def add_routes(router: web.UrlDispatcher) -> None:
    """With a version in front first: `/v25.0` is never an id."""
    router.add_get("/whatsapp_business/attachments/", download)
    for prefix in (r"/{version:v\d+\.\d+}", ""):
        for method, path, handler in ROUTES:
            router.add_route(method, prefix + path, handler)
    router.add_route("*", "/{anything:.*}", lost)
