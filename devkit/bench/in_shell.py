# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs inside ``odoo shell``, after a line that sets ROUNDS: the same deliveries,
worked on by one process.

The last line that it prints is JSON: for the first message of a person and for
further ones, the milliseconds and queries per message, as medians of the rounds.
"""

import json
import statistics
import sys
import time

from odoo import api, sql_db


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
    env.cr.commit()
    first, further = [], []
    for new, old in ROUNDS:  # noqa: F821
        first.append(measured(work, env, gateway, new))
        further.append(measured(work, env, gateway, old))
    del first[0], further[0]  # they only warmed up
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
