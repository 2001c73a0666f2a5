# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a customer's phone sends, from a short description.

A description names a `type` and its content in the shortest words:

| type         | words (all optional unless marked *)                                 |
|--------------|----------------------------------------------------------------------|
| text         | text*                                                                |
| image video audio document sticker | caption, filename, mime_type, bytes_base64,    |
|              | voice (audio, default true), url (false: no url key), lost (true: the|
|              | id leads nowhere)                                                    |
| location     | latitude, longitude, name, address, url                              |
| contacts     | cards (list as it is), or name, phone, origin                        |
| button       | title, payload: a template's quick reply                             |
| button_reply list_reply | id, title, description                                    |
| nfm_reply    | name, body, response (object)                                        |
| reaction     | message_id*, emoji (null: removed)                                   |
| order        | items, catalog_id, text                                              |
| edit         | message_id*, text*                                                   |
| revoke       | message_id*                                                          |
| unsupported  | unsupported_type, code                                               |
| any other    | content: the object as it is                                         |

`content` replaces the words for every type.
"""

import base64
import json
from collections.abc import Callable

from . import media
from .errors import Refusal
from .state import Media

INTERACTIVE_REPLIES = ("button_reply", "list_reply", "nfm_reply")
# Types that open the 24-hour window. Whether a reaction does is unconfirmed.
NOT_OPENING = ("reaction", "system", "edit", "revoke")


class Incomplete(ValueError):
    """A description lacks a word that its type needs."""


def _word(spec: dict, name: str):
    if name not in spec:
        raise Incomplete(f"a message of type {spec.get('type')} needs {name!r}")
    return spec[name]


def _given(spec: dict, *names: str) -> dict:
    return {name: spec[name] for name in names if spec.get(name) is not None}


def _text(spec: dict, keep) -> dict:
    return {"body": _word(spec, "text")}


def _file(kind: str):
    def file_part(spec: dict, keep: Callable[..., tuple[Media, str]]) -> dict:
        mime_type, content = media.sample(kind, spec.get("mime_type"))
        if "bytes_base64" in spec:
            content = base64.b64decode(spec["bytes_base64"])
        filename = spec.get("filename", "documento.pdf" if kind == "document" else None)
        item, url = keep(mime_type, content, filename, lost=spec.get("lost", False))
        part = {"mime_type": mime_type, "sha256": item.sha256, "id": item.id}
        if url and spec.get("url", True):
            part["url"] = url
        part |= _given(spec, "caption")
        if kind == "audio":
            part["voice"] = spec.get("voice", True)
        if kind == "document":
            part["filename"] = filename
        if kind == "sticker":
            part["animated"] = spec.get("animated", False)
        return part

    return file_part


def _location(spec: dict, keep) -> dict:
    place = {
        "latitude": spec.get("latitude", 40.4168),
        "longitude": spec.get("longitude", -3.7038),
    }
    return place | _given(spec, "name", "address", "url")


def _contacts(spec: dict, keep) -> list:
    if "cards" in spec:
        return spec["cards"]
    name, phone = spec.get("name", "Luis Pérez"), spec.get("phone", "+34 600 999 888")
    digits = "".join(c for c in phone if c.isdigit())
    card = {
        "name": {"formatted_name": name, "first_name": name.split()[0]},
        "phones": [{"phone": phone, "wa_id": digits, "type": "CELL"}],
        "origin": spec.get("origin", "other"),
    }
    return [card]


def _button(spec: dict, keep) -> dict:
    title = spec.get("title", "Me interesa")
    return {"payload": spec.get("payload", title), "text": title}


def _reply(kind: str):
    def build(spec: dict, keep) -> dict:
        title = spec.get("title", "Sí")
        reply = {"id": spec.get("id", title.lower()), "title": title}
        if kind == "list_reply":
            reply |= _given(spec, "description")
        return {"type": kind, kind: reply}

    return build


def _form(spec: dict, keep) -> dict:
    answers = spec.get("response", {"flow_token": "unused", "nombre": "Ana"})
    return {
        "type": "nfm_reply",
        "nfm_reply": {
            "name": spec.get("name", "flow"),
            "body": spec.get("body", "Sent"),
            "response_json": json.dumps(answers),
        },
    }


def _reaction(spec: dict, keep) -> dict:
    target = {"message_id": _word(spec, "message_id")}
    emoji = spec.get("emoji", "👍")
    return target if emoji is None else target | {"emoji": emoji}


def _order(spec: dict, keep) -> dict:
    items = spec.get(
        "items",
        [
            {
                "product_retailer_id": "SKU-1",
                "quantity": 2,
                "item_price": 19.9,
                "currency": "EUR",
            }
        ],
    )
    order = {"catalog_id": spec.get("catalog_id", "7000111"), "product_items": items}
    return order | _given(spec, "text")


def _edit(spec: dict, keep) -> dict:
    message = {"type": "text", "text": {"body": _word(spec, "text")}}
    return {"original_message_id": _word(spec, "message_id"), "message": message}


def _revoke(spec: dict, keep) -> dict:
    return {"original_message_id": _word(spec, "message_id")}


def _unsupported(spec: dict, keep) -> dict:
    return {"type": spec.get("unsupported_type", "poll_creation")}


BUILDERS = {
    "text": _text,
    **{kind: _file(kind) for kind in media.KINDS},
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "button_reply": _reply("button_reply"),
    "list_reply": _reply("list_reply"),
    "nfm_reply": _form,
    "reaction": _reaction,
    "order": _order,
    "edit": _edit,
    "revoke": _revoke,
    "unsupported": _unsupported,
}

REFERRAL = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_type": "ad",
    "source_id": "120226305854810726",
    "headline": "Escríbenos por WhatsApp",
    "body": "Presupuesto en un día",
    "media_type": "image",
    "image_url": "https://example.com/ad.jpg",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4",
    "welcome_message": {"text": "¡Hola! ¿En qué podemos ayudarte?"},
}


def build(spec: dict, keep) -> dict:
    """`type`, its content, and what travels beside it (context, referral, errors).

    `keep(mime_type, content, filename, lost)` stores a file and returns (Media, url).
    Raises Incomplete.
    """
    kind = spec.get("type", "text")
    name = "interactive" if kind in INTERACTIVE_REPLIES else kind
    if "content" in spec:
        content = spec["content"]
    elif kind in BUILDERS:
        content = BUILDERS[kind](spec, keep)
    else:
        raise Incomplete(f"type {kind!r} needs its 'content'")
    built = {"type": name, name: content}
    if kind == "unsupported":
        built["errors"] = [Refusal(spec.get("code", 131051)).in_webhook()]
    if spec.get("referral"):
        given = spec["referral"]
        built["referral"] = REFERRAL if given is True else given
    return built
