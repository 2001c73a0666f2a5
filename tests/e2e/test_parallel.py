# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Nothing lost, nothing twice: two Odoo hosts, real transactions, kills."""

import json
import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from office import until
from proxy import Proxy

from devkit import paths
from devkit import shop as shops
from devkit.demo.rpc import Refused, Session

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None
PENDING = "SELECT count(*) FROM whatsapp_webhook_event WHERE state = 'pending'"
PAYLOADS = paths.find("tests/payloads")
ALBUM = 25
TWO_NAMES = 12  # people who write under a number, a user id and both
SENDERS = 50  # who wait at once: more than one slot is enough for
KILLS = 6  # while deliveries come in
LATE_KILLS = 2  # while they are worked on
CRASH_MESSAGES = 500


@pytest.fixture(scope="module")
def shop():
    with shops.opened("e2e-parallel", SERIES, ODOO) as opened:
        opened.start(host="one")
        opened.start(host="other")
        yield opened


def state_of(shop, sender):
    """Conversations, leads, calls and texts of one sender."""
    channels = shop.rows(
        "SELECT id, lead_id FROM discuss_channel WHERE gateway_channel_token = %s",
        sender,
    )
    ids = [channel_id for channel_id, _lead in channels]
    leads = [lead_id for _channel, lead_id in channels if lead_id]
    calls = shop.value(
        "SELECT count(*) FROM mail_activity WHERE res_model = 'crm.lead'"
        " AND res_id = ANY(%s)",
        leads,
    )
    texts = Counter(
        wamid
        for (wamid,) in shop.rows(
            "SELECT whatsapp_message_id FROM mail_message WHERE res_id = ANY(%s)"
            " AND model = 'discuss.channel' AND message_type = 'comment'",
            ids,
        )
    )
    return len(channels), len(leads), calls, texts


def deliver(shop, bodies):
    """Deliver over eight connections to two Odoo hosts; wait for the work."""
    urls = [started.url for started in shop.servers]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(
            lambda job: shops.post(urls[job[0] % 2], job[1]), enumerate(bodies)
        )
        assert set(answers) == {200}
    shop.wait()


def by_names(number, phone, user, with_phone, with_user):
    """The body of a message under the number, the user id or both of a person."""
    body = json.loads(shops.delivery(shops.message(number, phone)))
    value = body["entry"][0]["changes"][0]["value"]
    [message], [contact] = value["messages"], value["contacts"]
    message["from_user_id"] = contact["user_id"] = user
    for entry, name, there in (
        (message, "from", with_phone),
        (contact, "wa_id", with_phone),
        (message, "from_user_id", with_user),
        (contact, "user_id", with_user),
    ):
        if not there:
            del entry[name]
    return message["id"], json.dumps(body).encode()


def test_two_names_of_one_person_become_one_conversation(shop):
    """Number, user id and both, shuffled and doubled, to two Odoo processes."""
    people, bodies, wanted = {}, [], Counter()
    for n in range(TWO_NAMES):
        phone, user = f"52155300000{n:02}", f"MX.7770000{n:02}"
        people[phone] = user
        for number, names in enumerate([(1, 0), (0, 1), (1, 1)] * 2):
            wamid, body = by_names(number, phone, user, *names)
            wanted[wamid] += 1
            bodies += [body] * 2
    random.Random(3).shuffle(bodies)
    deliver(shop, bodies)
    found = shop.rows(
        "SELECT channel.id, gateway_channel_token, whatsapp_bsuid, lead_id"
        "  FROM discuss_channel channel"
        " WHERE whatsapp_bsuid LIKE 'MX.7770000%%'"
        "    OR gateway_channel_token LIKE '52155300000%%'"
    )
    assert {token: bsuid for _id, token, bsuid, _lead in found} == people
    assert len(found) == TWO_NAMES
    assert len({lead for *_names, lead in found}) == TWO_NAMES
    texts = Counter(
        wamid
        for (wamid,) in shop.rows(
            "SELECT whatsapp_message_id FROM mail_message WHERE res_id = ANY(%s)"
            " AND model = 'discuss.channel' AND message_type = 'comment'",
            [channel_id for channel_id, *_names in found],
        )
    )
    assert texts == wanted
    assert not shop.value(
        "SELECT count(*) FROM whatsapp_webhook_event"
        " WHERE kind = 'merge' AND state != 'done'"
    )


