# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What strangers write costs time that grows with its length, and no faster.

Each function of `tools` that reads a text stands in READERS, or in OURS with the
reason why no stranger's text comes there; a new one that stands in neither fails.
"""

import gc
import importlib
import inspect
import json
import math
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import crm_tools
import pytest
import tools
from crm_tools import conversation
from tools import (
    errors,
    files,
    identity,
    limits,
    markup,
    masking,
    message,
    plain_text,
    reading,
    referral,
    template_words,
    vcard,
    webhook,
    wishes,
)

LONG = 64 * 1024
MOST = 9  # times as long for four times as much; quadratic would be 16
FLOOR = 0.1  # seconds of this process: below it nothing is slow, and noise decides
TIMES = 4  # what seems to grow too fast is measured that often

# Each repeated to the length; one of a kind that once stopped a server, or may.
SHAPES = [
    *("*a *a ", '*a"', "_a _a ", "~a ~a ", "```a", "*_~a~_*", "*a* ", "_", "~", "*"),
    *("`", "a", "1", "1 ", "+1", "(", ")", "[", "{", "<", ">", "&", "&amp;", "<a "),
    *("<br>", "</p>", "<!--", '"', "'", "\\", "/", ";", ",", ":", ".", "@", "%s", "$"),
    *("http://a.b/c ", "http://", "https://a@", "wa.me/", "phone=", "www.a.b "),
    *("\n", "\r\n", "\n\n ", "a\n", " ", "\t", "\u00a0", "\u2028", "\x0b"),
    *("\u0301", "\u0316\u0301", "e\u0301", "\u202e", "\u200f", "\u200b", "\ufdfa"),
    *("😀", "👨\u200d👩\u200d👧", "\ufffd", "ß", "_1", "screen_1_", "00 1", "--", "|"),
    *(
        "item1.TEL:+1\n",
        "FN:a\n",
        "TEL",
        "item1",
        "MX.",
        "a.b",
        "a ",
        "1/2;",
        "sha256=",
    ),
    *("[1,", '{"a":', '"', "1e", "-", "0", "EA0", "\ud83d"),
]


def message_with(kind, content):
    return {"type": kind, "id": "w", "from": "34612345678", kind: content}


def delivery(text):
    """A delivery that holds the text wherever a stranger may put one."""
    contact = {
        "wa_id": text,
        "user_id": text,
        "profile": {"name": text, "username": text},
    }
    messages = [{**body, "id": text} for body in messages_of(text)]
    value = {"metadata": {"phone_number_id": text}, "contacts": [contact]}
    value.update(messages=messages, statuses=[{"id": text, "status": text}])
    change = {"field": "messages", "value": value}
    other = {"field": text, "value": {text: text}}
    return {"entry": [{"id": text, "changes": [change, other]}]}


def messages_of(text):
    """Messages of every type, with the text in every place of theirs."""
    card = {
        "name": {"formatted_name": text, "first_name": text},
        "org": {"company": text, "title": text},
        "phones": [{"phone": text, "wa_id": text}],
        "emails": [{"email": text}],
        "urls": [{"url": "http://" + text}],
        "addresses": [{"street": text, "city": text}],
        "birthday": text,
    }
    item = {"product_retailer_id": text, "item_price": text, "quantity": text}
    answers = {"title": text, "description": text, "id": text}
    return [
        message_with("text", {"body": text}),
        message_with("text", text),
        *(
            message_with(kind, {"id": "9", "caption": text, "filename": text})
            for kind in message.MEDIA_TYPES
        ),
        message_with("image", {"id": text, "url": text, "mime_type": text}),
        message_with("location", {"name": text, "latitude": text, "longitude": text}),
        message_with("contacts", [card]),
        message_with("contacts", [{"vcard": text, "origin": "contact_request"}]),
        message_with("button", {"text": text, "payload": text}),
        message_with("interactive", {"type": "list_reply", "list_reply": answers}),
        message_with("interactive", {"type": text, text: answers}),
        message_with("interactive", form(text)),
        message_with("interactive", form(json.dumps({text: text, "b": [text]}))),
        message_with("interactive", form(json.dumps({"a": {text: [{text: text}]}}))),
        message_with("interactive", form(json.dumps({"a": list(text[:9999])}))),
        message_with("order", {"text": text, "product_items": [item, item]}),
        message_with("reaction", {"emoji": text, "message_id": text}),
        message_with("system", {"body": text, "type": text, "wa_id": text}),
        message_with("edit", {"message": message_with("text", {"body": text})}),
        message_with("unsupported", {"type": text}),
        {"type": "poll", "poll": {text: text, "options": [{"name": text}] * 9}},
        {"type": text, "group_id": text},
        {"type": text, "errors": [{"title": text, "error_data": {"details": text}}]},
        {"type": "text", "context": {"id": text}, "referral": ad(text)},
        {
            "type": "text",
            "context": {"referred_product": {"product_retailer_id": text}},
        },
    ]


def form(text):
    return {"type": "nfm_reply", "nfm_reply": {"response_json": text, "body": text}}


def ad(text):
    names = ("source_id", "source_type", "headline", "body", "ctwa_clid")
    return {**dict.fromkeys(names, text), "source_url": "http://" + text}


def raw(text):
    return text.encode("utf-8", "surrogatepass")


def each_message(function):
    return lambda text: [function(body) for body in messages_of(text)]


def parse(text):
    """Any text is refused, or parsed."""
    try:
        webhook.parse(raw(text))
    except webhook.MalformedDelivery:
        pass


def verify(text):
    with pytest.raises(webhook.InvalidSignature):
        webhook.verify_signature(b"{}", text, "secret")


def atoms(text):
    """Split, and what is made of each atom: its keys, and what OCA is given.

    A quarter of the text is long enough, as a delivery holds it a hundred times.
    """
    for atom in webhook.split(delivery(text[: len(text) // 4])):
        if atom.kind == "message":
            webhook.message_and_value(atom, datetime(2026, 11, 22, tzinfo=UTC))
        atom.keys, atom.customer_speaks, webhook.InboundEvent.from_json(atom.to_json())


def person(text):
    someone = identity.Identity(phone="34612345678", name=text, username=text)
    identity.Identity.of_token(text)
    return someone.label, someone.keys, someone.tokens


def media(text):
    return message.Media("1", mime_type=text, filename=text).name


# (module, function) -> how it is called with a stranger's text
READERS = {
    (template_words, "agrees"): template_words.agrees,
    (template_words, "folded"): template_words.folded,
    (template_words, "readable"): lambda text: template_words.readable(
        text, "es", text
    ),
    (template_words, "first_name"): template_words.first_name,
    (template_words, "guess"): lambda text: template_words.guess(
        text + "{{1}}" + text, "1"
    ),
    (template_words, "around"): lambda text: template_words.around(
        text + "{{1}}" + text, "1"
    ),
    (conversation, "preview"): conversation.preview,
    (errors, "from_webhook"): lambda text: errors.from_webhook(
        [
            {
                "code": text,
                "title": text,
                "message": text,
                "error_data": {"details": text},
            }
        ]
    ),
    (errors, "classify"): lambda text: errors.classify(
        400, {"error": {"message": text, "code": text, "error_user_msg": text}}
    ),
    (files, "media_type"): lambda text: files.media_type(text, text, raw(text)),
    (files, "looks_like_markup"): lambda text: files.looks_like_markup(raw(text)),
    (files, "pixels"): lambda text: [
        files.pixels(head + raw(text)) for head in (b"", b"\xff\xd8", b"\xff\xd8\xff")
    ],
    (files, "is_whole"): lambda text: files.is_whole(raw(text), text),
    (identity, "is_bsuid"): identity.is_bsuid,
    (identity, "is_parent_bsuid"): identity.is_parent_bsuid,
    (identity, "normalize"): lambda text: identity.normalize(text, "MX"),
    (identity, "numbers"): lambda text: identity.numbers(text, "MX"),
    (identity, "from_wa_id"): identity.from_wa_id,
    (identity, "variants"): identity.variants,
    (identity, "display"): identity.display,
    (identity, "region"): identity.region,
    (identity, "contact_of"): lambda text: identity.contact_of(
        identity.Identity(text), [{"wa_id": text}, {"user_id": text}]
    ),
    (identity, "identity_change"): each_message(identity.identity_change),
    (identity, "Identity"): person,
    (limits, "cut"): lambda text: limits.cut(text, 100),
    (markup, "to_html"): markup.to_html,
    (masking, "without_secrets"): lambda text: masking.without_secrets(text, "EAAx"),
    (masking, "without_webhook_keys"): masking.without_webhook_keys,
    (masking, "values_without_secrets"): lambda text: masking.values_without_secrets(
        {"a": [text]}, "EAAx"
    ),
    (message, "base_type"): message.base_type,
    (message, "Media"): media,
    (message, "render"): each_message(message.render),
    (message, "shared_phone"): each_message(message.shared_phone),
    (message, "cards"): each_message(message.cards),
    (message, "media_of"): each_message(message.media_of),
    (message, "files_of"): each_message(message.files_of),
    (message, "original_of"): each_message(message.original_of),
    (message, "button"): each_message(message.button),
    (message, "said"): each_message(message.said),
    (message, "extension_of"): message.extension_of,
    (message, "reaction_of"): each_message(message.reaction_of),
    (plain_text, "from_html"): plain_text.from_html,
    (plain_text, "has_link"): plain_text.has_link,
    (reading, "text"): reading.text,
    (reading, "line"): lambda text: reading.line(text, 100),
    (reading, "name"): lambda text: reading.name(text, 100),
    (reading, "number"): reading.number,
    (referral, "Referral"): each_message(
        lambda body: referral.Referral.of_message(body).platform
    ),
    (webhook, "verify_signature"): verify,
    (webhook, "parse"): parse,
    (webhook, "split"): atoms,
    (webhook, "message_type"): each_message(webhook.message_type),
    (message, "read"): each_message(lambda body: message.read(body, {})),
    (webhook, "in_words"): lambda text: webhook.in_words({text: [text], "b": text}),
    (webhook, "moment"): webhook.moment,
    (webhook, "InboundEvent"): atoms,
    (webhook, "message_and_value"): atoms,
    (vcard, "read_vcard"): lambda text: [
        vcard.read_vcard(head + text)
        for head in ("", "FN:", "FN;QUOTED-PRINTABLE:", "ORG:", "ADR:", "FN;")
    ],
    (webhook, "speaks"): each_message(webhook.speaks),
    (webhook, "group_of"): lambda text: webhook.group_of({"group_id": text}),
    (webhook, "group_subject"): lambda text: webhook.group_subject(
        {"group": {"subject": text}}
    ),
    (webhook, "handover"): lambda text: webhook.handover(
        {
            "type": "control_" + text + "passed",
            "control_" + text + "passed": {"new_owner_role": text},
            "conversation_context": {"summary": {"text": text}},
        }
    ),
    (wishes, "wish"): lambda text: wishes.wish(text, "BAJA, STOP", "ALTA"),
}
# Module -> why no text of a stranger comes there, or which of its functions have none
OURS = {
    "terms": "marks our own words",
    "duty": "people and hours of ours",
    "rate": "numbers",
    "payloads": "what we send",
    "window": "times",
    "status": "words of Meta, looked up in a table",
    "retry": "numbers",
    "slots": "numbers",
    "parameters": "what administrators type",
    "template": "templates that the company writes, and Meta approves",
    "setup": "what administrators type, and Meta's answers to them",
    "probe": "what administrators type; of answers of a server it reads 1,000 bytes",
    "checks": "a table of ours",
    "transport": "bytes that are counted, and not read",
    "expression": "what an administrator wrote, one line",
    "template_made": "what an administrator wrote, at most as long as Meta takes",
    "cloud_api": "what we send; of what is answered see errors, of files see files",
}
NO_TEXT = {
    (template_words, "closest"),  # codes of languages
    (errors, "is_rate_refusal"),
    (conversation, "after_message"),
    (conversation, "next_morning"),
    (limits, "Limit"),
    (limits, "limit"),
    (reading, "mapping"),
    (reading, "items"),
    (reading, "mappings"),
    (webhook, "sign"),  # bytes of a bounded body
    (webhook, "InvalidSignature"),
    (webhook, "MalformedDelivery"),
    (webhook, "TooLarge"),
    (masking, "WithoutSecrets"),  # the lines of our own log
    (message, "Rendered"),
    (webhook, "Handover"),
    (errors, "CloudApiError"),
    (errors, "Known"),
    (errors, "NotYet"),
    (message, "InboundMessage"),
}


def public(module):
    """The functions and classes that a module defines for others."""
    return {
        name
        for name, item in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(item) or inspect.isclass(item))
        and item.__module__ == module.__name__
    }


def test_every_function_that_reads_a_text_is_measured():
    known = {*READERS, *NO_TEXT}
    for package in (tools, crm_tools):
        for path in Path(package.__file__).parent.glob("*.py"):
            if path.stem in ("__init__", *OURS):
                continue
            module = importlib.import_module(f"{package.__name__}.{path.stem}")
            missing = {name for name in public(module) if (module, name) not in known}
            assert not missing, f"{path.name}: say in READERS how {missing} are called"
    assert all(name in public(module) for module, name in known)


def seconds(call, text, times):
    """The best of so many runs.

    Without the collector, which goes through all that the other tests hold the more
    often, the more a call makes.
    """
    best = math.inf
    gc.disable()
    try:
        for _time in range(times):
            begin = time.process_time()
            call(text)
            best = min(best, time.process_time() - begin)
    finally:
        gc.enable()
    return best


def grows_too_fast(call, text, times=1):
    """Seconds for a quarter of the text and for all of it if those are too many."""
    long = seconds(call, text, times)
    if long < FLOOR:
        return None
    short = seconds(call, text[: len(text) // 4], times)
    return (short, long) if long > MOST * max(short, FLOOR / MOST) else None


CALLS = {call: f"{module.__name__}.{name}" for (module, name), call in READERS.items()}


@pytest.mark.parametrize("call", CALLS, ids=CALLS.values())
def test_time_grows_with_the_text_and_no_faster(call):
    slow = {}
    for shape in SHAPES:
        text = (shape * LONG)[:LONG]
        if grows_too_fast(call, text):  # or the processor was busy
            slow[shape] = grows_too_fast(call, text, TIMES)
    assert not any(slow.values()), slow


def test_a_quadratic_expression_would_be_found():
    marked = re.compile(r"(?<!\w)\*(\S(?:.*?\S)?)\*(?!\w)", re.DOTALL)
    assert grows_too_fast(marked.findall, ("*a *a " * LONG)[: LONG // 8], TIMES)


@pytest.mark.parametrize("name", limits.LIMITS)
def test_every_limit_has_a_reason_and_is_used(name):
    assert len(limits.LIMITS[name].reason) > 5
    addon = Path(tools.__file__).parents[1]
    folders = (addon / name for name in ("controllers", "models", "tools"))
    sources = (path.read_text() for one in folders for path in one.glob("*.py"))
    assert any(f'limit("{name}")' in source for source in sources)


@pytest.mark.parametrize("size", [limits.limit("text"), limits.limit("text") + 1])
def test_a_text_is_whole_or_says_that_it_is_not(size):
    rendered = message.render(message_with("text", {"body": "x" * size})).text
    if size <= limits.limit("text"):
        assert rendered == "x" * size
    else:
        assert rendered.startswith("x" * limits.limit("text") + "…\n")
        assert f"{size} characters" in rendered


@pytest.mark.parametrize("shape", ["x", "x ", "\n", "*a "])
def test_nothing_of_a_message_is_longer_than_people_read(shape):
    text = (shape * 2 * LONG)[: 2 * LONG]
    for body in messages_of(text):
        body = {**body, "contacts": body.get("contacts", [])}
        assert len(message.render(body).text) <= limits.limit("text") + 200
        assert len(json.dumps(message.cards(body))) < 200_000
        found = referral.Referral.of_message(body)
        assert all(
            len(value or "") <= limits.limit("url") for value in vars(found).values()
        )
    person = identity.Identity.of_message(
        {"from": "34612345678"}, [{"profile": {"name": text, "username": text}}]
    )
    assert len(person.label) <= limits.limit("name")
    for atom in webhook.split(delivery(text)):
        assert len(atom.type) <= limits.limit("kind") and len(atom.key) < 700
