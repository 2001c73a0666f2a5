# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Signature, redelivery, duplicates, batches and the verification of a callback."""

import base64
import json

import pytest
from actors import SECRET, VERIFY_TOKEN, signature

from devkit.simulator import payloads

VECTOR = b'{"object":"whatsapp_business_account","entry":[]}'
SPACED = b'{"object": "whatsapp_business_account", "entry": []}'


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (VECTOR, "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"),
        (SPACED, "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a"),
    ],
)
def test_signature_of_the_reference(body, digest):
    assert payloads.sign(body, "test_app_secret") == f"sha256={digest}"


def test_every_delivery_is_signed_over_its_bytes(simulator, ana, callback):
    ana.send_text("¿Qué tal? https://example.com/a")
    (post,) = callback.posts
    assert post["signature"] == signature(post["raw"])
    assert b"\\u00bfQu" in post["raw"] and b"https:\\/\\/" in post["raw"]
    assert callback.messages()[0]["text"]["body"] == "¿Qué tal? https://example.com/a"


@pytest.mark.parametrize("refusal", [500, 403, 201, 302])
def test_redelivered_until_200(refusal, simulator, ana, callback):
    callback.answers = [refusal, refusal]
    ana.send_text("Hola")
    assert simulator.wait()
    assert len(callback.posts) == 3
    assert len({post["raw"] for post in callback.posts}) == 1
    (delivery,) = simulator.deliveries()
    assert delivery["state"] == "delivered"
    assert [a["http"] for a in delivery["attempts"]] == [refusal, refusal, 200]


def test_pauses_between_attempts_grow(simulator, ana, callback):
    simulator.settings(retry_first=0.05, retry_factor=3, retry_longest=10)
    callback.answers = [500, 500]
    ana.send_text("Hola")
    simulator.wait()
    first, second, third = (post["at"] for post in callback.posts)
    assert second - first >= 0.05
    assert third - second >= 0.15


@pytest.mark.parametrize("refusal", [500, 201])
def test_given_up_after_the_last_attempt(refusal, simulator, ana, callback):
    simulator.settings(retry_attempts=3)
    callback.answers = [refusal] * 10
    ana.send_text("Hola")
    assert simulator.wait()
    (delivery,) = simulator.deliveries(state="given_up")
    assert len(delivery["attempts"]) == len(callback.posts) == 3


def test_dead_callback_is_tried_again(simulator, business, ana):
    simulator.app(id=business.app["id"], callback_url="http://127.0.0.1:9/x")
    simulator.settings(retry_attempts=2)
    ana.send_text("Hola")
    simulator.wait()
    (delivery,) = simulator.deliveries()
    assert [a["http"] for a in delivery["attempts"]] == [None, None]
    assert "ClientConnectorError" in delivery["attempts"][0]["error"]


def test_slow_callback_runs_into_the_time_limit(simulator, ana, callback):
    simulator.settings(callback_timeout=0.1, retry_attempts=1)
    callback.pause = 0.5
    ana.send_text("Hola")
    simulator.wait()
    (delivery,) = simulator.deliveries()
    assert delivery["state"] == "given_up"
    assert "TimeoutError" in delivery["attempts"][0]["error"]


def test_duplicates_arrive_at_the_same_time(simulator, ana, callback):
    simulator.fault("duplicate", copies=3, times=1)
    callback.pause = 0.3
    ana.send_text("Hola")
    assert len(callback.posts) == 3
    assert len({post["raw"] for post in callback.posts}) == 1
    assert callback.most_at_once == 3
    ana.send_text("Otra vez")
    assert len(callback.posts) == 4


def test_redelivery_by_hand(simulator, ana, callback):
    ana.send_text("Hola")
    (delivery,) = simulator.deliveries()
    simulator.redeliver(delivery["id"])
    assert callback.posts[0]["raw"] == callback.posts[1]["raw"]


def test_dropped_delivery_never_arrives(simulator, ana, callback):
    simulator.fault("drop", times=1)
    ana.send_text("lost")
    ana.send_text("here")
    assert [m["text"]["body"] for m in callback.messages()] == ["here"]
    assert [d["state"] for d in simulator.deliveries()] == ["dropped", "delivered"]


def test_forged_delivery_has_a_wrong_signature(simulator, ana, callback):
    simulator.fault("forge", times=1)
    ana.send_text("Hola")
    (post,) = callback.posts
    assert post["signature"] not in (None, signature(post["raw"]))