def test_an_album_of_a_new_sender_is_one_conversation(shop):
    """Doubled, shuffled, over eight connections, to two Odoo processes."""
    sender = "5215510000001"
    album = [shops.message(number, sender) for number in range(ALBUM)]
    bodies = [shops.delivery(picture) for picture in album] * 2
    random.Random(1).shuffle(bodies)
    deliver(shop, bodies)
    channels, leads, calls, texts = state_of(shop, sender)
    assert (channels, leads, calls) == (1, 1, 1)
    assert texts == Counter(picture["id"] for picture in album)


SLOTS = """
    SELECT count(*)
      FROM pg_locks lock JOIN pg_stat_activity activity USING (pid)
     WHERE lock.locktype = 'advisory' AND lock.granted
       AND activity.datname = current_database()
       AND lock.classid::bigint << 32 | lock.objid::bigint IN (
           SELECT hashtextextended('whatsapp:inbound:' || slot, 0)
             FROM generate_series(0, 15) slot)
"""


def test_parallel_strangers_get_fair_turns(shop):
    """Both processes share them, as long as so many wait."""
    senders = [f"52155200000{number:02}" for number in range(SENDERS)]
    before = dict(shop.rows(TURNS))
    urls = [started.url for started in shop.servers]
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(
                shops.post, urls[n % 2], shops.delivery(shops.message(1, sender))
            )
            for n, sender in enumerate(senders)
        ]
        until(lambda: shop.value(SLOTS) == 2, 20, lambda: shop.value(SLOTS), 0.05)
        assert {job.result() for job in jobs} == {200}
    shop.wait()
    until(lambda: not shop.value(SLOTS), 10, lambda: shop.value(SLOTS))
    turns = {name: count - before.get(name, 0) for name, count in shop.rows(TURNS)}
    assert sum(turns.values()) == SENDERS
    assert max(turns.values()) - min(turns.values()) <= 1, turns
    for sender in senders:
        assert state_of(shop, sender)[:3] == (1, 1, 1)
    # a few are one process's work
    held = {0}
    for number, sender in enumerate(senders[:8]):
        body = shops.delivery(shops.message(2, sender))
        assert shops.post(urls[number % 2], body) == 200
    while shop.value(PENDING):
        held.add(shop.value(SLOTS))
    assert max(held) <= 1


def test_one_whom_somebody_holds_keeps_nobody_waiting(shop):
    """A long transaction of somebody has the customer of the first slot."""
    held, other = "5215521000001", "5215521000002"
    url = shop.servers[0].url
    assert shops.post(url, shops.delivery(shops.message(1, held))) == 200
    shop.wait()
    connect = shop.environment.cluster.connect
    with connect(shop.database) as connection, connection.transaction():
        connection.execute(
            "SELECT FROM crm_lead lead, discuss_channel chat"
            " WHERE lead.id = chat.lead_id AND gateway_channel_token = %s FOR UPDATE",
            (held,),
        )
        assert shops.post(url, shops.delivery(shops.message(2, held))) == 200
        until(lambda: shop.value(SLOTS) == 1, 20, lambda: shop.value(SLOTS), 0.05)
        time.sleep(2)
        body = shops.delivery(shops.message(1, other))
        assert shops.post(shop.servers[1].url, body) == 200
        # at the latest the cron, which comes once a minute, has a slot for it
        until(lambda: state_of(shop, other)[1] == 1, 100, lambda: shop.value(PENDING))
        assert len(state_of(shop, held)[3]) == 1
    shop.wait()
    assert len(state_of(shop, held)[3]) == 2


