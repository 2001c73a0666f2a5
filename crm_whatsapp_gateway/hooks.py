# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What happens before the tables of the addon exist, after that, and at the end."""

import re
from collections import defaultdict
from datetime import timedelta

from lxml import etree
from markupsafe import Markup

from odoo import SUPERUSER_ID, fields
from odoo.tools import SQL
from odoo.tools.misc import file_path
from odoo.tools.sql import column_exists

from odoo.addons.mail_gateway_whatsapp_queue.hooks import conversations
from odoo.addons.mail_gateway_whatsapp_queue.tools import identity, plain_text

from .tools.conversation import preview

# columns of discuss.channel that are columns of whatsapp.conversation now
STATE_OF_CHANNELS = {
    f"whatsapp_{name}": name
    for name in (
        *("state", "snoozed_until", "snoozed_by_id", "inbox_date", "last_text"),
        *("last_date", "last_author", "waiting_since", "answer_due", "late"),
        *("welcomed_at", "away_at"),
    )
}
SNOOZED_CHANNELS = "discuss_channel_whatsapp_snooze_rel"  # which a dialog had
# fields that people may have filtered the inbox by
NEW_NAMES = {
    **STATE_OF_CHANNELS,
    **{
        f"whatsapp_{name}": name
        for name in (
            *("user_id", "team_id", "unread", "window_closing", "failed", "absent"),
            *("phone", "username"),
        )
    },
    "lead_stage_id": "stage_id",
    "lead_campaign_id": "campaign_id",
    "message_ids": "channel_id.message_ids",
}
NAMES = re.compile(rf"\b({'|'.join(NEW_NAMES)})\b")
# by which a note on a lead is known again as the memory of its conversation
MEMORY = "<conversation-%s@crm_whatsapp_gateway>"


def pre_init_hook(env):
    """Let UTM records that the company has be those that we ship."""
    for model, xmlid, name in _shipped_utm():
        _adopt(env, model, xmlid, name)


def post_init_hook(env):
    """Fill inbox fields of conversations that existed before, and link their leads.

    Those of before the addon was uninstalled, else those with the number.
    """
    channels = conversations(env)
    env.flush_all()
    make_conversations(env.cr)
    bring_back(env.cr)
    _learn_last_words(env.cr, channels.ids)
    env.invalidate_all()
    _link_as_before(env, channels)
    _link_by_number(env, channels.filtered(lambda channel: not channel.lead_id))


def uninstall_hook(env):
    """Leave what belongs to the company where it is, and nothing of ours.

    The UTM records stay: leads and campaigns are told by them. Conversations and
    leads remember each other by a note.
    """
    _remember_leads(env)
    env["ir.model.data"].search(
        [
            ("module", "=", "crm_whatsapp_gateway"),
            ("model", "in", ("utm.source", "utm.medium")),
        ]
    ).unlink()


# ------------------------------------------------------------- the inbox


def make_conversations(cr):
    """Give the channels of WhatsApp that have none their row in the inbox."""
    cr.execute(
        """
        INSERT INTO whatsapp_conversation (
               channel_id, name, active, company_id, gateway_id, phone, username,
               lead_id, stage_id, team_id, user_id, state,
               create_uid, create_date, write_uid, write_date)
        SELECT channel.id, channel.name, channel.active, channel.company_id,
               channel.gateway_id, channel.whatsapp_phone, channel.whatsapp_username,
               channel.lead_id, lead.stage_id, channel.whatsapp_team_id,
               channel.whatsapp_user_id, 'answered',
               %(root)s, %(now)s, %(root)s, %(now)s
          FROM discuss_channel channel
          LEFT JOIN mail_gateway gateway ON gateway.id = channel.gateway_id
          LEFT JOIN crm_lead lead ON lead.id = channel.lead_id
         WHERE channel.channel_type = 'gateway'
           AND channel.gateway_channel_token IS NOT NULL
           AND (gateway.gateway_type = 'whatsapp'
                -- whose number was deleted
                OR gateway.id IS NULL
                   AND (channel.whatsapp_phone IS NOT NULL
                        OR channel.whatsapp_bsuid IS NOT NULL))
           AND NOT EXISTS (SELECT FROM whatsapp_conversation there
                            WHERE there.channel_id = channel.id)
         ORDER BY channel.id
        """,
        {"root": SUPERUSER_ID, "now": fields.Datetime.now()},
    )


