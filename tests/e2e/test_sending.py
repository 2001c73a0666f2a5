# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Every answer once and in order, while Meta fails and Odoo is killed."""

import json
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from devkit import paths
from devkit import shop as shops
from devkit.demo.rpc import Session

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None
PEOPLE = 30
EACH = 6
PATIENCE = 120
SECONDS = 0.05  # that Meta takes for one message


class FaultyMeta(BaseHTTPRequestHandler):
    """Takes most messages; fails before or after taking others, by chance."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length))
        mark = sent["biz_opaque_callback_data"]
        meta = self.server
        time.sleep(SECONDS)
        with meta.guard:
            fate = meta.chance.random()
            number = meta.seen[mark] = meta.seen[mark] + 1
            if fate < 0.12 and number < 3:
                fault = "refused"
            elif fate < 0.17:
                fault = "cut"
                meta.taken[sent["to"]].append(mark)
            else:
                fault = None
                meta.taken[sent["to"]].append(mark)
        if fault == "cut":  # taken, and nobody hears of it
            self.close_connection = True
            return
        body = {"messages": [{"id": f"wamid.{mark}"}]}
        if fault == "refused":
            body = {"error": {"code": 131000, "message": "Something went wrong"}}
        raw = json.dumps(body).encode()
        self.send_response(500 if fault else 200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


@pytest.fixture
def meta():
    server = ThreadingHTTPServer(("127.0.0.1", 0), FaultyMeta)
    server.daemon_threads = True
    server.guard, server.chance = threading.Lock(), random.Random(5)
    server.seen, server.taken = Counter(), defaultdict(list)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_each_answer_arrives_once_in_order_or_says_that_nobody_knows(meta):
    with shops.opened("e2e-sending", SERIES, ODOO) as shop:
        started = shop.start()
        admin = Session(started.url, shop.database, "admin", "admin")
        for name, value in (
            ("crm_whatsapp_gateway.graph_url", f"http://127.0.0.1:{meta.server_port}"),
            ("crm_whatsapp_gateway.retry_minutes", "0, 0, 0, 0"),
        ):
            admin.call("ir.config_parameter", "set_param", name, value)
        senders = [f"52155700000{number:02}" for number in range(PEOPLE)]
        for sender in senders:
            body = shops.delivery(shops.message(1, sender))
            assert shops.post(started.url, body) == 200
        shop.wait()
        channels = [
            channel_id
            for (channel_id,) in shop.rows(
                "SELECT id FROM discuss_channel WHERE gateway_channel_token = ANY(%s)",
                senders,
            )
        ]
        chance = random.Random(6)
        for turn in range(EACH):
            _answer_all(started, shop, channels, turn)
            if turn in (1, 3):
                time.sleep(chance.uniform(0.1, 0.6))
                os.kill(started.started.pid, signal.SIGKILL)
                started.process.wait()
                started = shop.start()
        _wait_until_quiet(shop, started, channels)
        rows = shop.rows(
            "SELECT channel_id, uuid, state FROM whatsapp_message_queue ORDER BY id"
        )
        assert len(rows) == PEOPLE * EACH
        taken = Counter(mark for marks in meta.taken.values() for mark in marks)
        assert max(taken.values()) == 1, "nobody got a message twice"
        states = {mark: state for _channel, mark, state in rows}
        assert set(states.values()) <= {"sent", "failed", "uncertain"}
        for mark, state in states.items():
            if state == "sent":
                assert taken[mark] == 1
            if state == "failed":
                assert taken[mark] == 0
        assert Counter(states.values())["sent"] > PEOPLE * EACH / 2
        order = defaultdict(list)
        for channel, mark, _state in rows:
            order[channel].append(mark)
        arrived = {marks[0]: marks for marks in meta.taken.values()}
        for marks in order.values():
            wanted = [mark for mark in marks if taken[mark]]
            assert arrived[wanted[0]] == wanted, "each person reads them in order"


def _answer_all(started, shop, channels, turn):
    sessions = [Session(started.url, shop.database, "admin", "admin") for _n in "1234"]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda job: sessions[job[0] % 4].call(
                    "discuss.channel",
                    "message_post",
                    [job[1]],
                    body=f"Answer {turn}",
                    message_type="comment",
                    subtype_xmlid="mail.mt_comment",
                ),
                enumerate(channels),
            )
        )


def _wait_until_quiet(shop, started, channels):
    """Until nothing is queued or on its way; a server sends when it is asked to."""
    admin = Session(started.url, shop.database, "admin", "admin")
    cron = admin.read(
        "ir.model.data",
        [("module", "=", paths.ADDON), ("name", "=", "ir_cron_message_queue")],
        "res_id",
    )[0]["res_id"]
    until = time.monotonic() + PATIENCE
    open_rows = (
        "SELECT count(*) FROM whatsapp_message_queue"
        " WHERE state IN ('queued', 'sending')"
    )
    while shop.value(open_rows):
        assert time.monotonic() < until, shop.rows(
            "SELECT state, attempts, error_text FROM whatsapp_message_queue"
            " WHERE state IN ('queued', 'sending') LIMIT 5"
        )
        admin.call("ir.cron", "method_direct_trigger", [cron])
        time.sleep(0.5)
