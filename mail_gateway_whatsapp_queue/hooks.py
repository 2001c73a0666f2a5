# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What happens before the tables of the addon exist, after that, and at the end."""

import csv
import json
import logging
from pathlib import Path

from lxml import etree

from odoo.tools import SQL
from odoo.tools.sql import column_exists

from .merging import merge_duplicate_conversations, person_of
from .models.mail_gateway_secrets import UNIQUE
from .tools import parameters

_logger = logging.getLogger(__name__)

MODULE = "mail_gateway_whatsapp_queue"
# Both addons were one before, which had this name
BEFORE = "crm_whatsapp_gateway"
# indexes of ours on columns of others, which go with no column of ours
INDEXES = (
    "discuss_channel_whatsapp_person_uniq",
    "discuss_channel_member_partner_channel_idx",
    "mail_message_whatsapp_date_idx",
    "discuss_channel__gateway_channel_token_index",
    "discuss_channel__gateway_id_index",
    "mail_guest__gateway_token_index",
    "mail_notification__gateway_channel_id_index",
    "mail_notification__gateway_message_id_index",
    "res_partner_gateway_channel__gateway_token_index",
    *UNIQUE,
)
# Tables of a record that we ship and a company may change, and the id in each of them
KEPT = {
    "ir.cron": {
        "ir_cron": "%s",
        "ir_act_server": "SELECT ir_actions_server_id FROM ir_cron WHERE id = %s",
    },
    "mail.activity.type": {"mail_activity_type": "%s"},
    "res.partner": {"res_partner": "%s"},
}
# OCA's constraints that we replace: name, and its column
CONSTRAINTS = (
    ("mail_gateway_mail_gateway_token", "token"),
    ("mail_gateway_mail_gateway_webhook_key", "webhook_key"),
)


def pre_init_hook(env):
    """Take over what this addon had while it was one with the CRM's, and leave one
    conversation per person.

    The second is what the unique index on gateway and token needs: a unique
    index over duplicates would only be logged as missing.
    """
    take_over(env.cr)
    merge_duplicate_conversations(env.cr)


def post_init_hook(env):
    """Write who the conversations that OCA made are with; keep what was changed."""
    channels = conversations(env)
    _learn_identities(env.cr, channels)
    env.flush_all()
    restore_changes(env.cr)
    env.invalidate_all()


def conversations(env):
    """Return all conversations on WhatsApp, archived ones too."""
    return (
        env["discuss.channel"]
        .with_context(active_test=False)
        .search(
            [
                ("channel_type", "=", "gateway"),
                ("gateway_id.gateway_type", "=", "whatsapp"),
                ("gateway_channel_token", "!=", False),
            ]
        )
    )


def uninstall_hook(env):
    """Leave what belongs to the company where it is, and nothing of ours."""
    env["ir.config_parameter"].search(
        [("key", "=like", f"{parameters.PREFIX}%")]
    ).unlink()
    # nobody but us lets people plan activities on numbers, nor follow them
    env["mail.activity"].with_context(active_test=False).search(
        [("res_model", "in", ("mail.gateway", "whatsapp.message.queue"))]
    ).unlink()
    env["mail.followers"].search([("res_model", "=", "mail.gateway")]).unlink()
    env.flush_all()
    # without Odoo's rows of ours OCA may go together with us, and its numbers with it
    env.cr.execute("DELETE FROM whatsapp_message_queue")
    env.cr.execute(
        "UPDATE ir_model SET is_mail_thread = false, is_mail_activity = false"
        " WHERE model = 'mail.gateway'"
    )
    for name in INDEXES:
        env.cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(name)))
    for name, column in CONSTRAINTS:
        _restore_unique(env.cr, name, column)


# ------------------------------------------------------------- one addon before


# What a company changed of records that we ship: kept here until they are loaded, by
# database: list of (table, row as JSON)
_kept = {}


def take_over(cr):
    """Let records and parameters of the addon that this was a part of be ours.

    Else they would be made a second time, and the first ones deleted.
    """
    cr.execute(
        "UPDATE ir_model_data SET module = %s WHERE module = %s AND name = ANY(%s)"
        " RETURNING model, res_id, noupdate",
        (MODULE, BEFORE, sorted(_shipped_names())),
    )
    # the data of an addon that is installed is written over what is there
    _kept[cr.dbname] = _rows_of(
        cr, [row[:2] for row in cr.fetchall() if row[2] and row[0] in KEPT]
    )
    for name in parameters.PARAMETERS:
        before = name.replace("_slots", "_places")
        cr.execute(
            "UPDATE ir_config_parameter SET key = %s WHERE key = %s",
            (parameters.PREFIX + name, f"{BEFORE}.{before}"),
        )


def _rows_of(cr, records):
    """Return rows as tuples of table and JSON; of crons, their actions as well.

    :param records: list of (model, id)
    """
    found = []
    for model, res_id in records:
        for table, query in KEPT[model].items():
            cr.execute(
                SQL(
                    "SELECT to_jsonb(t) FROM %s t WHERE id = (%s)",
                    SQL.identifier(table),
                    SQL(query, res_id),
                )
            )
            found += [(table, row) for (row,) in cr.fetchall()]
    return found