def bring_back(cr):
    """Let conversations be found again that somebody archived: now they are closed."""
    cr.execute(
        """
        UPDATE discuss_channel channel
           SET active = TRUE
          FROM mail_gateway gateway
         WHERE gateway.id = channel.gateway_id
           AND gateway.gateway_type = 'whatsapp'
           AND channel.channel_type = 'gateway'
           AND channel.active IS NOT TRUE;
        UPDATE whatsapp_conversation chat
           SET active = TRUE
          FROM discuss_channel channel
         WHERE channel.id = chat.channel_id
           AND channel.active
           AND chat.active IS NOT TRUE
        """
    )


def carry_over(cr):
    """Move the state of the inbox from channels, where it was before.

    Once: what is there already is newer.
    """
    make_conversations(cr)
    there = [
        (SQL.identifier(old), SQL.identifier(new))
        for old, new in STATE_OF_CHANNELS.items()
        if column_exists(cr, "discuss_channel", old)
    ]
    if there:
        cr.execute(
            SQL(
                "UPDATE whatsapp_conversation chat SET %s FROM discuss_channel channel"
                " WHERE channel.id = chat.channel_id AND chat.last_date IS NULL",
                SQL(", ").join(SQL("%s = channel.%s", new, old) for old, new in there),
            )
        )
        # of a time before there were states
        cr.execute(
            "UPDATE whatsapp_conversation SET inbox_date = last_date,"
            " state = CASE WHEN waiting_since IS NULL THEN 'answered' ELSE 'open' END"
            " WHERE state IS NULL"
        )
    bring_back(cr)
    _move_records(cr)
    _forget_constraints(cr)


def _forget_constraints(cr):
    """Remove what Odoo leaves of columns that it removes after an update."""
    cr.execute(SQL("DROP TABLE IF EXISTS %s", SQL.identifier(SNOOZED_CHANNELS)))
    cr.execute("DELETE FROM ir_model_relation WHERE name = %s", (SNOOZED_CHANNELS,))
    cr.execute(
        "DELETE FROM ir_model_constraint WHERE name = ANY(%s)",
        (
            [
                "discuss_channel_lead_stage_id_fkey",
                "discuss_channel_whatsapp_snoozed_by_id_fkey",
                f"{SNOOZED_CHANNELS}_discuss_channel_id_fkey",
                f"{SNOOZED_CHANNELS}_whatsapp_snooze_id_fkey",
            ],
        ),
    )


def _move_records(cr):
    """Let the cron of snoozed conversations, and what people saved, follow."""
    cr.execute(
        """
        SELECT cron.ir_actions_server_id, model.id
          FROM ir_model_data named
          JOIN ir_cron cron ON cron.id = named.res_id
          JOIN ir_model model ON model.model = 'whatsapp.conversation'
         WHERE named.module = 'crm_whatsapp_gateway'
           AND named.name = 'ir_cron_snoozed'
        """
    )
    for action_id, model_id in cr.fetchall():
        values = {"model_id": model_id}
        if column_exists(cr, "ir_act_server", "model_name"):  # on 18.0
            values["model_name"] = "whatsapp.conversation"
        for name, value in values.items():
            column = SQL.identifier(name)
            cr.execute(
                SQL(
                    "UPDATE ir_act_server SET %s = %s WHERE id = %s",
                    *(column, value, action_id),
                )
            )
    cr.execute(
        """
        SELECT filter.id, filter.domain, filter.context, filter.sort
          FROM ir_filters filter
          JOIN ir_model_data named ON named.module = 'crm_whatsapp_gateway'
                                  AND named.name = 'action_whatsapp_inbox'
                                  AND named.res_id = filter.action_id
         WHERE filter.model_id = 'discuss.channel'
        """
    )
    for filter_id, *values in cr.fetchall():
        cr.execute(
            "UPDATE ir_filters SET model_id = 'whatsapp.conversation',"
            " domain = %s, context = %s, sort = %s WHERE id = %s",
            (*map(_renamed, values), filter_id),
        )


def _renamed(text):
    """Return what somebody saved, with the names that fields have now."""
    return text and NAMES.sub(lambda found: NEW_NAMES[found[0]], text)


# ------------------------------------------------------------- UTM


def _shipped_utm():
    """Return what we ship and a company may have made by hand: model, XML id, name."""
    tree = etree.parse(file_path("crm_whatsapp_gateway/data/utm_source_data.xml"))
    return [
        (record.get("model"), record.get("id"), record.findtext("field[@name='name']"))
        for record in tree.iter("record")
    ]


