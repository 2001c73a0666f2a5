# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is sent to Meta: every kind of message is built here, within Meta's limits.

Texts and captions: page `messages` of Meta's reference; files: business-phone-numbers/
media, copy of 2026-09-11; templates: the pages below templates/ of May and June 2026,
and flows/guides/sendingaflow.
"""

from .message import base_type
from .terms import _

MB = 1024 * 1024
LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
LONGEST_QUESTION = 1024  # body of an interactive message
LONGEST_CALLBACK_DATA = 512
LONGEST_CODE = 15  # that a button of a template copies
LONGEST_BUTTON_PAYLOAD = 128  # that comes back when a template's button is tapped

# MIME type -> (kind of message, most bytes). Meta's page business-phone-numbers/media,
# copy of 2026-09-11.
_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA_LIMITS = {
    **dict.fromkeys(
        ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
        ("audio", 16 * MB),
    ),
    **dict.fromkeys(
        [
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            _OFFICE + "wordprocessingml.document",
            _OFFICE + "spreadsheetml.sheet",
            _OFFICE + "presentationml.presentation",
        ],
        ("document", 100 * MB),
    ),
    **dict.fromkeys(["image/jpeg", "image/png"], ("image", 5 * MB)),
    "image/webp": ("sticker", 500 * 1024),
    **dict.fromkeys(["video/mp4", "video/3gpp"], ("video", 16 * MB)),
}
# Other names of these types: of browsers, Python's table and libmagic
OTHER_NAMES = {
    "application/x-pdf": "application/pdf",
    "audio/3gpp": "video/3gpp",
    "audio/aacp": "audio/aac",
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/mp4a-latm": "audio/mp4",
    "audio/opus": "audio/ogg",
    "audio/x-aac": "audio/aac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-mpeg": "audio/mpeg",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "video/3gp": "video/3gpp",
    "video/x-m4v": "video/mp4",
}
# What tells more than a type that was guessed from the content
ENDINGS = {
    ".3gp": "video/3gpp",
    ".aac": "audio/aac",
    ".amr": "audio/amr",
    ".m4a": "audio/mp4",
    ".opus": "audio/ogg",
}
NOT_UPLOADED = "uploaded when it is sent"  # stands for the id of a file until then
GUESSED = ("", "application/octet-stream", "binary/octet-stream", "video/mp4")
CAPTIONED = ("image", "video", "document")
KINDS = (*CAPTIONED, "audio", "sticker")  # of messages that are a file
# Kind of a template's header -> the types of files that it takes
HEADER_TYPES = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "document": ("application/pdf",),
}
HEADER_FILES = {"image": "JPEG, PNG", "video": "MP4, 3GP", "document": "PDF"}
# Sources for translation of NotSendable.
# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
REFUSALS = {
    "type": _(
        "WhatsApp does not accept files of type %(type)s. Allowed are %(allowed)s."
    ),
    "size": _("The file has %(size)s MB; WhatsApp accepts %(limit)s MB for this type."),
    "empty_file": _("The file is empty."),
    "animated": _(
        "WhatsApp takes no moving WebP pictures but stickers of 512 x 512 pixels and at"
        " most 500 KB. Please send it as an MP4 video."
    ),
    "broken": _("The picture cannot be read. Please send it as JPEG or PNG."),
    "text": _("The text has %(size)s characters; WhatsApp accepts %(limit)s."),
    "empty_text": _("There is no text to send."),
    "value": _("The template's variable %(name)s is empty."),
    "header_type": _(
        "The header of this template takes no files of type %(type)s. Allowed are"
        " %(allowed)s."
    ),
    "no_place": _("The place in the header of this template has no name."),
    "coordinates": _(
        "Please enter latitude and longitude as a map shows them: 19.4326, -99.1332"
    ),
    "latitude": _("The latitude is a number from -90 to 90."),
    "longitude": _("The longitude is a number from -180 to 180."),
    "no_code": _("The code that the button of this template copies is empty."),
    "code": _(
        "The code %(code)s cannot be copied by a button: it has letters and digits"
        " only, at most %(limit)s."
    ),
}
ALLOWED_FILES = "JPEG, PNG, WebP, MP4, 3GP, AAC, AMR, MP3, M4A, OGG, PDF, TXT, Office"


class NotSendable(ValueError):
    """WhatsApp would refuse this; `source % values` says why, `source` translates."""

    def __init__(self, reason, **values):
        self.reason = reason
        self.source = REFUSALS[reason]
        self.values = values
        super().__init__(self.source % values)


def text_payload(identity, body, preview=False, reply_to=None, callback_data=None):
    """A text message.

    >>> from .identity import Identity
    >>> text_payload(Identity(phone="34612345678"), "Hi", callback_data="u1")
    {'messaging_product': 'whatsapp', 'recipient_type': 'individual', \
'to': '+34612345678', 'biz_opaque_callback_data': 'u1', 'type': 'text', \
'text': {'body': 'Hi', 'preview_url': False}}
    """
    check_text(body)
    content = {"body": body, "preview_url": bool(preview)}
    return _payload(identity, "text", content, reply_to, callback_data)


def media_payload(
    identity,
    kind,
    media_id,
    caption=None,
    filename=None,
    voice=False,
    reply_to=None,
    callback_data=None,
):
    """An uploaded file; what its kind does not know is left out.

    >>> from .identity import Identity
    >>> media_payload(Identity(bsuid="ES.13"), "document", "9", filename="a.pdf")
    {'messaging_product': 'whatsapp', 'recipient_type': 'individual', \
'recipient': 'ES.13', 'type': 'document', 'document': {'id': '9', 'filename': 'a.pdf'}}
    """
    content = {"id": media_id}
    if caption and kind in CAPTIONED:
        _check_length(caption, LONGEST_CAPTION)
        content["caption"] = caption
    if filename and kind == "document":
        content["filename"] = filename
    if voice and kind == "audio":
        content["voice"] = True
    return _payload(identity, kind, content, reply_to, callback_data)


def caption_place(kinds, text):
    """Which of several files carries the text as its caption; None: it goes alone.

    The last one that can, so that the text is read after the pictures.

    :param list kinds: of the files, in their order

    >>> caption_place(["image", "image", "audio"], "Both"), caption_place(["audio"], "")
    (1, None)
    >>> caption_place(["video"], "x" * 1025)
    """
    if not text.strip() or len(text) > LONGEST_CAPTION:
        return None
    places = [place for place, kind in enumerate(kinds) if kind in CAPTIONED]
    return places[-1] if places else None


def text_of(payload):
    """What people read of a message: its text, or its file's caption; None: neither.

    >>> text_of({"type": "image", "image": {"id": "9", "caption": "Look"}})
    'Look'
    """
    kind = payload["type"]
    if kind == "text":
        return payload["text"]["body"]
    return payload[kind].get("caption") if kind in CAPTIONED else None


def with_text(payload, text, preview=False):
    """The same message with another text or caption; a file may have none.

    >>> with_text({"type": "image", "image": {"id": "9", "caption": "Look"}}, "")
    {'type': 'image', 'image': {'id': '9'}}
    """
    kind = payload["type"]
    if kind == "text":
        check_text(text)
        return {**payload, "text": {"body": text, "preview_url": bool(preview)}}
    content = {
        name: value for name, value in payload[kind].items() if name != "caption"
    }
    if text.strip():
        _check_length(text, LONGEST_CAPTION)
        content["caption"] = text
    return {**payload, kind: content}


def template_payload(
    identity, name, language, components=(), reply_to=None, callback_data=None
):
    """An approved template; `language` as in Meta's list, `components` filled.

    >>> from .identity import Identity
    >>> ana = Identity(phone="34612345678")
    >>> template_payload(ana, "hello", "es_MX", [body_component(["Ana"])])["template"]
    {'name': 'hello', 'language': {'code': 'es_MX'}, 'components': [{'type': 'body', \
'parameters': [{'type': 'text', 'text': 'Ana'}]}]}
    """
    content = {"name": name, "language": {"code": language}}
    if components:
        content["components"] = list(components)
    return _payload(identity, "template", content, reply_to, callback_data)


def interactive_payload(
    identity, kind, body, action, reply_to=None, callback_data=None
):
    """A question with what the customer can tap.

    :param str kind: Meta's type of it
    :param str body: what the customer reads
    :param dict action: Meta's object of that name

    >>> from .identity import Identity
    >>> ana = Identity(phone="34612345678")
    >>> asked = interactive_payload(ana, "request_contact_info", "Your number?", {})
    >>> asked["interactive"]["body"]
    {'text': 'Your number?'}
    """
    if not body or not body.strip():
        raise NotSendable("empty_text")
    _check_length(body, LONGEST_QUESTION)
    content = {"type": kind, "body": {"text": body}, "action": action}
    return _payload(identity, "interactive", content, reply_to, callback_data)


def reaction_payload(identity, wamid, emoji, callback_data=None):
    """Our reaction to a message; without an emoji it is taken back.

    >>> from .identity import Identity
    >>> reaction_payload(Identity(phone="34612345678"), "wamid.1", "")["reaction"]
    {'message_id': 'wamid.1', 'emoji': ''}
    """
    content = {"message_id": wamid, "emoji": emoji}
    return _payload(identity, "reaction", content, None, callback_data)


def body_component(values, kind="body"):
    """A template's values: a list for numbered variables, a dict for named ones.

    Raises NotSendable with the variable's name if its value is empty.

    >>> body_component({"name": "Ana  Ruiz\\n"})["parameters"]
    [{'type': 'text', 'parameter_name': 'name', 'text': 'Ana Ruiz'}]
    >>> body_component(["Ana", ""])
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The template's variable 2 is empty.
    """
    if isinstance(values, dict):
        parameters = [
            {
                "type": "text",
                "parameter_name": name,
                "text": template_text(value, name),
            }
            for name, value in values.items()
        ]
    else:
        parameters = [
            {"type": "text", "text": template_text(value, str(number))}
            for number, value in enumerate(values, start=1)
        ]
    return {"type": kind, "parameters": parameters}


def header_file(kind, filename=None):
    """A template's header that is a file; :func:`with_media` puts the upload into it.

    >>> header_file("document", "Offer.pdf")
    {'type': 'header', 'parameters': [{'type': 'document', 'document': {'id': \
'uploaded when it is sent', 'filename': 'Offer.pdf'}}]}
    """
    content = {"id": NOT_UPLOADED}
    if filename and kind == "document":
        content["filename"] = filename
    return {"type": "header", "parameters": [{"type": kind, kind: content}]}


def header_place(latitude, longitude, name, address=""):
    """A template's header that is a place on the map, in degrees.

    >>> header_place(19.4, -99.1, "Shop")["parameters"][0]["location"]
    {'latitude': '19.4', 'longitude': '-99.1', 'name': 'Shop', 'address': 'Shop'}
    >>> header_place(91, 0, "Shop")
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The latitude is a number from -90 to 90.
    """
    for reason, degrees, most in (
        ("latitude", latitude, 90),
        ("longitude", longitude, 180),
    ):
        if not isinstance(degrees, int | float) or not -most <= degrees <= most:
            raise NotSendable(reason)
    name, address = (" ".join((words or "").split()) for words in (name, address))
    if not name:
        raise NotSendable("no_place")
    place = {
        "latitude": f"{latitude:.7f}".rstrip("0").rstrip("."),
        "longitude": f"{longitude:.7f}".rstrip("0").rstrip("."),
        "name": name,
        "address": address or name,
    }
    parameter = {"type": "location", "location": place}
    return {"type": "header", "parameters": [parameter]}


def url_button(index, end):
    """The end of a link, of the button at this place among all of the template.

    >>> url_button(1, "a7")
    {'type': 'button', 'sub_type': 'url', 'index': '1', 'parameters': \
[{'type': 'text', 'text': 'a7'}]}
    """
    return _button("url", str(index), {"type": "text", "text": end})


def quick_reply_button(index, payload):
    """What comes back when the customer taps the button.

    >>> quick_reply_button(0, "offer/0")
    {'type': 'button', 'sub_type': 'quick_reply', 'index': '0', 'parameters': \
[{'type': 'payload', 'payload': 'offer/0'}]}
    """
    parameter = {"type": "payload", "payload": payload[:LONGEST_BUTTON_PAYLOAD]}
    return _button("quick_reply", str(index), parameter)


def copy_code_button(index, code):
    """The code that the button copies.

    >>> copy_code_button(0, " 25OFF ")
    {'type': 'button', 'sub_type': 'copy_code', 'index': 0, 'parameters': \
[{'type': 'coupon_code', 'coupon_code': '25OFF'}]}
    >>> copy_code_button(0, "25 %")
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The code 25 % cannot be copied by a button: it has \
letters and digits only, at most 15.
    """
    code = (code or "").strip()
    if not code:
        raise NotSendable("no_code")
    if not (code.isascii() and code.isalnum() and len(code) <= LONGEST_CODE):
        raise NotSendable("code", code=code, limit=LONGEST_CODE)
    return _button("copy_code", index, {"type": "coupon_code", "coupon_code": code})


def flow_button(index, token):
    """The button that opens a form; its token comes back with the answers.

    >>> flow_button(0, "survey/0")
    {'type': 'button', 'sub_type': 'flow', 'index': '0', 'parameters': \
[{'type': 'action', 'action': {'flow_token': 'survey/0'}}]}
    """
    parameter = {"type": "action", "action": {"flow_token": token}}
    return _button("flow", str(index), parameter)


def catalog_button(index):
    """The button that opens the catalog, with the picture of its first product.

    >>> catalog_button(0)
    {'type': 'button', 'sub_type': 'CATALOG', 'index': 0}
    """
    return _button("CATALOG", index)


def _button(kind, index, *parameters):
    button = {"type": "button", "sub_type": kind, "index": index}
    return {**button, "parameters": list(parameters)} if parameters else button


def media_kind(payload):
    """The kind of file that a message carries, or None.

    >>> media_kind({"type": "template", "template": {"components": [
    ...     header_file("video")]}})
    'video'
    >>> media_kind({"type": "image"}), media_kind({"type": "text"})
    ('image', None)
    """
    return payload["type"] if payload["type"] in KINDS else _kind_of_header(payload)


def with_media(payload, media_id):
    """The same message with the file that was uploaded for it.

    >>> sent = {"type": "template", "template": {"components": [header_file("image")]}}
    >>> with_media(sent, "9")["template"]["components"][0]["parameters"]
    [{'type': 'image', 'image': {'id': '9'}}]
    >>> with_media({"type": "image", "image": {"caption": "Look"}}, "9")
    {'type': 'image', 'image': {'caption': 'Look', 'id': '9'}}
    """
    kind = payload["type"]
    if kind in KINDS:
        return {**payload, kind: {**payload[kind], "id": media_id}}
    header = _kind_of_header(payload)
    components = [
        {
            **component,
            "parameters": [
                {**parameter, header: {**parameter[header], "id": media_id}}
                for parameter in component["parameters"]
            ],
        }
        if component["type"] == "header"
        else component
        for component in payload["template"]["components"]
    ]
    return {**payload, "template": {**payload["template"], "components": components}}


def _kind_of_header(payload):
    """The kind of file in a template's header, or None."""
    template = payload.get("template") or {}
    for component in template.get("components") or ():
        if component["type"] == "header" and component.get("parameters"):
            kind = component["parameters"][0]["type"]
            return kind if kind in HEADER_TYPES else None
    return None


