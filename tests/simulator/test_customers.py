# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The payloads of what customers do, as of autumn 2026."""

import json

import pytest


def only(callback):
    (value,) = callback.values()
    return value, value["messages"][0]


def test_envelope_of_a_text(simulator, business, ana, callback):
    answer = ana.act("text", text="Hola")
    (body,) = callback.bodies()
    assert (
        body
        == answer["payload"]
        == {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": business.account["id"],
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {
                                    "display_phone_number": "34910555666",
                                    "phone_number_id": business.number["id"],
                                },
                                "contacts": [
                                    {
                                        "profile": {"name": "Ana", "username": "ana.p"},
                                        "wa_id": "34600111222",
                                        "user_id": ana.bsuid(),
                                    }
                                ],
                                "messages": [
                                    {
                                        "from": "34600111222",
                                        "from_user_id": ana.bsuid(),
                                        "id": answer["wamid"],
                                        "timestamp": body["entry"][0]["changes"][0][
                                            "value"
                                        ]["messages"][0]["timestamp"],
                                        "type": "text",
                                        "text": {"body": "Hola"},
                                    }
                                ],
                            },
                        }
                    ],
                }
            ],
        }
    )
    assert answer["deliveries"][0]["state"] == "delivered"


@pytest.mark.parametrize("how", ["person", "everybody", "no phone at all"])
def test_withheld_phone_is_a_missing_key(how, simulator, business, ana, callback):
    if how == "person":
        ana.change(hide_phone=True)
    elif how == "everybody":
        simulator.settings(hide_phones=True)
    else:
        ana = simulator.person(bsuid="MX.123", username="eva", name="Eva")
    ana.send_text("Hola")
    value, message = only(callback)
    assert "from" not in message and "wa_id" not in value["contacts"][0]
    assert message["from_user_id"] == value["contacts"][0]["user_id"] == ana.bsuid()


def test_answer_to_a_person_without_phone(simulator, business, callback):
    eva = simulator.person(bsuid="MX.123", username="eva", name="Eva")
    eva.send_text("Hola")
    simulator.wait()
    callback.posts.clear()
    response = business.send(to=None, recipient="MX.123")
    assert response.json()["contacts"] == [{"input": "MX.123", "user_id": "MX.123"}]
    simulator.wait()
    for value in callback.values():
        assert "recipient_id" not in value["statuses"][0]
        assert value["statuses"][0]["recipient_user_id"] == "MX.123"
        assert "wa_id" not in value["contacts"][0]


def test_phone_of_a_hidden_person_shows_in_statuses_if_written_to(
    simulator, business, ana, callback, open_window
):
    ana.change(hide_phone=True)
    business.wamid()
    simulator.wait()
    value = callback.values()[0]
    assert value["contacts"][0]["wa_id"] == "34600111222"
    assert value["statuses"][0]["recipient_id"] == "34600111222"


def test_bsuid_differs_by_portfolio_and_begins_with_the_country(simulator, business):
    second = simulator.setup(number={"phone": "525555000111"})
    luis = simulator.person("5215512345678")
    ids = luis.record["user_ids"]
    assert set(ids) == {business.account["id"], second["account"]["id"]}
    assert len(set(ids.values())) == 2
    assert all(user_id.startswith("MX.") for user_id in ids.values())


def test_parent_bsuid_travels_beside(simulator, ana, callback):
    ana.change(parent_bsuid="ES.ENT.77")
    ana.send_text("Hola")
    value, message = only(callback)
    assert message["from_parent_user_id"] == "ES.ENT.77"
    assert value["contacts"][0]["parent_user_id"] == "ES.ENT.77"


