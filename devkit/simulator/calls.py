# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What every call of Meta's side has in common: token, faults, headers, errors."""

import asyncio
import functools
import json
import socket
import struct
from collections.abc import Callable

from aiohttp import web

from .errors import Refusal, bad_secret, bad_token, no_token, unknown_object
from .faults import OUTCOMES, Fault, facts
from .meta import Meta
from .state import Account, App, Number

META: web.AppKey[Meta] = web.AppKey("meta", Meta)
DEFAULT_VERSION = "v25.0"
OLDEST_VERSION = 21  # a call to an ended version is served by the next living one
FOREVER = 3600.0
EXPIRED = 463  # subcode of a token whose time is over
NO_LINGER = struct.pack("ii", 1, 0)  # closing throws away, and sends a reset


class Cut(Exception):
    """The connection is to be closed without an answer, or reset."""

    def __init__(self, reset: bool = False):
        self.reset = reset
        super().__init__(reset)


class Raw(Exception):
    """An answer that is not Meta's JSON, as a proxy in between would give."""

    def __init__(self, response: web.Response):
        self.response = response
        super().__init__(response.status)


def endpoint(name: str | None, of_app: bool = False) -> Callable:
    """A call of Meta's side that faults know as `name`.

    None: the handler looks after its faults itself. The handler gets the app of the
    token, and raises Refusal; the answer then has Meta's shape and headers. `of_app`:
    only for the app itself, with its secret, and not for a user of the business.
    """

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        async def handler(request: web.Request) -> web.StreamResponse:
            meta = request.app[META]
            entry = _log(meta, request)
            trace = meta.ids.trace()
            try:
                app = (authorised_app if of_app else authorised)(meta, request)
                response = await _answer(meta, request, app, name, function)
            except Refusal as refusal:
                entry["code"] = refusal.code
                response = web.json_response(
                    refusal.answer(trace), status=refusal.http, headers=refusal.headers
                )
            except Raw as raw:
                response = raw.response
            except Cut as cut:
                return abort(request, cut.reset)
            except ConnectionResetError:  # the caller died while it spoke
                return abort(request)
            entry["http"] = response.status
            if not response.prepared:
                response.headers.update(_headers(request, trace))
            return response

        return handler

    return decorate


def _log(meta: Meta, request: web.Request) -> dict:
    """A new line of the request log; it holds no query, so no token."""
    entry = {
        "at": meta.clock.now(),
        "method": request.method,
        "path": request.path,
        "http": None,
        "code": None,
    }
    meta.state.requests.append(entry)
    return entry


async def _answer(
    meta: Meta, request: web.Request, app: App, name: str | None, function: Callable
) -> web.StreamResponse:
    if name is None:
        return await function(meta, request, app)
    node = request.match_info.get("node")
    known = facts(number=node if node in meta.state.numbers else None)
    outcome = await misbehave(meta, name, known)
    response = await function(meta, request, app)
    if outcome:
        await act(meta, outcome)
    return response


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


def abort(request: web.Request, reset: bool = False) -> web.Response:
    """Close the connection; the response object is never seen by anybody."""
    if request.transport:
        if reset:
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        request.transport.abort()
    return web.Response()


def _token(request: web.Request) -> str:
    """The Bearer or OAuth token (header, or `access_token`); raises Refusal."""
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").removeprefix("OAuth ").strip()
    token = token or request.query.get("access_token", "")
    if not token:
        raise no_token()
    return token


def authorised_app(meta: Meta, request: web.Request) -> App:
    """The app of an app access token; raises Refusal."""
    token = _token(request)
    if "|" not in token:
        raise Refusal(15)
    app = meta.state.app_of_secret(token)
    if app is None:
        raise bad_secret()
    return app


def authorised(meta: Meta, request: web.Request) -> App:
    """The app of a system user's token; raises Refusal."""
    app = meta.state.app_of_token(_token(request))
    if app is None:
        raise bad_token()
    if app.token_expires_at and app.token_expires_at <= meta.clock.seconds():
        raise bad_token(EXPIRED)
    if not app.token_valid:
        raise bad_token(app.token_subcode)
    return app


async def misbehave(meta: Meta, name: str, known: dict) -> Fault | None:
    """Act on faults before a call is looked at.

    Returns the outcome that has to wait until the call was accepted, if any.
    """
    delay = meta.faults.take(name, ("delay",), known)
    if delay:
        await meta.background.spawn(asyncio.sleep(delay.get("seconds", 1)))
    outcome = meta.faults.take(name, OUTCOMES, known)
    if outcome is None or outcome.get("accept", outcome.fault == "hang"):
        return outcome
    await act(meta, outcome)
    return None


async def act(meta: Meta, outcome: Fault) -> None:
    """Never returns: an error, or a connection that is cut now or after a while."""
    if outcome.fault == "error":
        raise _error(outcome)
    if outcome.fault == "hang":
        await meta.hang(outcome.get("seconds", FOREVER))
    raise Cut(outcome.get("reset", False))


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