TURNS = """
    SELECT employee.name, count(turn.id)
      FROM whatsapp_assignment turn
      JOIN hr_employee employee ON employee.id = turn.employee_id
     GROUP BY employee.name
"""


def test_the_first_customers_of_an_ad_make_one_campaign(shop):
    senders = [f"52155500000{number:02}" for number in range(16)]
    referral = {"source_id": "4711", "source_type": "ad", "headline": "An ad of all"}
    urls = [started.url for started in shop.servers]
    bodies = [
        shops.delivery({**shops.message(1, sender), "referral": referral})
        for sender in senders
    ]
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(shops.post, urls[n % 2], body) for n, body in enumerate(bodies)
        ]
        assert {job.result() for job in jobs} == {200}
    shop.wait()
    leads = shop.rows(
        "SELECT lead.whatsapp_ad_id, lead.campaign_id FROM crm_lead lead"
        " JOIN discuss_channel chat ON chat.lead_id = lead.id"
        " WHERE chat.gateway_channel_token = ANY(%s)",
        senders,
    )
    assert len(leads) == len(senders)
    assert len(set(leads)) == 1 and all(leads[0])
    count = (
        "SELECT count(*) FROM utm_campaign WHERE title::text LIKE '%%An ad of all%%'"
    )
    assert shop.value(count) == 1


TEAM = 7
TAKEN = 1000


def test_a_thousand_turns_at_once_are_fair(shop):
    """Eight connections, two Odoo processes: no turn doubled, nobody skipped."""
    urls = [started.url for started in shop.servers]
    admins = [Session(urls[n % 2], shop.database, "admin", "admin") for n in range(8)]
    company = admins[0].create("res.company", name="A company of seven")
    for number in range(TEAM):
        user = admins[0].create(
            "res.users",
            name=f"seller{number}",
            login=f"seller{number}",
            company_id=company,
            company_ids=[(6, 0, [company])],
        )
        admins[0].create(
            "hr.employee",
            name=f"seller{number}",
            user_id=user,
            company_id=company,
            whatsapp_agent=True,
        )
    action = admins[0].create(
        "ir.actions.server",
        name="Take a turn",
        model_id=shop.value("SELECT id FROM ir_model WHERE model = 'hr.employee'"),
        state="code",
        code=f"company = env['res.company'].browse({company})\n"
        "env['hr.employee'].sudo().get_next_whatsapp_assignee(company)",
    )
    with ThreadPoolExecutor(len(admins)) as pool:
        list(
            pool.map(
                lambda n: admins[n % 8].call("ir.actions.server", "run", [action]),
                range(TAKEN),
            )
        )
    turns = shop.rows(
        "SELECT employee_id, count(*) FROM whatsapp_assignment"
        " WHERE company_id = %s GROUP BY employee_id",
        company,
    )
    counts = [count for _employee, count in turns]
    assert (len(counts), sum(counts)) == (TEAM, TAKEN)
    assert max(counts) - min(counts) <= 1, turns
    # not only in sum: everybody had a turn before anybody had the next one
    order = [
        employee
        for (employee,) in shop.rows(
            "SELECT employee_id FROM whatsapp_assignment"
            " WHERE company_id = %s ORDER BY id",
            company,
        )
    ]
    for start in range(0, TAKEN - TEAM + 1, TEAM):
        assert len(set(order[start : start + TEAM])) == TEAM, start


WAITERS = 24
OF_SELLER = """
    SELECT chat.gateway_channel_token, lead.id
      FROM crm_lead lead JOIN discuss_channel chat ON chat.lead_id = lead.id
     WHERE lead.user_id = %s AND chat.gateway_channel_token = ANY(%s)
"""


def archive(admin, seller):
    """Archive a user; who is told of another transaction clicks again."""
    for _click in range(5):
        try:
            return admin.call("res.users", "action_archive", [seller])
        except Refused as refusal:
            reason = refusal
    raise reason


