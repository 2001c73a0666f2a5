# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What happens before the tables of the addon exist."""

import logging
from datetime import timedelta

from odoo import fields
from odoo.tools import html2plaintext

from .tools.conversation import preview
from .tools.identity import Identity

_logger = logging.getLogger(__name__)

OLD = timedelta(days=7)  # conversations that begin as closed

# what a company that works with WhatsApp may have made by hand
ADOPTED = (
    ("utm.source", "utm_source_whatsapp", "WhatsApp"),
    ("utm.source", "utm_source_facebook", "Facebook"),
    ("utm.source", "utm_source_instagram", "Instagram"),
    ("utm.medium", "utm_medium_whatsapp", "WhatsApp"),
)


def pre_init_hook(env):
    """Adopt existing UTM records, and leave one conversation per person.

    The second is what the unique index on gateway and token needs: a unique
    index over duplicates would only be logged as missing.
    """
    for model, xmlid, name in ADOPTED:
        _adopt(env, model, xmlid, name)
    _merge_duplicate_conversations(env.cr)


def post_init_hook(env):
    """Give the conversations that OCA made what our lookups and the inbox use."""
    channels = (
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
    for channel in channels:
        person = Identity.of_token(channel.gateway_channel_token)
        channel.whatsapp_phone = person.canonical
        channel.whatsapp_bsuid = person.bsuid
    env.flush_all()
    _learn_last_words(env.cr, channels.ids)
    env.invalidate_all()


def uninstall_hook(env):
    """Leave the UTM records where they are: leads and campaigns are told by them."""
    env["ir.model.data"].search(
        [
            ("module", "=", "crm_whatsapp_gateway"),
            ("model", "in", ("utm.source", "utm.medium")),
        ]
    ).unlink()


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
        )
        UPDATE discuss_channel channel
           SET whatsapp_last_date = turn.last,
               whatsapp_inbox_date = turn.last,
               whatsapp_last_customer_date = turn.customer,
               whatsapp_last_author = CASE WHEN waits THEN 'customer' ELSE 'us' END,
               whatsapp_waiting_since = CASE WHEN waits AND NOT old THEN turn.last END,
               whatsapp_state = CASE WHEN old THEN 'closed'
                                     WHEN waits THEN 'open'
                                     ELSE 'answered' END
          FROM turn
         WHERE turn.id = channel.id
        """,
        (ids, fields.Datetime.now() - OLD),
    )
    cr.execute(
        """
        SELECT DISTINCT ON (message.res_id) message.res_id, message.body
          FROM mail_message message
          JOIN discuss_channel channel ON channel.id = message.res_id
         WHERE message.model = 'discuss.channel'
           AND message.message_type = 'comment'
           AND channel.id = ANY(%s)
           AND channel.whatsapp_state != 'closed'
         ORDER BY message.res_id, message.date DESC, message.id DESC
        """,
        (ids,),
    )
    for channel_id, body in cr.fetchall():
        cr.execute(
            "UPDATE discuss_channel SET whatsapp_last_text = %s WHERE id = %s",
            (preview(html2plaintext(body or "")), channel_id),
        )


def _adopt(env, model, xmlid, name):
    record = env[model].search([("name", "=ilike", name)], limit=1)
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


def _merge_duplicate_conversations(cr):
    """Move the messages of duplicated conversations to the oldest of them."""
    cr.execute(
        """
        SELECT min(id), array_agg(id ORDER BY id)
          FROM discuss_channel
         WHERE channel_type = 'gateway'
           AND gateway_id IS NOT NULL
           AND gateway_channel_token IS NOT NULL
         GROUP BY gateway_id, gateway_channel_token
        HAVING count(*) > 1
        """
    )
    for survivor, ids in cr.fetchall():
        others = tuple(i for i in ids if i != survivor)
        _logger.info("conversation %s takes over the messages of %s", survivor, others)
        cr.execute(
            "UPDATE mail_message SET res_id = %s"
            " WHERE model = 'discuss.channel' AND res_id IN %s",
            (survivor, others),
        )
        cr.execute(
            "UPDATE mail_notification SET gateway_channel_id = %s"
            " WHERE gateway_channel_id IN %s",
            (survivor, others),
        )
        cr.execute(
            "UPDATE ir_attachment SET res_id = %s"
            " WHERE res_model = 'discuss.channel' AND res_id IN %s",
            (survivor, others),
        )
        cr.execute(
            "DELETE FROM discuss_channel_member WHERE channel_id IN %s", (others,)
        )
        cr.execute("DELETE FROM discuss_channel WHERE id IN %s", (others,))
