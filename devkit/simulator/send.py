# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta refuses at `POST /{phone_number_id}/messages`, type by type.

`check_form` looks at the payload alone, `check_circumstances` at what Meta knows
(the recipient, the 24-hour window, the registered templates, the uploaded files).
Limits in characters: Meta's pages on sending, copies of 2026-09-11.
"""

from urllib.parse import urlsplit

from . import media, phones, template_parts, templates
from .errors import Refusal
from .faults import Settings
from .state import Number, Person, State

WINDOW = 24 * 3600
DAYS_30 = 30 * 86400


def _need(holder: dict, key: str, where: str, kind: type = str):
    """The value; refuses its absence (100) and a value of another type (100)."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if value is None or value == "":
        raise Refusal(100, f"The parameter {where}['{key}'] is required.")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Refusal(100, f"Param {where}['{key}'] must be a {kind.__name__}.")
    return value


def _limit(text, longest: int, where: str, code: int = 131009) -> None:
    if not isinstance(text, str):
        raise Refusal(100, f"Param {where} must be a string.")
    if not 1 <= len(text) <= longest:
        raise Refusal(
            code, f"{where}: length invalid. Min length: 1, Max length: {longest}"
        )


# -- one function per type --------------------------------------------------------


def _text(content: dict) -> None:
    body = _need(content, "body", "text")
    if len(body) > 4096:
        raise Refusal(100, "Param text['body'] must be at most 4096 characters long.")
    if not isinstance(content.get("preview_url", False), bool):
        raise Refusal(100, "Param text['preview_url'] must be a boolean.")


def _media(kind: str):
    def check(content: dict) -> None:
        media_id, link = content.get("id"), content.get("link")
        if not media_id and not link:
            raise Refusal(131008, f"Parameter '{kind}' needs an id or a link.")
        if media_id and link:
            raise Refusal(100, f"Param {kind}: only one of id and link is allowed.")
        if link and urlsplit(str(link)).scheme not in ("http", "https"):
            raise Refusal(100, f"Param {kind}['link'] is not a valid URI.")
        if "caption" in content and kind in ("audio", "sticker"):
            raise Refusal(100, f"Param {kind}['caption'] is not allowed.")
        if content.get("caption"):
            _limit(content["caption"], 1024, f"{kind}['caption']", code=100)

    return check


def _location(content: dict) -> None:
    for key, most in (("latitude", 90), ("longitude", 180)):
        value = content.get(key)
        if value is None:
            raise Refusal(131008, f"Parameter location['{key}'] is missing.")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise Refusal(100, f"Param location['{key}'] must be a number.") from None
        if abs(number) > most:
            raise Refusal(131009, f"location['{key}'] is out of range.")


def _contacts(content: list) -> None:
    if not content:
        raise Refusal(131008, "Parameter contacts is empty.")
    for index, card in enumerate(content):
        name = _need(card, "name", f"contacts[{index}]", dict)
        _need(name, "formatted_name", f"contacts[{index}]['name']")


def _reaction(content: dict) -> None:
    if not content.get("message_id"):
        raise Refusal(131008, "Parameter reaction['message_id'] is missing.")
    if not isinstance(content.get("emoji"), str):
        raise Refusal(100, "The parameter reaction['emoji'] is required.")


def _template(content: dict) -> None:
    _need(content, "name", "template")
    _need(_need(content, "language", "template", dict), "code", "template['language']")


def _interactive(content: dict) -> None:
    kind = _need(content, "type", "interactive")
    check = INTERACTIVE.get(kind)
    if check is None:
        known = ", ".join(sorted(INTERACTIVE))
        raise Refusal(100, f"Param interactive['type'] must be one of {{{known}}}.")
    if kind not in NO_BODY:
        body = _need(content, "body", "interactive", dict)
        longest = 4096 if kind == "list" else 1024
        _limit(body.get("text"), longest, "interactive['body']['text']")
    if content.get("footer"):
        _limit(content["footer"].get("text"), 60, "interactive['footer']['text']")
    _header(content.get("header"), kind)
    check(_need(content, "action", "interactive", dict))


def _header(header: dict | None, kind: str) -> None:
    if not header:
        return
    shape = header.get("type")
    if shape == "text":
        _limit(header.get("text"), 60, "interactive['header']['text']")
    elif kind == "list" or shape not in ("image", "video", "document"):
        raise Refusal(131009, f"interactive['header']: type {shape!r} is not allowed.")
    else:
        _media(shape)(_need(header, shape, "interactive['header']", dict))


def _buttons(action: dict) -> None:
    buttons = action.get("buttons")
    if not buttons:
        raise Refusal(131008, "Parameter action['buttons'] is missing.")
    if len(buttons) > 3:
        raise Refusal(131009, "Invalid buttons count. Min allowed: 1, Max allowed: 3")
    for button in buttons:
        if button.get("type") != "reply":
            raise Refusal(131009, "Button type must be reply.")
        reply = _need(button, "reply", "button", dict)
        _limit(reply.get("id"), 256, "Button id")
        _limit(reply.get("title"), 20, "Button title")
    _unique([button["reply"]["id"] for button in buttons], "button id")
    _unique([button["reply"]["title"] for button in buttons], "button title")


