# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Makes one conversation of several of one person, and loses nothing of them.

At the installation it runs before the tables of the addon exist, for all conversations
at once: so it is SQL, over what the database says refers to a conversation, whatever
module made it.
"""

import logging
from collections import defaultdict

import psycopg2

from odoo.tools import SQL, mute_logger
from odoo.tools.sql import column_exists, table_exists

from .tools import identity

_logger = logging.getLogger(__name__)

# what refers to a record of any model: its table, and the columns of model and id
BY_MODEL = (
    ("mail_message", "model", "res_id"),
    ("mail_scheduled_message", "model", "res_id"),
    ("ir_attachment", "res_model", "res_id"),
    ("mail_followers", "res_model", "res_id"),
    ("mail_activity", "res_model", "res_id"),
    ("rating_rating", "res_model", "res_id"),
    ("ir_model_data", "model", "res_id"),
)
FURTHEST = "max(%(one)s)"
FIRST = "(array_agg(%(one)s ORDER BY id) FILTER (WHERE %(one)s IS NOT NULL))[1]"
# of a member who is in several: how far it was read, and pinned if it was in one
MEMBER = {
    "seen_message_id": FURTHEST,
    "fetched_message_id": FURTHEST,
    "new_message_separator": FURTHEST,
    "last_interest_dt": FURTHEST,
    "last_seen_dt": FURTHEST,
    "unpin_dt": "CASE WHEN bool_and(COALESCE(%(one)s > COALESCE(last_interest_dt,"
    " '-infinity'), false)) THEN max(%(one)s) END",
    "mute_until_dt": "CASE WHEN bool_and(%(one)s IS NOT NULL) THEN max(%(one)s) END",
    "custom_channel_name": FIRST,
    "custom_notifications": FIRST,
}
CHANNEL = {"last_interest_dt": FURTHEST, "active": "bool_or(%(one)s)"}


def person_of(token):
    """Return the person with this conversation id, however it is spelt.

    :param str token: as OCA stored it
    :return: ``tools.identity.Identity``, perhaps of nobody
    """
    person = identity.Identity.of_token(token)
    number = not person and identity.normalize(token)
    return identity.Identity(phone=number.lstrip("+")) if number else person


def merge_duplicate_conversations(cr):
    """Leave one conversation per person and gateway, the oldest of them.

    Those of WhatsApp by every spelling of a number, those of others by the very same
    token. Runs safely again, and beside others: they wait until the addon is there.

    :return: number of conversations that were merged into others
    """
    # else a message that arrives now could begin a further one
    cr.execute("LOCK TABLE discuss_channel IN SHARE ROW EXCLUSIVE MODE")
    merged = _duplicates(cr)
    if not merged:
        return 0
    _make_map(cr, "whatsapp_merged", merged)
    tokens = _tokens_of_meta(cr)
    _move_references(cr)
    cr.execute(
        "DELETE FROM discuss_channel USING whatsapp_merged"
        " WHERE discuss_channel.id = whatsapp_merged.old"
    )
    cr.execute_values(
        "UPDATE discuss_channel SET gateway_channel_token = best.token"
        " FROM (VALUES %s) AS best (id, token) WHERE discuss_channel.id = best.id",
        tokens,
    )
    cr.execute("DROP TABLE whatsapp_merged")
    _logger.info("%s conversations were merged into older ones", len(merged))
    return len(merged)


def move_references(cr, old, kept):
    """Let all that refers to a conversation refer to another one.

    Who takes part in both does so once, having read as far as in either.

    :param cr: cursor; what an environment keeps is flushed before, and forgotten then
    :param int old: id of the conversation that can be deleted after this
    :param int kept: id of the one that stays
    """
    _make_map(cr, "whatsapp_merged", [(old, kept)])
    _move_references(cr)
    cr.execute("DROP TABLE whatsapp_merged")


def move_guest(cr, old, kept):
    """Let all that refers to a guest refer to another one.

    :param int old: id of the guest who can be deleted after this
    :param int kept: id of the one who stays
    """
    _make_map(cr, "whatsapp_merged_guest", [(old, kept)])
    _repoint_keys(cr, "mail_guest", "whatsapp_merged_guest")
    cr.execute("DROP TABLE whatsapp_merged_guest")


def _move_references(cr):
    _merge_members(cr)
    _merge_subtypes(cr)
    for table, model, column in BY_MODEL:
        if table_exists(cr, table):
            _repoint(
                cr,
                table,
                column,
                "whatsapp_merged",
                SQL("%s = 'discuss.channel'", SQL.identifier(model)),
            )
    _repoint_keys(cr, "discuss_channel", "whatsapp_merged")
    _merge_values(cr, "discuss_channel", CHANNEL, "whatsapp_merged")


def _duplicates(cr):
    """Return pairs of ids: what goes, and the oldest of the same person."""
    cr.execute(
        """
        SELECT channel.id, channel.gateway_id, gateway.gateway_type,
               channel.gateway_channel_token
          FROM discuss_channel channel
          JOIN mail_gateway gateway ON gateway.id = channel.gateway_id
         WHERE channel.channel_type = 'gateway'
           AND channel.gateway_channel_token IS NOT NULL
         ORDER BY channel.id
        """
    )
    found = defaultdict(list)
    for channel_id, gateway_id, kind, token in cr.fetchall():
        names = (token,)
        if kind == "whatsapp":
            person = person_of(token)
            names = tuple(sorted(person.phones)) or person.keys or names
        found[gateway_id, names].append(channel_id)
    return [(old, ids[0]) for ids in found.values() for old in ids[1:]]


def _make_map(cr, name, pairs):
    table = SQL.identifier(name)
    cr.execute(SQL("DROP TABLE IF EXISTS %s", table))
    cr.execute(
        SQL("CREATE TEMP TABLE %s (old integer PRIMARY KEY, kept integer)", table)
    )
    cr.execute_values(f'INSERT INTO "{name}" VALUES %s', pairs)
    cr.execute(SQL("ANALYZE %s", table))


def _tokens_of_meta(cr):
    """Return pairs of the ids that stay, and the token that Meta knows best.

    It gives bare digits, and those of the customer's last message are the present ones.
    """
    cr.execute(
        """
        SELECT DISTINCT ON (same.kept) same.kept, channel.gateway_channel_token
          FROM (SELECT old AS id, kept FROM whatsapp_merged
                 UNION SELECT kept, kept FROM whatsapp_merged) same
          JOIN discuss_channel channel ON channel.id = same.id
          LEFT JOIN LATERAL (
               SELECT max(message.id) AS last
                 FROM mail_message message
                WHERE message.model = 'discuss.channel'
                  AND message.res_id = same.id
                  AND message.message_type = 'comment'
                  AND NOT EXISTS (
                      SELECT FROM mail_notification sent
                       WHERE sent.mail_message_id = message.id
                         AND sent.notification_type = 'gateway')) received ON true
         ORDER BY same.kept, channel.gateway_channel_token !~ '[^0-9]' DESC,
                  received.last DESC NULLS LAST, channel.id
        """
    )
    return cr.fetchall()


def _merge_members(cr):
    """Let everybody take part in what stays, having read as far as anywhere."""
    cr.execute(
        """
        SELECT member.id,
               first_value(member.id) OVER (
                   PARTITION BY same.kept, member.partner_id, member.guest_id
                       ORDER BY member.id)
          FROM (SELECT old AS id, kept FROM whatsapp_merged
                 UNION SELECT kept, kept FROM whatsapp_merged) same
          JOIN discuss_channel_member member ON member.channel_id = same.id
        """
    )
    twice = [(old, kept) for old, kept in cr.fetchall() if old != kept]
    if twice:
        _make_map(cr, "whatsapp_merged_member", twice)
        _merge_values(cr, "discuss_channel_member", MEMBER, "whatsapp_merged_member")
        _repoint_keys(cr, "discuss_channel_member", "whatsapp_merged_member")
        cr.execute(
            "DELETE FROM discuss_channel_member USING whatsapp_merged_member merged"
            " WHERE discuss_channel_member.id = merged.old"
        )
        cr.execute("DROP TABLE whatsapp_merged_member")


def _merge_values(cr, table, ways, mapping):
    """Write on what stays the values of all that is merged into it."""
    there = [column for column in ways if column_exists(cr, table, column)]
    name, merged = SQL.identifier(table), SQL.identifier(mapping)
    cr.execute(
        SQL(
            """
            UPDATE %(table)s SET %(columns)s
              FROM (SELECT same.kept, %(values)s
                      FROM (SELECT old AS one, kept FROM %(mapping)s
                             UNION SELECT kept, kept FROM %(mapping)s) same
                      JOIN %(table)s ON %(table)s.id = same.one
                     GROUP BY same.kept) merged
             WHERE %(table)s.id = merged.kept
            """,
            table=name,
            mapping=merged,
            columns=SQL(", ").join(
                SQL("%(one)s = merged.%(one)s", one=SQL.identifier(column))
                for column in there
            ),
            values=SQL(", ").join(
                SQL(f"{ways[column]} AS %(one)s", one=SQL.identifier(column))
                for column in there
            ),
        )
    )


def _merge_subtypes(cr):
    """Let who follows several be told of what they were told of in any."""
    cr.execute(
        """
        INSERT INTO mail_followers_mail_message_subtype_rel
                    (mail_followers_id, mail_message_subtype_id)
        SELECT stays.id, told.mail_message_subtype_id
          FROM whatsapp_merged merged
          JOIN mail_followers gone
            ON gone.res_model = 'discuss.channel' AND gone.res_id = merged.old
          JOIN mail_followers stays
            ON stays.res_model = 'discuss.channel' AND stays.res_id = merged.kept
           AND stays.partner_id = gone.partner_id
          JOIN mail_followers_mail_message_subtype_rel told
            ON told.mail_followers_id = gone.id
            ON CONFLICT DO NOTHING
        """
    )


def _repoint_keys(cr, table, mapping):
    """Let all that refers to a row by a foreign key refer to the one that stays."""
    cr.execute(
        """
        SELECT referrer.relname, field.attname
          FROM pg_constraint key
          JOIN pg_class referrer ON referrer.oid = key.conrelid
          JOIN pg_attribute field
            ON field.attrelid = key.conrelid AND field.attnum = key.conkey[1]
         WHERE key.contype = 'f'
           AND key.confrelid = %s::regclass
           AND cardinality(key.conkey) = 1
         ORDER BY 1, 2
        """,
        (table,),
    )
    for referrer, column in cr.fetchall():
        _repoint(cr, referrer, column, mapping)


def _repoint(cr, table, column, mapping, only=None):
    """Replace ids; what is there already for the one that stays is no loss.

    :param only: ``SQL``, which rows
    """
    name, field, merged = map(SQL.identifier, (table, column, mapping))
    only = only or SQL("true")
    update = SQL(
        "UPDATE %s SET %s = %s.kept FROM %s WHERE %s.%s = %s.old AND %s",
        *(name, field, merged, merged, name, field, merged, only),
    )
    if _succeeds(cr, update):
        return
    cr.execute(
        SQL(
            "SELECT %s.ctid::text, %s.kept FROM %s JOIN %s ON %s.%s = %s.old WHERE %s",
            *(name, merged, name, merged, name, field, merged, only),
        )
    )
    for row, kept in cr.fetchall():
        here = SQL("WHERE ctid = %s::tid", row)
        if not _succeeds(cr, SQL("UPDATE %s SET %s = %s %s", name, field, kept, here)):
            cr.execute(SQL("DELETE FROM %s %s", name, here))


def _succeeds(cr, query):
    """Tell whether a change is possible; if it would make a duplicate, undo it."""
    try:
        with mute_logger("odoo.sql_db"), cr.savepoint(flush=False):
            cr.execute(query)
    except psycopg2.errors.UniqueViolation:
        return False
    return True
