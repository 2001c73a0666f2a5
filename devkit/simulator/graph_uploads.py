# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The resumable upload: `POST /{app_id}/uploads`, then the bytes to the session.

Meta's page graph-api/guides/upload of 2026: its answer is a handle, which a template's
header takes as its sample. A session that broke off tells where it ended.
"""

import re

from aiohttp import web

from .calls import endpoint
from .errors import Refusal, unknown_object
from .meta import Meta
from .state import App, Upload

TYPES = (
    "application/pdf",
    "image/jpeg",
    "image/jpg",
    "image/png",
    "video/mp4",
)


@endpoint("upload")
async def begin(meta: Meta, request: web.Request, app: App) -> web.Response:
    if request.match_info["node"] != app.id:
        raise unknown_object(request.match_info["node"], "post")
    size, kind = request.query.get("file_length", ""), request.query.get("file_type")
    if not re.fullmatch(r"[1-9][0-9]*", size):
        raise Refusal(100, "(#100) The parameter file_length is required.")
    if kind not in TYPES:
        raise Refusal(100, f"(#100) file_type must be one of {', '.join(TYPES)}.")
    key = f"upload:{meta.ids.hexadecimal(24)}"
    signature = meta.ids.hexadecimal(16)
    meta.state.uploads[key] = Upload(app.id, kind, int(size), signature)
    return web.json_response({"id": f"{key}?sig={signature}"})


def session_for(meta: Meta, request: web.Request, app: App) -> Upload:
    upload = meta.state.uploads.get(request.match_info["session"])
    signed = upload and request.query.get("sig") == upload.signature
    if not signed or upload.app_id != app.id:
        raise unknown_object(request.match_info["session"], request.method.lower())
    scheme = request.headers.get("Authorization", "").split(" ")[0]
    if request.method == "POST" and scheme != "OAuth":
        raise Refusal(190, "The session takes an OAuth token.", http=401)
    return upload


@endpoint("upload")
async def state(meta: Meta, request: web.Request, app: App) -> web.Response:
    upload = session_for(meta, request, app)
    identifier = f"{request.match_info['session']}?sig={upload.signature}"
    return web.json_response({"id": identifier, "file_offset": len(upload.content)})


@endpoint("upload")
async def receive(meta: Meta, request: web.Request, app: App) -> web.Response:
    upload = session_for(meta, request, app)
    offset = request.headers.get("file_offset", "")
    if offset != str(len(upload.content)):
        raise Refusal(100, "file_offset is not where the upload ended.")
    upload.content += await request.read()
    if len(upload.content) != upload.size:
        raise Refusal(100, "The file has another size than was said.")
    handle = f"4::{meta.ids.hexadecimal(24)}"
    meta.state.handles[handle] = upload.kind
    return web.json_response({"h": handle})
