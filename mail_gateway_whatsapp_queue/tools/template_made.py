# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Templates that are made here: what Meta is given, and what it would refuse.

Meta's pages templates/components, templates/template-management and
templates/template-guidelines, copies of April to August 2026. That the words of a body
have to be more than twice its variables is what others report of the real service.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from . import payloads, reading
from .template import BODY, FILES, HEADER, VARIABLE, Variable, variables
from .terms import _

NAME = re.compile(r"[a-z0-9_]+")
VARIABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
NO_SAMPLE = ("", "Sample Value")  # OCA's default says nothing to who reviews it
LONGEST_NAME = 512
LONGEST_BODY = 1024
LONGEST_LINE = 60  # of a header or a footer
LONGEST_BUTTON = 25
LONGEST_PHONE = 20
LONGEST_LINK = 2000
MOST_BUTTONS = 10
MOST_OF_KIND = {"url": 2, "phone_number": 1, "copy_code": 1, "flow": 1, "catalog": 1}
FIXED_TEXT = ("copy_code", "catalog")  # Meta writes what stands on them
# What the resumable upload takes
SAMPLE_TYPES = ("application/pdf", "image/jpeg", "image/png", "video/mp4")
# Meta's states in which a template may be changed
CHANGEABLE = ("approved", "rejected", "paused")
MARKS = re.compile(r"[*~`\n]|(?<!\w)_|_(?!\w)")
FOLLOWS = re.compile(r"\}\}\s*\{\{")
WORD = re.compile(r"\w+")

# Where the problem is typed
NAME_PART, FOOTER, BUTTONS = "name", "footer", "buttons"
PARTS = (NAME_PART, HEADER, BODY, FOOTER, BUTTONS)
# Sources for translation. There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
PROBLEMS = {
    "name": _(
        "Meta knows the template as “%(name)s”: this may have small letters without"
        " accents, digits and underscores only. Please choose another name."
    ),
    "long": _("This has %(size)s characters; Meta takes %(limit)s at most."),
    "authentication": _(
        "Templates of the category Authentication are made in the WhatsApp Manager."
    ),
    "empty": _("Please write the text."),
    "marks": _("This line has no line break and none of the signs * _ ~ `."),
    "fixed": _("This text cannot have variables."),
    "one": _("The header can have one variable only."),
    "edge": _("A variable cannot stand at the beginning or at the end of the text."),
    "follow": _("Between two variables there must be a word."),
    "few_words": _(
        "The text is too short for its %(count)s variables: please write at least"
        " %(words)s words besides them."
    ),
    "mixed": _("Variables have either numbers or names, not both."),
    "numbers": _("The variables must be {{1}}, {{2}} and so on, without a gap."),
    "variable": _(
        "The variable %(name)s must have small letters, digits and underscores only,"
        " and begin with a letter."
    ),
    "sample": _("Please enter a sample for %(name)s: who reviews it at Meta reads it."),
    "sample_file": _(
        "Please choose a sample file for the header: who reviews it at Meta sees it."
    ),
    "sample_type": _("The sample of the header must be one of: PDF, JPEG, PNG, MP4."),
    "many": _("A template has %(limit)s buttons at most."),
    "many_of_kind": _("Of the kind “%(kind)s” there can be %(limit)s at most."),
    "order": _(
        "Buttons with a quick reply must stand together, all before the others or all"
        " after them."
    ),
    "no_text": _("Please write what stands on each button."),
    "button_long": _(
        "The text of the button “%(button)s” has %(size)s characters; Meta takes"
        " %(limit)s at most."
    ),
    "button_text": _("The text of the button “%(button)s” cannot have variables."),
    "link": _("The link of the button “%(button)s” must begin with https://"),
    "link_long": _("The link of the button “%(button)s” is too long."),
    "link_end": _(
        "In the link of the button “%(button)s” one variable can stand, at the end."
    ),
    "link_sample": _(
        "Please enter for the button “%(button)s” a sample of the end of its link."
    ),
    "phone": _(
        "Please enter the number of the button “%(button)s” with its country code."
    ),
    "form": _("Please enter the ID of the form that the button “%(button)s” opens."),
    "code": _(
        "Please enter a code that the button copies: letters and digits, at most"
        " %(limit)s."
    ),
}
# What Meta names as the reason of a refusal, and what one can do
REASONS = {
    "ABUSIVE_CONTENT": _(
        "Meta holds the content to be abusive or against its policies. Take out what"
        " threatens, is for adults or asks for card or identity numbers, and submit it"
        " again."
    ),
    "CATEGORY_NOT_AVAILABLE": _(
        "Meta does not offer this category to your account. Choose another category and"
        " submit it again."
    ),
    "INCORRECT_CATEGORY": _(
        "The text does not belong to its category: what sells or invites is marketing."
        " Change the category to Marketing, or take that part out, and submit it again."
    ),
    "INVALID_FORMAT": _(
        "The form is wrong: mostly a variable that stands badly, a sample that does not"
        " fit, a broken link or faulty spelling. Correct it and submit it again."
    ),
    "PROMOTIONAL": _(
        "The text advertises, and its category does not allow this. Change the category"
        " to Marketing, or write only about what the customer asked for."
    ),
    "SCAM": _(
        "Meta takes it for a fraud. Name your company, use a link to its own site, ask"
        " for no payment or personal data, and submit it again."
    ),
    "TAG_CONTENT_MISMATCH": _(
        "Language or category are not those of the text. Choose the language in which"
        " it is written and the category that fits, and submit it again."
    ),
}
OTHER_REASON = _(
    "Meta names this reason: %(reason)s. Look at the template in the WhatsApp Manager,"
    " correct it and submit it again."
)
# What a state means, and what one can do
STATES = {
    "draft": _("It is only here so far. Press “Submit to Meta” when it is ready."),
    "pending": _(
        "Meta reviews it. This takes minutes mostly, 24 hours at most; the result comes"
        " by itself."
    ),
    "in_appeal": _("Meta reviews it once more because you asked for it."),
    "rejected": _(
        "Meta did not approve it. Press “Modify”, correct it and submit it again."
    ),
    "paused": _(
        "Meta stopped it because customers blocked or reported it: for 3 hours the"
        " first time, for 6 the second time, for ever the third time. It comes back by"
        " itself; send it to fewer people, or change its text."
    ),
    "disabled": _(
        "Meta stopped it for ever. Make another one with another text, and send it only"
        " to who expects it."
    ),
    "limit_exceeded": _(
        "Your account has as many templates as Meta allows. Delete what you do not use."
    ),
    "archived": _(
        "Nobody used it for a year. Meta deletes it after 28 days, unless you take it"
        " out of the archive in the WhatsApp Manager."
    ),
    "pending_deletion": _(
        "It is being deleted: Meta waits until the last messages with it arrived."
    ),
    "deleted": _(
        "It no longer exists at Meta. Its name is free again after 30 days; “Modify”"
        " makes a new draft of it."
    ),
}
CHANGED = _(
    "It is being changed here, Meta still has the one of before. “Submit to Meta” gives"
    " it the new one, “Read again from Meta” brings back the one of before."
)
# pylint: enable=prefer-env-translation