def _list(action: dict) -> None:
    _limit(_need(action, "button", "action"), 20, "Button label")
    sections = action.get("sections")
    if not sections:
        raise Refusal(131008, "Parameter action['sections'] is missing.")
    if len(sections) > 10:
        raise Refusal(131009, "Invalid sections count. Max allowed: 10")
    rows = [row for section in sections for row in section.get("rows") or []]
    if not 1 <= len(rows) <= 10:
        raise Refusal(131009, "Total row count exceed max allowed count: 10")
    for section in sections:
        if len(sections) > 1:
            _limit(section.get("title"), 24, "Section title")
    for row in rows:
        _limit(row.get("id"), 200, "Row id")
        _limit(row.get("title"), 24, "Row title")
        if row.get("description"):
            _limit(row["description"], 72, "Row description")
    _unique([row["id"] for row in rows], "row id")


def _unique(values: list, what: str) -> None:
    if len(set(values)) != len(values):
        raise Refusal(131009, f"Duplicated {what}.")


def _named(name: str, *parameters: str):
    """An action of the form {name, parameters{...}}."""

    def check(action: dict) -> None:
        if action.get("name") != name:
            raise Refusal(131009, f"action['name'] must be {name}.")
        given = action.get("parameters") or {}
        for parameter in parameters:
            if not given.get(parameter):
                raise Refusal(
                    131008, f"Parameter action['parameters']['{parameter}'] is missing."
                )

    return check


def _flow(action: dict) -> None:
    _named("flow", "flow_message_version", "flow_cta")(action)
    parameters = action["parameters"]
    if not parameters.get("flow_id") and not parameters.get("flow_name"):
        raise Refusal(131008, "Parameter flow_id or flow_name is missing.")


def _any_action(action: dict) -> None:
    if not action:
        raise Refusal(131008, "Parameter interactive['action'] is empty.")


INTERACTIVE = {
    "button": _buttons,
    "list": _list,
    "cta_url": _named("cta_url", "display_text", "url"),
    "flow": _flow,
    "location_request_message": _named("send_location"),
    "request_contact_info": _named("request_contact_info"),
    "address_message": _named("address_message"),
    "voice_call": _named("voice_call"),
    "product": _any_action,
    "product_list": _any_action,
    "catalog_message": _any_action,
}
NO_BODY = ("product",)

CHECKS = {
    "text": _text,
    **{kind: _media(kind) for kind in media.KINDS},
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "template": _template,
}
LISTS = ("contacts",)


def check_form(payload) -> str:
    """The message's type; raises Refusal if the payload is malformed."""
    if not isinstance(payload, dict) or not payload.get("messaging_product"):
        raise Refusal(100, "The parameter messaging_product is required.")
    if payload["messaging_product"] != "whatsapp":
        raise Refusal(100, "Param messaging_product must be one of {WHATSAPP}.")
    if payload.get("recipient_type", "individual") != "individual":
        raise Refusal(100, "Param recipient_type must be one of {INDIVIDUAL}.")
    if not payload.get("to") and not payload.get("recipient"):
        raise Refusal(100, "The parameter to is required.")
    kind = payload.get("type", "text")
    if kind not in CHECKS:
        known = ", ".join(sorted(CHECKS))
        raise Refusal(100, f"Param type must be one of {{{known}}} - got '{kind}'.")
    _check_common(payload)
    shape = list if kind in LISTS else dict
    content = payload.get(kind)
    if content is None:
        raise Refusal(100, f"The parameter {kind} is required.")
    if not isinstance(content, shape):
        raise Refusal(100, f"Param {kind} must be a JSON {shape.__name__}.")
    CHECKS[kind](content)
    return kind


def _check_common(payload: dict) -> None:
    data = payload.get("biz_opaque_callback_data")
    if data is not None and (not isinstance(data, str) or len(data) > 512):
        raise Refusal(
            100, "Param biz_opaque_callback_data must be at most 512 characters long."
        )
    context = payload.get("context")
    if context is not None and not (
        isinstance(context, dict) and isinstance(context.get("message_id"), str)
    ):
        raise Refusal(100, "The parameter context['message_id'] is required.")


# -- what depends on Meta's knowledge -----------------------------------------------