CONTENTS = {
    "location": (
        {"type": "location", "name": "Oficina"},
        {"latitude": 40.4168, "longitude": -3.7038, "name": "Oficina"},
    ),
    "button": (
        {"type": "button", "title": "Sí", "payload": "YES", "reply_to": "wamid.x"},
        {"payload": "YES", "text": "Sí"},
    ),
    "button_reply": (
        {"type": "button_reply", "title": "Sí", "id": "yes", "reply_to": "wamid.x"},
        {"type": "button_reply", "button_reply": {"id": "yes", "title": "Sí"}},
    ),
    "list_reply": (
        {"type": "list_reply", "title": "Dos", "id": "2", "description": "segundo"},
        {
            "type": "list_reply",
            "list_reply": {"id": "2", "title": "Dos", "description": "segundo"},
        },
    ),
    "reaction": (
        {"type": "reaction", "message_id": "wamid.x", "emoji": "❤️"},
        {"message_id": "wamid.x", "emoji": "❤️"},
    ),
    "removed reaction": (
        {"type": "reaction", "message_id": "wamid.x", "emoji": None},
        {"message_id": "wamid.x"},
    ),
    "edit": (
        {"type": "edit", "message_id": "wamid.x", "text": "corregido"},
        {
            "original_message_id": "wamid.x",
            "message": {"type": "text", "text": {"body": "corregido"}},
        },
    ),
    "revoke": (
        {"type": "revoke", "message_id": "wamid.x"},
        {"original_message_id": "wamid.x"},
    ),
    "any other": ({"type": "future", "content": {"a": 1}}, {"a": 1}),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_contents(case, simulator, ana, callback):
    spec, content = CONTENTS[case]
    simulator.play(person=ana.id, **spec)
    _, message = only(callback)
    kind = "interactive" if "type" in content and "reply" in case else spec["type"]
    assert message["type"] == kind
    assert message[kind] == content
    if "reply_to" in spec:
        assert message["context"] == {"from": "34910555666", "id": "wamid.x"}


def test_form_answer_is_a_json_string(simulator, ana, callback):
    ana.send("nfm_reply", response={"nombre": "Ana"})
    reply = only(callback)[1]["interactive"]["nfm_reply"]
    assert reply["name"] == "flow"
    assert json.loads(reply["response_json"]) == {"nombre": "Ana"}


def test_card_and_order(simulator, ana, callback):
    ana.send("contacts", name="Eva Gil", phone="+34 699 888 777")
    ana.send("order", text="Dos, por favor")
    card = callback.messages()[0]["contacts"][0]
    assert card["name"]["formatted_name"] == "Eva Gil"
    assert card["phones"][0]["wa_id"] == "34699888777"
    assert card["origin"] == "other"
    order = callback.messages()[1]["order"]
    assert order["product_items"][0]["quantity"] == 2
    assert order["text"] == "Dos, por favor"


def test_unsupported_has_its_error(simulator, ana, callback):
    ana.send("unsupported", unsupported_type="poll_creation")
    message = only(callback)[1]
    assert message["unsupported"] == {"type": "poll_creation"}
    assert message["errors"][0]["code"] == 131051


def test_context_of_quotes_and_forwards(simulator, business, ana, callback):
    first = ana.send_text("Uno")
    ours = business.wamid()
    ana.send_text("a lo mío", reply_to=first)
    ana.send_text("a lo vuestro", reply_to=ours)
    ana.send_text("reenviado", forwarded=True)
    contexts = [m.get("context") for m in callback.messages()]
    assert contexts == [
        None,
        {"from": "34600111222", "from_user_id": ana.bsuid(), "id": first},
        {"from": "34910555666", "id": ours},
        {"forwarded": True},
    ]


def test_referral_of_an_advertisement(simulator, ana, callback):
    ana.send_text("Vi el anuncio", referral=True)
    ana.send_text("Otro", referral={"source_id": "7"})
    first, second = (message["referral"] for message in callback.messages())
    assert first["source_type"] == "ad" and first["ctwa_clid"]
    assert second == {"source_id": "7"}


def test_new_number_renews_the_bsuid(simulator, business, ana, callback):
    old = ana.bsuid()
    ana.change_number("+34 600 555 444")
    value, message = only(callback)
    assert "contacts" not in value
    assert message["from"] == "34600111222"
    assert message["system"] == {
        "type": "user_changed_number",
        "user_id": ana.bsuid(),
        "previous_user_id": old,
        "wa_id": "34600555444",
        "body": "User Ana changed from 34600111222 to 34600555444",
    }
    assert ana.bsuid() != old and ana.phone == "34600555444"


def test_new_bsuid_alone(simulator, business, ana, callback):
    old = ana.bsuid()
    ana.send("system", system_type="user_changed_user_id", new_bsuid="ES.42")
    _, message = only(callback)
    assert "from" not in message
    assert message["system"]["previous_user_id"] == old
    assert message["system"]["user_id"] == "ES.42"
    assert "wa_id" not in message["system"]


def test_while_meta_s_agent_answers_all_comes_in_standby(
    simulator, business, ana, callback
):
    ana.send("text", text="¿Tienen mesas?", standby=True)
    simulator.echo(person=ana.id, type="text", text="Sí, dos", agent=True)
    heard, said = (body["entry"][0]["changes"][0] for body in callback.bodies())
    assert heard["field"] == said["field"] == "standby"
    assert heard["value"]["metadata"] == said["value"]["metadata"]
    (message,) = heard["value"]["standby"]["messages"]
    assert message["text"] == {"body": "¿Tienen mesas?"}
    assert heard["value"]["standby"]["contacts"] and "messages" not in heard["value"]
    (echo,) = said["value"]["standby"]["message_echoes"]
    assert set(echo) == {"id", "timestamp", "message"}
    assert echo["message"]["to"] == "34600111222"
    assert echo["message"]["text"] == {"body": "Sí, dos"}


def test_echo_of_the_phone_app(simulator, business, ana, callback):
    simulator.echo(person=ana.id, type="text", text="Te llamo")
    (body,) = callback.bodies()
    entry = body["entry"][0]
    change = entry["changes"][0]
    assert change["field"] == "smb_message_echoes" and entry["time"]
    (echo,) = change["value"]["message_echoes"]
    assert (echo["from"], echo["to"]) == ("34910555666", "34600111222")
    assert echo["to_user_id"] == ana.bsuid()
    assert echo["text"] == {"body": "Te llamo"}
    assert business.send().json()["error"]["code"] == 131047


def test_other_fields_carry_a_time(simulator, business, callback):
    simulator.change("account_update", {"event": "DISABLED_UPDATE"})
    (body,) = callback.bodies()
    assert body["entry"][0]["id"] == business.account["id"]
    assert body["entry"][0]["time"] > 1_700_000_000
    assert body["entry"][0]["changes"] == [
        {"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}
    ]


def test_anything_can_be_bent(simulator, ana, callback):
    ana.send_text(
        "x",
        raw={"text": {"body": 7}, "group_id": "g"},
        omit=["timestamp", "from_user_id"],
        value={"contacts": [], "errors": [{"code": 131000}]},
        wamid="not-a-wamid",
    )
    value, message = only(callback)
    assert message == {
        "from": "34600111222",
        "id": "not-a-wamid",
        "type": "text",
        "text": {"body": 7},
        "group_id": "g",
    }
    assert value["contacts"] == [] and value["errors"] == [{"code": 131000}]


def test_messages_to_a_chosen_number(simulator, business, callback):
    other = simulator.number(account_id=business.account["id"], phone="34911222333")
    luis = simulator.person("34600333444", number="+34 911 222 333")
    luis.send_text("Hola")
    value, _ = only(callback)
    assert value["metadata"]["phone_number_id"] == other["id"]
