# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a salesperson reads of a WhatsApp message: words for every type, and its file.

Types as in Meta's reference of webhooks (field `messages`), read 2026-11-22:
developers.facebook.com/documentation/business-messaging/whatsapp/webhooks
"""

import json
import math
import mimetypes
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from .limits import cut, limit
from .reading import items as _list
from .reading import line, mappings, number
from .reading import mapping as _dict
from .reading import name as read_name
from .reading import text as _str
from .terms import _
from .vcard import read_vcard
from .webhook import (
    MEDIA_TYPES,
    NAMED_BY_CONTENT,
    STANDBY,
    UNREADABLE,
    message_type,
    moment,
    speaks,
)

# English sources of all words of ours.
# There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
PHRASES = {
    "text": _("(empty message)"),
    "image": _("📷 Image"),
    "video": _("🎬 Video"),
    "audio": _("🎵 Audio"),
    "voice": _("🎤 Voice message"),
    "document": _("📄 Document"),
    "document_named": _("📄 Document: %(name)s"),
    "sticker": _("🏷️ Sticker"),
    "media_failed": _(
        "⚠️ A file could not be received (%(reason)s). "
        "Please ask the customer to send it again or by e-mail."
    ),
    "media_failed_phone": _(
        "⚠️ A file sent on the company's phone could not be received (%(reason)s)."
    ),
    "media_failed_agent": _(
        "⚠️ A file sent by Meta's agent could not be received (%(reason)s)."
    ),
    "location": _("📍 Location"),
    "location_unknown": _("📍 Location without coordinates"),
    "contact": _("👤 Contact card: %(name)s"),
    "contact_nameless": _("👤 Contact card"),
    "contact_requested": _("👤 The customer shared these contact details on request"),
    "button": _("Button pressed"),
    "interactive": _("Answer to an interactive message"),
    "form": _("📝 Form answered"),
    "file": _("📎 %(name)s"),
    "file_lost": _(
        "⚠️ %(name)s: WhatsApp does not pass this file on here. Please ask for it in"
        " the chat."
    ),
    "address": _("🏠 Address"),
    "call_accepted": _("📞 The customer allows calls"),
    "call_rejected": _("📞 The customer does not allow calls"),
    "product": _("🛍️ Product: %(product)s"),
    "about_product": _("🛍️ About the product: %(product)s"),
    "order": _("🛒 Order"),
    "order_total": _("Total: %(total)s"),
    "reaction": _("Reacted with %(emoji)s"),
    "reaction_removed": _("Removed a reaction"),
    "changed_number": _("ℹ️ The customer changed the phone number"),
    "changed_id": _("ℹ️ The customer's WhatsApp id changed"),
    "changed_identity": _("ℹ️ The customer's security code changed"),
    "system": _("ℹ️ Notice by WhatsApp"),
    "edit": _("✏️ The customer edited a message. New text:"),
    "revoke": _("🗑️ The customer deleted a message"),
    "edit_phone": _("✏️ Edited on the company's phone. New text:"),
    "edit_agent": _("✏️ Edited by Meta's agent. New text:"),
    "revoke_phone": _("🗑️ Deleted on the company's phone"),
    "revoke_agent": _("🗑️ Deleted by Meta's agent"),
    "unsupported": _(
        "⚠️ The customer sent something that WhatsApp does not pass on here (%(type)s)."
        " Please ask for it in another form, or look at it on the phone."
    ),
    "unsupported_phone": _(
        "⚠️ Sent on the company's phone, and not passed on here by WhatsApp (%(type)s)."
        " You can see it on the phone."
    ),
    "unsupported_agent": _(
        "⚠️ Sent by Meta's agent, and not passed on here by WhatsApp (%(type)s)."
    ),
    "unknown": _(
        "⚠️ The customer sent a message of a kind that is not known here (%(type)s)."
        " Please ask for it in another form, or look at it on the phone."
    ),
    "unknown_phone": _(
        "⚠️ Sent on the company's phone, of a kind that is not known here (%(type)s)."
        " You can see it on the phone."
    ),
    "unknown_agent": _(
        "⚠️ Sent by Meta's agent, of a kind that is not known here (%(type)s)."
    ),
    "forwarded": _("↪️ Forwarded"),
    "more": _("… and %(count)s more"),
    "cut": _("✂️ Shortened here: the message has %(count)s characters."),
}
# Who wrote a message; what the customer does is told in other words than what we do
CUSTOMER, PHONE, AGENT = "customer", "phone", "agent"
SYSTEM_PHRASES = {
    "user_changed_number": "changed_number",
    "customer_changed_number": "changed_number",
    "user_changed_user_id": "changed_id",
    "customer_identity_changed": "changed_identity",
}
# The answer's technical companions, of no use to a person.
FORM_NOISE = {"flow_token", "flow_id", "saved_address_id"}
MOST_LINES = limit("lines")
MOST_FILES = limit("files")

EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/3gpp": ".3gp",
    "video/3gpp2": ".3g2",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/webm": ".weba",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/vnd.rar": ".rar",
    "application/x-7z-compressed": ".7z",
    "application/gzip": ".gz",
    "application/rtf": ".rtf",
    "application/vnd.android.package-archive": ".apk",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/epub+zip": ".epub",
    "application/json": ".json",
    "application/xml": ".xml",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (
        ".pptx"
    ),
    "text/plain": ".txt",
    "text/csv": ".csv",
    "text/vcard": ".vcf",
    "text/calendar": ".ics",
}
# Other names of these types, as telephones write them
SAME_TYPES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-aac": "audio/aac",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/3gpp": "video/3gpp",
    "video/3gp": "video/3gpp",
    "video/x-m4v": "video/mp4",
    "video/avi": "video/x-msvideo",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
    "application/x-rar-compressed": "application/vnd.rar",
    "application/x-rar": "application/vnd.rar",
    "application/x-gzip": "application/gzip",
    "text/rtf": "application/rtf",
    "text/x-vcard": "text/vcard",
}
UNKNOWN_TYPES = ("", "application/octet-stream", "binary/octet-stream")
# What Python itself knows, whatever the machine's own list has
OTHER_EXTENSIONS = mimetypes.MimeTypes(filenames=())
LONGEST_NAME = limit("file_name")


def base_type(mime_type):
    """The MIME type without parameters, in lower case.

    >>> base_type("audio/ogg; codecs=opus"), base_type(None)
    ('audio/ogg', '')
    """
    return _str(mime_type, limit("mime_type")).split(";")[0].strip().lower()


def extension_of(mime_type):
    """The ending of files of a MIME type, with its dot; '' if it is not known.

    >>> [extension_of(t) for t in ("image/jpg", "audio/x-m4a", "Video/3GPP; x=1")]
    ['.jpg', '.m4a', '.3gp']
    >>> [extension_of(t) for t in ("text/css", "image/x-foo", "a/b", None)]
    ['.css', '.foo', '', '']
    """
    mime_type = base_type(mime_type)
    mime_type = SAME_TYPES.get(mime_type, mime_type)
    found = EXTENSIONS.get(mime_type) or OTHER_EXTENSIONS.guess_extension(
        mime_type, strict=False
    )
    if found or mime_type in UNKNOWN_TYPES:
        return found or ""
    # such as image/x-icns: files of these kinds are called like their type
    named = re.fullmatch(r"(?:image|audio|video)/(?:x-)?([a-z0-9]{1,10})", mime_type)
    return "." + named.group(1) if named else ""


@dataclass(frozen=True)
class Media:
    """A file of a message: where to get it, and what it will be called."""

    id: str | None
    url: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    filename: str | None = None
    voice: bool = False
    animated: bool = False
    kind: str = "document"
    sent: datetime | None = None

    @property
    def name(self):
        """A file name that is safe on every system, of at most 150 characters.

        >>> Media("1", mime_type="audio/ogg; codecs=opus", kind="audio").name
        'audio.ogg'
        >>> noon = datetime(2026, 9, 21, 12)
        >>> Media("1", mime_type="image/jpeg", kind="image", sent=noon).name
        'image-2026-09-21-120000.jpg'
        >>> Media("1", mime_type="application/pdf", filename="../x\\x00y/Offer").name
        'Offer.pdf'
        >>> Media("1", mime_type="application/pdf", filename="Offer 12.05").name
        'Offer 12.05.pdf'
        """
        extension = extension_of(self.mime_type)
        stem, own_extension = _safe_name(self.filename)
        if extension and own_extension[1:].isdigit():  # of a date, or of a version
            stem, own_extension = stem + own_extension, ""
        if not stem:
            stem = "voice" if self.voice else self.kind
            stem += self.sent.strftime("-%Y-%m-%d-%H%M%S") if self.sent else ""
        extension = own_extension or extension or ".bin"
        return stem[: LONGEST_NAME - len(extension)] + extension


def _safe_name(filename):
    """(stem, extension) of a file name that strangers chose, perhaps empty."""
    # its end, where the extension is
    filename = (filename or "")[-2 * LONGEST_NAME :]
    last = re.split(r"[/\\]", filename)[-1]
    plain = "".join(c for c in last if not unicodedata.category(c).startswith("C"))
    plain = re.sub(r'[<>:"|?*]', "_", plain).strip(" .")
    stem, dot, extension = plain.rpartition(".")
    if stem and re.fullmatch(r"[A-Za-z0-9]{1,10}", extension):
        return stem.rstrip(" ."), dot + extension
    return plain, ""


@dataclass(frozen=True)
class Rendered:
    """A message for people. `text` is plain with WhatsApp's markers, never empty.

    `quoted` is the wamid of the message that this one answers or is about.
    """

    text: str
    files: tuple[Media, ...] = ()
    quoted: str | None = None
    forwarded: bool = False
    referral: dict | None = None


def render(message, translate=lambda source: source, side=CUSTOMER):
    """What people read of a message of any type. Never raises on a dict.

    :param side: who wrote it: CUSTOMER, PHONE or AGENT

    >>> render({"type": "text", "text": {"body": "I want *two*"}}).text
    'I want *two*'
    >>> render({"type": "audio", "audio": {"id": "9", "voice": True}}).text
    '🎤 Voice message'
    >>> render({"type": "reaction", "reaction": {"emoji": "👍", "message_id": "w"}})
    Rendered(text='Reacted with 👍', files=(), quoted='w', forwarded=False, \
referral=None)
    >>> render({"type": "revoke"}, side=PHONE).text
    "🗑️ Deleted on the company's phone"
    """
    words = _Words(translate, side)
    message = message if isinstance(message, dict) else {}
    context = _dict(message.get("context"))
    subject = _edited(message) or message
    product = _dict(context.get("referred_product")).get("product_retailer_id")
    lines = [words.about_product(product), words.of(message)]
    return Rendered(
        text=words.bounded("\n".join(filter(None, lines))),
        files=files_of(subject),
        quoted=original_of(message) or _str(context.get("id"), limit("key")) or None,
        forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        referral=_dict(message.get("referral")) or None,
    )


@dataclass
class InboundMessage:
    """A message that somebody wrote outside of Odoo, read once.

    The last two are set by those who work on it: see ``discuss.channel``.
    """

    wamid: str  # Meta's id, '' if there is none
    content: dict  # as Meta sent it
    rendered: Rendered
    text: str  # what is shown, with the mark of what was forwarded
    sent: datetime | None  # naive, UTC
    speaks: bool  # it says something, unlike a reaction or a deletion
    original: str  # wamid of the message that it edits, '' if none
    said: str  # what was typed or chosen, if that is all
    cards: list
    button: str | None  # what the button carries that was pressed; None: none was
    shared_phone: str | None  # given when we asked for it
    in_standby: bool  # Meta's own agent answers in this conversation
    opt: str | None = None  # the opt-in or opt-out keyword that it is
    last_date: datetime | None = None  # of the message before it


def read(message, value, translate=lambda source: source, side=CUSTOMER):
    """Read a message with all that Odoo has to know of it. Never raises on dicts.

    :param dict message: Meta's message
    :param dict value: of the change that it came in
    :param translate: function of an English source of PHRASES
    :param str side: who wrote it: CUSTOMER, PHONE or AGENT

    >>> found = read({"id": "w", "type": "text", "text": {"body": "Hi"}}, {})
    >>> found.wamid, found.text, found.speaks, found.sent
    ('w', 'Hi', True, None)
    """
    rendered = render(message, translate, side)
    mark = f"{translate(PHRASES['forwarded'])}\n" if rendered.forwarded else ""
    sent = moment(message.get("timestamp"))
    return InboundMessage(
        wamid=_str(message.get("id")),
        content=message,
        rendered=rendered,
        text=mark + rendered.text,
        sent=sent and sent.replace(tzinfo=None),
        speaks=speaks(message),
        original=original_of(message),
        said=said(message),
        cards=cards(message),
        button=button(message),
        shared_phone=shared_phone(message),
        in_standby=value.get("field") == STANDBY,
    )


def button(message):
    """What the button of a template carries that was pressed; None if none was.

    >>> button({"type": "button", "button": {"payload": "offer/1", "text": "Yes"}})
    'offer/1'
    >>> button({"type": "button", "button": "?"}), button({"type": "text"})
    ('', None)
    """
    if message_type(message) != "button":
        return None
    return _str(_dict(message.get("button")).get("payload"))


def said(message):
    """What a customer typed or chose, if that is all that a message has; else ''.

    >>> said({"type": "text", "text": {"body": "BAJA"}})
    'BAJA'
    >>> said({"type": "image", "image": {"caption": "BAJA"}})
    ''
    """
    kind = message_type(message)
    content = message.get(kind)
    if kind == "text":
        return _str(content) or _str(_dict(content).get("body"))
    if kind == "button":
        return _str(_dict(content).get("text"))
    if kind == "interactive":
        answer = _dict(_dict(content).get(_str(_dict(content).get("type"))))
        return _str(answer.get("title"))
    return ""


def shared_phone(message):
    """The number that a customer gave when asked for it, or None.

    A card of any other origin may be anybody's, and is only a claim.

    >>> card = {"phones": [{"phone": "+34 612 345 678", "wa_id": "34612345678"}]}
    >>> print(shared_phone({"type": "contacts", "contacts": [card]}))
    None
    >>> card["origin"] = "contact_request"
    >>> shared_phone({"type": "contacts", "contacts": [card]})
    '34612345678'
    """
    for card in mappings(message.get("contacts"), MOST_LINES):
        if "contact_request" not in (card.get("origin"), message.get("origin")):
            continue
        for phone in mappings(card.get("phones"), limit("details")):
            stated = _str(phone.get("wa_id")) or _str(phone.get("phone"))
            if stated:
                return stated[: limit("phone")]
    return None


def cards(message):
    """The people on the contact cards of a message, as an address book knows them.

    :return: list of dicts of non-empty str: name, company, function, phones (list),
        email, website, street, zip, city
    >>> card = {"name": {"first_name": "Eva"}, "org": {"company": "Sol"}}
    >>> cards({"type": "contacts", "contacts": [card, {}, 7]})
    [{'name': 'Eva', 'company': 'Sol'}]
    """
    found = []
    for card in _list(message.get("contacts"), MOST_LINES):
        card = _with_vcard(_dict(card))
        org = _dict(card.get("org"))
        address = _dict(next(iter(_list(card.get("addresses"))), None))
        values = {
            "name": _name_of(card),
            "company": _str(org.get("company")),
            "function": _str(org.get("title")),
            "phones": list(filter(None, map(_phone_of, _details(card, "phones")))),
            "email": _first(card.get("emails"), "email"),
            "website": _link(_first(card.get("urls"), "url")),
            **{name: _str(address.get(name)) for name in ("street", "zip", "city")},
        }
        values = {name: value for name, value in values.items() if value}
        if values:
            found.append(values)
    return found


def media_of(message):
    """The file of a message, or None.

    Of a type that is not known, too, if its content looks as those of files do.

    >>> media_of({"type": "image", "image": {"id": "9", "mime_type": "image/png"}}).name
    'image.png'
    >>> media_of({"type": "ptv", "ptv": {"id": "9", "mime_type": "video/mp4"}}).name
    'ptv.mp4'
    """
    kind = message_type(message)
    content = _dict(message.get(kind))
    if kind not in MEDIA_TYPES and (kind in DESCRIBED or not content.get("mime_type")):
        return None
    return _media(content, re.sub(r"[^a-z0-9]", "_", kind), message)


def files_of(message):
    """All files of a message: its own, or those of the form that was answered.

    >>> answers = '{"ine": [{"id": 1, "file_name": "a.jpg"}], "n": {"id": "2"}}'
    >>> form = {"type": "nfm_reply", "nfm_reply": {"response_json": answers}}
    >>> [file.name for file in files_of({"type": "interactive", "interactive": form})]
    ['a.jpg']
    """
    if media := media_of(message):
        return (media,)
    content = _dict(message.get("interactive"))
    if message_type(message) != "interactive" or content.get("type") != "nfm_reply":
        return ()
    found = (value for _path, value in _answers(_form_of(content.get("nfm_reply"))))
    files = (_media(value, "document", message) for value in found if _is_file(value))
    return tuple(islice(filter(None, files), MOST_FILES))


def _media(content, kind, message):
    """The Media that an object describes, or None."""
    media_id = _str(content.get("id"), limit("key"))
    url = _str(content.get("url"), limit("url"))
    if not media_id and not url:
        return None
    return Media(
        id=media_id or None,
        url=url or None,
        mime_type=_str(content.get("mime_type"), limit("mime_type")) or None,
        sha256=_str(content.get("sha256"), limit("key")) or None,
        filename=_file_name(content)[-2 * LONGEST_NAME :] or None,
        voice=content.get("voice") is True,
        animated=content.get("animated") is True,
        kind=kind,
        sent=moment(message.get("timestamp")),
    )


def _file_name(content):
    return _str(content.get("filename")) or _str(content.get("file_name"))


def _edited(message):
    """The new message inside an edit, or an empty dict."""
    edit = _dict(message.get("edit")) if message_type(message) == "edit" else {}
    inner = _dict(edit.get("message"))
    return inner if message_type(inner) not in ("edit", "unknown") else {}


def original_of(message):
    """The wamid that a reaction, edit or deletion is about, or ''.

    >>> original_of({"type": "edit", "edit": {"original_message_id": "w"}})
    'w'
    """
    kind = message_type(message)
    content = _dict(message.get(kind))
    key = {"reaction": "message_id"}.get(kind, "original_message_id")
    if kind not in ("reaction", "edit", "revoke"):
        return ""
    return _str(content.get(key), limit("key"))


def reaction_of(message):
    """(emoji, wamid of its message) of a reaction; '' instead of what it lacks.

    Without an emoji the reaction is taken back. None if it is no reaction, or one that
    can only be told in words.

    >>> thumb = {"emoji": "👍", "message_id": "w"}
    >>> reaction_of({"type": "reaction", "reaction": thumb})
    ('👍', 'w')
    >>> reaction_of({"type": "reaction", "reaction": {"message_id": "w"}})
    ('', 'w')
    >>> print(reaction_of({"type": "reaction", "reaction": {"emoji": "no" * 99}}))
    None
    """
    content = message.get("reaction")
    if message_type(message) != "reaction" or not isinstance(content, dict):
        return None
    emoji = content.get("emoji") or ""
    if not isinstance(emoji, str) or len(emoji) > limit("emoji"):
        return None
    return emoji, original_of(message)


class _Words:
    """One method for each type; each returns a text, perhaps empty."""

    def __init__(self, translate, side):
        self._translate = translate
        self._side = side

    def say(self, phrase, **values):
        """A phrase in the reader's language; English if its translation is broken."""
        source = PHRASES.get(f"{phrase}_{self._side}") or PHRASES[phrase]
        translated = self._translate(source) or source
        try:
            return translated % values if values else translated
        except (KeyError, TypeError, ValueError):
            return source % values

    def bounded(self, text):
        """A text that is not longer than what people read, and says so."""
        longest = limit("text")
        if len(text) <= longest:
            return text
        return f"{text[:longest]}…\n{self.say('cut', count=len(text))}"

    def of(self, message):
        kind = message_type(message)
        content = message.get(kind)
        if kind not in DESCRIBED:
            return self._of_future(kind, content, message)
        text = getattr(self, "_" + kind)(content, message)
        if text.strip():
            return text
        if content and kind in ("text", "button", "interactive"):
            return self.say(kind)
        reason = _error_text(message)  # the typed object is not there
        return self.say("unsupported", type=f"{kind}: {reason}" if reason else kind)

    def _of_future(self, kind, content, message):
        """A type that is not known here: what can be read of it, all the same."""
        inner = {key: value for key, value in _dict(content).items() if key != "id"}
        if media := media_of(message):
            caption = _whole(inner.get("caption"))
            return caption or self.say("file", name=media.name)
        lines = _answer_lines(inner, self)
        for name in NAMED_BY_CONTENT:  # beside the type that is not known
            if message.get(name):
                lines.append(self.of({**message, "type": name}))
        reason = _error_text(message)
        kind = _short(f"{kind}: {reason}" if reason else kind)
        return _lines([self.say("unknown", type=kind), *lines])

    def about_product(self, product):
        product = _str(product)
        return self.say("about_product", product=product) if product else ""

    def _text(self, content, message):
        return _whole(content) or _whole(_dict(content).get("body"))

    def _media(self, content, message):
        kind, content = message_type(message), _dict(content)
        caption = _whole(content.get("caption"))
        name = _file_name(content)
        title = self.say("voice" if content.get("voice") is True else kind)
        if kind == "document" and name:
            title = self.say("document_named", name=_short(name))
        if not media_of(message) and message.get("errors"):
            reason = self.say("media_failed", reason=_error_text(message) or kind)
            return _lines([caption or (title if name else ""), reason])
        return caption if caption.strip() else title

    _image = _video = _audio = _document = _sticker = _media

    def _location(self, content, message):
        content = _dict(content)
        latitude = _coordinate(content.get("latitude"))
        longitude = _coordinate(content.get("longitude"))
        link = _link(content.get("url"))
        if latitude and longitude:
            link = f"https://www.google.com/maps/search/?api=1&query={latitude},{longitude}"
        title = "location" if link else "location_unknown"
        place = [_str(content.get("name")), _str(content.get("address"))]
        return _lines([self.say(title), *place, link])

    def _contacts(self, content, message):
        cards = mappings(content)
        origins = [card.get("origin") for card in cards] + [message.get("origin")]
        asked = "contact_request" in origins and self._side == CUSTOMER
        texts = [self._card(card) for card in cards[:MOST_LINES]]
        return _lines(
            [self.say("contact_requested") if asked else "", *texts, self._more(cards)]
        )

    def _card(self, card):
        card = _with_vcard(card)
        full = _name_of(card)
        title = self.say("contact", name=full) if full else self.say("contact_nameless")
        org = _dict(card.get("org"))
        details = [
            _join([org.get("title"), org.get("department"), org.get("company")], ", "),
            *(_phone_of(phone) for phone in _details(card, "phones")),
            *(_str(_dict(mail).get("email")) for mail in _details(card, "emails")),
            *(_link(_dict(url).get("url")) for url in _details(card, "urls")),
            *(_address(address) for address in _details(card, "addresses")),
            _str(card.get("birthday")),
        ]
        return _lines([title, *details[:MOST_LINES]])

    def _button(self, content, message):
        content = _dict(content)
        return _str(content.get("text")) or _str(content.get("payload"))

    def _interactive(self, content, message):
        content = _dict(content)
        kind = _str(content.get("type"))
        answer = _dict(content.get(kind))
        describe = {
            "nfm_reply": self._form,
            "call_permission_reply": self._call_permission,
            "product": self._product,
        }.get(kind, self._choice)
        return describe(answer)

    def _choice(self, answer):
        title = _str(answer.get("title")) or _str(answer.get("id"))
        return _lines([title, _str(answer.get("description"))])

    def _form(self, answer):
        address = answer.get("name") == "address_message"
        title = self.say("address" if address else "form")
        lines = _answer_lines(_form_of(answer), self)
        return _lines([title, *lines] if lines else [title, _str(answer.get("body"))])

    def answer(self, value):
        """What stands for a value of a form: its text, or the name of its file."""
        if _is_file(value):
            return self.say("file", name=_short(_file_name(value) or "?"))
        if _is_lost_file(value):
            return self.say("file_lost", name=_short(_file_name(value) or "?"))
        return _scalar(value)

    def _call_permission(self, answer):
        accepted = answer.get("response") == "accept"
        return self.say("call_accepted" if accepted else "call_rejected")

    def _product(self, answer):
        product = answer.get("product_retailer_id") or answer.get("id")
        return self.say("product", product=_str(product)) if _str(product) else ""

    def _order(self, content, message):
        content = _dict(content)
        items = mappings(content.get("product_items"))
        lines = [_order_line(item) for item in items[:MOST_LINES]]
        total = _order_total(items)
        return _lines(
            [
                self.say("order"),
                *lines,
                self._more(items),
                self.say("order_total", total=total) if total else "",
                _str(content.get("text")),
            ]
        )

    def _more(self, items):
        count = len(items) - MOST_LINES
        return self.say("more", count=count) if count > 0 else ""

    def _reaction(self, content, message):
        emoji = _dict(content).get("emoji")
        if not emoji:
            return self.say("reaction_removed")
        emoji = _str(emoji) or "?"
        return self.say("reaction", emoji=_short(emoji))

    def _system(self, content, message):
        content = _dict(content)
        phrase = SYSTEM_PHRASES.get(_str(content.get("type")), "system")
        phrase = phrase if self._side == CUSTOMER else "system"
        return _lines([self.say(phrase), _str(content.get("body"))])

    def _edit(self, content, message):
        inner = _edited(message)
        return _lines([self.say("edit"), self.of(inner) if inner else ""])

    def _revoke(self, content, message):
        return self.say("revoke")

    def _unsupported(self, content, message):
        kind = _str(_dict(content).get("type"))
        # 'unknown' says nothing; what Meta says of its error does
        named = kind if kind not in UNREADABLE else ""
        kind = named or _error_text(message) or kind
        return self.say("unsupported", type=_short(kind or message_type(message)))

    _unknown = _unsupported


