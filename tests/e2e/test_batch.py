# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Documents at once, while Odoo is killed: each once, or truthfully not."""

import contextlib
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from office import CRON, Clock, new_template, two_hosts, until

from devkit import paths
from devkit import shop as shops
from devkit.demo.rpc import Refused

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None

DOCUMENTS = 500
UNREACHABLE = 15  # of them: have no WhatsApp
NAMELESS = 10  # of them: have no number
KILLS = 4
LONGEST = 420  # seconds until all is done, or it counts as never
SECONDS = 0.02  # that Meta takes for one message


@pytest.fixture(scope="module")
def scene():
    hosts = two_hosts("e2e-batch", SERIES, ODOO, seed=7, seconds=SECONDS)
    with hosts as (shop, offices, simulator, app):
        path = f"/gateway/whatsapp/{shops.KEY}/update"
        simulator.app(id=app, callback_url=offices[0].url + path)
        yield shop, offices, simulator


def wake(shop):
    """Run the cron of batches, as it runs after a while anyway."""
    cron = shop.value(CRON, *paths.xml_id("ir_cron_batch").split("."))
    shop.execute(
        "INSERT INTO ir_cron_trigger (cron_id, call_at)"
        " VALUES (%s, now() AT TIME ZONE 'UTC')",
        (cron,),
    )
    with shop.environment.cluster.connect() as connection:
        connection.execute("SELECT pg_notify('cron_trigger', %s)", (shop.database,))


def in_state(shop, *states):
    return shop.value(
        "SELECT count(*) FROM whatsapp_batch_line WHERE state = ANY(%s)", list(states)
    )


def test_each_document_arrives_once_or_says_why_not(scene, capsys):
    shop, offices, simulator = scene
    admin, chance = offices[0].login(), random.Random(7)
    phones = [f"525580000{number:03}" for number in range(DOCUMENTS)]
    contacts = admin.call(
        "res.partner",
        "create",
        [
            {
                "name": f"Customer {number}",
                "phone": number >= NAMELESS and f"+{phone}",
                "lang": "en_US",
            }
            for number, phone in enumerate(phones)
        ],
    )
    lost = phones[NAMELESS : NAMELESS + UNREACHABLE]
    simulator.fault("error", code=131026, match={"person": lost})
    simulator.fault("error", code=131000, chance=0.02)
    template = new_template(shop, admin)
    simulator.template(
        name="greeting",
        language="en_US",
        components=[{"type": "BODY", "text": "We are back"}],
    )
    dialog = "whatsapp.send.document"
    opened = admin.call(dialog, "action_open_for", "res.partner", contacts)["res_id"]
    admin.call(dialog, "write", [opened], {"template_id": template})
    batch = admin.call(dialog, "action_send", [opened])["res_id"]
    assert in_state(shop, "refused") == NAMELESS
    began, clock = time.monotonic(), Clock(shop, simulator)

    for kill in range(KILLS):
        done = (kill + 1) * DOCUMENTS // (KILLS + 2)
        until(
            lambda done=done: in_state(shop, "given") >= done,
            LONGEST,
            lambda: f"{in_state(shop, 'given')} documents are given",
        )
        victim = offices[kill % 2]
        victim.kill()
        time.sleep(chance.uniform(0, 1))
        victim.open()
        wake(shop)

    def is_done():
        clock.tick()
        waiting = in_state(shop, "waiting")
        if waiting:
            wake(shop)
        return not waiting and not shop.value(
            "SELECT count(*) FROM whatsapp_message_queue"
            " WHERE state IN ('queued', 'sending')"
        )

    until(is_done, LONGEST, lambda: f"{in_state(shop, 'waiting')} wait", every=2)
    assert simulator.wait(30), "a status could not be delivered"
    shop.wait()

    taken = Counter(
        attempt["payload"]["to"].removeprefix("+")
        for attempt in simulator.outbox()
        if attempt["accepted_at"] is not None
    )
    lines = shop.rows(
        "SELECT line.token, line.state, part.state, part.message_id"
        "  FROM whatsapp_batch_line line"
        "  LEFT JOIN whatsapp_message_queue part ON part.id = line.row_id"
        " WHERE line.batch_id = %s",
        batch,
    )
    assert len(lines) == DOCUMENTS
    # as many messages as lines: none was recorded and forgotten
    rows = shop.value("SELECT count(*) FROM whatsapp_message_queue")
    assert rows == DOCUMENTS - NAMELESS
    assert len({message for *_more, message in lines if message}) == rows
    spelled = {token: taken[token] for token, *_more in lines if token}
    told = Counter()
    for token, state, outcome, _message in lines:
        told[outcome or state] += 1
        if outcome == "sent":
            assert spelled[token] == 1, token
        elif outcome == "failed":
            assert spelled[token] == 0, token
        else:  # what was cut off by a kill is perhaps delivered, once
            assert spelled.get(token, 0) <= 1, token
    assert told["failed"] == UNREACHABLE
    assert told["refused"] == NAMELESS
    notes = shop.rows(
        "SELECT res_id, count(*) FROM mail_message"
        " WHERE model = 'res.partner' AND gateway_type = 'whatsapp' GROUP BY res_id"
    )
    assert len(notes) == rows and {count for _contact, count in notes} == {1}
    with contextlib.suppress(Refused), capsys.disabled():
        seconds = round(time.monotonic() - began)
        print(f"\n{DOCUMENTS} documents, {KILLS} kills, {seconds} s: {dict(told)}")