def restore_changes(cr):
    """Write back what a company changed; forget what the other addon had of ours."""
    for table, row in _kept.pop(cr.dbname, ()):
        names = [name for name in row if name != "id"]
        names = [name for name in names if column_exists(cr, table, name)]
        columns = SQL(", ").join(map(SQL.identifier, names))
        cr.execute(
            SQL(
                "UPDATE %(table)s SET (%(columns)s) = (SELECT %(columns)s"
                " FROM jsonb_populate_record(NULL::%(table)s, %(row)s))"
                " WHERE id = %(id)s",
                table=SQL.identifier(table),
                columns=columns,
                row=json.dumps(row),
                id=row["id"],
            )
        )
    for table in ("ir_model_constraint", "ir_model_relation"):
        cr.execute(
            SQL(
                """
                DELETE FROM %(table)s theirs
                 USING %(table)s ours, ir_module_module mine, ir_module_module other
                 WHERE ours.name = theirs.name
                   AND mine.id = ours.module AND mine.name = %(ours)s
                   AND other.id = theirs.module AND other.name = %(theirs)s
                """,
                table=SQL.identifier(table),
                ours=MODULE,
                theirs=BEFORE,
            )
        )
    # Odoo notes who made a foreign key when it makes it, and these are there
    cr.execute(
        """
        UPDATE ir_model_constraint noted
           SET module = mine.id
          FROM pg_constraint made
          JOIN pg_class held ON held.oid = made.conrelid
          JOIN pg_attribute col
            ON col.attrelid = made.conrelid AND col.attnum = made.conkey[1],
               ir_module_module mine, ir_module_module other
         WHERE mine.name = %(ours)s
           AND other.name = %(theirs)s
           AND noted.module = other.id
           AND noted.type = 'f'
           AND made.contype = 'f'
           AND made.conname = noted.name
           AND (held.relname IN (
                    SELECT name FROM ir_model_relation WHERE module = mine.id
                ) OR EXISTS (
                    SELECT FROM ir_model_fields field
                      JOIN ir_model_data named
                        ON named.model = 'ir.model.fields'
                       AND named.res_id = field.id
                       AND named.module = %(ours)s
                     WHERE replace(field.model, '.', '_') = held.relname
                       AND field.name = col.attname
                ))
        """,
        {"ours": MODULE, "theirs": BEFORE},
    )


def _shipped_names():
    """Return the names of all records in our data files."""
    folder, names = Path(__file__).parent, set()
    for file in (*folder.glob("data/*.xml"), *folder.glob("*/*.xml")):
        tree = etree.parse(str(file))
        names |= {node.get("id") for node in tree.iter("record", "menuitem")}
        # Odoo gives the action of a cron an id of its own
        crons = tree.iterfind(".//record[@model='ir.cron']")
        names |= {f"{cron.get('id')}_ir_actions_server" for cron in crons}
    for file in (*folder.glob("data/*.csv"), *folder.glob("security/*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            names |= {row["id"] for row in csv.DictReader(rows)}
    return {name.rpartition(".")[2] for name in names if name}


# ------------------------------------------------------------- conversations


def _learn_identities(cr, channels):
    """Write who a conversation is with, by every spelling of the number."""
    persons = [
        (channel.id, person_of(channel.gateway_channel_token)) for channel in channels
    ]
    cr.execute_values(
        "UPDATE discuss_channel"
        "   SET whatsapp_phone = COALESCE(whatsapp_phone, person.phone),"
        "       whatsapp_bsuid = COALESCE(whatsapp_bsuid, person.bsuid)"
        "  FROM (VALUES %s) AS person (id, phone, bsuid)"
        " WHERE discuss_channel.id = person.id",
        [(number, person.canonical, person.bsuid) for number, person in persons],
        template="(%s, %s::varchar, %s::varchar)",
        page_size=1000,
    )


# ------------------------------------------------------------- the schema of OCA


def _restore_unique(cr, name, column):
    """Make a constraint of OCA what it was, if what is there allows it."""
    table, constraint, field = map(SQL.identifier, ("mail_gateway", name, column))
    cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", table, constraint))
    cr.execute(
        SQL(
            "SELECT FROM %s WHERE %s IS NOT NULL GROUP BY %s HAVING count(*) > 1",
            *(table, field, field),
        )
    )
    if cr.rowcount:
        # asked before: the words of the database would show the value
        _logger.warning(
            "gateways share a value of %s: OCA's constraint %s is not made again",
            column,
            name,
        )
        return
    cr.execute(
        SQL("ALTER TABLE %s ADD CONSTRAINT %s UNIQUE (%s)", table, constraint, field)
    )
    cr.execute(
        "UPDATE ir_model_constraint SET definition = %s WHERE name = %s",
        (f"unique({column})", name),
    )