def template_text(value, name):
    """A value without tabs, newlines and runs of spaces, which templates refuse."""
    missing = value is None or value is False
    text = "" if missing else " ".join(str(value).split())
    if not text:
        raise NotSendable("value", name=name)
    return text


def check_text(body):
    """Raises NotSendable for a text that Meta does not take: none, or too long a one.

    >>> check_text("x" * 4097)
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The text has 4097 characters; WhatsApp accepts 4096.
    """
    if not body or not body.strip():
        raise NotSendable("empty_text")
    _check_length(body, LONGEST_TEXT)


def sendable_type(mime_type, name=""):
    """Meta's name of the type of a file, as far as Meta has one.

    >>> sendable_type("audio/x-m4a"), sendable_type("image/jpg; x=1")
    ('audio/mp4', 'image/jpeg')
    >>> sendable_type("application/octet-stream", "Voice.AMR")
    'audio/amr'
    >>> sendable_type("video/mp4", "voice.m4a"), sendable_type("text/csv", "a.csv")
    ('audio/mp4', 'text/csv')
    """
    media_type = base_type(mime_type)
    ending = "." + (name or "").lower().rpartition(".")[2]
    if media_type in GUESSED and ending in ENDINGS:
        return ENDINGS[ending]
    return OTHER_NAMES.get(media_type, media_type)