DESCRIBED = {
    *MEDIA_TYPES,
    *("text", "location", "contacts", "button", "interactive", "order", "reaction"),
    *("system", "edit", "revoke", "unsupported", "unknown"),
}


def _form_of(answer):
    """What a form says, without its technical companions at the top."""
    try:
        stated = _dict(answer).get("response_json")
        response = (
            stated
            if isinstance(stated, dict)
            else json.loads(_str(stated, limit("json")) or "{}")
        )
    except (ValueError, RecursionError):
        response = {}
    response = _dict(response)
    values = response.pop("values", None) if "values" in response else None
    if isinstance(values, dict):
        return {**response, **values}
    return response if values is None else {**response, "values": values}


def _answers(value, path=(), depth=0):
    """(path, value) of all that an object holds, files whole, in its order.

    Hidden are its technical companions; what is nested deeper than people read, or
    stands behind more than they read, is left out.
    """
    if isinstance(value, dict) and not (path and _is_any_file(value)):
        pairs = [(key, below) for key, below in value.items() if key not in FORM_NOISE]
    elif isinstance(value, list):
        if not any(isinstance(below, (dict, list)) for below in value):
            yield path, value
            return
        pairs = [(None, below) for below in value]
    else:
        yield path, value
        return
    if depth < limit("nested"):
        for key, below in pairs[: 2 * MOST_LINES]:
            inner = path if key is None else (*path, key)
            yield from _answers(below, inner, depth + 1)


