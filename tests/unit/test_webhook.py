# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import copy
import json
import re
from datetime import datetime

import pytest
import whatsapp_payloads
from tools.identity import Identity
from tools.webhook import (
    KINDS,
    MAX_BYTES,
    UTC,
    InboundEvent,
    InvalidSignature,
    MalformedDelivery,
    TooLarge,
    handover,
    message_and_value,
    parse,
    sign,
    split,
    verify_signature,
)

ARRIVAL = datetime.fromisoformat("2026-11-22T10:00:00+00:00")

SECRET = "test_app_secret"
BODY = b'{"object":"whatsapp_business_account","entry":[]}'
VECTOR = "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'
SPACED_VECTOR = "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"


def test_signature_matches_the_known_vectors():
    verify_signature(BODY, VECTOR, SECRET)
    verify_signature(SPACED, "sha256=" + SPACED_VECTOR, SECRET)
    assert sign(BODY, SECRET) == VECTOR


@pytest.mark.parametrize(
    ("raw", "header", "secret", "reason"),
    [
        (BODY, VECTOR, None, "No app secret"),
        (BODY, VECTOR, "", "No app secret"),
        (BODY, None, SECRET, "missing"),
        (BODY, "", SECRET, "missing"),
        (BODY, VECTOR.removeprefix("sha256="), SECRET, "not sha256="),
        (BODY, VECTOR.replace("sha256", "sha1"), SECRET, "not sha256="),
        (BODY, VECTOR[:-1], SECRET, "not sha256="),
        (BODY, "sha256=" + "é" * 64, SECRET, "not sha256="),
        (BODY, VECTOR, "other", "does not match"),
        (SPACED, VECTOR, SECRET, "does not match"),
        (b"", VECTOR, SECRET, "does not match"),
        (BODY, "sha256=" + "0" * 64, SECRET, "does not match"),
    ],
)
def test_forged_delivery_is_refused_with_its_reason(raw, header, secret, reason):
    with pytest.raises(InvalidSignature, match=reason):
        verify_signature(raw, header, secret)


def test_empty_secret_does_not_accept_what_an_empty_secret_signed():
    with pytest.raises(InvalidSignature):
        verify_signature(BODY, sign(BODY, ""), "")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe{}",
        b'{"a":1' + b"0" * 5000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
    ],
)
def test_malformed_body_is_refused(raw):
    with pytest.raises(MalformedDelivery):
        parse(raw)


def test_size_limit():
    fits = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert len(fits) == MAX_BYTES and parse(fits)
    with pytest.raises(TooLarge):
        parse(fits + b" ")


@pytest.mark.parametrize(
    ("raw", "delivery"),
    [
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b'{"a":NaN,"b":-Infinity,"c":1e999,"d":1.5}', {"a": None, "b": None}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"a\\u0000":"\\u0000b\\u0000"}', {"a": "b"}),
        (b'{"a":"\\ud83d"}', {"a": "\ufffd"}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a":["\\udc00x",{"\\ud800":null}]}', {"a": ["\ufffdx", {"\ufffd": None}]}),
    ],
)
def test_odd_but_valid_json_becomes_storable(raw, delivery):
    parsed = parse(raw)
    assert {key: parsed[key] for key in delivery} == delivery
    stored = json.dumps(parsed, ensure_ascii=False, allow_nan=False)
    assert "\0" not in stored and stored.encode()


def atoms_of(delivery):
    return split(parse(json.dumps(delivery).encode()))


# payload -> (kind, type) of each atom
KIND_AND_TYPE = {
    "text": [("message", "text")],
    "text_from_ad": [("message", "text")],
    "media_failed": [("message", "video")],
    "contacts": [("message", "contacts")],
    "interactive_without_content": [("message", "interactive")],
    "order": [("message", "order")],
    "reaction": [("message", "reaction")],
    "system_new_number": [("message", "system")],
    "system_new_user_id": [("message", "system")],
    "edit": [("message", "edit")],
    "revoke": [("message", "revoke")],
    "unsupported": [("message", "unsupported")],
    "unknown_type": [("message", "hologram")],
    "status_sent": [("status", "sent")],
    "status_failed": [("status", "failed")],
    "status_failed_without_details": [("status", "failed")],
    "echo_text": [("echo", "text")],
    "echo_image": [("echo", "image")],
    "echo_edit": [("echo", "edit")],
    "standby_text": [("message", "text")],
    "standby_echo": [("echo", "text")],
    "standby_status": [("status", "delivered")],
    "handover": [("change", "messaging_handovers")],
    "group_text": [("message", "text")],
    "interactive_form_files": [("message", "interactive")],
    "errors_alone": [("change", "errors")],
    "user_action": [("change", "user_actions")],
    "history": [("change", "history")],
    "user_preferences": [("change", "user_preferences")],
    "template_status": [("change", "message_template_status_update")],
    "template_category": [("change", "template_category_update")],
    "account_update": [("change", "account_update")],
    "number_quality": [("change", "phone_number_quality_update")],
    "batch": [
        ("message", "text"),
        ("message", "text"),
        ("message", "image"),
        ("status", "delivered"),
        ("status", "read"),
    ],
    "batch_with_nonsense": [
        ("unknown", "unknown"),
        ("message", "text"),
        ("unknown", "unknown"),
        ("unknown", "unknown"),
        ("unknown", "unknown"),
        ("unknown", "unknown"),
        ("status", "delivered"),
    ],
}


