# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is reported of a message that Meta accepted."""

import pytest


def names(callback):
    return [status["status"] for status in callback.statuses()]


def prices_of(callback, wamids):
    """The price of each message; the statuses of two messages have no order."""
    statuses = [status for status in callback.statuses() if "pricing" in status]
    return [s["pricing"] for wamid in wamids for s in statuses if s["id"] == wamid]


def test_sent_then_delivered(simulator, business, callback, open_window):
    wamid = business.wamid(biz_opaque_callback_data="uuid-1")
    assert simulator.wait()
    sent, delivered = callback.statuses()
    assert [sent["status"], delivered["status"]] == ["sent", "delivered"]
    for status in (sent, delivered):
        assert status["id"] == wamid
        assert status["recipient_id"] == "34600111222"
        assert status["recipient_user_id"].startswith("ES.")
        assert status["biz_opaque_callback_data"] == "uuid-1"
        assert status["timestamp"].isdigit()
    assert sent["pricing"] == {
        "billable": False,
        "pricing_model": "PMP",
        "type": "free_customer_service",
        "category": "service",
    }
    assert "pricing" not in delivered
    assert "conversation" not in sent


def test_contacts_block_of_each_status(simulator, business, ana, callback, open_window):
    business.wamid()
    simulator.wait()
    sent, delivered = (value["contacts"][0] for value in callback.values())
    assert sent == {
        "profile": {"name": "Ana"},
        "wa_id": "34600111222",
        "user_id": ana.bsuid(),
    }
    assert delivered["profile"] == {"name": "Ana", "username": "ana.p"}


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({}, ["sent", "delivered"]),
        ({"reads": True}, ["sent", "delivered", "read"]),
        ({"reads": True, "chat_open": True}, ["sent", "read"]),
        ({"reachable": False}, ["sent"]),
    ],
)
def test_statuses_depend_on_the_person(
    person, expected, simulator, business, ana, callback, open_window
):
    ana.change(**person)
    business.wamid()
    simulator.wait()
    assert names(callback) == expected


def test_voice_note_is_played(simulator, business, ana, callback, open_window):
    ana.change(reads=True)
    link = {"link": "https://x.test/a.ogg", "voice": True}
    business.wamid(kind="audio", audio=link)
    simulator.wait()
    assert names(callback) == ["sent", "delivered", "read", "played"]


def test_reaction_is_only_sent(simulator, business, callback, open_window):
    target = {"message_id": open_window, "emoji": "👍"}
    business.wamid(kind="reaction", reaction=target)
    simulator.wait()
    assert names(callback) == ["sent"]


def test_late_refusal_is_accepted_and_fails(simulator, business, ana, callback):
    simulator.settings(late_codes=[131026, 131047])
    ana.change(on_whatsapp=False)
    wamid = business.wamid(biz_opaque_callback_data="uuid-1")
    simulator.wait()
    (value,) = callback.values()
    assert "contacts" not in value
    (failed,) = value["statuses"]
    assert (failed["id"], failed["status"]) == (wamid, "failed")
    assert failed["recipient_id"] == "34600111222"
    assert "recipient_user_id" not in failed
    assert "pricing" not in failed
    assert failed["biz_opaque_callback_data"] == "uuid-1"
    (error,) = failed["errors"]
    assert error["code"] == 131026
    assert error["title"] == error["message"] == "Message undeliverable"
    assert error["error_data"]["details"]
    assert error["href"].startswith("https://developers.facebook.com/")


def test_failed_after_sent_to_a_bsuid(simulator, business, ana, callback, open_window):
    simulator.fault("statuses", fail_code=131049, bare=True)
    response = business.send(to=None, recipient=ana.bsuid())
    assert response.json()["contacts"] == [
        {"input": ana.bsuid(), "user_id": ana.bsuid()}
    ]
    simulator.wait()
    sent, failed = callback.statuses()
    assert (sent["status"], failed["status"]) == ("sent", "failed")
    assert "recipient_id" not in sent
    assert "recipient_id" not in failed
    assert failed["recipient_user_id"] == ana.bsuid()
    assert failed["errors"][0]["code"] == 131049
    assert "error_data" not in failed["errors"][0]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"sequence": ["read", "sent", "delivered"]}, ["read", "sent", "delivered"]),
        ({"reverse": True}, ["delivered", "sent"]),
        ({"missing": ["sent"]}, ["delivered"]),
        ({"duplicate": 2}, ["sent", "sent", "delivered", "delivered"]),
        ({"fail_code": 131053}, ["sent", "failed"]),
        ({"sequence": ["failed"], "fail_code": 131053}, ["failed"]),
        ({"sequence": ["failed", "delivered"]}, ["failed", "delivered"]),
    ],
)
def test_statuses_out_of_order(
    fault, expected, simulator, business, callback, open_window
):
    simulator.fault("statuses", times=1, **fault)
    business.wamid()
    simulator.wait()
    assert names(callback) == expected
    assert sum("pricing" in status for status in callback.statuses()) == (
        0 if expected == ["failed"] else 1
    )
    business.wamid()
    simulator.wait()
    assert names(callback)[len(expected) :] == ["sent", "delivered"]


def test_statuses_before_the_answer(simulator, business, callback, open_window):
    simulator.fault("statuses", before_answer=True)
    wamid = business.wamid()
    assert [s["id"] for s in callback.statuses()] == [wamid, wamid]


def test_status_by_hand(simulator, business, callback, open_window):
    simulator.settings(statuses=False)
    wamid = business.wamid()
    simulator.status(wamid, "read", timestamp=1800000000)
    simulator.status(wamid, "failed", code=131000, details="later")
    read, failed = callback.statuses()
    assert (read["status"], read["timestamp"]) == ("read", "1800000000")
    assert failed["errors"][0]["error_data"] == {"details": "later"}
    assert [s["status"] for s in simulator.sent(wamid)["statuses"]] == [
        "read",
        "failed",
    ]


def test_price_after_the_free_thousand(simulator, business, callback, open_window):
    simulator.settings(free_service_messages=1)
    wamids = [business.wamid(), business.wamid()]
    simulator.wait()
    prices = prices_of(callback, wamids)
    assert [(p["type"], p["billable"]) for p in prices] == [
        ("free_customer_service", False),
        ("regular", True),
    ]


def test_price_of_template_and_free_entry_point(simulator, business, ana, callback):
    template = {"name": "retomar_conversacion", "language": {"code": "es"}}
    wamids = [business.wamid(kind="template", template=template)]
    ana.send_text("Vi el anuncio", referral=True)
    wamids.append(business.wamid(kind="template", template=template))
    simulator.wait()
    prices = prices_of(callback, wamids)
    assert [(p["type"], p["category"]) for p in prices] == [
        ("regular", "utility"),
        ("free_entry_point", "utility"),
    ]


def test_outbox_shows_text_and_outcome(simulator, business, ana, open_window):
    values = {"name": "saludo_inicial", "language": {"code": "en_US"}}
    body = [{"type": "text", "text": text} for text in ("Ana", "Luis")]
    values["components"] = [{"type": "body", "parameters": body}]
    business.wamid(kind="template", template=values)
    business.send(text={"body": ""})
    simulator.wait()
    accepted, refused = simulator.outbox(person=ana.id) + simulator.outbox(
        outcome="refused"
    )
    assert accepted["text"] == "Hi Ana, this is Luis. When may we call you?"
    assert accepted["statuses"] == ["sent", "delivered"]
    assert (refused["code"], refused["http"], refused["wamid"]) == (100, 400, None)
    assert simulator.outbox(type="image") == []