def recipient(
    payload: dict, number: Number, state: State, settings: Settings
) -> tuple[Person | str, bool]:
    """(person, whether addressed by phone); `to` wins over `recipient`.

    A phone number that nobody is known to have is returned as its digits.
    """
    business = state.account_of(number).business_id
    to = payload.get("to")
    if to and settings.bsuid_in_to:
        person = state.person_by_bsuid(str(to), business)
        if person:
            return person, False
    if to:
        dialled = phones.dialled(to, number.calling_code)
        if dialled is None:
            raise Refusal(131009, "to is not a valid phone number.")
        if phones.spellings(dialled) & phones.spellings(number.phone):
            raise Refusal(131021)
        return state.person_by_phone(dialled) or dialled, True
    person = state.person_by_bsuid(str(payload.get("recipient")), business)
    if person is None:
        raise Refusal(131009, "recipient is not a known business-scoped user ID.")
    return person, False


def check_circumstances(
    payload: dict,
    kind: str,
    person: Person,
    by_phone: bool,
    number: Number,
    state: State,
    now: float,
) -> None:
    """Raise Refusal for what only Meta can know about this send."""
    _check_person(person, number)
    if kind == "template":
        _check_template(payload["template"], person, by_phone, number, state)
        if file := template_parts.header_file(payload["template"]):
            _check_header_file(*file, number, state, now)
    else:
        check_window(number, person, state, now)
    if kind in media.KINDS:
        _check_file(kind, payload[kind], number, state, now)
    if kind == "reaction":
        _check_target(payload["reaction"]["message_id"], number, person, state, now)


def _check_person(person: Person, number: Number) -> None:
    if number.status == "LOCKED":
        raise Refusal(131031)
    if not number.registered:
        raise Refusal(133010)
    allowed = number.allowed_recipients
    if allowed is not None:
        known = {phones.digits(entry) for entry in allowed}
        if not known & person.numbers():
            raise Refusal(131030)
    if not person.on_whatsapp:
        raise Refusal(131026)


def find_template(content: dict, number: Number, state: State):
    """(template or None, name, language) that the payload names."""
    name, language = content["name"], content["language"]["code"]
    for template in state.templates_of(number.account_id):
        if (template.name, template.language) == (name, language):
            return template, name, language
    return None, name, language


def _check_template(content, person, by_phone, number, state) -> None:
    template, name, language = find_template(content, number, state)
    templates.check_sending(template, content, name, language)
    if template.category == "AUTHENTICATION" and not by_phone:
        raise Refusal(131062)
    if template.category == "MARKETING" and person.marketing_opt_out:
        raise Refusal(131050)


def check_window(number: Number, person: Person, state: State, now: float) -> None:
    """Refuse outside 24 hours after the person's last message to this number."""
    last = state.windows.get((number.id, person.id))
    if last is None or now - last >= WINDOW:
        raise Refusal(131047)


def _check_file(kind: str, content: dict, number, state: State, now: float) -> None:
    if not content.get("id"):
        return  # a link: Meta would fetch it, the simulator does not
    item = state.media.get(str(content["id"]))
    known = item and item.account_id == number.account_id
    if not known or now > item.created + item.lifetime:
        raise Refusal(
            100,
            f"Param {kind}['id'] is not a valid whatsapp business account media"
            " attachment ID",
        )
    if kind not in media.kinds_of(item.mime_type):
        raise Refusal(
            131053, f"{item.mime_type} is not a supported MIME type for {kind}."
        )
    if len(item.content) > media.LIMITS[kind][0]:
        raise Refusal(131053, f"The file is too large for {kind}.")


def _check_header_file(kind: str, content: dict, number, state, now: float) -> None:
    _media(kind)(content)
    _check_file(kind, content, number, state, now)
    item = state.media.get(str(content.get("id")))
    if item and media.bare(item.mime_type) not in template_parts.HEADER_TYPES[kind]:
        raise Refusal(
            131053, f"{item.mime_type} is not supported in a header of type {kind}."
        )


def _check_target(wamid: str, number, person, state: State, now: float) -> None:
    """A reaction goes to a message of this conversation, young and no reaction."""
    target = state.received.get(wamid) or state.sent.get(wamid)
    if (
        target is None
        or (target.number_id, target.person_id) != (number.id, person.id)
        or now - target.timestamp > DAYS_30
        or _type_of(target) == "reaction"
    ):
        raise Refusal(131009, "reaction['message_id'] is not a valid message.")


def _type_of(message) -> str:
    return message.message["type"] if hasattr(message, "message") else message.type


def check_read(payload: dict, number: Number, state: State, now: float):
    """The received message that a mark-as-read call names; raises Refusal."""
    if payload.get("status") != "read":
        raise Refusal(100, "Param status must be one of {READ}.")
    wamid = payload.get("message_id")
    if not wamid:
        raise Refusal(131008, "Parameter message_id is missing.")
    received = state.received.get(wamid)
    if received is None or received.number_id != number.id:
        raise Refusal(131009, "message_id is not a valid message.")
    if now - received.timestamp > DAYS_30:
        raise Refusal(131009, "message_id: the message is older than 30 days.")
    indicator = payload.get("typing_indicator")
    if indicator is not None and indicator.get("type") != "text":
        raise Refusal(100, "Param typing_indicator['type'] must be one of {TEXT}.")
    return received
