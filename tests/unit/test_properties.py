# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whatever arrives: nothing raises, and valid neighbours survive."""

import json
from datetime import UTC, datetime

import whatsapp_payloads
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.errors import classify, from_webhook
from tools.identity import Identity, from_wa_id, normalize, variants
from tools.message import PHRASES, render
from tools.webhook import (
    InboundEvent,
    MalformedDelivery,
    message_and_value,
    parse,
    split,
)

settings.register_profile(
    "bounded", max_examples=60, deadline=None, derandomize=True, database=None
)
settings.load_profile("bounded")

# Words that lead deep into the code, besides any text.
WORDS = """entry changes field value messages statuses errors user_actions contacts
metadata phone_number_id id from to from_user_id user_id wa_id timestamp type text body
image video audio document sticker location latitude longitude contacts name
formatted_name phones phone emails org urls url addresses vcard button interactive
nfm_reply button_reply list_reply response_json order product_items item_price quantity
currency reaction emoji system edit message original_message_id revoke unsupported
context forwarded referred_product referral profile username recipient_id status
recipient_user_id code title details error_data message_echoes smb_message_echoes
caption filename mime_type voice call_permission_reply product origin""".split()
TEXT = st.one_of(
    st.sampled_from([*WORDS, "wamid.1", "5215512345678", "MX.1349", "1790000000"]),
    st.text(),
    st.text(st.characters(categories=["Cs", "Cc", "Nd"])),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.integers(10**40)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=6)
    ),
    max_leaves=30,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=8)
TYPES = sorted(w for w in WORDS if w in PHRASES) + ["contacts", "hologram"]


@st.composite
def messages(draw):
    """A message of a known type with any content."""
    kind = draw(st.sampled_from(TYPES))
    message = draw(OBJECTS)
    message.update({"type": kind, kind: draw(st.one_of(OBJECTS, JSON))})
    if kind == "interactive" and isinstance(message[kind], dict):
        inner = draw(st.sampled_from(["nfm_reply", "button_reply", "list_reply"]))
        message[kind].update({"type": inner, inner: draw(OBJECTS)})
    return message


def good_text():
    return whatsapp_payloads.load("text")["entry"][0]["changes"][0]["value"]


@given(st.binary())
def test_any_bytes_are_parsed_or_refused(raw):
    try:
        assert isinstance(parse(raw), dict)
    except MalformedDelivery:
        pass


@given(OBJECTS)
def test_any_object_becomes_storable(delivery):
    parsed = parse(json.dumps(delivery).encode())
    stored = json.dumps(parsed, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in json.dumps(parsed).replace("\\\\", "")
    assert json.loads(stored.encode()) == parsed


def check_atoms(atoms):
    for atom in atoms:
        assert (
            InboundEvent.from_json(json.loads(json.dumps(atom.to_json()))).key
            == atom.key
        )
        assert atom.key.isascii() and len(atom.key) < 700
        if atom.kind == "message":
            json.dumps(message_and_value(atom, datetime(2026, 11, 22, tzinfo=UTC)))
        if atom.kind in ("message", "echo"):
            assert atom.identity and render(atom.content).text.strip()


@given(OBJECTS)
def test_any_object_is_split(delivery):
    check_atoms(split(delivery))


@given(st.sampled_from(["messages", "smb_message_echoes", "calls"]), OBJECTS, JSON)
def test_any_value_of_a_field_is_split(field, value, entry_id):
    change = {"field": field, "value": value}
    check_atoms(split({"entry": [{"id": entry_id, "changes": [change]}]}))


@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4), JSON)
def test_good_message_survives_bad_neighbours(before, after, contacts):
    value = good_text()
    [good] = value["messages"]
    value["messages"] = [*before, good, *after]
    value["statuses"] = before
    value["contacts"] = contacts
    changes = [None, *after, {"field": "messages", "value": value}]
    delivery = {"entry": [*before, {"id": "1", "changes": changes}, *after]}
    parsed = parse(json.dumps(delivery).encode())
    found = [atom for atom in split(parsed) if atom.key == "message:" + good["id"]]
    assert [atom.content for atom in found] == [good]
    assert found[0].identity.keys[0] == "phone:+525512345678"


@given(st.lists(messages(), max_size=3))
def test_splitting_is_deterministic(found):
    delivery = {
        "entry": [{"changes": [{"field": "messages", "value": {"messages": found}}]}]
    }
    first = parse(json.dumps(delivery).encode())
    again = parse(json.dumps(first, sort_keys=True, indent=1).encode())
    assert [a.key for a in split(first)] == [a.key for a in split(again)]


@given(messages())
def test_any_message_has_a_text(message):
    rendered = render(message)
    assert rendered.text.strip()
    for file in rendered.files:
        name = file.name
        assert 0 < len(name) <= 150 and not set(name) & set('/\\\0\n<>:"|?*')


@given(JSON)
def test_anything_is_rendered(message):
    assert render(message).text.strip()


@given(OBJECTS, JSON)
def test_any_identity_is_usable(message, contacts):
    for identity in (
        Identity.of_message(message, contacts),
        Identity.of_echo(message, contacts),
        Identity.of_status(message, contacts),
    ):
        assert bool(identity) == bool(identity.keys)
        if identity:
            assert identity.label and len(identity.recipient()) == 1


@given(
    st.one_of(TEXT, JSON), st.sampled_from([None, "MX", "BR", "AR", "ES", "BJ", "?"])
)
def test_normalizing_is_stable(number, country):
    e164 = normalize(number, country)
    if e164 is not None:
        assert normalize(e164) == e164 == from_wa_id(e164) == variants(e164)[0]


@given(st.from_regex(r"(52|521|55|54|549|229|34|1)[0-9]{7,11}", fullmatch=True))
def test_variants_agree_on_one_person(digits):
    spellings = variants(digits)
    if spellings:
        assert spellings[0] == from_wa_id(digits) and "+" + digits in spellings
        assert all(set(variants(s)) == set(spellings) for s in spellings)


@given(st.integers(100, 599), st.one_of(JSON, st.binary()), JSON)
def test_any_answer_is_classified(status, body, code):
    assert classify(status, body).advice
    assert classify(status, {"error": {"code": code, "error_data": code}}).advice
    assert from_webhook(code).advice
