# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a salesperson reads of a WhatsApp message: words for every type, and its file.

Types as in Meta's reference of webhooks (field `messages`), read 2026-11-22:
developers.facebook.com/documentation/business-messaging/whatsapp/webhooks
"""

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from .limits import cut, limit
from .reading import items as _list
from .reading import line, mappings, number
from .reading import mapping as _dict
from .reading import text as _str
from .terms import _
from .webhook import MEDIA_TYPES, message_type, moment

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
    "location": _("📍 Location"),
    "location_unknown": _("📍 Location without coordinates"),
    "contact": _("👤 Contact card: %(name)s"),
    "contact_nameless": _("👤 Contact card"),
    "contact_requested": _("👤 The customer shared these contact details on request"),
    "button": _("Button pressed"),
    "interactive": _("Answer to an interactive message"),
    "form": _("📝 Form answered"),
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
    "unsupported": _(
        "⚠️ WhatsApp does not pass on this kind of message (%(type)s). "
        "Please ask the customer to send it in another form."
    ),
    "unknown": _("⚠️ Message of an unknown kind (%(type)s)"),
    "forwarded": _("↪️ Forwarded"),
    "more": _("… and %(count)s more"),
    "cut": _("✂️ Shortened here: the message has %(count)s characters."),
}
SYSTEM_PHRASES = {
    "user_changed_number": "changed_number",
    "customer_changed_number": "changed_number",
    "user_changed_user_id": "changed_id",
    "customer_identity_changed": "changed_identity",
}
# The answer's technical companions, of no use to a person.
FORM_NOISE = {"flow_token", "flow_id", "saved_address_id"}
MOST_LINES = limit("lines")

EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "video/mp4": ".mp4",
    "video/3gpp": ".3gp",
    "video/3gp": ".3gp",
    "video/quicktime": ".mov",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/wav": ".wav",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
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
LONGEST_NAME = limit("file_name")


def base_type(mime_type):
    """The MIME type without parameters, in lower case.

    >>> base_type("audio/ogg; codecs=opus"), base_type(None)
    ('audio/ogg', '')
    """
    return _str(mime_type, limit("mime_type")).split(";")[0].strip().lower()


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
        """
        extension = EXTENSIONS.get(base_type(self.mime_type), "")
        stem, own_extension = _safe_name(self.filename)
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
    media: Media | None = None
    quoted: str | None = None
    forwarded: bool = False
    referral: dict | None = None


def render(message, translate=lambda source: source):
    """What people read of a message of any type. Never raises on a dict.

    >>> render({"type": "text", "text": {"body": "I want *two*"}}).text
    'I want *two*'
    >>> render({"type": "audio", "audio": {"id": "9", "voice": True}}).text
    '🎤 Voice message'
    >>> render({"type": "reaction", "reaction": {"emoji": "👍", "message_id": "w"}})
    Rendered(text='Reacted with 👍', media=None, quoted='w', forwarded=False, \
referral=None)
    >>> render({"type": "poll"}).text
    '⚠️ Message of an unknown kind (poll)'
    """
    words = _Words(translate)
    message = message if isinstance(message, dict) else {}
    context = _dict(message.get("context"))
    subject = _edited(message) or message
    product = _dict(context.get("referred_product")).get("product_retailer_id")
    lines = [words.about_product(product), words.of(message)]
    return Rendered(
        text=words.bounded("\n".join(filter(None, lines))),
        media=media_of(subject),
        quoted=_target(message) or _str(context.get("id"), limit("key")) or None,
        forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        referral=_dict(message.get("referral")) or None,
    )


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

    >>> media_of({"type": "image", "image": {"id": "9", "mime_type": "image/png"}}).name
    'image.png'
    """
    kind = message_type(message)
    content = _dict(message.get(kind)) if kind in MEDIA_TYPES else {}
    media_id = _str(content.get("id"), limit("key"))
    url = _str(content.get("url"), limit("url"))
    if not media_id and not url:
        return None
    return Media(
        id=media_id or None,
        url=url or None,
        mime_type=_str(content.get("mime_type"), limit("mime_type")) or None,
        sha256=_str(content.get("sha256"), limit("key")) or None,
        filename=_str(content.get("filename"))[-2 * LONGEST_NAME :] or None,
        voice=content.get("voice") is True,
        animated=content.get("animated") is True,
        kind=kind,
        sent=moment(message.get("timestamp")),
    )


def _edited(message):
    """The new message inside an edit, or an empty dict."""
    edit = _dict(message.get("edit")) if message_type(message) == "edit" else {}
    inner = _dict(edit.get("message"))
    return inner if message_type(inner) not in ("edit", "unknown") else {}


def _target(message):
    """The wamid that a reaction, edit or deletion is about."""
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
    return emoji, _target(message)


class _Words:
    """One method for each type; each returns a text, perhaps empty."""

    def __init__(self, translate):
        self._translate = translate

    def say(self, phrase, **values):
        """A phrase in the reader's language; English if its translation is broken."""
        source = PHRASES[phrase]
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
        if kind not in DESCRIBED:
            return self.say("unknown", type=_short(kind))
        content = message.get(kind)
        text = getattr(self, "_" + kind)(content, message)
        if text.strip():
            return text
        if content and kind in ("text", "button", "interactive"):
            return self.say(kind)
        reason = _error_text(message)  # the typed object is not there
        return self.say("unsupported", type=f"{kind}: {reason}" if reason else kind)

    def about_product(self, product):
        product = _str(product)
        return self.say("about_product", product=product) if product else ""

    def _text(self, content, message):
        return _whole(content) or _whole(_dict(content).get("body"))

    def _media(self, content, message):
        kind, content = message_type(message), _dict(content)
        if not media_of(message) and message.get("errors"):
            return self.say("media_failed", reason=_error_text(message) or kind)
        caption = _whole(content.get("caption"))
        name = _str(content.get("filename"))
        if caption.strip():
            return caption
        if kind == "document" and name:
            return self.say("document_named", name=_short(name))
        return self.say("voice" if content.get("voice") is True else kind)

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
        asked = "contact_request" in origins
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
        try:
            stated = _str(answer.get("response_json"), limit("json"))
            response = json.loads(stated or "{}")
        except (ValueError, RecursionError):
            response = {}
        lines = list(_form_lines(_dict(response)))
        return _lines([title, *lines] if lines else [title, _str(answer.get("body"))])

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
        return _lines([self.say(phrase), _str(content.get("body"))])

    def _edit(self, content, message):
        inner = _edited(message)
        return _lines([self.say("edit"), self.of(inner) if inner else ""])

    def _revoke(self, content, message):
        return self.say("revoke")

    def _unsupported(self, content, message):
        kind = _str(_dict(content).get("type")) or _error_text(message)
        return self.say("unsupported", type=_short(kind or message_type(message)))

    _unknown = _unsupported


