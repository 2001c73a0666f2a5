# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How fast messages leave while Meta is slow, or allows less than we believe."""

import json
import os
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from office import TO_EVERYBODY, Office, until
from slow_meta import SlowMeta, busiest_second

from devkit import paths
from devkit import shop as shops

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None
CONNECT = 5  # seconds to connect to Meta
TURN = 8  # seconds for which a thread claims messages
MB = 1024 * 1024
STATES = (
    "SELECT state, count(*) FROM whatsapp_message_queue"
    " WHERE channel_id = ANY(%s) GROUP BY state"
)


@dataclass
class Scene:
    """Two Odoo processes on one database, and Meta."""

    shop: shops.Shop
    offices: list[Office]
    meta: SlowMeta
    action: int  # writes to many people
    people: int = 0

    def know(self, count):
        """Return conversations of people who have written, and their numbers."""
        first, self.people = self.people, self.people + count
        phones = [f"5215580{number:06}" for number in range(first, self.people)]
        gateway = self.shop.value("SELECT id FROM mail_gateway")
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        values = [
            {
                "name": f"Customer {phone}",
                "channel_type": "gateway",
                "gateway_id": gateway,
                "gateway_channel_token": phone,
                "whatsapp_last_customer_date": now,
            }
            for phone in phones
        ]
        office = self.offices[0]
        make = office.action(f'env["discuss.channel"].sudo().create({values!r})')
        any_channel = self.shop.value("SELECT min(id) FROM discuss_channel")
        office.run(office.login(), make, [any_channel])
        rows = dict(
            self.shop.rows(
                "SELECT gateway_channel_token, id FROM discuss_channel"
                " WHERE gateway_channel_token = ANY(%s)",
                phones,
            )
        )
        return [rows[phone] for phone in phones], phones

    def rate(self, rate, places=1):
        """Let the number send so fast, from so many threads; forget what was learnt."""
        self.shop.execute("UPDATE mail_gateway SET whatsapp_rate = %s", (rate,))
        self.shop.execute("DELETE FROM whatsapp_rate_limit")
        self.offices[0].login().call(
            "ir.config_parameter",
            "set_param",
            paths.parameter("outbound_slots"),
            str(places),
        )

    def states(self, channels):
        return dict(self.shop.rows(STATES, channels))

    def sent(self, channels, seconds):
        """Wait until everything is sent."""
        wanted = {"sent": len(channels)}
        until(
            lambda: self.states(channels) == wanted,
            seconds,
            lambda: self.states(channels),
        )


@pytest.fixture(scope="module")
def whole_scene():
    meta = SlowMeta()
    threading.Thread(target=meta.serve_forever, args=[0.05], daemon=True).start()
    with shops.opened("e2e-speed", SERIES, ODOO) as shop:
        offices = [Office(shop, "one"), Office(shop, "other")]
        for office in offices:
            office.open()
        offices[0].login().call(
            "ir.config_parameter",
            "set_param",
            paths.parameter("graph_url"),
            meta.url,
        )
        # somebody must have written before there is any conversation
        body = shops.delivery(shops.message(1, "5215589999999"))
        assert shops.post(offices[0].url, body) == 200
        shop.wait()
        yield Scene(shop, offices, meta, offices[0].action(TO_EVERYBODY))
    meta.shutdown()


@pytest.fixture
def scene(whole_scene):
    whole_scene.meta.forget()
    whole_scene.rate(80)
    return whole_scene


def test_a_call_that_lasts_holds_its_own_conversation_only(scene):
    channels, phones = scene.know(30)
    slow, others, late = channels[:1], channels[1:21], channels[21:]
    scene.meta.trickle = {phones[0]}
    office = scene.offices[0]
    session = office.login()
    office.post(session, slow[0], "Slow")
    until(lambda: scene.meta.came, 10, lambda: scene.states(slow))
    for number, channel in enumerate(others):
        office.post(session, channel, f"Answer {number}")
    scene.sent(others, 5)
    assert scene.states(slow) == {"sending": 1}
    # the thread that sent it has given up its place meanwhile
    time.sleep(TURN + 1)
    office.post(session, slow[0], "Behind the slow one")
    scene.offices[1].run(scene.offices[1].login(), scene.action, late, text="Late")
    scene.sent(late, 5)
    assert scene.states(slow) == {"sending": 1, "queued": 1}
    # Meta's answer goes on for long, and we do not wait for it
    scene.meta.trickle = set()
    end = {"uncertain": 1, "sent": 1}
    until(lambda: scene.states(slow) == end, 30, lambda: scene.states(slow))
    assert scene.meta.texts[phones[0]] == ["Slow", "Behind the slow one"]


