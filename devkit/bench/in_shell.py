# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs inside ``odoo shell``: the same deliveries, worked on by one process.

The last line that it prints is JSON: for the first message of a person and for
further ones, the milliseconds and queries per message, as medians of the rounds.
"""

import json
import statistics
import sys
import time

from odoo import api, sql_db

PEOPLE = 30
FURTHER = 4  # messages of each of them, besides the first
ROUNDS = 5


def bodies(number_id, people, rounds, tag):
    """Deliveries, one message each, the people by turns."""
    return [
        delivery(number_id, person, f"{tag}.{turn}.{person}")
        for turn in range(rounds)
        for person in people
    ]


def delivery(number_id, person, wamid):
    """Return one delivery as the bytes of its body."""
    message = {
        "id": f"wamid.{wamid}",
        "from": person,
        "from_user_id": f"MX.{person}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": f"What does number {wamid} cost?"},
    }
    contact = {"profile": {"name": f"Person {person}"}, "wa_id": person}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "1", "phone_number_id": number_id},
        "contacts": [{**contact, "user_id": f"MX.{person}"}],
        "messages": [message],
    }
    entry = {"id": "20001", "changes": [{"field": "messages", "value": value}]}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}
    ).encode()


def work_of_oca(env, gateway, deliveries):
    """Do what OCA's controller does with each delivery, in its own transaction."""
    for body in deliveries:
        with env.registry.cursor() as cr:
            own = api.Environment(cr, gateway.webhook_user_id.id, {})
            number = own["mail.gateway"].sudo().browse(gateway.id)
            service = (
                own["mail.gateway.whatsapp"]
                .with_user(number.webhook_user_id.id)
                .with_company(number.company_id.id)
                .with_context(no_gateway_notification=True)
            )
            service._receive_update(number.with_env(service.env), json.loads(body))
            own.flush_all()


def work_of_ours(env, gateway, deliveries):
    """Store each delivery as our controller does, then work as the thread does."""
    webhook = next(
        module
        for name, module in sys.modules.items()
        if "whatsapp" in name and name.endswith(".tools.webhook")
    )
    known = env["mail.gateway"]._whatsapp_webhook(gateway.webhook_key)
    events = env["whatsapp.webhook.event"]
    for body in deliveries:
        events._store(
            env["mail.gateway.whatsapp"]._event_rows(known, webhook.parse(body))
        )
    env.cr.commit()
    type(events)._drain(env.registry, time.monotonic() + 3600, [])


def measured(work, env, gateway, deliveries):
    """Return milliseconds and queries per message."""
    queries, begun = sql_db.sql_counter, time.perf_counter()
    work(env, gateway, deliveries)
    seconds = time.perf_counter() - begun
    count = len(deliveries)
    return seconds * 1000 / count, (sql_db.sql_counter - queries) / count


def main(env):
    """Run the rounds and print their medians."""
    gateway = env["mail.gateway"].search([("gateway_type", "=", "whatsapp")], limit=1)
    ours = "whatsapp.webhook.event" in env
    work = work_of_ours if ours else work_of_oca
    number_id, base = gateway.whatsapp_from_phone, int(time.time()) % 10**5 * 1000
    env.cr.commit()
    first, further = [], []
    for turn in range(ROUNDS + 1):
        # numbers of Mexico City, which exist: what has no number asks less
        people = [f"52155{base + turn * PEOPLE + n:08}" for n in range(PEOPLE)]
        new = measured(work, env, gateway, bodies(number_id, people, 1, f"n{base}"))
        old = measured(
            work, env, gateway, bodies(number_id, people, FURTHER, f"f{base}")
        )
        if turn:  # the first round only warms up
            first.append(new)
            further.append(old)
    print(
        "BENCH "
        + json.dumps(
            {
                "first_ms": statistics.median(ms for ms, _queries in first),
                "first_queries": statistics.median(q for _ms, q in first),
                "further_ms": statistics.median(ms for ms, _queries in further),
                "further_queries": statistics.median(q for _ms, q in further),
            }
        )
    )


main(env)  # noqa: F821 - the shell's environment