def composer_limits():
    """What the web client needs to say at once that something cannot be sent.

    Of a WebP file the size tells nothing: a photo leaves as JPEG.

    :return: dict of text and caption (characters), captioned (kinds), allowed (words),
        names, endings and guessed (see `sendable_type`), and types: MIME type ->
        [kind, most bytes or None]
    """
    types = {name: list(limits) for name, limits in MEDIA_LIMITS.items()}
    types["image/webp"] = ["image", None]
    return {
        "text": LONGEST_TEXT,
        "caption": LONGEST_CAPTION,
        "captioned": CAPTIONED,
        "allowed": ALLOWED_FILES,
        "names": OTHER_NAMES,
        "endings": ENDINGS,
        "guessed": GUESSED,
        "types": types,
    }


def check_media(mime_type, size):
    """The kind of message that carries this file of `size` bytes, or NotSendable.

    >>> check_media("audio/ogg; codecs=opus", 1000)
    'audio'
    >>> check_media("image/png", 6 * MB)
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The file has 6.0 MB; WhatsApp accepts 5 MB for this \
type.
    """
    media_type = sendable_type(mime_type)
    if media_type not in MEDIA_LIMITS:
        raise NotSendable("type", type=media_type or "?", allowed=ALLOWED_FILES)
    kind, most = MEDIA_LIMITS[media_type]
    if not size:
        raise NotSendable("empty_file")
    if size > most:
        # Never "5.0 of 5 MB", however little is too much.
        shown = max(round(size / MB, 1), round(most / MB, 1) + 0.1)
        raise NotSendable("size", size=f"{shown:.1f}", limit=f"{most / MB:.3g}")
    return kind


def check_header(kind, mime_type, size):
    """Raises NotSendable for a file that a template's header of this kind cannot be.

    >>> check_header("document", "application/pdf", 1000)
    >>> check_header("document", "text/plain", 1000)
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The header of this template takes no files of type \
text/plain. Allowed are PDF.
    """
    media_type = sendable_type(mime_type)
    if media_type not in HEADER_TYPES[kind]:
        allowed = HEADER_FILES[kind]
        raise NotSendable("header_type", type=media_type or "?", allowed=allowed)
    check_media(media_type, size)


def _payload(identity, kind, content, reply_to, callback_data):
    if callback_data and len(callback_data) > LONGEST_CALLBACK_DATA:
        raise ValueError(f"callback_data exceeds {LONGEST_CALLBACK_DATA} characters")
    payload = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **identity.recipient(),
    }
    if reply_to:
        payload["context"] = {"message_id": reply_to}
    if callback_data:
        payload["biz_opaque_callback_data"] = callback_data
    return {**payload, "type": kind, kind: content}


def _check_length(text, limit):
    if len(text) > limit:
        raise NotSendable("text", size=len(text), limit=limit)
