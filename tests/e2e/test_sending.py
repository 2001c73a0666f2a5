# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Every answer once and in order, while Meta fails and Odoo is killed."""

import os
import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from office import TO_EVERYBODY, Clock, Office, two_hosts, until

from devkit import paths
from devkit import shop as shops
from devkit.demo.rpc import Refused
from devkit.simulator.client import Simulator

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None

PEOPLE = 200
STRANGERS = 40  # of them: who wrote to Odoo, and have a lead
CLICKS = 1  # answers to each that somebody writes one by one
AT_ONCE = 4  # answers to each that an automation writes to many people
EACH = CLICKS + AT_ONCE
CROWD = 10  # people to whom an automation writes in one transaction
CLERKS = 4
KILLS = (2, 1, 1, 1, 0)  # in each turn; in the last one the token dies instead
SECONDS = 0.05  # that Meta takes for one message
LONGEST = 300  # seconds until all is sent, or it counts as never

CURSED = slice(0, 2)  # Meta never takes a message to them
UNREACHABLE = slice(2, 5)  # have no WhatsApp
SILENT = slice(5, 25)  # nothing is reported of messages to them
READERS = slice(25, 60)

HTML = "<html><body>Something went wrong</body></html>"
# What becomes of a call, each by a chance of CHANCE
CHANCE = 0.025
FAULTS = {
    "500 not taken": ("error", {"code": 131000}),
    "503 not taken": ("error", {"code": 131016}),
    "429 with Retry-After": ("error", {"code": 4, "http": 429, "retry_after": 1800}),
    "429 without a code": ("error", {"http": 429, "body": HTML, "retry_after": 200}),
    "130429": ("error", {"code": 130429}),
    "131056": ("error", {"code": 131056}),
    "502 not taken": ("error", {"http": 502, "body": HTML}),
    "504 taken": ("error", {"http": 504, "body": HTML, "accept": True}),
    "silence not taken": ("hang", {"accept": False, "seconds": 0.5}),
    "silence taken": ("hang", {"seconds": 0.5}),
    "cut not taken": ("cut", {}),
    "reset not taken": ("cut", {"reset": True}),
    "reset taken": ("cut", {"reset": True, "accept": True}),
    "no JSON not taken": ("error", {"http": 200, "body": HTML}),
    "no JSON taken": ("error", {"http": 200, "body": HTML, "accept": True}),
    "no id taken": ("error", {"http": 200, "body": "{}", "accept": True}),
}
# What is reported, each by its own chance
REPORTS = {
    "early": (0.1, {"before_answer": True}),
    "early failed": (
        0.03,
        {"sequence": ["failed"], "fail_code": 131026, "before_answer": True},
    ),
    "failed at last": (0.03, {"fail_code": 131053, "delay": 0.5}),
    "failed then delivered": (
        0.03,
        {"sequence": ["sent", "failed", "delivered"], "fail_code": 131000},
    ),
    "delivered then failed": (
        0.03,
        {"sequence": ["sent", "delivered", "failed"], "fail_code": 131000},
    ),
    "backwards": (0.1, {"reverse": True}),
    "each twice": (0.1, {"duplicate": 2}),
}
COLUMNS = 3  # of the table
FEWEST = 2  # of each kind, or the test proves nothing
# Meta's status -> (rank, the row's state, the notification's)
STATUSES = {
    "sent": (1, "sent", "sent"),
    "failed": (2, "failed", "exception"),
    "delivered": (3, "sent", "whatsapp_delivered"),
    "read": (4, "sent", "whatsapp_read"),
}
# seconds to wait after each attempt; and what Meta asks for, by code (0: none)
BACKOFF = {1: 60, 2: 300, 3: 900}
ASKED = {4: 1800, 0: 200, 131056: 6}
# these burn no attempt; a message that met 130429 only waits for its turn
THROTTLED = (4, 0, 130429, 131056)


@dataclass
class Scene:
    """Two Odoo hosts on one database, Meta, and how time passes."""

    shop: shops.Shop
    offices: list[Office]
    simulator: Simulator
    app: str
    clock: Clock
    labels: dict[int, str] = field(default_factory=dict)

    def fault(self, label, fault, **values):
        self.labels[self.simulator.fault(fault, **values)] = label

    def faults(self):
        """How often each fault acted."""
        return {
            self.labels[fault["id"]]: fault["used"]
            for fault in self.simulator.faults()
            if fault["id"] in self.labels
        }


