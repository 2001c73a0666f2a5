# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Message templates: their variables, what a customer will see, what is sent.

Meta's page messages/template-messages, copy of 2026-09-11: variables are numbered
({{1}}) or named ({{first_name}}), in the header, the body, and the end of a link. The
others of 2026-05 and 2026-06: templates/components, and one page for each kind.
"""

import re
from dataclasses import dataclass

from . import payloads
from .payloads import body_component, template_text

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
# Coordinates: as a map shows them, or in the address of one
_DEGREES = r"([+-]?\d{1,3}(?:[.,]\d{1,20})?)"
PAIR = re.compile(rf"{_DEGREES}(?:\s*;\s*|\s*,\s+|\s+,?\s*){_DEGREES}")
# between two numbers a comma alone might be part of one
TIGHT_PAIR = re.compile(r"([+-]?\d{1,3}\.\d{1,20}),([+-]?\d{1,3}\.\d{1,20})")
IN_LINK = re.compile(r"[@=/](-?\d{1,3}\.\d{1,20}),(?:%20|\+)?(-?\d{1,3}\.\d{1,20})")
LONGEST_COORDINATES = 2000  # of an address, too
# CODE is what a button copies: a value to be filled, though Meta has no variable there
HEADER, BODY, BUTTON, CODE = "header", "body", "button", "code"
# Headers that are filled when a template is sent: Meta's format -> kind
FILES = ("image", "video", "document")
LOCATION = "location"
HEADERS = {kind.upper(): kind for kind in (*FILES, LOCATION)}
# Buttons that are sent from here: Meta's type -> kind
BUTTONS = {
    kind.upper(): kind
    for kind in ("url", "phone_number", "quick_reply", "copy_code", "flow", "catalog")
}
# Buttons of templates that show single products, or a code to sign in with
OTHER_BUTTONS = {"MPM": "products", "SPM": "products", "OTP": "authentication"}
OTHER_PARTS = {"CAROUSEL": "carousel", "LIMITED_TIME_OFFER": "offer"}


@dataclass(frozen=True)
class Variable:
    """One place of a template that is filled for each customer.

    `part` is HEADER, BODY, BUTTON or CODE; `name` the number or name; `index` the place
    of the button among all of them.
    """

    part: str
    name: str
    index: int = 0


@dataclass(frozen=True)
class File:
    """A file in a header; `kind` is one of FILES, `name` what the customer reads."""

    kind: str
    name: str = ""


@dataclass(frozen=True)
class Place:
    """A place in a header, in degrees; `name` stands over the address."""

    latitude: float
    longitude: float
    name: str
    address: str = ""

    @classmethod
    def at(cls, coordinates, name, address=""):
        """The place at coordinates as people copy them from a map.

        :param str coordinates: latitude and longitude, with a point or a comma, or the
            address of a map
        :raise NotSendable: they are not two numbers

        >>> Place.at("19.4326, -99.1332", "Shop")
        Place(latitude=19.4326, longitude=-99.1332, name='Shop', address='')
        >>> Place.at("40,4168 -3,7038", "Shop").latitude
        40.4168
        >>> Place.at("https://www.google.com/maps/@19.4,-99.1,17z", "Shop").longitude
        -99.1
        >>> Place.at("19.4", "Shop")
        Traceback (most recent call last):
        ...
        tools.payloads.NotSendable: Please enter latitude and longitude as a map shows \