def _answer_lines(response, words):
    """`key: value` of answers, one a line: `Home: street: Sol 3`."""
    lines = []
    # each answer is a walk through the whole; nobody reads so many
    for path, value in islice(_answers(response), 4 * MOST_LINES):
        values = value[:MOST_LINES] if isinstance(value, list) else [value]
        text = ", ".join(filter(None, map(words.answer, values)))
        if text.strip() and path:
            names = [_label(path[0]), *(_plain_label(key) for key in path[1:])]
            lines.append(": ".join([*filter(None, names), text]))
    if len(lines) > MOST_LINES:
        return [*lines[:MOST_LINES], words.say("more", count=len(lines) - MOST_LINES)]
    return lines


def _is_any_file(value):
    return _is_file(value) or _is_lost_file(value)


def _is_file(value):
    """Whether an answer is a file that WhatsApp keeps under an id."""
    return (
        isinstance(value, dict)
        and bool(_str(value.get("id")))
        and bool(value.get("mime_type") or _file_name(value))
    )


def _is_lost_file(value):
    """Whether an answer is a file that only the form's own server can read."""
    return isinstance(value, dict) and "cdn_url" in value


def _label(key):
    """A form's key for people: Meta writes `screen_0_First_name_1`.

    >>> _label("screen_0_First_name_1"), _label("in_pin_code")
    ('First name', 'In pin code')
    """
    label = _plain_label(key)
    return label[:1].upper() + label[1:]