def _adopt(env, model, xmlid, name):
    """Let a record with this name, archived or not, be the one that we ship."""
    records = env[model].with_context(active_test=False)
    records = records.search([("name", "=ilike", name)])
    record = records.sorted(
        lambda one: (one.name != name, "active" in one and not one.active, one.id)
    )[:1]
    if record:
        env["ir.model.data"]._update_xmlids(
            [
                {
                    "xml_id": f"crm_whatsapp_gateway.{xmlid}",
                    "record": record,
                    "noupdate": True,
                }
            ]
        )


# ------------------------------------------------------------- conversations


def _learn_last_words(cr, ids):
    """Give conversations their last word, and whose turn it is.

    What is older than a week is closed: an inbox begins with what is going on.
    """
    # what has no notification of the gateway came from the customer
    cr.execute(
        """
        WITH said AS (
            SELECT message.res_id AS id,
                   message.date,
                   EXISTS (
                       SELECT FROM mail_notification sent
                        WHERE sent.mail_message_id = message.id
                          AND sent.notification_type = 'gateway') AS ours
              FROM mail_message message
             WHERE message.model = 'discuss.channel'
               AND message.res_id = ANY(%s)
               AND message.message_type = 'comment'
        ), last_words AS (
            SELECT id,
                   max(date) AS last,
                   max(date) FILTER (WHERE ours) AS answer,
                   max(date) FILTER (WHERE NOT ours) AS customer
              FROM said
             GROUP BY id
        ), turn AS (
            SELECT id, last, customer,
                   answer IS NULL OR customer > answer AS waits,
                   last < %s AS old
              FROM last_words
        ), channels AS (
            UPDATE discuss_channel channel
               SET whatsapp_last_customer_date = turn.customer
              FROM turn
             WHERE turn.id = channel.id
        )
        UPDATE whatsapp_conversation chat
           SET last_date = turn.last,
               inbox_date = turn.last,
               last_author = CASE WHEN waits THEN 'customer' ELSE 'us' END,
               waiting_since = CASE WHEN waits AND NOT old THEN turn.last END,
               state = CASE WHEN old THEN 'closed'
                            WHEN waits THEN 'open'
                            ELSE 'answered' END
          FROM turn
         WHERE turn.id = chat.channel_id
        """,
        (ids, fields.Datetime.now() - timedelta(days=7)),
    )
    cr.execute(
        """
        SELECT DISTINCT ON (message.res_id) message.res_id, message.body
          FROM mail_message message
          JOIN whatsapp_conversation chat ON chat.channel_id = message.res_id
         WHERE message.model = 'discuss.channel'
           AND message.message_type = 'comment'
           AND chat.channel_id = ANY(%s)
           AND chat.state != 'closed'
         ORDER BY message.res_id, message.date DESC, message.id DESC
        """,
        (ids,),
    )
    cr.execute_values(
        "UPDATE whatsapp_conversation SET last_text = said.text"
        " FROM (VALUES %s) AS said (id, text) WHERE channel_id = said.id",
        [
            (channel_id, preview(plain_text.from_html(body, marks=False)))
            for channel_id, body in cr.fetchall()
        ],
        page_size=1000,
    )


# ------------------------------------------------------------- leads


def _remember_leads(env):
    """Leave a note on each lead that names its conversation.

    It leads people to the conversation, and us when the addon is installed again.
    """
    channels = (
        env["discuss.channel"]
        .with_context(active_test=False)
        .search([("lead_id", "!=", False)])
    )
    env = env(context={**env.context, "lang": env.company.partner_id.lang})
    _memories(env, channels).unlink()
    note, author = env.ref("mail.mt_note"), env.ref("base.partner_root")
    env["mail.message"].create(
        [
            {
                "model": "crm.lead",
                "res_id": channel.lead_id.id,
                "message_type": "notification",
                "subtype_id": note.id,
                "author_id": author.id,
                "is_internal": True,
                "message_id": MEMORY % channel.id,
                "body": Markup("<p>%s %s</p>")
                % (env._("Its WhatsApp conversation:"), channel._get_html_link()),
            }
            for channel in channels
        ]
    )


def _memories(env, channels):
    """Return the notes by which leads remember these conversations."""
    return env["mail.message"].search(
        [
            ("model", "=", "crm.lead"),
            ("message_id", "in", [MEMORY % channel_id for channel_id in channels.ids]),
        ]
    )