DESCRIBED = {
    *MEDIA_TYPES,
    *("text", "location", "contacts", "button", "interactive", "order", "reaction"),
    *("system", "edit", "revoke", "unsupported", "unknown"),
}


def _form_lines(response):
    """`key: value` of a form's answers, without its technical companions."""
    values = response.get("values")
    response = {**response, **values} if isinstance(values, dict) else response
    for key, value in list(response.items())[:MOST_LINES]:
        if key not in FORM_NOISE and not isinstance(value, dict):
            value = value[:MOST_LINES] if isinstance(value, list) else [value]
            text = _join([_scalar(item) for item in value], ", ")
            if text:
                yield f"{_label(key)}: {text}"


def _label(key):
    """A form's key for people: Meta writes `screen_0_First_name_1`.

    >>> _label("screen_0_First_name_1"), _label("in_pin_code")
    ('First name', 'In pin code')
    """
    key = cut(key, limit("short"))
    key = re.sub(r"^screen_\d+_|_\d+$", "", key)
    label = key.replace("_", " ").strip()
    return label[:1].upper() + label[1:]


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
    return cut(full, limit("short"))


def _details(card, name):
    """The first entries of a list of a card: more does nobody read."""
    return _list(card.get(name), limit("details"))


def _with_vcard(card):
    """A card whose name and numbers may stand in its vCard only."""
    return {**_vcard(_str(card.get("vcard"), limit("vcard"))), **card}


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


def _vcard(text):
    """Name and phones of a vCard, as the card's own keys.

    >>> _vcard("BEGIN:VCARD\\nFN:Ana\\nitem1.TEL;type=CELL:+34 612\\nEND:VCARD")
    {'name': {'formatted_name': 'Ana'}, 'phones': [{'phone': '+34 612'}]}
    """
    name = re.search(r"^FN[^:\n]*:(.+)$", text, re.MULTILINE | re.IGNORECASE)
    phones = re.findall(
        r"^(?:item\d+\.)?TEL[^:\n]*:(.+)$", text, re.MULTILINE | re.IGNORECASE
    )[: limit("details")]
    card = {"name": {"formatted_name": name.group(1).strip()}} if name else {}
    if phones:
        card["phones"] = [{"phone": phone.strip()} for phone in phones]
    return card


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


def _link(value):
    """A web address, or '' for any other scheme."""
    text = _str(value, limit("url")).strip()
    return text if re.match(r"https?://", text, re.IGNORECASE) else ""


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