def test_many_threads_and_processes_share_the_rate_of_the_number(scene):
    scene.rate(10, places=2)
    channels, _phones = scene.know(80)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(office.run, office.login(), scene.action, part, text="Hello")
            for office, part in zip(
                scene.offices, (channels[:40], channels[40:]), strict=True
            )
        ]
        for job in jobs:
            job.result(timeout=60)
    scene.sent(channels, 60)
    came = scene.meta.came
    assert len(came) == 80
    assert_rate(came, 10)
    assert 79 / (max(came) - min(came)) > 7


def assert_rate(came, rate):
    """On a busy machine a message may be late, and the next one not."""
    assert (len(came) - 1) / (max(came) - min(came)) <= rate
    assert busiest_second(came) <= 1.2 * rate + 1


def test_the_rate_holds_for_what_is_posted_one_by_one(scene):
    scene.rate(2)
    channels, _phones = scene.know(10)
    office = scene.offices[0]
    session = office.login()
    for channel in channels:
        began = time.monotonic()
        office.post(session, channel, "Hello")
        time.sleep(max(0, 0.35 - (time.monotonic() - began)))
    scene.sent(channels, 20)
    assert_rate(scene.meta.came, 2)


def test_the_rate_that_meta_allows_is_learnt_and_nothing_fails(scene):
    allowed, count = 20, 300
    scene.meta.allowed = allowed
    channels, _phones = scene.know(count)
    office = scene.offices[0]
    office.run(office.login(), scene.action, channels, text="Hello")
    scene.sent(channels, 60)
    came = scene.meta.came
    assert len(scene.meta.taken) == count
    print("calls", len(came), "a second", count / (max(came) - min(came)))
    assert len(came) < 1.2 * count, "few are refused"
    assert count / (max(came) - min(came)) > 0.7 * allowed
    attempts = "SELECT max(attempts) FROM whatsapp_message_queue WHERE state = 'sent'"
    assert scene.shop.value(attempts) == 1, "the attempts are for what fails"
    # what was learnt is known to the other process, and later
    scene.meta.came.clear()
    scene.meta.taken.clear()
    more, _phones = scene.know(40)
    other = scene.offices[1]
    other.run(other.login(), scene.action, more, text="Hello")
    scene.sent(more, 30)
    assert len(scene.meta.came) < 48


def test_an_upload_may_take_its_time_and_holds_nobody_else(scene):
    scene.meta.upload_seconds = 3 * CONNECT
    channels, phones = scene.know(12)
    office = scene.offices[0]
    session = office.login()
    content = os.urandom(8 * MB)
    for channel in channels[:4]:
        file = session.create(
            "ir.attachment",
            name="offer.pdf",
            datas=b64encode(b"%PDF-1.4" + content).decode(),
            mimetype="application/pdf",
        )
        session.call(
            "discuss.channel",
            "message_post",
            [channel],
            body="Our offer",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachment_ids=[file],
        )
    until(
        lambda: scene.states(channels).get("sending"),
        10,
        lambda: scene.states(channels),
    )
    office.run(session, scene.action, channels[4:], text="Hello")
    scene.sent(channels[4:], 5)
    assert scene.states(channels[:4]) == {"sending": 4}
    scene.sent(channels[:4], 60)
    assert scene.meta.texts[phones[0]] == ["Our offer"]
    assert len(scene.meta.files) == 4
    assert all(b"%PDF-1.4" + content in file for file in scene.meta.files)


def test_statuses_that_come_while_messages_leave_are_no_errors(scene):
    channels, _phones = scene.know(200)
    pool = ThreadPoolExecutor(16)
    jobs = []

    def report(message, wamid, answered):
        names = ("delivered", "read") if answered else ("sent",)
        for name in names:
            status = {
                "id": wamid,
                "status": name,
                "timestamp": str(int(time.time())),
                "recipient_id": message["to"].removeprefix("+"),
                "biz_opaque_callback_data": message["biz_opaque_callback_data"],
            }
            url = scene.offices[len(jobs) % 2].url
            jobs.append(pool.submit(shops.post, url, statuses(status)))

    logs = [(started.log, started.log.stat().st_size) for started in scene.shop.servers]
    scene.meta.report = report
    try:
        office = scene.offices[0]
        office.run(office.login(), scene.action, channels, text="Hello")
        scene.sent(channels, 60)
        until(lambda: len(jobs) == 600, 20, lambda: len(jobs))
        assert {job.result() for job in jobs} == {200}
    finally:
        scene.meta.report = None
        pool.shutdown()
    scene.shop.wait()
    reported = (
        "SELECT DISTINCT delivery FROM whatsapp_message_queue"
        " WHERE channel_id = ANY(%s)"
    )
    assert scene.shop.rows(reported, channels) == [("read",)]
    for log, before in logs:
        with log.open() as lines:
            lines.seek(before)
            assert [line for line in lines if " ERROR " in line] == []


def statuses(status):
    """The body of a delivery with one status."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": shops.NUMBER},
        "statuses": [status],
    }
    change = {"field": "messages", "value": value}
    entry = {"id": "20001", "changes": [change]}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}
    ).encode()
