# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The control door, the client, and the process that serves both."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from devkit.simulator.client import Simulator, SimulatorError
from devkit.simulator.clock import Clock
from devkit.simulator.server import running

ROOT = Path(__file__).parents[2]


def test_setup_gives_everything_the_gateway_needs(simulator):
    made = simulator.setup(number={"phone": "+34 910 000 001"})
    assert made["number"]["phone"] == "34910000001"
    assert made["account"]["subscriptions"] == {made["app"]["id"]: None}
    for key in ("secret", "token", "verify_token"):
        assert len(made["app"][key]) >= 16


def test_records_are_changed_in_place(simulator, business):
    person = simulator.person("+34 600 111 222", name="Ana")
    again = simulator.person("34600111222", name="Ana María", reads=True)
    assert again.id == person.id
    assert again.record["name"] == "Ana María"
    assert len(simulator.state()["persons"]) == 1
    simulator.app(id=business.app["id"], verify_token="new")
    assert simulator.state()["apps"][0]["verify_token"] == "new"


@pytest.mark.parametrize("token", ["34600111222", "Ana", "ana.p", "p1"])
def test_persons_are_found_by_any_name(token, simulator, ana):
    record = simulator.call("GET", f"/_control/persons/{token}")
    assert record["id"] == ana.id
    record = simulator.call("GET", f"/_control/persons/{ana.bsuid()}")
    assert record["id"] == ana.id


@pytest.mark.parametrize(
    ("method", "path", "values", "word"),
    [
        ("POST", "/_control/persons", {"phome": "1"}, "phome"),
        ("POST", "/_control/messages", {"person": "Nobody", "text": "x"}, "Nobody"),
        ("POST", "/_control/messages", {"person": "34600111222"}, "'text'"),
        ("POST", "/_control/messages", {"person": "34600", "type": "x"}, "content"),
        ("POST", "/_control/statuses", {"wamid": "w", "status": "read"}, "'w'"),
        ("POST", "/_control/changes", {"account": "1", "field": "f"}, "value"),
        ("POST", "/_control/numbers", {"account_id": "1"}, "'1'"),
        ("GET", "/_control/apps/1", None, "'1'"),
        ("POST", "/_control/deliveries/99", {}, "99"),
        ("POST", "/_control/persons", [1], "JSON object"),
    ],
)
def test_wrong_calls_are_explained(method, path, values, word, simulator, business):
    with pytest.raises(SimulatorError, match=word):
        simulator.call(method, path, values)


def test_old_number_leads_nowhere_after_a_change(simulator, business, ana):
    ana.change_number("+34 600 555 444")
    assert simulator.call("GET", "/_control/persons/34600555444")["id"] == ana.id
    with pytest.raises(SimulatorError, match="34600111222"):
        simulator.call("GET", "/_control/persons/34600111222")
    eva = simulator.person("34600111222", name="Eva")
    assert eva.id != ana.id


def test_no_simulator_at_all():
    with pytest.raises(SimulatorError, match="no simulator at http://127.0.0.1:9"):
        Simulator("http://127.0.0.1:9").state()


def test_clock(simulator):
    before = simulator.clock()
    assert simulator.clock(advance=3600) - before == pytest.approx(3600, abs=5)
    assert simulator.clock(now=1_800_000_000) == pytest.approx(1_800_000_000, abs=5)
    assert simulator.clock(offset=0) == pytest.approx(time.time(), abs=5)


def test_waiting_ends_when_the_time_is_over(simulator, business, ana, callback):
    simulator.settings(retry_first=0.5, retry_longest=0.5)
    callback.answers = [500]
    ana.send_text("Hola")
    assert simulator.wait(timeout=0.1) is False
    assert simulator.wait(timeout=5) is True


def test_reset_forgets_everything(simulator, business, ana):
    simulator.fault("error", code=1)
    simulator.clock(offset=99)
    simulator.reset()
    state = simulator.state()
    assert state["apps"] == state["persons"] == simulator.faults() == []
    assert state["clock"]["offset"] == 0
    assert business.send().status_code == 401


def test_reset_ends_redeliveries(simulator, business, ana, callback):
    simulator.settings(retry_first=0.1)
    callback.answers = [500] * 5
    ana.send_text("Hola")
    simulator.reset()
    time.sleep(0.3)
    assert len(callback.posts) == 1


def test_overview_page(base_url, simulator):
    page = requests.get(base_url, timeout=5).json()
    assert page["counts"]["received"] == 0 and "/_control" in page["about"]


def test_several_accounts_in_one_server(simulator, business, callback):
    second = simulator.setup(
        app={"callback_url": callback.url, "secret": "second"},
        number={"phone": "525555000111"},
    )
    luis = simulator.person("5215512345678", number=second["number"]["id"])
    luis.send_text("Hola")
    (post,) = callback.posts
    body = callback.bodies()[0]
    assert body["entry"][0]["id"] == second["account"]["id"]
    refused = business.send(to="+525512345678").json()["error"]["code"]
    assert refused == 131047
    assert business.get(second["number"]["id"]).status_code == 400


def test_hundred_customers_at_once(simulator, business, callback):
    def write(index):
        phone = f"346{index:08d}"
        return simulator.play(person=phone, text=f"Hola {index}")["wamid"]

    simulator.settings(concurrency=16)
    with ThreadPoolExecutor(8) as pool:
        wamids = set(pool.map(write, range(100)))
    assert simulator.wait()
    assert {message["id"] for message in callback.messages()} == wamids
    assert len(callback.posts) == 100


def scene(seed):
    with running(seed=seed, clock=Clock(source=lambda: 1_790_000_000.0)) as url:
        simulator = Simulator(url)
        made = simulator.setup()
        answer = simulator.person("34600111222").act("image")
        return made, answer["wamid"], answer["payload"]["entry"]


def test_same_seed_same_ids_and_clock_given():
    first, again, other = scene("a"), scene("a"), scene("b")
    assert first[:2] == again[:2]
    assert first[1] != other[1]
    message = first[2][0]["changes"][0]["value"]["messages"][0]
    assert message["timestamp"] == "1790000000"


def test_process_with_port_file(tmp_path):
    port_file = tmp_path / "port"
    begin = time.monotonic()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "devkit.simulator",
            "--port",
            "0",
            "--port-file",
            str(port_file),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    try:
        while not port_file.exists() and time.monotonic() - begin < 10:
            time.sleep(0.02)
        port = int(port_file.read_text())
        assert Simulator(f"http://127.0.0.1:{port}").state()["apps"] == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert not port_file.exists()
    finally:
        process.kill()
        process.communicate()


def test_taken_port_is_one_clear_line(base_url):
    port = base_url.rsplit(":", 1)[1]
    done = subprocess.run(
        [sys.executable, "-m", "devkit.simulator", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("simulator: ") and done.stderr.count("\n") == 1
