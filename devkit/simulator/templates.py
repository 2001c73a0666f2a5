# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Message templates: the ones an account begins with, and what fits them."""

import json
import re
from pathlib import Path

from . import template_parts
from .errors import Refusal
from .state import Template

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LONGEST_BODY = 1024


def variables(text: str | None) -> list[str]:
    """Names or numbers of the variables, each once, in order.

    >>> variables("Hola {{1}}, tu cita es el {{2}}, {{1}}")
    ['1', '2']
    """
    return list(dict.fromkeys(VARIABLE.findall(text or "")))


# What a new account has, as Meta lists it
PRELOADED = Path(__file__).with_name("preloaded.json")


def preload(account_id: str, new_id) -> list[Template]:
    """The templates with which an account begins."""
    return [
        Template(
            id=new_id(),
            account_id=account_id,
            rejected_reason="INVALID_FORMAT" if one["status"] == "REJECTED" else "NONE",
            **one,
        )
        for one in json.loads(PRELOADED.read_text())
    ]


def numbered(account_id: str, count: int, new_id) -> list[Template]:
    """Many simple approved templates, to fill pages."""
    return [
        Template(
            id=new_id(),
            account_id=account_id,
            name=f"plantilla_{index:03d}",
            language="es",
            components=[
                {
                    "type": "BODY",
                    "text": f"Plantilla {index}: hola {{{{1}}}}.",
                    "example": {"body_text": [["Ana"]]},
                }
            ],
        )
        for index in range(1, count + 1)
    ]


def _type(component) -> str:
    kind = component.get("type") if isinstance(component, dict) else None
    return str(kind or "").upper()


# -- sending --------------------------------------------------------------------


def check_sending(template: Template | None, sent: dict, name: str, language: str):
    """Raise Refusal unless the sent components fit the registered template."""
    if template is None:
        raise Refusal(132001, f"template name ({name}) does not exist in {language}")
    if template.status == "PAUSED":
        raise Refusal(132015)
    if template.status == "DISABLED":
        raise Refusal(132016)
    if template.status != "APPROVED":
        raise Refusal(132001, f"template name ({name}) is not approved in {language}")
    components = sent.get("components") or []
    if not isinstance(components, list):
        raise Refusal(100, "Param template['components'] must be an array.")
    _check_kinds(components)
    registered = {_type(c): c for c in template.components}
    _check_header(registered.get("HEADER"), _parameters(components, "HEADER"), template)
    body = registered.get("BODY", {}).get("text", "")
    parameters = _parameters(components, "BODY")
    _check_texts("body", body, parameters, template)
    _check_length(body, parameters)
    _check_buttons(registered.get("BUTTONS", {}).get("buttons", []), components)


def _check_kinds(components: list) -> None:
    for index, component in enumerate(components):
        if _type(component) not in ("HEADER", "BODY", "BUTTON", "CAROUSEL"):
            raise Refusal(
                100,
                f"Invalid template['components'][{index}]['type']: one of"
                " header, body, button is expected.",
            )


def _parameters(components: list, kind: str) -> list[dict]:
    return [
        parameter
        for component in components
        if _type(component) == kind
        for parameter in component.get("parameters") or []
    ]


def _check_header(header: dict | None, parameters: list, template: Template) -> None:
    kind = (header or {}).get("format", "TEXT").upper()
    if kind == "TEXT":
        text = (header or {}).get("text")
        _check_texts("header", text, parameters, template, by_name=False)
        return
    template_parts.check_header(kind, parameters)


def _check_texts(where, text, parameters, template, by_name=True) -> None:
    names = variables(text)
    if len(parameters) != len(names):
        raise Refusal(
            132000,
            f"{where}: number of localizable_params ({len(parameters)}) does not"
            f" match the expected number of params ({len(names)})",
        )
    for parameter in parameters:
        _check_text(where, parameter)
    given = [parameter.get("parameter_name") for parameter in parameters]
    named = template.parameter_format == "NAMED" and by_name
    if named and sorted(map(str, given)) != sorted(names):
        raise Refusal(132012, f"{where}: parameter names must be {sorted(names)}")
    if template.parameter_format != "NAMED" and any(given):
        raise Refusal(132012, f"{where}: the template takes positional parameters")


def _check_text(where: str, parameter) -> None:
    if not isinstance(parameter, dict) or not parameter.get("type"):
        raise Refusal(131008, f"{where}: a parameter has no type")
    if parameter["type"] in ("currency", "date_time"):
        return
    if parameter["type"] != "text":
        raise Refusal(
            132012,
            f"{where}: Format mismatch, expected TEXT, received {parameter['type']}",
        )
    check_value(where, parameter.get("text"))


def check_value(where: str, text) -> None:
    """One value of a variable: not empty, no tab, newline or long run of spaces."""
    if not isinstance(text, str) or not text:
        raise Refusal(131008, f"{where}: Parameter of type text is missing text value")
    if re.search(r"[\n\r\t]| {4,}", text):
        raise Refusal(
            132018,
            f"{where}: Param text cannot have new-line/tab characters or more than"
            " 4 consecutive spaces",
        )


def _check_length(text: str, parameters: list) -> None:
    values = sum(len(str(parameter.get("text", ""))) for parameter in parameters)
    if len(VARIABLE.sub("", text)) + values > LONGEST_BODY:
        raise Refusal(132005, f"body: longer than {LONGEST_BODY} characters")


def _check_buttons(buttons: list[dict], components: list) -> None:
    template_parts.check_buttons(
        buttons, components, lambda button: len(variables(button.get("url")))
    )
    for component in components:
        for parameter in component.get("parameters") or []:
            if _type(component) == "BUTTON" and parameter.get("type") == "text":
                check_value("buttons", parameter.get("text"))


def rendered(template: Template, sent: dict) -> str:
    """The body as the customer reads it."""
    text = next(c.get("text", "") for c in template.components if _type(c) == "BODY")
    values = {}
    for index, value in enumerate(_parameters(sent.get("components") or [], "BODY"), 1):
        values[str(value.get("parameter_name") or index)] = str(value.get("text", ""))
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
