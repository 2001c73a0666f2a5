# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How the simulator misbehaves when it is told to."""

import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from devkit.simulator.client import SimulatorError
from devkit.simulator.faults import Faults


def test_error_a_given_number_of_times(simulator, business, callback, open_window):
    simulator.fault("error", code=131000, times=2)
    answers = [business.send() for _ in range(3)]
    assert [a.status_code for a in answers] == [500, 500, 200]
    assert answers[0].json()["error"]["code"] == 131000
    simulator.wait()
    assert len(simulator.outbox(outcome="accepted")) == 1
    assert len(callback.statuses()) == 2


@pytest.mark.parametrize(
    ("code", "http"),
    [(131016, 503), (130429, 429), (190, 401), (368, 403), (131056, 429), (4, 400)],
)
def test_code_brings_its_http_status(code, http, simulator, business, open_window):
    simulator.fault("error", code=code)
    answer = business.send()
    assert (answer.status_code, answer.json()["error"]["code"]) == (http, code)


def test_error_in_detail(simulator, business, open_window):
    simulator.fault("error", code=4, http=429, retry_after=30, details="wait", times=1)
    answer = business.send()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    assert answer.json()["error"]["error_data"]["details"] == "wait"
    simulator.fault("error", code=1, bare=True, times=1)
    assert "error_data" not in business.send().json()["error"]


def test_answer_of_a_proxy_in_between(simulator, business, open_window):
    simulator.fault("error", http=502, body="<h1>Bad Gateway</h1>", times=1)
    answer = business.send()
    assert (answer.status_code, answer.text) == (502, "<h1>Bad Gateway</h1>")
    assert business.send().status_code == 200


def test_error_after_accepting(simulator, business, callback, open_window):
    simulator.fault("error", code=131000, accept=True, times=1)
    assert business.send(biz_opaque_callback_data="u1").status_code == 500
    simulator.wait()
    (attempt,) = simulator.outbox(callback_data="u1")
    assert (attempt["outcome"], attempt["http"]) == ("lost", 500)
    assert attempt["statuses"] == ["sent", "delivered"]
    assert {s["biz_opaque_callback_data"] for s in callback.statuses()} == {"u1"}


def test_faults_queue_up(simulator, business, open_window):
    for code in (131000, 131016):
        simulator.fault("error", code=code, times=1)
    codes = [business.send().json().get("error", {}).get("code") for _ in range(3)]
    assert codes == [131000, 131016, None]


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"person": "+34600111222"}, False),
        ({"person": "34600111222"}, True),
        ({"person": "Ana"}, True),
        ({"person": "Luis"}, False),
        ({"type": "text"}, True),
        ({"type": "image"}, False),
        ({"type": "text", "person": "ana.p"}, True),
        ({"number": "1"}, False),
        ({"person": ["Luis", "34600111222"]}, True),
        ({"person": ["Luis", "Eva"]}, False),
        ({"person": []}, False),
    ],
)
def test_match(match, hit, simulator, business, open_window):
    simulator.fault("error", code=131000, match=match)
    assert (business.send().status_code == 500) is hit


def test_chance_is_drawn_by_the_seed():
    def drawn(seed, chance):
        faults = Faults(seed)
        faults.add({"fault": "error", "chance": chance})
        return [bool(faults.take("messages", ("error",), {})) for _ in range(300)]

    assert drawn(1, 0.3) == drawn(1, 0.3) != drawn(2, 0.3)
    assert 60 < sum(drawn(1, 0.3)) < 120
    assert not any(drawn(1, 0)) and all(drawn(1, 1))


def test_what_has_no_luck_is_left_to_the_next_fault(simulator, business, open_window):
    simulator.fault("error", code=131000, chance=0)
    simulator.fault("error", code=131016, times=1)
    assert business.send().json()["error"]["code"] == 131016
    assert [fault["used"] for fault in simulator.faults()] == [0, 1]


def test_match_template_and_number(simulator, business, ana):
    content = {"name": "retomar_conversacion", "language": {"code": "es"}}
    match = {"template": content["name"], "number": business.number["id"]}
    simulator.fault("error", code=132015, match=match, times=1)
    answers = [business.send(kind="template", template=content) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]


def test_delay(simulator, business, open_window):
    simulator.fault("delay", seconds=0.3, times=1)
    begin = time.monotonic()
    assert business.send().status_code == 200
    assert time.monotonic() - begin >= 0.3


def test_time_out_after_accepting(simulator, business, callback, open_window):
    simulator.fault("hang", times=1)
    with pytest.raises(requests.ReadTimeout):
        business.send(biz_opaque_callback_data="u1", timeout=0.3)
    assert simulator.wait()
    (attempt,) = simulator.outbox(callback_data="u1")
    assert (attempt["outcome"], attempt["statuses"]) == ("lost", ["sent", "delivered"])
    assert [s["status"] for s in callback.statuses()] == ["sent", "delivered"]