@pytest.fixture(scope="module")
def scene():
    hosts = two_hosts("e2e-sending", SERIES, ODOO, seed=5, seconds=SECONDS)
    with hosts as (shop, offices, simulator, app):
        clock = Clock(shop, simulator)
        yield Scene(shop, offices, simulator, app, clock)


# -- who writes to us


def meet(scene, phones, strangers=0):
    """Let people write to us, some of them to Odoo; return their conversations."""
    shop, simulator = scene.shop, scene.simulator
    messages = [
        {"person": phone, "type": "text", "text": "How much is it?"} for phone in phones
    ]
    new, known = messages[:strangers], messages[strangers:]
    if known:
        simulator.app(id=scene.app, callback_url=None)  # it was before we had Odoo
        simulator.batch(known)
        _know(scene, phones[strangers:])
    path = f"/gateway/whatsapp/{shops.KEY}/update"
    simulator.app(id=scene.app, callback_url=scene.offices[0].url + path)
    if new:
        simulator.batch(new)
        shop.wait()
    found = dict(
        shop.rows(
            "SELECT gateway_channel_token, id FROM discuss_channel"
            " WHERE gateway_channel_token = ANY(%s)",
            phones,
        )
    )
    return [found[phone] for phone in phones]


def _know(scene, phones):
    """Make the conversations of people whom we knew before."""
    gateway = scene.shop.value("SELECT id FROM mail_gateway")
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
    # no person may make a conversation; code of an administrator does, with sudo
    office = scene.offices[0]
    action = office.action(f'env["discuss.channel"].sudo().create({values!r})')
    any_channel = scene.shop.value("SELECT min(id) FROM discuss_channel")
    office.run(office.login(), action, [any_channel])


# -- transactions

LOCK = 4711
MEETING_PLACE = """
    CREATE TABLE meeting_place (written integer);
    INSERT INTO meeting_place VALUES (0);
    CREATE SEQUENCE meeting_place_run;
"""
# writes a message, then loses against whoever wrote in the meantime; a sequence also
# counts what is rolled back
CONFLICT = f"""
env["discuss.channel"].browse(env.context["active_id"]).message_post(
    body="Once only", message_type="comment", subtype_xmlid="mail.mt_comment")
env.flush_all()
env.cr.execute("SELECT nextval('meeting_place_run'), pg_advisory_xact_lock({LOCK})")
env.cr.execute("UPDATE meeting_place SET written = written + 1")
"""
REGRET = """
env["discuss.channel"].browse(env.context["active_id"]).message_post(
    body="Never", message_type="comment", subtype_xmlid="mail.mt_comment")
env.flush_all()
raise UserError("No")
"""


def received(scene, phone):
    """What a person got, once nothing is left to be sent."""
    scene.clock.wake()
    until_quiet(scene, 30)
    return [
        attempt["payload"]["text"]["body"]
        for attempt in taken(scene.simulator)
        if phone_of(attempt) == phone
    ]