def test_a_seller_is_archived_while_the_customers_write(shop):
    """Two administrators, two Odoo hosts: each customer goes on once."""
    senders = [f"52155600000{number:02}" for number in range(WAITERS)]
    urls = [started.url for started in shop.servers]

    def write(number):
        return lambda job: shops.post(
            urls[job[0] % 2], shops.delivery(shops.message(number, job[1]))
        )

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write(1), enumerate(senders))) == {200}
    shop.wait()
    seller, _count = shop.rows(
        "SELECT lead.user_id, count(*) FROM crm_lead lead"
        " JOIN discuss_channel chat ON chat.lead_id = lead.id"
        " WHERE chat.gateway_channel_token = ANY(%s)"
        " GROUP BY lead.user_id ORDER BY 2 DESC LIMIT 1",
        senders,
    )[0]
    waiting = dict(shop.rows(OF_SELLER, seller, senders))
    assert waiting
    admins = [Session(url, shop.database, "admin", "admin") for url in urls]
    with ThreadPoolExecutor(10) as pool:
        jobs = [pool.submit(archive, admin, seller) for admin in admins]
        assert set(pool.map(write(2), enumerate(senders))) == {200}
        for job in jobs:
            job.result()
    shop.wait()
    end = time.monotonic() + 150  # the cron comes once a minute
    while shop.rows(OF_SELLER, seller, senders) and time.monotonic() < end:
        time.sleep(1)
    assert not shop.rows(OF_SELLER, seller, senders)
    for sender, lead in waiting.items():
        channels, leads, calls, texts = state_of(shop, sender)
        assert (channels, leads, calls) == (1, 1, 1), sender
        # two messages of the customer, and one note of ours
        assert sorted(texts.values()) == [1, 1, 1]
        turns = "SELECT count(*) FROM whatsapp_assignment WHERE lead_id = %s"
        assert shop.value(turns, lead) == 2, "once from the seller, and no further"
    shop.execute(f"UPDATE res_users SET active = TRUE WHERE id = {int(seller)}")


JUNK = (
    None, True, 0, -1, 10**40, 1.5, "", "x" * 5000, "\x00", "\ud800", "Ñ☃", [], {},
    [[[[[[]]]]]], {"id": {"id": []}}, [None], "2026-01-01",
)  # fmt: skip
HOSTILE = 200
RAW = (b"", b"{", b"[]", b"null", b"\xff\xfe{}", b'"text"', b"[" * 5000, b'{"a":1e999}')


def spoiled(tree, chance):
    """The same JSON with one piece replaced or gone, anywhere."""
    if chance.random() < 0.15 or not isinstance(tree, dict | list) or not tree:
        return chance.choice(JUNK)
    if isinstance(tree, list):
        place = chance.randrange(len(tree))
        return [*tree[:place], spoiled(tree[place], chance), *tree[place + 1 :]]
    key = chance.choice(sorted(tree))
    if chance.random() < 0.3:
        return {name: value for name, value in tree.items() if name != key}
    return {**tree, key: spoiled(tree[key], chance)}


def test_hostile_bodies_are_answered_and_neighbours_are_processed(shop):
    """Truncated, wrongly typed, incomplete: never a 500, never a lost neighbour."""
    chance = random.Random(3)
    url = shop.servers[0].url
    kinds = [PAYLOADS / name for name in sorted(os.listdir(PAYLOADS))]
    kinds = [path for path in kinds if path.suffix == ".json"]
    neighbours = []
    for number in range(HOSTILE):
        wild = spoiled(json.loads(chance.choice(kinds).read_text()), chance)
        good = shops.message(number, "5215540000001")
        body = json.loads(shops.delivery(good))
        if isinstance(wild, dict) and isinstance(wild.get("entry"), list):
            body["entry"] = [*wild["entry"], *body["entry"]]
        neighbours.append(good["id"])
        assert shops.post(url, json.dumps(body).encode()) == 200, body
    for raw in RAW:
        assert shops.post(url, raw) in (200, 400), raw
        assert shops.post(url, raw + b" " * 3_200_000) == 413
    end = time.monotonic() + shops.PATIENCE
    while state_of(shop, "5215540000001")[3] != Counter(neighbours):
        assert time.monotonic() < end, state_of(shop, "5215540000001")
        time.sleep(0.5)
    assert state_of(shop, "5215540000001")[:3] == (1, 1, 1)
    log = shop.servers[0].log.read_text()
    assert '" 500 ' not in log


