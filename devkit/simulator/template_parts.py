# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is sent for a template's header and buttons: which form each kind of them takes.

Meta's pages below templates/ and flows/guides/sendingaflow, of May and June 2026. Codes
that no page gives are those that others report of the real service.
"""

import re

from .errors import Refusal

FILES = ("IMAGE", "VIDEO", "DOCUMENT")
HEADER_TYPES = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "document": ("application/pdf",),
}
LONGEST_PAYLOAD = 128
CODE = re.compile(r"[A-Za-z0-9]{1,15}")


def kind_of(component) -> str:
    """The type of a component, as templates register it."""
    kind = component.get("type") if isinstance(component, dict) else None
    return str(kind or "").upper()


def header_file(sent: dict) -> tuple[str, dict] | None:
    """(kind, its object) of the file in the header that is sent, if there is one."""
    for component in sent.get("components") or []:
        for parameter in component.get("parameters") or []:
            kind = str(parameter.get("type", "")).lower()
            if kind_of(component) == "HEADER" and kind in HEADER_TYPES:
                return kind, parameter[kind]
    return None


def check_header(kind: str, parameters: list) -> None:
    """Raise Refusal unless one file or place of this format is sent.

    :param kind: registered format, not TEXT
    """
    received = str(parameters[0].get("type", "")).upper() if parameters else "UNKNOWN"
    if received != kind:
        raise Refusal(
            132012, f"header: Format mismatch, expected {kind}, received {received}"
        )
    if len(parameters) != 1:
        raise Refusal(
            132000,
            f"header: number of localizable_params ({len(parameters)}) does not match"
            " the expected number of params (1)",
        )
    content = parameters[0].get(kind.lower())
    if not isinstance(content, dict):
        raise Refusal(131008, f"header: Parameter of type {kind} is missing its value")
    if kind == "LOCATION":
        _check_place(content)
    elif "caption" in content:
        raise Refusal(100, f"header: {kind.lower()}['caption'] is not allowed.")


def _check_place(place: dict) -> None:
    for key, most in (("latitude", 90), ("longitude", 180)):
        try:
            degrees = float(place[key])
        except KeyError:
            raise Refusal(131008, f"header: location['{key}'] is missing.") from None
        except (TypeError, ValueError):
            raise Refusal(132012, f"header: location['{key}'] is no number.") from None
        if abs(degrees) > most:
            raise Refusal(131009, f"header: location['{key}'] is out of range.")
    for key in ("name", "address"):
        if not isinstance(place.get(key), str) or not place[key]:
            raise Refusal(131008, f"header: location['{key}'] is missing.")


def check_buttons(buttons: list[dict], components: list, needed) -> None:
    """Raise Refusal unless what is sent for the buttons fits the registered ones.

    :param needed: function of a button, how many values its link has
    """
    sent = {}
    for component in components:
        if kind_of(component) == "BUTTON":
            index = _index(component)
            if index >= len(buttons):
                raise Refusal(131009, f"buttons: there is no button at index {index}")
            if str(component.get("sub_type", "")).upper() != buttons[index]["type"]:
                raise Refusal(
                    131009, f"Components sub_type invalid at index: {index} and type: 0"
                )
            sent[index] = component.get("parameters") or []
    for index, button in enumerate(buttons):
        _check_button(index, button, sent.get(index), needed(button))


def _index(component: dict) -> int:
    index = str(component.get("index", 0))
    if not index.isdecimal():
        raise Refusal(100, "Param template['components'][]['index'] must be a number.")
    return int(index)


def _check_button(index: int, button: dict, given: list | None, values: int) -> None:
    kind, shown = button["type"], button["type"].title()
    if kind == "FLOW" and given is None:
        raise Refusal(
            131009, f"Components sub_type invalid at index: {index} and type: 0"
        )
    if (values or kind == "COPY_CODE") and not given:
        raise Refusal(
            131008,
            f"buttons: Button at index {index} of type {shown} requires a parameter",
        )
    if given and not values and kind in ("URL", "PHONE_NUMBER"):
        raise Refusal(
            132018,
            f"buttons: Button at index {index} of type {shown} does not require"
            " parameters",
        )
    expected = {"QUICK_REPLY": "payload", "COPY_CODE": "coupon_code", "URL": "text"}
    for parameter in given or []:
        received = str(parameter.get("type", "")).lower()
        wanted = expected.get(kind, "action")
        if received != wanted:
            raise Refusal(
                132012,
                f"buttons: Format mismatch, expected {wanted.upper()}, received"
                f" {received.upper() or 'UNKNOWN'}",
            )
        _check_value(kind, parameter.get(wanted))


def _check_value(kind: str, value) -> None:
    if kind in ("FLOW", "CATALOG"):
        if not isinstance(value, dict):
            raise Refusal(131008, "buttons: Parameter of type action has no action")
        key = "flow_token" if kind == "FLOW" else "thumbnail_product_retailer_id"
        if not isinstance(value.get(key, ""), str):
            raise Refusal(100, f"Param action['{key}'] must be a string.")
        return
    if not isinstance(value, str) or not value:
        raise Refusal(131008, "buttons: a parameter has no value")
    if kind == "COPY_CODE" and not CODE.fullmatch(value):
        raise Refusal(132018, "buttons: coupon_code: letters and digits, at most 15")
    if kind == "QUICK_REPLY" and len(value) > LONGEST_PAYLOAD:
        raise Refusal(131009, f"buttons: payload: at most {LONGEST_PAYLOAD} characters")