@dataclass(frozen=True)
class Button:
    """One button; `kind` as in ``tools.template.BUTTONS``.

    `link` has a {{1}} at its end if it differs from customer to customer; `sample` is
    what stands there in the sample, or the code that is copied; `screen` is the first
    one of a form.
    """

    kind: str
    text: str
    link: str = ""
    sample: str = ""
    phone: str = ""
    form: str = ""
    screen: str = ""


@dataclass(frozen=True)
class Template:
    """A template as a person wrote it.

    `header` is a text, or `header_kind` one of ``tools.template.HEADERS``; `samples`
    are those of the variables in header and body; `sample_type` is the type of the
    sample file, None if there is none.
    """

    name: str
    category: str
    body: str
    header: str = ""
    header_kind: str | None = None
    footer: str = ""
    buttons: tuple = ()
    samples: dict = field(default_factory=dict)
    sample_type: str | None = None


@dataclass(frozen=True)
class Problem:
    """What Meta would refuse: `source % values`, and in which of PARTS it is typed."""

    part: str
    reason: str
    values: dict = field(default_factory=dict)

    @property
    def source(self):
        return PROBLEMS[self.reason]

    def __str__(self):
        return self.source % self.values


# -- what Meta is given ---------------------------------------------------------


def is_named(template):
    """Whether its variables have names.

    >>> is_named(Template("a", "utility", "Hi {{name}}!"))
    True
    """
    found = variables(template.header, template.body)
    return any(not variable.name.isdecimal() for variable in found)


