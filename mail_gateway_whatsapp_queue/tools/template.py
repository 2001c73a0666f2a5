# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Message templates: their variables, what a customer will see, what is sent.

Meta's page messages/template-messages, copy of 2026-09-11: variables are numbered
({{1}}) or named ({{first_name}}), in the header, the body, and the end of a link.
"""

import re
from dataclasses import dataclass

from .payloads import body_component, template_text

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
HEADER, BODY, BUTTON = "header", "body", "button"
# Of all kinds of buttons these need no value but the end of a link
BUTTONS = ("URL", "PHONE_NUMBER", "QUICK_REPLY")


@dataclass(frozen=True)
class Variable:
    """One place of a template that is filled for each customer.

    `part` is HEADER, BODY or BUTTON; `name` the number or name; `index` the place of
    the button among all of them.
    """

    part: str
    name: str
    index: int = 0


def variables(header, body, urls=()):
    """Every variable of a template, each once, in the order of reading.

    :param urls: the link of each button, or None for those that have none

    >>> variables("Hi {{1}}", "{{1}} and {{ 2 }}, {{1}}", [None, "https://x.es/{{1}}"])
    [Variable(part='header', name='1', index=0), Variable(part='body', name='1', \
index=0), Variable(part='body', name='2', index=0), Variable(part='button', name='1', \
index=1)]
    """
    found = [Variable(HEADER, name) for name in VARIABLE.findall(header or "")]
    found += [Variable(BODY, name) for name in VARIABLE.findall(body or "")]
    for index, url in enumerate(urls):
        found += [Variable(BUTTON, name, index) for name in VARIABLE.findall(url or "")]
    return list(dict.fromkeys(found))


def fill(text, values):
    """The text with its variables filled; what has no value stays as it is.

    >>> fill("Hi {{1}}, {{2}}", {"1": "Ana"})
    'Hi Ana, {{2}}'
    """
    return VARIABLE.sub(
        lambda match: values.get(match.group(1)) or match.group(), text or ""
    )


def components(values):
    """What is sent with a template.

    :param dict values: :class:`Variable` -> str
    :raise NotSendable: a value is empty; the error names the variable

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
    for part in (HEADER, BODY):
        own = {v.name: value for v, value in values.items() if v.part == part}
        if own and all(name.isdecimal() for name in own):
            for name, value in own.items():
                template_text(value, name)  # names the number that is empty
            ordered = [own[name] for name in sorted(own, key=int)]
            sent.append(body_component(ordered, part))
        elif own:
            sent.append(body_component(own, part))
    for variable, value in values.items():
        if variable.part == BUTTON:
            text = template_text(value, variable.name)
            sent.append(
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": str(variable.index),
                    "parameters": [{"type": "text", "text": text}],
                }
            )
    return sent


def unsupported(template):
    """Why we cannot send a template that Meta described, or None.

    :param dict template: one of ``CloudApi.templates``
    :return: 'header', 'button' or 'component'

    >>> unsupported({"components": [{"type": "HEADER", "format": "IMAGE"}]})
    'header'
    >>> unsupported({"components": [{"type": "BODY", "text": "Hi"}]}) is None
    True
    """
    parts = template.get("components")
    for part in parts if isinstance(parts, list) else []:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "HEADER" and part.get("format") != "TEXT":
            return "header"
        if kind == "BUTTONS":
            buttons = part.get("buttons")
            for button in buttons if isinstance(buttons, list) else []:
                known = isinstance(button, dict) and button.get("type") in BUTTONS
                if not known:
                    return "button"
        elif kind not in ("HEADER", "BODY", "FOOTER"):
            return "component"
    return None
