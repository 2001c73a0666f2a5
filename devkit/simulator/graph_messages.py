# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`POST /{phone_number_id}/messages`: sending, and marking as read."""

import asyncio

from aiohttp import web

from . import send
from .calls import Cut, Raw, act, endpoint, misbehave, number_for, parsed
from .errors import Refusal
from .faults import facts
from .meta import Meta
from .state import App, Attempt, Number


@endpoint(None)
async def messages(meta: Meta, request: web.Request, app: App) -> web.Response:
    number = number_for(meta, app, request.match_info["node"], "post")
    attempt = Attempt(
        len(meta.state.attempts) + 1, meta.clock.now(), number.id, await parsed(request)
    )
    meta.state.attempts.append(attempt)
    take = _mark_read if "status" in attempt.payload else _send
    try:
        answer = await take(meta, number, attempt)
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
    attempt.http = 200
    return web.json_response(answer)


async def _send(meta: Meta, number: Number, attempt: Attempt) -> dict:
    payload = attempt.payload
    outcome = await misbehave(meta, "messages", _facts(meta, number, payload))
    sent, late = meta.accept(payload, number)
    attempt.wamid, attempt.person_id = sent.wamid, sent.person_id
    attempt.accepted_at = meta.clock.now()
    attempt.outcome = "lost" if outcome else "accepted"
    await meta.report(sent, late)
    if outcome:
        await act(meta, outcome)
    return meta.answer(sent)


def _facts(meta: Meta, number: Number, payload: dict) -> dict:
    """What a fault may match before the payload was checked."""
    tokens = set()
    try:
        person, _ = send.recipient(payload, number, meta.state, meta.settings)
        tokens = {person} if isinstance(person, str) else meta.tokens(person, number)
    except Refusal:
        pass  # nobody we know: such a send matches no person
    template = payload.get("template")
    name = template.get("name") if isinstance(template, dict) else None
    return facts(
        number=number.id, person=tokens, type=payload.get("type", "text"), template=name
    )


async def _mark_read(meta: Meta, number: Number, attempt: Attempt) -> dict:
    payload = attempt.payload
    outcome = await misbehave(meta, "read", facts(number=number.id))
    received = send.check_read(payload, number, meta.state, meta.clock.now())
    for other in meta.state.received.values():
        same = (other.number_id, other.person_id) == (number.id, received.person_id)
        if same and other.timestamp <= received.timestamp:
            other.read = True
    received.typing = "typing_indicator" in payload
    attempt.outcome, attempt.person_id = "read", received.person_id
    if outcome:
        await act(meta, outcome)
    return {"success": True}
