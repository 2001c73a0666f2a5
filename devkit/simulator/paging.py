# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`?fields=` and cursor paging, alike for all nodes and lists of Graph."""

import base64
import re

from aiohttp import web

from .errors import Refusal

PAGE = 25


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
