# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs inside ``odoo shell``, after a line that sets URL, KEY and PEOPLE.

Somebody answers each of PEOPLE once; then what was left to be sent is sent. The
last line that it prints is JSON.
"""

import json
import resource
import statistics
import sys
import time

import requests


def prepare(env):
    """Return the conversations, of an administrator: with OCA alone a salesperson
    may not send.
    """
    gateway = env["mail.gateway"].search([("gateway_type", "=", "whatsapp")], limit=1)
    seller = env.ref("base.user_admin")
    gateway.member_ids = seller
    ours = "whatsapp.message.queue" in env
    if ours:
        gateway.whatsapp_rate = 80
        env["ir.config_parameter"].set_param(KEY, URL)  # noqa: F821
    channels = env["discuss.channel"].create(
        [
            {
                "name": f"Person {number}",
                "channel_type": "gateway",
                "gateway_id": gateway.id,
                "gateway_channel_token": f"52155{number:08}",
                "company_id": gateway.company_id.id,
                "channel_member_ids": [(0, 0, {"partner_id": seller.partner_id.id})],
                **({"whatsapp_last_customer_date": env.cr.now()} if ours else {}),
            }
            for number in range(PEOPLE)  # noqa: F821
        ]
    )
    env.cr.commit()
    return channels.with_user(seller), ours


def redirect():
    """Let OCA's fixed address of Meta be the stub."""
    post = requests.post

    def at_the_stub(url, **kwargs):
        return post(url.replace("https://graph.facebook.com", URL), **kwargs)  # noqa: F821

    requests.post = at_the_stub


def main(env):
    """Measure the clicks, then the backlog."""
    channels, ours = prepare(env)
    if ours:
        worker = next(
            module
            for name, module in sys.modules.items()
            if "whatsapp" in name and name.endswith(".worker")
        )
        worker.wake = lambda dbname, lane: None  # the backlog is measured alone
    else:
        redirect()
    clicks, began = [], time.perf_counter()
    for channel_id in channels.ids:
        env.invalidate_all()  # a click finds nothing in the cache, and reads one
        channel = channels.browse(channel_id)
        before = time.perf_counter()
        channel.message_post(
            body="It is 5 euros",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        env.cr.commit()
        clicks.append(time.perf_counter() - before)
    if ours:
        began = time.perf_counter()
        queue = env["whatsapp.message.queue"]
        type(queue)._drain(env.registry, time.monotonic() + 600, [])
        env.invalidate_all()
        assert set(queue.search([]).mapped("state")) == {"sent"}
    seconds = time.perf_counter() - began
    print(
        "BENCH "
        + json.dumps(
            {
                "people": len(channels),
                "click_ms": statistics.median(clicks) * 1000,
                "per_second": len(channels) / seconds,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


main(env)  # noqa: F821 - the shell's environment
