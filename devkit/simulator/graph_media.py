# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Files: `POST /{phone_number_id}/media`, `GET /{media_id}`, and the bytes."""

import asyncio

from aiohttp import web

from . import media
from .calls import Cut, account_for, act, endpoint, misbehave, number_for, parsed
from .errors import Refusal, unknown_object
from .faults import Fault, facts
from .meta import Meta
from .state import App, Media


@endpoint("upload")
async def upload(meta: Meta, request: web.Request, app: App) -> web.Response:
    number = number_for(meta, app, request.match_info["node"], "post")
    form = await parsed(request)
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


@endpoint("media")
async def media_info(meta: Meta, request: web.Request, app: App) -> web.Response:
    item = media_for(meta, app, request.match_info["node"], "get")
    wanted = request.query.get("phone_number_id")
    if wanted:
        number = number_for(meta, app, wanted, "get")
        if number.account_id != item.account_id:
            raise unknown_object(item.id)
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


@endpoint(None)
async def download(meta: Meta, request: web.Request, app: App) -> web.StreamResponse:
    """The bytes, at the address that `GET /{media_id}` or a webhook told."""
    item = meta.state.media.get(request.query.get("mid", ""))
    known = facts(type=item.mime_type if item else None)
    if outcome := await misbehave(meta, "download", known):
        await act(meta, outcome)
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


@endpoint("media")
async def media_delete(meta: Meta, request: web.Request, app: App) -> web.Response:
    item = media_for(meta, app, request.match_info["node"], "delete")
    del meta.state.media[item.id]
    return web.json_response({"success": True})
