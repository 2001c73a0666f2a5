# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whoever answers at our own address is recognised, over real HTTP."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tools import probe
from tools.probe import LONGEST_ANSWER, probe_webhook


class Door(BaseHTTPRequestHandler):
    """Answers as its path says."""

    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.asked.append(query)
        if parts.path == "/slow":
            time.sleep(1)
        texts = {
            "/ours": (200, "proof"),
            "/copy": (200, "proof of a copy"),
            "/elsewhere": (403, probe.REFUSED),
            "/lost": (404, "not found"),
            "/moved": (301, ""),
            "/long": (200, "x" * 10 * LONGEST_ANSWER),
        }
        status, text = texts.get(parts.path, (200, ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if status == 301:
            self.send_header("Location", "https://www.company.com/")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture(scope="module")
def server():
    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    door.asked = []
    door.handle_error = lambda *args: None  # callers that hang up are expected
    threading.Thread(target=door.serve_forever, args=(0.05,), daemon=True).start()
    yield door
    door.shutdown()
    door.server_close()


@pytest.fixture
def address(server):
    return f"127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("ours", "reachable_ok"),
        ("copy", "reachable_copy"),
        ("elsewhere", "reachable_elsewhere"),
        ("lost", "reachable_lost"),
        ("moved", "reachable_redirect"),
        ("long", "reachable_other"),
    ],
)
def test_who_answers(address, path, outcome):
    proofs = {
        "proof": probe.Proof(here=True, is_open=True),
        "proof of a copy": probe.Proof(here=False, is_open=True),
    }
    answer = probe_webhook(f"http://{address}/{path}", "our question")
    heard = proofs.get(answer.text)
    assert probe.check_probe(answer, heard).outcome == outcome
    assert len(answer.text) <= LONGEST_ANSWER


def test_it_asks_for_nothing_that_could_be_granted(server, address):
    server.asked.clear()
    probe_webhook(f"http://{address}/ours", "no such token")
    [query] = server.asked
    assert query["hub.mode"] == [probe.PROBE]
    assert query["hub.verify_token"] == ["no such token"]


def test_nobody_waits_for_long(address):
    begin = time.monotonic()
    answer = probe_webhook(f"http://{address}/slow", "wrong", timeout=0.2)
    assert answer.failure == "timeout"
    assert time.monotonic() - begin < 1


def test_no_valid_certificate(address):
    answer = probe_webhook(f"https://{address}/ours", "wrong")
    assert probe.check_probe(answer).outcome == "reachable_certificate"


def test_nobody_is_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = probe_webhook(f"http://127.0.0.1:{port}/", "wrong")
    assert (answer.status, answer.failure) == (None, "offline")
    assert probe.check_probe(answer).outcome == "reachable_none"


def test_a_name_that_nobody_knows():
    answer = probe_webhook("http://no-such-host.invalid/", "wrong", timeout=5)
    assert answer.failure in ("offline", "timeout")