def test_faults_match_type_and_person(simulator, ana, callback):
    luis = simulator.person("34600333444", name="Luis")
    simulator.fault("drop", match={"person": "34600333444", "type": "image"})
    luis.send_image()
    luis.send_text("text of Luis")
    ana.send_image()
    assert [m["type"] for m in callback.messages()] == ["text", "image"]


@pytest.mark.parametrize(
    ("shape", "entries", "changes", "values"),
    [("messages", 1, 1, 1), ("changes", 1, 3, 3), ("entries", 3, 3, 3)],
)
def test_batch_by_hand(shape, entries, changes, values, simulator, ana, callback):
    luis = simulator.person("34600333444", name="Luis")
    specs = [
        {"person": ana.id, "text": "1"},
        {"person": luis.id, "text": "2"},
        {"person": ana.id, "type": "image"},
    ]
    answer = simulator.batch(specs, shape=shape)
    (body,) = callback.bodies()
    assert body == answer["payload"]
    assert len(body["entry"]) == entries
    assert sum(len(entry["changes"]) for entry in body["entry"]) == changes
    assert len(callback.values()) == values
    assert [m["id"] for m in callback.messages()] == answer["wamids"]
    if shape == "messages":
        cards = callback.values()[0]["contacts"]
        assert [card["profile"]["name"] for card in cards] == ["Ana", "Luis"]


def test_batch_of_statuses(simulator, business, callback, open_window):
    simulator.fault("batch", size=2, linger=2, times=2)
    for _ in range(2):
        business.wamid()
    simulator.wait()
    first = callback.bodies()[0]["entry"][0]["changes"][0]["value"]
    assert [s["status"] for s in first["statuses"]] == ["sent", "sent"]
    assert len(callback.statuses()) == 4


def test_incomplete_batch_goes_when_its_time_is_over(simulator, ana, callback):
    simulator.fault("batch", size=10, linger=0.1, times=1)
    ana.send_text("Hola")
    assert len(callback.messages()) == 1


def test_two_numbers_of_one_account_in_a_batch(simulator, business, ana, callback):
    other = simulator.number(account_id=business.account["id"], phone="34911222333")
    specs = [
        {"person": ana.id, "text": "1"},
        {"person": ana.id, "text": "2", "number": other["id"]},
    ]
    simulator.batch(specs)
    ids = [value["metadata"]["phone_number_id"] for value in callback.values()]
    assert ids == [business.number["id"], other["id"]]
    assert len(callback.posts) == 1


# -- subscriptions -------------------------------------------------------------------


def test_only_subscribed_apps_and_fields_are_told(simulator, business, ana, callback):
    business.call("DELETE", f"{business.account['id']}/subscribed_apps")
    ana.send_text("nobody hears")
    business.call("POST", f"{business.account['id']}/subscribed_apps")
    simulator.app(id=business.app["id"], fields=["messages"])
    simulator.change("account_update", {"event": "DISABLED_UPDATE"})
    ana.send_text("heard")
    assert [m["text"]["body"] for m in callback.messages()] == ["heard"]
    assert len(callback.posts) == 1


def test_two_apps_each_sign_with_their_secret(simulator, business, ana, callback):
    second = simulator.app(secret="other", callback_url=callback.url)
    ids = [business.app["id"], second["id"]]
    simulator.account(id=business.account["id"], subscriptions=ids)
    ana.send_text("Hola")
    assert {post["signature"] for post in callback.posts} == {
        signature(callback.posts[0]["raw"]),
        signature(callback.posts[0]["raw"], "other"),
    }


@pytest.mark.parametrize(("token", "worked"), [(VERIFY_TOKEN, True), ("bad", False)])
def test_callback_verification(token, worked, simulator, business):
    result = simulator.verify(business.app["id"], verify_token=token)
    assert result["ok"] is worked
    assert (result["body"] == result["challenge"]) is worked


def test_override_is_verified_and_used(simulator, business, ana, callback):
    simulator.app(id=business.app["id"], callback_url="http://127.0.0.1:9/x")
    path = f"{business.account['id']}/subscribed_apps"
    values = {"override_callback_uri": callback.url, "verify_token": "bad"}
    refused = business.call("POST", path, json=values).json()["error"]
    assert (refused["code"], refused["error_subcode"]) == (100, 2200)
    values["verify_token"] = VERIFY_TOKEN
    assert business.call("POST", path, json=values).json() == {"success": True}
    (entry,) = business.get(path).json()["data"]
    assert entry["override_callback_uri"] == callback.url
    ana.send_text("Hola")
    assert len(callback.messages()) == 1