def _plain_label(key):
    key = cut(key, limit("short"))
    key = re.sub(r"^screen_\d+_|_\d+$", "", key)
    return line(key.replace("_", " "), limit("short"))


def _order_line(item):
    price = _join([_scalar(item.get("item_price")), item.get("currency")])
    quantity = _scalar(item.get("quantity")) or "1"
    product = _str(item.get("product_retailer_id")) or "?"
    return f"{quantity} × {product}" + (f" – {price}" if price else "")


def _order_total(items):
    """The sum with its currency, or '' if it cannot be told."""
    currencies = {_str(item.get("currency")) for item in items}
    factors = [(number(i.get("item_price")), number(i.get("quantity"))) for i in items]
    if len(currencies) != 1 or any(None in pair for pair in factors):
        return ""
    total = sum(price * quantity for price, quantity in factors)
    return f"{total:.2f} {currencies.pop()}".strip() if 0 < total < 10**15 else ""


def _name_of(card):
    name = _dict(card.get("name"))
    full = _str(name.get("formatted_name")) or _join(
        [name.get("first_name"), name.get("last_name")]
    )
    return read_name(full, limit("short"))


def _details(card, name):
    """The first entries of a list of a card: more does nobody read."""
    return _list(card.get(name), limit("details"))


def _with_vcard(card):
    """A card whose name and numbers may stand in its vCard only."""
    return {**read_vcard(_str(card.get("vcard"), limit("vcard"))), **card}


