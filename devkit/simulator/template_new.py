# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Templates that are made or changed: what Meta takes, and with which code it refuses.

Meta's pages templates/components and templates/template-management of April and May
2026; the subcodes are those of support/error-codes. Which code a change over the limit
gets is on no page.
"""

import re
from urllib.parse import urlsplit

from .errors import Refusal
from .state import Template
from .template_parts import FILES, HEADER_TYPES, kind_of
from .templates import LONGEST_BODY, VARIABLE, variables

CATEGORIES = ("AUTHENTICATION", "MARKETING", "UTILITY")
LONGEST_LINE = 60
LONGEST_BUTTON = 25
DAY = 86400
MOST_OF_KIND = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "FLOW": 1, "CATALOG": 1}
KNOWN_BUTTONS = (*MOST_OF_KIND, "QUICK_REPLY", "OTP", "MPM", "SPM")


def check_new(values: dict, others: list[Template], handles: dict) -> None:
    """Raise Refusal if Meta would not take this new template."""
    name, language = values.get("name"), values.get("language")
    for key in ("name", "language", "category", "components"):
        if not values.get(key):
            raise Refusal(100, f"The parameter {key} is required.")
    if not re.fullmatch(r"[a-z0-9_]{1,512}", str(name)):
        raise Refusal(100, "name: only lowercase letters, digits and underscores.")
    if values["category"] not in CATEGORIES:
        raise Refusal(100, f"category must be one of {', '.join(CATEGORIES)}.")
    if any(t.name == name and t.language == language for t in others):
        raise Refusal(
            100,
            f"There is already {language} content for this template.",
            subcode=2388024,
        )
    check_components(values["components"], values.get("parameter_format"), handles)


def check_edit(template: Template, values: dict, now: float) -> None:
    """Raise Refusal if Meta would not let this template be changed so, or now."""
    unknown = set(values) - {"category", "components", "message_send_ttl_seconds"}
    if unknown:
        raise Refusal(100, f"These cannot be changed: {', '.join(sorted(unknown))}.")
    if template.status not in ("APPROVED", "REJECTED", "PAUSED"):
        raise Refusal(100, "Message template status can't be changed", subcode=2388039)
    if template.status != "APPROVED":
        return
    if values.get("category", template.category) != template.category:
        raise Refusal(100, "The category of an approved template cannot be changed.")
    month = [at for at in template.edited_at if at > now - 30 * DAY]
    if len(month) >= 10 or any(at > now - DAY for at in month):
        raise Refusal(
            100,
            "An approved template can be edited 10 times in 30 days, once in 24 hours.",
        )


def check_components(components, parameter_format: str | None, handles: dict) -> None:
    """Raise Refusal for parts that Meta would not take.

    :param handles: those of uploaded samples, with the type of each file
    """
    if not isinstance(components, list):
        raise Refusal(100, "components must be a list.")
    kinds = [kind_of(component) for component in components]
    unknown = set(kinds) - {"HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL"}
    if unknown or len(set(kinds)) != len(kinds):
        raise Refusal(100, "components: each of HEADER, BODY, FOOTER, BUTTONS once.")
    by_kind = dict(zip(kinds, components, strict=True))
    if not by_kind.get("BODY", {}).get("text"):
        raise Refusal(100, "components: exactly one BODY with text is required.")
    named = parameter_format == "NAMED"
    _check_body(by_kind["BODY"], named)
    if "HEADER" in by_kind:
        _check_header(by_kind["HEADER"], named, handles)
    footer = by_kind.get("FOOTER", {}).get("text", "")
    if len(footer) > LONGEST_LINE or VARIABLE.search(footer):
        raise Refusal(100, "Message footer format is incorrect", subcode=2388073)
    if "BUTTONS" in by_kind:
        _check_buttons(by_kind["BUTTONS"].get("buttons"))


def _check_body(body: dict, named: bool) -> None:
    text = body["text"]
    if len(text) > LONGEST_BODY:
        raise Refusal(100, f"BODY: at most {LONGEST_BODY}.", subcode=2388040)
    if text.strip().startswith("{{") or text.strip().endswith("}}"):
        raise Refusal(
            100,
            "Variables can't be at the start or end of the template.",
            subcode=2388299,
        )
    names = variables(text)
    words = len(re.findall(r"\w+", VARIABLE.sub(" ", text)))
    if names and words <= 2 * len(names):
        raise Refusal(
            100,
            "This template has too many variables for its length.",
            subcode=2388293,
        )
    _check_example(body, "body", names, named)


def _check_header(header: dict, named: bool, handles: dict) -> None:
    kind = str(header.get("format", "")).upper()
    example = header.get("example") or {}
    if kind in FILES:
        given = example.get("header_handle")
        types = [handles.get(handle) for handle in given or []]
        if len(types) != 1 or types[0] not in HEADER_TYPES[kind.lower()]:
            raise Refusal(
                100, "HEADER: one header_handle of its format.", subcode=2388043
            )
    elif kind == "TEXT":
        text = header.get("text") or ""
        names = variables(text)
        marks = re.search(r"[*~`\n]", text)
        if not text or len(text) > LONGEST_LINE or len(names) > 1 or marks:
            raise Refusal(100, "Message header format is incorrect", subcode=2388047)
        _check_example(header, "header", names, named)
    elif kind != "LOCATION":
        raise Refusal(100, f"HEADER: unknown format {kind}.", subcode=2388047)


def _check_example(component: dict, part: str, names: list, named: bool) -> None:
    """Variables need one sample each, in the form of their kind."""
    if not names:
        return
    example = component.get("example")
    if not isinstance(example, dict) or not example:
        raise Refusal(100, f"{part}: variables need an example.", subcode=2388043)
    if named:
        given = example.get(f"{part}_text_named_params") or []
        pairs = {each.get("param_name"): each.get("example") for each in given}
        right = sorted(pairs) == sorted(names) and all(pairs.values())
        if not right or not all(re.fullmatch(r"[a-z][a-z0-9_]*", n) for n in names):
            raise Refusal(100, f"{part}: one named example each.", subcode=2388043)
        return
    if sorted(names, key=str) != sorted(map(str, range(1, len(names) + 1)), key=str):
        raise Refusal(
            100, f"{part}: variables must be {{{{1}}}}, {{{{2}}}}, ...", subcode=2388072
        )
    given = example.get(f"{part}_text") or []
    if part == "body":
        given = given[0] if len(given) == 1 and isinstance(given[0], list) else []
    if len(given) != len(names) or not all(isinstance(x, str) and x for x in given):
        raise Refusal(100, f"{part}: one example each.", subcode=2388043)


def _check_buttons(buttons) -> None:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 10:
        raise Refusal(100, "BUTTONS: from one to ten buttons.")
    kinds = [kind_of(button) for button in buttons]
    for kind, most in MOST_OF_KIND.items():
        if kinds.count(kind) > most:
            raise Refusal(100, f"BUTTONS: at most {most} of type {kind}.")
    replies = [kind == "QUICK_REPLY" for kind in kinds]
    changes = sum(a != b for a, b in zip(replies, replies[1:], strict=False))
    if changes > 1:
        raise Refusal(100, "BUTTONS: quick replies must be grouped together.")
    for button, kind in zip(buttons, kinds, strict=True):
        _check_button(button, kind)


def _check_button(button: dict, kind: str) -> None:
    if kind not in KNOWN_BUTTONS:
        raise Refusal(100, f"BUTTONS: unknown type {kind}.")
    text = button.get("text")
    if kind == "COPY_CODE":
        if not re.fullmatch(r"[A-Za-z0-9]{1,15}", _first(button.get("example"))):
            raise Refusal(100, "COPY_CODE: an example of at most 15 characters.")
    elif not isinstance(text, str) or not 1 <= len(text) <= LONGEST_BUTTON:
        raise Refusal(100, f"BUTTONS: a text of at most {LONGEST_BUTTON} characters.")
    if kind == "URL":
        _check_link(button)
    elif kind == "PHONE_NUMBER":
        if not re.fullmatch(r"\+?[0-9 ]{1,20}", str(button.get("phone_number", ""))):
            raise Refusal(100, "PHONE_NUMBER: a phone_number is required.")
    elif kind == "FLOW" and not str(button.get("flow_id", "")).isdecimal():
        raise Refusal(100, "FLOW: a flow_id is required.")


def _check_link(button: dict) -> None:
    url = str(button.get("url", ""))
    if urlsplit(url).scheme not in ("http", "https") or len(url) > 2000:
        raise Refusal(100, "URL: the url is invalid.")
    if not variables(url):
        return
    if not url.endswith("{{1}}") or len(VARIABLE.findall(url)) > 1:
        raise Refusal(100, "URL: one variable at the end of the url.")
    example = _first(button.get("example"))
    if not example.startswith(url.removesuffix("{{1}}")):
        raise Refusal(100, "URL: an example of the whole url is required.")


def _first(example) -> str:
    example = example[0] if isinstance(example, list) and example else example
    return example if isinstance(example, str) else ""