def test_time_out_without_accepting(simulator, business, callback, open_window):
    simulator.fault("hang", accept=False, seconds=0.2, times=1)
    with pytest.raises(requests.ConnectionError):
        business.send()
    (attempt,) = simulator.outbox()
    assert (attempt["outcome"], attempt["wamid"]) == ("cut", None)


@pytest.mark.parametrize(("accept", "outcome"), [(False, "cut"), (True, "lost")])
def test_connection_cut(accept, outcome, simulator, business, callback, open_window):
    simulator.fault("cut", accept=accept, times=1)
    with pytest.raises(requests.ConnectionError):
        business.send()
    simulator.wait()
    (attempt,) = simulator.outbox()
    assert attempt["outcome"] == outcome
    assert len(callback.statuses()) == (2 if accept else 0)
    assert business.send().status_code == 200


@pytest.mark.parametrize(("accept", "outcome"), [(False, "cut"), (True, "lost")])
def test_connection_reset(accept, outcome, simulator, business, callback, open_window):
    simulator.fault("cut", accept=accept, reset=True, times=1)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        business.send()
    simulator.wait()
    (attempt,) = simulator.outbox()
    assert attempt["outcome"] == outcome
    assert len(callback.statuses()) == (2 if accept else 0)
    assert business.send().status_code == 200


def test_when_a_message_was_taken(simulator, business, open_window):
    simulator.fault("error", code=131000, times=1)
    simulator.fault("delay", seconds=0.2)
    business.send()
    business.send()
    refused, accepted = simulator.outbox()
    assert refused["accepted_at"] is None
    assert 0.2 <= accepted["accepted_at"] - accepted["at"] < 2


@pytest.mark.parametrize("on", ["number", "account", "app", "templates", "read", "any"])
def test_every_endpoint_can_fail(on, simulator, business, ana, open_window):
    simulator.fault("error", on=on, code=190, times=1)
    account = business.account["id"]
    read = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": open_window,
    }
    calls = {
        "number": lambda: business.get(business.number["id"]),
        "account": lambda: business.get(f"{account}/subscribed_apps"),
        "app": lambda: business.as_app("GET", f"{business.app['id']}/subscriptions"),
        "templates": lambda: business.get(f"{account}/message_templates"),
        "read": lambda: business.post(read),
        "any": lambda: business.get(f"{account}/phone_numbers"),
    }
    assert [calls[on]().status_code for _ in range(2)] == [401, 200]


def test_webhook_delay(simulator, ana, callback):
    simulator.fault("webhook_delay", seconds=0.2, times=1)
    begin = time.monotonic()
    ana.send_text("late")
    assert callback.posts[0]["at"] - begin >= 0.2


def test_faults_are_listed_and_removed(simulator, business, open_window):
    first = simulator.fault("error", code=131000)
    simulator.fault("error", code=131016)
    simulator.clear_faults(first)
    (fault,) = simulator.faults()
    assert fault["parameters"] == {"code": 131016}
    simulator.clear_faults()
    assert business.send().status_code == 200


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"fault": "explode"}, "explode"),
        ({"fault": "error", "cod": 1}, "cod"),
        ({"fault": "error", "on": "moon"}, "moon"),
        ({"fault": "expired", "on": "messages"}, "messages"),
        ({"fault": "drop", "match": {"colour": "red"}}, "colour"),
        ({"fault": "drop", "chance": 30}, "chance"),
        ({"fault": "drop", "chance": True}, "chance"),
        ({"settings": {"colour": 1}}, "colour"),
        ({"colour": 1}, "colour"),
    ],
)
def test_misspelling_is_told(values, word, simulator):
    with pytest.raises(SimulatorError, match=word):
        simulator.call("POST", "/_config", values)
    assert simulator.faults() == []


def test_message_is_taken_although_the_caller_left(
    simulator, business, callback, open_window
):
    simulator.fault("delay", seconds=0.4, times=1)
    with pytest.raises(requests.ReadTimeout):
        business.send(timeout=0.1)
    assert simulator.wait()
    assert [s["status"] for s in callback.statuses()] == ["sent", "delivered"]


def test_caller_dies_while_it_speaks(base_url, business, open_window, caplog):
    path = f"/v25.0/{business.number['id']}/messages"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
    head += f"Authorization: Bearer {business.app['token']}\r\n\r\n"
    where = urlsplit(base_url)
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(head.encode() + b"{")
    assert business.send().status_code == 200
    assert not caplog.records


def test_upload_may_be_taken_without_an_answer(simulator, business):
    simulator.fault("cut", on="upload", accept=True, times=1)
    with pytest.raises(requests.ConnectionError):
        business.upload(b"x", "application/pdf")
    assert business.upload(b"x", "application/pdf").status_code == 200


def test_faults_of_one_number_only(simulator, business):
    match = {"number": business.number["id"]}
    simulator.fault("error", on="number", code=33, match=match)
    other = simulator.number(account_id=business.account["id"], phone="34911222333")
    assert business.get(other["id"]).status_code == 200
    assert business.get(business.number["id"]).json()["error"]["code"] == 33