def _link_as_before(env, channels):
    """Link conversations with the leads that remember them; the notes go."""
    memories = _memories(env, channels)
    there = set(env["crm.lead"].browse(memories.mapped("res_id")).exists().ids)
    leads = {
        memory.message_id: memory.res_id
        for memory in memories
        if memory.res_id in there
    }
    _write_links(
        env,
        {
            channel.id: leads[MEMORY % channel.id]
            for channel in channels
            if MEMORY % channel.id in leads
        },
    )
    memories.unlink()


def _link_by_number(env, channels):
    """Link conversations with the open lead of their person, else the last closed.

    As ``_whatsapp_link_open`` does with one of them, for all at once.
    """
    found = _leads_of_persons(env.cr, channels)
    leads = env["crm.lead"].browse({lead for ids in found.values() for lead in ids})
    links, taken_up = {}, []
    for channel in channels:
        company = channel._whatsapp_company()
        theirs = leads.browse(sorted(found[channel.id], reverse=True))
        theirs = theirs.with_prefetch(leads.ids).filtered(
            lambda lead, own=company: not lead.company_id or lead.company_id == own
        )
        lead = theirs._whatsapp_best_open()
        if lead:
            others = theirs.filtered(lambda one: one._whatsapp_is_open()) - lead
            taken_up.append((channel, lead, others))
        if lead := lead or theirs._whatsapp_last_closed():
            links[channel.id] = lead.id
    _write_links(env, links)
    _tell_leads(env, taken_up)


def _leads_of_persons(cr, channels):
    """Return the ids of the leads of each conversation's person, by its id."""
    cr.execute(
        """
        SELECT id, unnest(string_to_array(whatsapp_phones, ' '))
          FROM crm_lead
         WHERE whatsapp_phones IS NOT NULL
         UNION
        SELECT lead.id, unnest(string_to_array(partner.whatsapp_phones, ' '))
          FROM crm_lead lead
          JOIN res_partner partner ON partner.id = lead.partner_id
         WHERE partner.whatsapp_phones IS NOT NULL
        """
    )
    by_phone, found = defaultdict(set), defaultdict(set)
    for lead_id, phone in cr.fetchall():
        by_phone[phone].add(lead_id)
    for channel in channels:
        for phone in identity.variants(channel.whatsapp_phone or ""):
            found[channel.id] |= by_phone.get(phone, set())
    cr.execute(
        """
        SELECT member.channel_id, lead.id
          FROM discuss_channel_member member
          JOIN res_partner partner
            ON partner.id = member.partner_id AND partner.partner_share
          JOIN crm_lead lead ON lead.partner_id = partner.id
         WHERE member.channel_id = ANY(%s)
        """,
        (channels.ids,),
    )
    for channel_id, lead_id in cr.fetchall():
        found[channel_id].add(lead_id)
    return found


def _write_links(env, links):
    """Link conversations with leads, and compute what they show of them.

    :param dict links: id of a conversation -> id of its lead
    """
    env.flush_all()
    env.cr.execute_values(
        "UPDATE discuss_channel SET lead_id = link.lead FROM (VALUES %s)"
        " AS link (channel, lead) WHERE discuss_channel.id = link.channel",
        list(links.items()),
        page_size=1000,
    )
    env.invalidate_all()
    env["discuss.channel"].browse(links).modified(["lead_id"])
    env.flush_all()


def _tell_leads(env, taken_up):
    """Say on leads why they were linked, and let their salespeople in.

    :param taken_up: list of tuples of conversation, lead, and further open leads
    """
    bodies, members = {}, []
    for channel, lead, others in taken_up:
        why = lead._whatsapp_matched_by(channel)
        lead.whatsapp_match_reason = env._("Matched by %s", why)
        note = env._("WhatsApp conversation linked: matched by %s.", why)
        bodies[lead.id] = Markup("<p>%s</p>") % note
        if others:
            bodies[lead.id] += channel._whatsapp_links(
                env._("Other open leads of the same person, perhaps to be merged:"),
                others,
            )
        partner = lead.user_id.partner_id
        if partner and partner not in channel.channel_member_ids.partner_id:
            members.append({"channel_id": channel.id, "partner_id": partner.id})
    env["crm.lead"].browse(bodies)._message_log_batch(bodies=bodies)
    env["discuss.channel.member"].create(members)