@pytest.mark.parametrize("hidden", [False, True], ids=["phones", "hidden"])
@pytest.mark.parametrize("name", sorted(KIND_AND_TYPE))
def test_delivery_is_split_into_its_atoms(payload, name, hidden):
    atoms = atoms_of(payload(name, hidden))
    assert [(atom.kind, atom.type) for atom in atoms] == KIND_AND_TYPE[name]


@pytest.mark.parametrize("hidden", [False, True], ids=["phones", "hidden"])
@pytest.mark.parametrize("name", whatsapp_payloads.names())
def test_atom_is_a_complete_delivery_of_itself(payload, name, hidden):
    for atom in atoms_of(payload(name, hidden)):
        if atom.kind == "unknown":
            continue
        assert split(atom.update()) == [atom]
        assert InboundEvent.from_json(json.loads(json.dumps(atom.to_json()))) == atom
        if atom.field in ("messages", "standby", "smb_message_echoes", "history"):
            assert atom.phone_number_id == "106540352242922"
        assert atom.account_id == "102290129340398"
        if atom.kind != "change":
            assert atom.identity and atom.timestamp.tzinfo
            assert bool(atom.identity.phone) is not hidden


def test_keys_name_what_meta_repeats(payload):
    keys = [atom.key for atom in atoms_of(payload("batch"))]
    assert keys[3:] == [
        "status:wamid.HBgMbatch1FQIAERgS:delivered",
        "status:wamid.HBgMbatch2FQIAERgS:read",
    ]
    assert len(set(keys)) == 5 and keys[0].startswith("message:wamid.")
    assert atoms_of(payload("echo_text"))[0].key.startswith("echo:wamid.")


def test_rebatched_and_reordered_repetition_has_the_same_keys(payload):
    whole = payload("batch")
    value = whole["entry"][0]["changes"][0]["value"]
    parts = [{**value, "messages": [m], "statuses": []} for m in value["messages"]]
    parts += [{**value, "messages": [], "statuses": [s]} for s in value["statuses"]]
    changes = [{"value": part, "field": "messages"} for part in reversed(parts)]
    again = {"entry": [{"changes": changes, "id": "102290129340398"}]}
    assert {a.key: a.value for a in split(again)} == {
        a.key: a.value for a in split(whole)
    }