def test_number_override_comes_first(simulator, business, ana, callback):
    simulator.app(id=business.app["id"], callback_url="http://127.0.0.1:9/x")
    values = {"override_callback_uri": callback.url, "verify_token": VERIFY_TOKEN}
    answer = business.call(
        "POST", business.number["id"], json={"webhook_configuration": values}
    )
    assert answer.json() == {"success": True}
    ana.send_text("Hola")
    assert len(callback.messages()) == 1


@pytest.fixture
def subscriptions(business):
    return f"{business.app['id']}/subscriptions"


def test_new_callback_of_the_app(simulator, business, ana, callback, subscriptions):
    simulator.app(id=business.app["id"], callback_url=None)
    assert business.as_app("GET", subscriptions).json() == {"data": []}
    values = {"object": "whatsapp_business_account", "callback_url": callback.url}
    refused = business.as_app("POST", subscriptions, data=values).json()
    assert refused["error"]["code"] == 100
    values["verify_token"] = VERIFY_TOKEN
    values["fields"] = "messages,security"
    answer = business.as_app("POST", subscriptions, data=values)
    assert answer.json() == {"success": True}
    (entry,) = business.as_app("GET", subscriptions).json()["data"]
    assert (entry["callback_url"], entry["active"]) == (callback.url, True)
    assert [field["name"] for field in entry["fields"]] == ["messages", "security"]
    ana.send_text("Hola")
    assert len(callback.messages()) == 1


def test_a_callback_that_is_not_verified_changes_nothing(business, callback):
    path = f"{business.app['id']}/subscriptions"
    values = {
        "object": "whatsapp_business_account",
        "callback_url": callback.url + "/new",
        "verify_token": "wrong",
    }
    error = business.as_app("POST", path, data=values).json()["error"]
    assert (error["code"], error["error_subcode"]) == (100, 2200)
    (entry,) = business.as_app("GET", path).json()["data"]
    assert entry["callback_url"] == callback.url


def test_fields_that_do_not_exist_are_refused(business, callback, subscriptions):
    values = {
        "object": "whatsapp_business_account",
        "callback_url": callback.url,
        "verify_token": VERIFY_TOKEN,
        "fields": "messages,gossip",
    }
    error = business.as_app("POST", subscriptions, data=values).json()["error"]
    assert "gossip" in error["error_data"]["details"]


def test_subscriptions_are_for_the_app_itself(simulator, business, subscriptions):
    assert business.get(subscriptions).json()["error"]["code"] == 15
    wrong = business.as_app("GET", subscriptions, secret="wrong")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, 1)
    other = simulator.app()
    path = f"{other['id']}/subscriptions"
    assert business.as_app("GET", path).json()["error"]["error_subcode"] == 33
    number = business.as_app("GET", business.number["id"])
    assert number.json()["error"]["code"] == 190


def test_a_webhook_that_is_off_delivers_nothing(simulator, business, ana, callback):
    simulator.app(id=business.app["id"], webhook_active=False)
    ana.send_text("Hola")
    assert not callback.posts


# -- raw deliveries ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("valid", signature(b"\xff{not json", SECRET)),
        ("wrong", signature(b"\xff{not json", "not the " + SECRET)),
        ("missing", None),
        ("sha256=zz", "sha256=zz"),
    ],
)
def test_raw_bytes_with_any_signature(mode, expected, simulator, business, callback):
    callback.answers = [403]
    answer = simulator.raw(b"\xff{not json", signature=mode)
    (post,) = callback.posts
    assert (post["raw"], post["signature"]) == (b"\xff{not json", expected)
    assert answer["attempts"][0]["http"] == 403
    assert simulator.wait() and len(callback.posts) == 1


def test_raw_payload_and_kept_bodies(simulator, business, callback):
    simulator.raw({"object": "whatsapp_business_account", "entry": []})
    assert callback.posts[0]["raw"] == VECTOR
    (delivery,) = simulator.deliveries(bodies=True)
    assert base64.b64decode(delivery["body_base64"]) == VECTOR
    assert delivery["body"] == json.loads(VECTOR)