def components(template, handle=None):
    """The parts of a template as Meta takes them when it is made or changed.

    :param str handle: of the sample file that was uploaded for the header

    >>> hi = Variable("body", "1")
    >>> components(Template("a", "utility", "Hi {{1}}, hello", samples={hi: "Ana"}))
    [{'type': 'BODY', 'text': 'Hi {{1}}, hello', 'example': {'body_text': [['Ana']]}}]
    """
    parts = []
    if template.header_kind:
        part = {"type": "HEADER", "format": template.header_kind.upper()}
        if handle:
            part["example"] = {"header_handle": [handle]}
        parts.append(part)
    elif template.header:
        example = _example(template, HEADER, template.header)
        text = {"type": "HEADER", "format": "TEXT", "text": template.header}
        parts.append(text | example)
    body = {"type": "BODY", "text": _lines(template.body)}
    parts.append(body | _example(template, BODY, template.body))
    if template.footer:
        parts.append({"type": "FOOTER", "text": template.footer})
    if template.buttons:
        buttons = [_button(button) for button in template.buttons]
        parts.append({"type": "BUTTONS", "buttons": buttons})
    return parts


def _lines(text):
    return (text or "").replace("\r\n", "\n").strip()


def _example(template, part, text):
    """The samples of one text, in the form that its variables need."""
    names = list(dict.fromkeys(VARIABLE.findall(text or "")))
    if not names:
        return {}
    if is_named(template):
        given = [
            {
                "param_name": name,
                "example": template.samples.get(Variable(part, name), ""),
            }
            for name in names
        ]
        return {"example": {f"{part}_text_named_params": given}}
    names.sort(key=int)
    given = [template.samples.get(Variable(part, name), "") for name in names]
    return {"example": {f"{part}_text": [given] if part == BODY else given}}


def _button(button):
    """A button as Meta takes it.

    >>> _button(Button("url", "Pay", "https://x.es/{{1}}", sample="S1"))
    {'type': 'URL', 'text': 'Pay', 'url': 'https://x.es/{{1}}', 'example': \
['https://x.es/S1']}
    >>> _button(Button("copy_code", "Copy code", sample="25OFF"))
    {'type': 'COPY_CODE', 'example': '25OFF'}
    """
    made = {"type": button.kind.upper()}
    if button.kind == "copy_code":
        return {**made, "example": button.sample}
    made["text"] = button.text
    if button.kind == "url":
        made["url"] = button.link
        if VARIABLE.search(button.link):
            made["example"] = [VARIABLE.sub(lambda _found: button.sample, button.link)]
    elif button.kind == "phone_number":
        made["phone_number"] = button.phone
    elif button.kind == "flow":
        made["flow_id"] = button.form
        made["flow_action"] = "navigate"
        if button.screen:
            made["navigate_screen"] = button.screen
    return made


# -- what Meta would refuse -----------------------------------------------------


def problems(template):
    """What Meta would refuse, in the order in which it is typed.

    >>> [str(each) for each in problems(Template("a", "utility", "{{1}} hello"))]
    ['A variable cannot stand at the beginning or at the end of the text.', \
'The text is too short for its 1 variables: please write at least 3 words besides \
them.', 'Please enter a sample for {{1}}: who reviews it at Meta reads it.']
    """
    return [
        *_name_problems(template),
        *_header_problems(template),
        *_body_problems(template),
        *_footer_problems(template),
        *_button_problems(template.buttons),
    ]


def _name_problems(template):
    name = template.name or ""
    if not NAME.fullmatch(name):
        yield Problem(NAME_PART, "name", {"name": name})
    yield from _too_long(NAME_PART, name, LONGEST_NAME)
    if template.category == "authentication":
        yield Problem(NAME_PART, "authentication")


def _header_problems(template):
    if template.header_kind in FILES:
        if not template.sample_type:
            yield Problem(HEADER, "sample_file")
        elif template.sample_type not in SAMPLE_TYPES:
            yield Problem(HEADER, "sample_type")
    elif not template.header_kind and template.header:
        text = template.header
        yield from _too_long(HEADER, text, LONGEST_LINE)
        if MARKS.search(VARIABLE.sub("x", text)):
            yield Problem(HEADER, "marks")
        if len(VARIABLE.findall(text)) > 1:
            yield Problem(HEADER, "one")
        yield from _variable_problems(template, HEADER, text)


def _body_problems(template):
    text = _lines(template.body)
    if not text:
        yield Problem(BODY, "empty")
        return
    yield from _too_long(BODY, text, LONGEST_BODY)
    if text.startswith("{{") or text.endswith("}}"):
        yield Problem(BODY, "edge")
    if FOLLOWS.search(text):
        yield Problem(BODY, "follow")
    count = len(set(VARIABLE.findall(text)))
    words, needed = len(WORD.findall(VARIABLE.sub(" ", text))), 2 * count + 1
    if count and words < needed:
        yield Problem(BODY, "few_words", {"count": count, "words": needed})
    found = variables(template.header, text)
    if len({variable.name.isdecimal() for variable in found}) > 1:
        yield Problem(BODY, "mixed")
    yield from _variable_problems(template, BODY, text)