them: 19.4326, -99.1332
        """
        text = (coordinates or "").strip()[:LONGEST_COORDINATES]
        if "/" in text:
            found = IN_LINK.search(text)
        else:
            found = PAIR.fullmatch(text) or TIGHT_PAIR.fullmatch(text)
        if not found:
            raise payloads.NotSendable("coordinates")
        latitude, longitude = (float(each.replace(",", ".")) for each in found.groups())
        return cls(latitude, longitude, name, address)

    @property
    def link(self):
        """The address of a map of it.

        >>> Place(19.4, -99.1, "Shop").link
        'https://www.google.com/maps/search/?api=1&query=19.4,-99.1'
        """
        base = "https://www.google.com/maps/search/?api=1&query="
        return f"{base}{self.latitude},{self.longitude}"


def variables(header, body, urls=(), codes=()):
    """Every variable of a template, each once, in the order of reading.

    :param urls: the link of each button, or None for those that have none
    :param codes: places of the buttons that copy a code

    >>> variables("Hi {{1}}", "{{1}} and {{ 2 }}, {{1}}", [None, "https://x.es/{{1}}"])
    [Variable(part='header', name='1', index=0), Variable(part='body', name='1', \
index=0), Variable(part='body', name='2', index=0), Variable(part='button', name='1', \
index=1)]
    >>> variables("", "Hi", [None], codes=[0])
    [Variable(part='code', name='code', index=0)]
    """
    found = [Variable(HEADER, name) for name in VARIABLE.findall(header or "")]
    found += [Variable(BODY, name) for name in VARIABLE.findall(body or "")]
    for index, url in enumerate(urls):
        found += [Variable(BUTTON, name, index) for name in VARIABLE.findall(url or "")]
    found += [Variable(CODE, CODE, index) for index in codes]
    return list(dict.fromkeys(found))


def fill(text, values):
    """The text with its variables filled; what has no value stays as it is.

    >>> fill("Hi {{1}}, {{2}}", {"1": "Ana"})
    'Hi Ana, {{2}}'
    """
    return VARIABLE.sub(
        lambda match: values.get(match.group(1)) or match.group(), text or ""
    )


def components(values, header=None, buttons=(), name=""):
    """What is sent with a template.

    :param dict values: :class:`Variable` -> str
    :param header: :class:`File` or :class:`Place`; None: it has a text, or none
    :param buttons: kind of each button, as in BUTTONS
    :param str name: of the template, which buttons that are tapped tell
    :raise NotSendable: a value is empty, or not what Meta takes there

    >>> components({Variable("body", "1"): "Ana", Variable("button", "1", 2): "a7"})
    [{'type': 'body', 'parameters': [{'type': 'text', 'text': 'Ana'}]}, \
{'type': 'button', 'sub_type': 'url', 'index': '2', 'parameters': [{'type': 'text', \
'text': 'a7'}]}]
    >>> components({Variable("body", "city"): " "})
    Traceback (most recent call last):
    ...
    tools.payloads.NotSendable: The template's variable city is empty.
    """
    sent = []
    if isinstance(header, File):
        sent.append(payloads.header_file(header.kind, header.name))
    elif header:
        place = (header.latitude, header.longitude, header.name, header.address)
        sent.append(payloads.header_place(*place))
    for part in (HEADER, BODY):
        own = {v.name: value for v, value in values.items() if v.part == part}
        if own and all(name.isdecimal() for name in own):
            for number, value in own.items():
                template_text(value, number)  # names the number that is empty
            ordered = [own[number] for number in sorted(own, key=int)]
            sent.append(body_component(ordered, part))
        elif own:
            sent.append(body_component(own, part))
    return sent + _buttons(values, buttons, name)


def _buttons(values, kinds, name):
    """What is sent of each button that needs something, in their order."""
    found = {}
    for variable, value in values.items():
        if variable.part == BUTTON:
            text = template_text(value, variable.name)
            found[variable.index] = payloads.url_button(variable.index, text)
        elif variable.part == CODE:
            found[variable.index] = payloads.copy_code_button(variable.index, value)
    for index, kind in enumerate(kinds):
        if kind == "quick_reply":
            tapped = button_payload(name, index)
            found[index] = payloads.quick_reply_button(index, tapped)
        elif kind == "flow":
            found[index] = payloads.flow_button(index, button_payload(name, index))
        elif kind == "catalog":
            found[index] = payloads.catalog_button(index)
    return [found[index] for index in sorted(found)]


def button_payload(name, index):
    """What comes back when a button is tapped: of which template, and which one.

    >>> button_payload("offer", 1), len(button_payload("x" * 512, 10))
    ('offer/1', 128)
    """
    end = f"/{index}"
    return name[: payloads.LONGEST_BUTTON_PAYLOAD - len(end)] + end


def tapped_button(payload):
    """The name of the template and the place of the button, or (None, None).

    >>> tapped_button("offer/1"), tapped_button("Yes, please")
    (('offer', 1), (None, None))
    """
    found = re.fullmatch(r"([a-z0-9_]+)/([0-9]{1,2})", payload or "")
    return (found[1], int(found[2])) if found else (None, None)


def unsupported(template):
    """Why we cannot send a template that Meta described, or None.

    :param dict template: one of ``CloudApi.templates``
    :return: 'header', 'button', 'component', or which of the kinds it is that are made
        and sent elsewhere: 'authentication', 'carousel', 'offer', 'products'

    >>> unsupported({"components": [{"type": "HEADER", "format": "GIF"}]})
    'header'
    >>> unsupported({"components": [{"type": "BODY"}, {"type": "CAROUSEL"}]})
    'carousel'
    >>> unsupported({"components": [{"type": "HEADER", "format": "IMAGE"}]}) is None
    True
    """
    if template.get("category") == "AUTHENTICATION":
        return "authentication"
    parts = template.get("components")
    reasons = [_why_not(part) for part in (parts if isinstance(parts, list) else [])]
    kinds = (*OTHER_PARTS.values(), *OTHER_BUTTONS.values())
    # what it is tells more than which of its parts is not known
    return min(filter(None, reasons), key=lambda why: why not in kinds, default=None)


def _why_not(part):
    """Why a template with this part cannot be sent from here, or None."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "HEADER":
        return None if part.get("format") in ("TEXT", *HEADERS) else "header"
    if kind == "BUTTONS":
        buttons = part.get("buttons")
        for button in buttons if isinstance(buttons, list) else []:
            of_meta = button.get("type") if isinstance(button, dict) else None
            if of_meta not in BUTTONS:
                return OTHER_BUTTONS.get(of_meta, "button")
        return None
    return None if kind in ("BODY", "FOOTER") else OTHER_PARTS.get(kind, "component")