def _first(items, key):
    """The first value of a key in a list of dicts, or ''."""
    values = (_str(_dict(item).get(key)) for item in _list(items, limit("details")))
    return next(filter(None, values), "")


def _phone_of(phone):
    phone = _dict(phone)
    stated = _str(phone.get("phone"), limit("phone"))
    wa_id = _str(phone.get("wa_id"), limit("phone"))
    return stated or (wa_id and "+" + wa_id)


def _address(address):
    address = _dict(address)
    keys = ("street", "zip", "city", "state", "country")
    return _join([address.get(key) for key in keys], ", ")


def _error_text(message):
    """What Meta says of the message's first error, or ''."""
    errors = mappings(message.get("errors"), 1)
    if not errors:
        return ""
    details = _dict(errors[0].get("error_data")).get("details")
    texts = (_str(details), _str(errors[0].get("title")), _str(errors[0].get("code")))
    return _short(next(filter(None, texts), "")).rstrip(".")


def _coordinate(value):
    """A number as text, or ''."""
    degrees = number(value)
    if degrees is None or not -180 <= degrees <= 180:
        return ""
    return f"{degrees:.7f}".rstrip("0").rstrip(".")


# A name of the web with perhaps a port and a path, as people write it
BARE_LINK = re.compile(
    r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}(?::\d{1,5})?(?:[/?#]\S*)?"
)


def _link(value):
    """A web address, also one without its scheme; '' for any other scheme.

    >>> _link("HTTP://a.mx"), _link("www.sol.mx/a?b"), _link("javascript:alert(1)")
    ('HTTP://a.mx', 'https://www.sol.mx/a?b', '')
    >>> _link("ask me"), _link("Sol S.A."), _link("data.text:x")
    ('', '', '')
    """
    text = _str(value, limit("url")).strip()
    if re.match(r"https?://", text, re.IGNORECASE):
        return text
    return "https://" + text if BARE_LINK.fullmatch(text) else ""


def _short(text):
    """A text within a sentence."""
    return line(text, limit("short"))


def _whole(value):
    """A text of people in its full length."""
    return _str(value, math.inf)


def _scalar(value):
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return f"{value:g}" if isinstance(value, float) else _str(value)


def _join(values, separator=" "):
    return separator.join(filter(None, map(_str, values)))


def _lines(texts):
    return "\n".join(text for text in texts if text and text.strip())