def _variable_problems(template, part, text):
    names = list(dict.fromkeys(VARIABLE.findall(text)))
    numbers = sorted(int(name) for name in names if name.isdecimal())
    if numbers and numbers != list(range(1, len(numbers) + 1)):
        yield Problem(part, "numbers")
    for name in names:
        shown = f"{{{{{name}}}}}"
        if not name.isdecimal() and not VARIABLE_NAME.fullmatch(name):
            yield Problem(part, "variable", {"name": shown})
        sample = template.samples.get(Variable(part, name)) or ""
        if sample.strip() in NO_SAMPLE:
            yield Problem(part, "sample", {"name": shown})


def _footer_problems(template):
    text = template.footer or ""
    yield from _too_long(FOOTER, text, LONGEST_LINE)
    if "{{" in text:
        yield Problem(FOOTER, "fixed")
    elif MARKS.search(text):
        yield Problem(FOOTER, "marks")


def _too_long(part, text, limit):
    if len(text) > limit:
        yield Problem(part, "long", {"size": len(text), "limit": limit})


def _button_problems(buttons):
    kinds = [button.kind for button in buttons]
    if len(kinds) > MOST_BUTTONS:
        yield Problem(BUTTONS, "many", {"limit": MOST_BUTTONS})
    for kind, limit in MOST_OF_KIND.items():
        if kinds.count(kind) > limit:
            yield Problem(BUTTONS, "many_of_kind", {"kind": kind, "limit": limit})
    changes = sum(
        (one == "quick_reply") != (other == "quick_reply")
        for one, other in zip(kinds, kinds[1:], strict=False)
    )
    if changes > 1:
        yield Problem(BUTTONS, "order")
    for button in buttons:
        for reason, values in _faults(button):
            values = {"button": button.text, **values}
            yield Problem(BUTTONS, reason, values)


def _faults(button):
    text = button.text or ""
    if button.kind not in FIXED_TEXT:
        if not text.strip():
            yield "no_text", {}
        elif len(text) > LONGEST_BUTTON:
            yield "button_long", {"size": len(text), "limit": LONGEST_BUTTON}
        if "{{" in text:
            yield "button_text", {}
    if button.kind == "url":
        yield from _link_faults(button)
    elif button.kind == "phone_number":
        digits = re.sub(r"\D", "", button.phone or "")
        if not digits or len(button.phone) > LONGEST_PHONE:
            yield "phone", {}
    elif button.kind == "flow" and not re.fullmatch(r"\d+", button.form or ""):
        yield "form", {}
    elif button.kind == "copy_code":
        try:
            payloads.copy_code_button(0, button.sample)
        except payloads.NotSendable:
            yield "code", {"limit": payloads.LONGEST_CODE}


def _link_faults(button):
    link = button.link or ""
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        yield "link", {}
    if len(link) > LONGEST_LINK:
        yield "link_long", {}
    found = VARIABLE.findall(link)
    if found:
        if found != ["1"] or not re.search(r"\{\{\s*1\s*\}\}\Z", link):
            yield "link_end", {}
        if (button.sample or "").strip() in NO_SAMPLE:
            yield "link_sample", {}


# -- what Meta has --------------------------------------------------------------


def samples(described):
    """The samples of header and body of a template that Meta describes.

    :param dict described: one of ``CloudApi.templates``
    :return: dict ``tools.template.Variable`` -> str

    >>> body = {"type": "BODY", "example": {"body_text": [["Ana", "S1"]]}}
    >>> samples({"components": [body]})[Variable("body", "2")]
    'S1'
    """
    found = {}
    for part in reading.mappings(described.get("components")):
        kind = str(part.get("type")).lower()
        example = part.get("example")
        if kind not in (HEADER, BODY) or not isinstance(example, dict):
            continue
        for named in reading.mappings(example.get(f"{kind}_text_named_params")):
            name, text = named.get("param_name"), named.get("example")
            if isinstance(name, str) and isinstance(text, str):
                found[Variable(kind, name)] = text
        texts = example.get(f"{kind}_text")
        if isinstance(texts, list) and texts and isinstance(texts[0], list):
            texts = texts[0]
        for number, text in enumerate(texts if isinstance(texts, list) else [], 1):
            if isinstance(text, str):
                found[Variable(kind, str(number))] = text
    return found