def test_a_request_that_odoo_repeats_sends_once(scene):
    """Another transaction is first: PostgreSQL refuses, and Odoo begins again."""
    shop, phone = scene.shop, "5215571000001"
    [channel] = meet(scene, [phone])
    shop.execute(MEETING_PLACE)
    office = scene.offices[0]
    action, session = office.action(CONFLICT), office.login()
    with (
        shop.environment.cluster.connect(shop.database) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        click = pool.submit(office.run, session, action, [channel])
        waits = "SELECT count(*) FROM pg_locks WHERE objid = %s AND NOT granted"
        until(lambda: shop.value(waits, LOCK), 20, lambda: click)
        shop.execute("UPDATE meeting_place SET written = 10")
        holder.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
        click.result(timeout=60)
    assert shop.value("SELECT last_value FROM meeting_place_run") == 2
    assert shop.value("SELECT written FROM meeting_place") == 11
    assert received(scene, phone) == ["Once only"]
    states = "SELECT state FROM whatsapp_message_queue WHERE channel_id = %s"
    assert shop.rows(states, channel) == [("sent",)]


def test_what_is_rolled_back_was_never_sent(scene):
    shop, phone = scene.shop, "5215571000002"
    [channel] = meet(scene, [phone])
    office = scene.offices[0]
    session = office.login()
    with pytest.raises(Refused, match="No"):
        office.run(session, office.action(REGRET), [channel])
    assert received(scene, phone) == []
    office.post(session, channel, "Always")
    assert received(scene, phone) == ["Always"]
    rows = "SELECT count(*) FROM whatsapp_message_queue WHERE channel_id = %s"
    assert shop.value(rows, channel) == 1


# -- a person and a status at once


def test_a_person_and_a_status_at_once_make_no_second_copy(scene):
    """The answer was lost; while somebody sends it again, its status comes."""
    shop, office = scene.shop, scene.offices[0]
    phones = [f"52155710001{number:02}" for number in range(8)]
    [fine, *channels] = meet(scene, ["5215571000199", *phones])
    session, simulator = office.login(), scene.simulator
    rows = "SELECT id, state, delivery FROM whatsapp_message_queue"
    rows += " WHERE channel_id = %s"
    with ThreadPoolExecutor(2) as pool:
        for channel, phone in zip(channels, phones, strict=True):
            office.post(session, fine, f"Not to {phone}")  # Meta is not down
            only = {"person": [phone]}
            lost = simulator.fault("hang", seconds=0.2, match=only)
            missing = ["sent", "delivered", "read"]
            silent = simulator.fault("statuses", missing=missing, match=only)
            office.post(session, channel, "Once")
            until(
                lambda channel=channel: shop.rows(rows, channel)[0][1] == "uncertain",
                20,
                lambda channel=channel: shop.rows(rows, channel),
            )
            for fault in (lost, silent):
                simulator.clear_faults(fault)
            shop.execute(
                "UPDATE whatsapp_message_queue SET uncertain_since = uncertain_since"
                " - interval '11 minutes' WHERE state = 'uncertain'"
            )
            [first] = [a for a in taken(simulator) if phone_of(a) == phone]
            [(row_id, _state, _delivery)] = shop.rows(rows, channel)
            again = pool.submit(
                session.call, "whatsapp.message.queue", "action_retry", [row_id]
            )
            pool.submit(simulator.status, first["wamid"], "delivered").result(30)
            if error := again.exception(30):
                assert "nothing has failed" in str(error)
    time.sleep(5)  # in which a second copy would leave
    until_quiet(scene, 60)
    for channel in channels:
        assert [row[1:] for row in shop.rows(rows, channel)] == [("sent", "delivered")]
    copies = Counter(phone_of(attempt) for attempt in taken(simulator))
    assert [copies[phone] for phone in phones] == [1] * len(phones)


# -- the proof


def test_each_answer_arrives_once_in_order_or_says_that_nobody_knows(scene, capsys):
    began = time.monotonic()
    chance = random.Random(6)
    phones = [f"5215570000{number:03}" for number in range(PEOPLE)]
    channels = meet(scene, phones, STRANGERS)
    misbehave(scene, phones)
    prepared = time.monotonic()
    caught = under_load(scene, channels, chance)
    figures = judge(scene, dict(zip(channels, phones, strict=True)))
    figures["kills"] = {
        "SIGKILL": len(caught),
        "messages on their way": sum(caught),
        "clicks again": sum(office.clicked_again for office in scene.offices),
    }
    seconds = {"to prepare": prepared - began, "to send": time.monotonic() - prepared}
    figures["seconds"] = {name: round(value) for name, value in seconds.items()}
    with capsys.disabled():
        report(figures)
    assert sum(caught), "no kill caught a message on its way"


def misbehave(scene, phones):
    """Set the faults; the oldest has the first chance."""
    silent = phones[SILENT]
    reported = [phone for phone in phones if phone not in silent]
    everywhere = {"person": phones}
    fault = scene.fault
    for phone in phones[READERS]:
        scene.simulator.person(phone, reads=True)
    fault("cursed", "error", code=131000, match={"person": phones[CURSED]})
    fault("131026", "error", code=131026, match={"person": phones[UNREACHABLE]})
    for label, (name, values) in FAULTS.items():
        fault(label, name, chance=CHANCE, match=everywhere, **values)
    # nobody could know of it if nothing were reported: Meta says that it failed
    fault(
        "500 taken",
        "error",
        code=131000,
        accept=True,
        chance=CHANCE,
        match={"person": reported},
    )
    fault(
        "silent",
        "statuses",
        missing=["sent", "delivered", "read"],
        match={"person": silent},
    )
    for label, (odds, values) in REPORTS.items():
        fault(label, "statuses", chance=odds, match=everywhere, **values)
    fault("delivered twice", "duplicate", chance=0.05, match=everywhere)
    several = {"type": ["sent", "delivered", "read"]}
    fault("together", "batch", size=10, linger=0.3, chance=0.8, match=several)


@dataclass
class Load:
    """What the clerks do: an automation, the turns that may begin, and the end."""

    automation: int
    turns: list[threading.Event]
    over: threading.Event


def under_load(scene, channels, chance):
    """Answer everybody while Odoo is killed and the token dies.

    :return: for each kill, how many messages were on their way
    """
    end = time.monotonic() + LONGEST
    offices, caught = scene.offices, []
    turns = [threading.Event() for _turn in range(EACH)]
    load = Load(offices[0].action(TO_EVERYBODY), turns, threading.Event())
    desks = [(offices[n % 2], channels[n::CLERKS]) for n in range(CLERKS)]
    sessions = [office.login() for office, _channels in desks]
    with ThreadPoolExecutor(CLERKS + 1) as pool:
        clerks = [
            pool.submit(answer_all, *desk, session, load)
            for desk, session in zip(desks, sessions, strict=True)
        ]
        passing = pool.submit(let_time_pass, scene.clock, load)
        try:
            for turn, kills in zip(turns, KILLS, strict=True):
                turn.set()
                for _kill in range(kills):
                    caught.append(kill_one(offices, len(caught), chance))
            token_dies(scene)
            # until the client has waited its 30 seconds
            scene.fault("time out taken", "hang", times=2)
            scene.fault("time out not taken", "hang", accept=False, times=2)
            for clerk in clerks:
                clerk.result(timeout=end - time.monotonic())
            until_quiet(scene, end - time.monotonic())
        finally:
            load.over.set()
            for turn in turns:
                turn.set()
        passing.result(timeout=10)
    return caught


def answer_all(office, channels, session, load):
    """Answer to some people: each EACH times, in order."""
    for number, turn in enumerate(load.turns):
        turn.wait()
        size = 1 if number < CLICKS else CROWD
        for start in range(0, len(channels), size):
            if load.over.is_set():
                return
            crowd, text = channels[start : start + size], f"Answer {number}"
            if size == 1:
                office.post(session, crowd[0], text)
            else:
                office.post_to(session, load.automation, crowd, text)


def let_time_pass(clock, load):
    while not load.over.wait(2):
        clock.tick()


def kill_one(offices, number, chance):
    """Kill one Odoo at some moment; every other time the one that sends."""
    time.sleep(chance.uniform(1, 4))
    victim = chance.choice(offices)
    if number % 2 == 0:
        victim = next((office for office in offices if office.sends()), victim)
    caught = victim.kill()
    victim.open()
    return caught


def token_dies(scene):
    """The number pauses, loses nothing, and goes on by itself when it can."""
    shop, simulator = scene.shop, scene.simulator

    def gateway():
        return shop.rows(
            "SELECT whatsapp_pause_reason, whatsapp_probes FROM mail_gateway"
        )[0]

    simulator.app(id=scene.app, token_valid=False, token_subcode=463)
    until(lambda: gateway()[0], 20, gateway)
    time.sleep(3 * SECONDS)
    accepted, probes = len(taken(simulator)), gateway()[1]
    scene.clock.probe()
    until(lambda: gateway()[1] > probes, 20, gateway)
    time.sleep(3 * SECONDS)
    reason, _probes = gateway()
    assert reason, "it was tried too early, and must wait on"
    assert len(taken(simulator)) == accepted
    calls = Counter(mark_of(attempt) for attempt in simulator.outbox())
    refused = shop.rows(
        "SELECT message.uuid, message.attempts,"
        "       count(attempt.id) FILTER (WHERE attempt.outcome = 'throttled')"
        "  FROM whatsapp_message_queue message"
        "  LEFT JOIN whatsapp_message_attempt attempt ON attempt.row_id = message.id"
        " WHERE message.state = 'queued' AND message.error_code = 190"
        " GROUP BY message.id"
    )
    assert refused
    for mark, attempts, throttled in refused:
        assert calls[mark] == attempts + throttled, "a refused token burns no attempt"
    simulator.app(id=scene.app, token_valid=True)

    def resumed():
        scene.clock.probe()
        return not gateway()[0]

    until(resumed, 30, gateway, every=1)


def until_quiet(scene, seconds):
    """Until nothing is waiting, on its way, or still to be told."""
    left = (
        "SELECT count(*) FROM whatsapp_message_queue"
        " WHERE state IN ('queued', 'sending')"
    )
    until(
        lambda: not scene.shop.value(left),
        seconds,
        lambda: scene.shop.rows(
            "SELECT state, attempts, next_attempt_at, error_details"
            " FROM whatsapp_message_queue WHERE state IN ('queued', 'sending') LIMIT 5"
        ),
    )
    assert scene.simulator.wait(30), "a status could not be delivered"
    scene.shop.wait()


# -- the truth


def mark_of(attempt):
    return attempt["payload"]["biz_opaque_callback_data"]


def phone_of(attempt):
    return attempt["payload"]["to"].removeprefix("+")


def taken(simulator):
    """What Meta took, in that order."""
    attempts = [a for a in simulator.outbox() if a["accepted_at"] is not None]
    return sorted(attempts, key=lambda attempt: attempt["accepted_at"])


def judge(scene, people):
    """Compare what each row says with what Meta knows.

    :param dict people: conversation -> phone number
    """
    rows = scene.shop.rows(
        "SELECT part.channel_id, part.uuid, part.state, part.delivery, part.wamid,"
        "       notification.notification_status, part.error_details"
        "  FROM whatsapp_message_queue part"
        "  JOIN mail_notification notification"
        "    ON notification.id = part.notification_id"
        " WHERE part.channel_id = ANY(%s) ORDER BY part.id",
        list(people),
    )
    counts = Counter(row[0] for row in rows)
    assert counts == dict.fromkeys(people, EACH), "each click made one message"
    theirs = set(people.values())
    arrived = [a for a in taken(scene.simulator) if phone_of(a) in theirs]
    marks = [mark_of(attempt) for attempt in arrived]
    assert len(marks) == len(set(marks)), "nobody got a message twice"
    known = dict(zip(marks, arrived, strict=True))
    for row in rows:
        check(row, known.get(row[1]))
    check_order(rows, known, people)
    return figures_of(scene, rows, known)


def check(row, attempt):
    """One row says what became of its message."""
    _channel, _mark, state, delivery, wamid, shown, _details = row
    reports = set(attempt["statuses"]) if attempt else set()
    best = max(reports, key=lambda name: STATUSES[name][0], default=None)
    if best:
        _rank, should, seen = STATUSES[best]
        assert (state, delivery, shown) == (should, best, seen), (row, attempt)
    elif attempt and state == "sent":
        assert (delivery, shown) == (None, "sent"), (row, attempt)
    else:  # nobody told us that Meta has it
        assert delivery is None, (row, attempt)
        permitted = {"uncertain": "pending"}
        if not attempt:
            permitted["failed"] = "exception"
        assert permitted.get(state) == shown, (row, attempt)
    if state == "sent":
        assert wamid == attempt["wamid"], (row, attempt)


def check_order(rows, known, people):
    wanted, got = defaultdict(list), defaultdict(list)
    for channel, mark, *_rest in rows:
        if mark in known:
            wanted[people[channel]].append(mark)
    for mark, attempt in known.items():  # in the order in which Meta took them
        got[phone_of(attempt)].append(mark)
    assert got == wanted, "each person reads the answers in order"


def figures_of(scene, rows, known):
    """Count, and refuse a proof in which too little went wrong."""
    attempts = scene.simulator.outbox()
    times = scene.faults()
    assert min(times.values()) >= FEWEST, times
    of_calls = [*FAULTS, "500 taken", "cursed", "131026"]
    faulty = sum(times[label] for label in of_calls)
    assert faulty > 0.3 * len(attempts)
    times["190"] = sum(call["code"] == 190 for call in scene.simulator.requests())
    assert times["190"] >= FEWEST
    assert sum("ReadTimeout" in (row[-1] or "") for row in rows) >= FEWEST
    states = Counter(
        f"{row[2]} {'taken' if row[1] in known else 'not taken'}" for row in rows
    )
    assert states["sent taken"] > 0.7 * len(rows)
    assert states["failed taken"] and states["failed not taken"]
    assert states["uncertain taken"] and states["uncertain not taken"]
    check_waits(scene.clock.planned)
    return {
        "faults": times,
        "calls": {"in all": len(attempts), "faulty": faulty},
        "messages": dict(sorted(states.items())),
    }


def check_waits(planned):
    """Nothing was to be sent again before its time."""
    for attempts, code, seconds in planned:
        least = ASKED.get(code or 0, 0)
        if (code or 0) not in THROTTLED:
            least = max(least, BACKOFF[attempts])
        assert seconds >= least - 2, (attempts, code, seconds)
    faults = {n for n, code, _s in planned if (code or 0) not in THROTTLED}
    assert faults == set(BACKOFF)
    assert {4, 131000, 131016, 131056} <= {code for _n, code, _s in planned}


def report(figures):
    """Print a short table, for whoever reads the log."""
    print()
    for title, numbers in figures.items():
        cells = [f"{number:>5} {name:<22}" for name, number in numbers.items()]
        for start in range(0, len(cells), COLUMNS):
            line = "".join(cells[start : start + COLUMNS]).rstrip()
            print(f"{'' if start else title:>10} {line}")