def test_change_without_id_is_known_by_its_content(payload):
    first = payload("account_update")
    later = copy.deepcopy(first)
    later["entry"][0]["time"] += 1
    shuffled = json.loads(json.dumps(first, sort_keys=True))
    keys = [split(delivery)[0].key for delivery in (first, shuffled, later)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith("change:") and len(keys[0]) == 7 + 64


def test_participants_of_a_group_have_keys_of_their_own(payload):
    delivery = payload("status_read")
    value = delivery["entry"][0]["changes"][0]["value"]
    status = {**value["statuses"][0], "recipient_type": "group"}
    value["statuses"] = [
        {**status, "recipient_participant_id": "34612345678"},
        {**status, "recipient_participant_id": "34600111222"},
    ]
    assert [atom.key.split(":")[-1] for atom in split(delivery)] == [
        "34612345678",
        "34600111222",
    ]


@pytest.mark.parametrize("wamid", ["x" * 3000, "a b", "\ud800", "ñ", None, 0, ["w"]])
def test_odd_message_ids_still_make_a_short_plain_key(payload, wamid):
    delivery = payload("text")
    delivery["entry"][0]["changes"][0]["value"]["messages"][0]["id"] = wamid
    [atom] = split(delivery)
    assert atom.kind == "message" and atom.key.isascii() and len(atom.key) < 600
    assert split(delivery)[0].key == atom.key
    message, _value = message_and_value(atom, ARRIVAL)
    assert "message:" + message["id"] == atom.key


@pytest.mark.parametrize(
    "delivery",
    [
        {"entry": None},
        {"entry": {}},
        {"entry": [None]},
        {"entry": [{"changes": "x"}]},
        {"entry": [{"changes": [None]}]},
        {"entry": [{"changes": [{"field": "messages"}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": []}]}]},
        {"entry": [{"changes": [{"value": {}}]}]},
        {"entry": [{"changes": [{"field": ["messages"], "value": {}}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"messages": "x"}}]}]},
        {"object": "page"},
    ],
)
def test_wrong_form_is_kept_as_unknown(delivery):
    [atom] = split(delivery)
    assert atom.kind == "unknown" and atom.key.startswith("unknown:")


@pytest.mark.parametrize("delivery", [{}, {"entry": []}, {"entry": [{"changes": []}]}])
def test_empty_delivery_has_no_atoms(delivery):
    assert split(delivery) == []


def test_message_keeps_only_its_own_contact(payload):
    ana, bruno = atoms_of(payload("batch"))[:2]
    assert [c["profile"]["name"] for c in ana.value["contacts"]] == ["Ana Ruiz"]
    assert [c["profile"]["name"] for c in bruno.value["contacts"]] == ["Bruno Lima"]
    assert set(ana.value) == {"messaging_product", "metadata", "contacts", "messages"}


def test_lists_that_meta_adds_are_kept_beside_the_messages(payload):
    delivery = payload("text")
    value = delivery["entry"][0]["changes"][0]["value"]
    value["polls"] = [{"id": "p1"}]
    assert [(a.kind, a.type) for a in split(delivery)] == [
        ("message", "text"),
        ("change", "polls"),
    ]


@pytest.mark.parametrize(
    ("stated", "understood"),
    [
        ("1790000000", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (1790000000, datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("0", None),
        ("-5", None),
        ("1790000000000", None),
        ("9" * 400, None),
        (1e300, None),
        (True, None),
        ("soon", None),
        (None, None),
        ([], None),
    ],
)
def test_timestamps_are_believed_only_if_credible(payload, stated, understood):
    delivery = payload("text")
    delivery["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = stated
    assert split(delivery)[0].timestamp == understood


@pytest.mark.parametrize("name", whatsapp_payloads.names())
def test_only_what_customers_say_creates_leads(payload, name):
    atoms = atoms_of(payload(name))
    assert all(atom.kind in KINDS for atom in atoms)
    silent = ("status", "echo", "reaction", "system", "revoke", "number", "history")
    silent += ("user_", "errors", "template", "account", "standby_echo", "handover")
    silent += ("group", "standby_status")
    speaks = any(atom.customer_speaks for atom in atoms)
    assert speaks is not name.startswith(silent)


@pytest.mark.parametrize("hidden", [False, True], ids=["phones", "hidden"])
@pytest.mark.parametrize("name", whatsapp_payloads.names())
def test_a_message_has_every_key_that_oca_reads_unasked(payload, name, hidden):
    for atom in atoms_of(payload(name, hidden)):
        if atom.kind != "message":
            continue
        before = json.dumps(atom.value)
        message, value = message_and_value(atom, ARRIVAL)
        assert value["messages"] == [message]
        token = message["from"]
        assert token == atom.identity.token and message["timestamp"].isdigit()
        assert message["id"] == atom.content["id"]
        [contact] = value["contacts"]
        assert contact["wa_id"] == token and contact["profile"]["name"]
        assert json.dumps(atom.value) == before


def test_change_of_number_is_locked_under_old_and_new_names(payload):
    old_id, new_id = "MX.13491208655302741918", "MX.20981734456120087345"
    old_phone, new_phone = "phone:+525512345678", "phone:+525587654321"
    [number] = split(payload("system_new_number"))
    assert number.keys == (
        old_phone,
        "bsuid:" + old_id,
        new_phone,
        "bsuid:" + new_id,
    )
    [user_id] = split(payload("system_new_user_id", hidden=True))
    assert set(user_id.keys) == {"bsuid:" + old_id, "bsuid:" + new_id}
    [text] = split(payload("text"))
    assert text.keys == text.identity.keys
    [change] = split(payload("account_update"))
    assert change.keys == ()


def standby(value):
    metadata = {"display_phone_number": "+52 55 4160 2200", "phone_number_id": "10"}
    change = {"field": "standby", "value": {"metadata": metadata, **value}}
    return atoms_of({"entry": [{"id": "1", "changes": [change]}]})


HEARD = {"id": "w1", "from": "5215512345678", "type": "text", "text": {"body": "Hi"}}
SAID = {"id": "w2", "to": "5215512345678", "type": "text", "text": {"body": "Yes"}}
OURS = {**SAID, "from": "5215541602200"}  # the same number as in the metadata


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [HEARD], "message_echoes": [SAID], "statuses": []},
        {"messages": [HEARD, OURS]},
        {"message_echoes": [{**HEARD, "to": "525541602200"}, OURS]},
        {"standby": {"messages": [HEARD], "message_echoes": [SAID]}},
        {"standby": {"messages": [HEARD, OURS]}},
        {"standby": [{"messages": [HEARD]}, {"message_echoes": [SAID]}]},
        {"standby": [HEARD, OURS]},
        {"messages": [HEARD], "standby": {"message_echoes": [SAID]}},
        {
            "messages": [HEARD],
            "message_echoes": [
                {"id": "w2", "message": {**SAID, "id": "other"}, "timestamp": "1"}
            ],
        },
    ],
)
def test_standby_is_read_in_all_its_shapes(value):
    heard, said = standby(value)
    assert (heard.kind, heard.key, heard.customer_speaks) == (
        "message",
        "message:w1",
        True,
    )
    assert (said.kind, said.key, said.by_agent) == ("echo", "echo:w2", True)
    assert heard.identity.phone == said.identity.phone == "5215512345678"
    for atom in (heard, said):
        assert split(atom.update()) == [atom]


def test_our_own_number_never_becomes_a_customer():
    own = {**OURS, "to": "525541602200"}
    assert [atom.kind for atom in standby({"messages": [own]})] == ["unknown"]
    [atom] = standby({"messages": [{**HEARD, "from": None}, OURS]})[1:]
    assert not atom.customer_speaks


@pytest.mark.parametrize(
    "message",
    [
        *({"type": kind} for kind in ("event", "poll", "ptv", "gif", "video_note")),
        *({"type": kind} for kind in ("live_location", "payment", "unknown", "edit")),
        {"type": "unsupported", "errors": [{"code": 131060}]},
        {"type": "unsupported", "unsupported": {"type": "poll_creation"}},
        {},
        {"type": None, "poll": {}},
        {"text": {"body": "Hi"}},
    ],
)
def test_who_writes_what_cannot_be_read_is_a_customer_all_the_same(message):
    value = {"messages": [{"id": "w", "from": "34612345678", **message}]}
    [atom] = atoms_of({"entry": [{"changes": [{"field": "messages", "value": value}]}]})
    assert atom.customer_speaks


@pytest.mark.parametrize(
    "message",
    [
        {"type": "reaction", "reaction": {"emoji": "x"}},
        {"reaction": {"emoji": "x"}},
        {"type": "revoke", "revoke": {}},
        {"revoke": {}},
        {"type": "unsupported", "unsupported": {"type": "reaction"}},
        {"type": "system", "system": {}},
        {"type": "text", "text": {"body": "Hi"}, "group_id": "120363025246125486"},
    ],
)
def test_who_says_nothing_to_us_is_no_customer(message):
    value = {"messages": [{"id": "w", "from": "34612345678", **message}]}
    [atom] = atoms_of({"entry": [{"changes": [{"field": "messages", "value": value}]}]})
    assert atom.kind == "message" and not atom.customer_speaks


def test_a_group_is_locked_with_who_writes_and_its_id_is_no_phone():
    message = {**HEARD, "group_id": "120363025246125486"}
    [atom] = standby({"messages": [message]})
    assert atom.group == "group:120363025246125486"
    assert atom.keys == ("phone:+525512345678", atom.group)
    assert not Identity.of_token(atom.group)
    [atom] = standby({"messages": [{**message, "group_id": "a b\n" * 99}]})
    assert re.fullmatch(r"group:[0-9a-f]{64}", atom.group)
    [atom] = standby({"messages": [{**message, "from": None}]})
    assert atom.kind == "message" and atom.keys == (atom.group,)


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        ({"type": "control_passed"}, True),
        ({"type": "control_requested"}, None),
        ({"type": "control_taken", "control_taken": {}}, False),
        ({"pass_thread_control": {"new_owner_app_id": "7"}}, True),
        (
            {
                "type": "control_passed",
                "control_passed": {"new_owner_role": "ai_agent"},
            },
            False,
        ),
        (
            {
                "type": "control_passed",
                "control_passed": {"previous_owner": {"role": "ai_agent"}},
            },
            True,
        ),
        (
            {
                "type": "control_taken",
                "control_taken": {"new_owner_app_role": "META_BUSINESS_AGENT"},
            },
            False,
        ),
    ],
)
def test_a_change_of_hands_says_who_has_the_conversation(value, ours):
    assert handover(value).ours is ours


@pytest.mark.parametrize("value", [{}, {"type": ["x"]}, {"a": "b"}])
def test_an_unknown_change_of_hands_says_nothing(value):
    assert handover(value) is None


def test_the_time_of_arrival_stands_for_a_missing_one(payload):
    delivery = payload("text")
    del delivery["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"]
    [atom] = split(delivery)
    message, _value = message_and_value(atom, ARRIVAL)
    assert int(message["timestamp"]) == ARRIVAL.timestamp()