PERSONS = 40
OF_EACH = 5  # messages
BY_TURN = """
    SELECT lead.user_id FROM crm_lead lead
      JOIN discuss_channel chat ON chat.lead_id = lead.id
     WHERE chat.gateway_channel_token = ANY(%s)
     ORDER BY lead.id
"""


def test_one_of_two_hosts_dies_while_meta_delivers(shop):
    """Behind a proxy: what the dead one had taken is done by the other one."""
    lost = shop.start(host="lost")
    hosts = [("127.0.0.1", started.port) for started in (shop.servers[0], lost)]
    senders = [f"52155700000{number:02}" for number in range(PERSONS)]
    now = int(time.time())
    messages = [
        shops.message(number, sender, stamp=now + number)
        for number in range(OF_EACH)
        for sender in senders
    ]
    left = [shops.delivery(message) for message in messages]
    random.Random(4).shuffle(left)
    third = len(left) // 3
    with Proxy(hosts) as url, ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(shops.post, url, body, 30) for body in left]
        until(lambda: sum(job.done() for job in jobs) > third, 60, lambda: len(jobs))
        kill(lost)
        taken = [job.result() == 200 for job in jobs]
        # Meta delivers again what was not taken
        again = [body for body, done in zip(left, taken, strict=True) if not done]
        assert {*pool.map(lambda body: shops.post(url, body, 30), again)} <= {200}
    shop.servers.remove(lost)
    shop.wait()
    for sender in senders:
        channels, leads, calls, texts = state_of(shop, sender)
        own = [each["id"] for each in messages if each["from"] == sender]
        assert (channels, leads, calls) == (1, 1, 1), sender
        assert texts == Counter(own), sender
    turns = Counter(user for (user,) in shop.rows(BY_TURN, senders))
    assert max(turns.values()) - min(turns.values()) <= 1, turns


def kill(started):
    os.kill(started.started.pid, signal.SIGKILL)
    started.process.wait()


def test_killed_at_random_moments_nothing_is_lost_or_doubled():
    """Meta delivers again what got no 200; the server is killed meanwhile."""
    with shops.opened("e2e-crash", SERIES, ODOO) as shop:
        chance = random.Random(2)
        messages = [
            shops.message(number, f"52155300000{number % 10:02}")
            for number in range(CRASH_MESSAGES)
        ]
        left = [shops.delivery(message) for message in messages]
        for _life in range(KILLS):
            started = shop.start()
            with ThreadPoolExecutor(8) as pool:
                jobs = [pool.submit(shops.post, started.url, body, 5) for body in left]
                time.sleep(chance.uniform(0.3, 2))
                kill(started)
                taken = [job.result() == 200 for job in jobs]
            left = [body for body, done in zip(left, taken, strict=True) if not done]
        started = shop.start()
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(shops.post, started.url, body) for body in left]
            assert {job.result() for job in jobs} <= {200}
        for _life in range(LATE_KILLS):
            time.sleep(chance.uniform(0.3, 2))
            kill(started)
            started = shop.start()
            # the cron would find what is left within a minute, a delivery at once
            assert shops.post(started.url, shops.delivery(messages[0])) == 200
        shop.wait()
        for sender in {message["from"] for message in messages}:
            channels, leads, calls, texts = state_of(shop, sender)
            own = [m["id"] for m in messages if m["from"] == sender]
            assert (channels, leads, calls) == (1, 1, 1)
            assert texts == Counter(own)
