# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What one message costs one busy process, in a small database and in a huge one."""

import time

from devkit import options, shop
from devkit.bench import sides

SIZES = (1_000, 1_000_000)  # conversations in the database, each with its lead
PEOPLE = 30
FURTHER = 4  # messages of each of them, besides the first
ROUNDS = 6  # the first one only warms up

# people from Spain; those who write in the benchmark are from Mexico
FILL = """
    WITH numbers AS (
        SELECT number, format('34%%s', 600000000 + number) AS token
          FROM generate_series(%(first)s::int, %(last)s::int) AS number),
    gateway AS (SELECT id, company_id FROM mail_gateway LIMIT 1),
    guest AS (
        INSERT INTO mail_guest (name, access_token, gateway_id, gateway_token)
        SELECT format('Guest %%s', number), md5(number::text), gateway.id, token
          FROM numbers, gateway RETURNING id, gateway_token),
    {lead}
    channel AS (
        INSERT INTO discuss_channel
               (name, channel_type, active, uuid, gateway_id, gateway_channel_token,
                company_id, create_date, write_date {columns})
        SELECT format('Guest %%s', number), 'gateway', true, md5('c' || number),
               gateway.id, token, gateway.company_id, now(), now() {values}
          FROM gateway, numbers {join} RETURNING id, gateway_channel_token)
    {inbox}
    INSERT INTO discuss_channel_member
           (channel_id, guest_id, new_message_separator, create_date)
    SELECT channel.id, guest.id, 0, now()
      FROM channel JOIN guest ON guest.gateway_token = channel.gateway_channel_token
"""
WITH_OURS = {
    "lead": """lead AS (
        INSERT INTO crm_lead
               (name, type, active, phone, phone_sanitized, whatsapp_phones,
                company_id, user_id,
                stage_id, create_date, write_date, whatsapp_opened_at)
        SELECT format('Lead %%s', number), 'opportunity', true, '+' || token,
               '+' || token,
               '+' || token, gateway.company_id,
               (SELECT id FROM res_users WHERE login = 'sofia'),
               (SELECT id FROM crm_stage ORDER BY sequence LIMIT 1),
               now(), now(), now()
          FROM numbers, gateway RETURNING id, phone),""",
    "columns": ", lead_id, whatsapp_phone, whatsapp_bsuid",
    "values": ", lead.id, '+' || token, 'ES.' || token",
    "join": "JOIN lead ON lead.phone = '+' || token",
    "inbox": """, inbox AS (
        INSERT INTO whatsapp_conversation
               (channel_id, name, active, gateway_id, company_id, phone, lead_id,
                state, last_date, create_date, write_date)
        SELECT channel.id, format('Guest %%s', number), true, gateway.id,
               gateway.company_id, '+' || token, lead.id,
               'answered', now(), now(), now()
          FROM channel, gateway, numbers JOIN lead ON lead.phone = '+' || token
         WHERE token = gateway_channel_token)""",
}
ALONE = dict.fromkeys(WITH_OURS, "")
PORTION = 50_000  # rows of one statement


def measure(wished: options.BenchOptions) -> None:
    """Measure both sides at each size; print a table and the same as JSON."""
    sizes = [int(word) for word in wished.arguments if word.isdigit()] or SIZES
    found = []
    for side, with_addon in sides.SIDES:
        with sides.opened("bench-work", wished, side, with_addon) as opened:
            filled = 0
            for size in sizes:
                _fill(opened, filled, size, WITH_OURS if with_addon else ALONE)
                filled = size
                figures = sides.inside(opened, "in_shell.py", ROUNDS=_rounds())
                found.append({"side": side, "conversations": size, **figures})
    sides.show("work per message, one process", found)


def _fill(opened: shop.Shop, first: int, last: int, parts: dict) -> None:
    for start in range(first, last, PORTION):
        end = min(start + PORTION, last)
        opened.execute(FILL.format(**parts), {"first": start + 1, "last": end})
    opened.execute("ANALYZE")


def _rounds() -> list[list[list[bytes]]]:
    """In each round the first deliveries of people that nobody knows, and further ones.

    Numbers of Mexico City, which exist: what has no number asks less.
    """
    base = int(time.time()) % 10**5 * 1000
    rounds = []
    for turn in range(ROUNDS):
        people = [f"52155{base + turn * PEOPLE + n:08}" for n in range(PEOPLE)]
        deliveries = [
            [shop.delivery(shop.message(number, person)) for person in people]
            for number in range(1 + FURTHER)
        ]
        rounds.append([deliveries[0], sum(deliveries[1:], [])])
    return rounds
