# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import uuid
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Thread

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import compat, pictures
from ..queue import worker
from ..queue.locks import (
    channel_key,
    in_transaction,
    probe_key,
    remove_in_batches,
    try_locks,
)
from ..queue.sender import Sender, deliver, never, session
from ..tools import payloads, plain_text
from ..tools.errors import CloudApiError
from ..tools.payloads import NotSendable, sendable_type
from .whatsapp_guarded import GUARDED
from .whatsapp_message_attempt import DELIVERY
from .whatsapp_message_outcome import COPIES, OUTCOME
from .whatsapp_message_queue_alert import ALERTS

_logger = logging.getLogger(__name__)

SHOWN = 100  # characters of a message that a list shows
AHEAD = 2  # seconds of its rate that a number has on its way at most
# Meta's codes for what is looked at once more before a message leaves
WINDOW_CLOSED, OPTED_OUT = 131047, 131050


def _open_file(path):
    """Open a file of Odoo's file store.

    :raise CloudApiError: it is gone
    """
    try:
        return open(path, "rb")
    except OSError as error:
        raise CloudApiError("permanent", reason="file_changed") from error


def _open_picture(opened):
    """Open a WebP picture as JPEG: WhatsApp would show it as a sticker.

    :raise CloudApiError: it cannot be read
    """
    try:
        with opened() as content:
            return BytesIO(pictures.webp_to_jpeg(content.read()))
    except NotSendable as error:
        raise CloudApiError("permanent", reason="file_changed") from error


def _ask(client, number):
    """Ask Meta about a number; touches no database."""
    try:
        return client.using(session).phone_number(number)
    except CloudApiError as error:
        return error


class WhatsappMessageQueue(models.Model):
    """One HTTP message to Meta: recorded with the user's click, sent after it.

    A row holds all that sending needs; it does not depend on the click that
    made it. 'sending' is written and committed before the request leaves: a
    row in that state whose conversation nobody holds is what a crash left, and
    perhaps delivered.
    """

    _name = "whatsapp.message.queue"
    _description = "WhatsApp outgoing message"
    _inherit = ["mail.thread", "mail.activity.mixin", GUARDED, ALERTS, OUTCOME]
    _order = "id desc"

    name = fields.Char(compute="_compute_name")
    uuid = fields.Char(
        required=True,
        readonly=True,
        default=lambda self: uuid.uuid4().hex,
        help="Comes back with each status of the message.",
    )
    gateway_id = fields.Many2one(
        "mail.gateway", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="gateway_id.company_id", store=True)
    channel_id = fields.Many2one(
        "discuss.channel",
        string="Conversation",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    notification_id = fields.Many2one(
        "mail.notification", readonly=True, ondelete="set null", index="btree_not_null"
    )
    message_id = fields.Many2one(
        "mail.message",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    author_id = fields.Many2one(related="message_id.author_id")
    body = fields.Html(related="message_id.body", string="Text")
    type = fields.Selection(
        [
            ("text", "Text"),
            ("template", "Template"),
            ("image", "Image"),
            ("audio", "Audio"),
            ("video", "Video"),
            ("document", "Document"),
            ("sticker", "Sticker"),
            ("interactive", "Question"),
            ("reaction", "Reaction"),
        ],
        readonly=True,
    )
    text = fields.Char(
        string="Beginning of the message",
        compute="_compute_text",
        search="_search_text",
        help="The name of a file, and the beginning of what the customer reads.",
    )
    payload = fields.Json(readonly=True, groups="base.group_system")
    template_id = fields.Many2one(
        "mail.whatsapp.template",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Which a person chose, or an action.",
    )
    attachment_id = fields.Many2one("ir.attachment", readonly=True, ondelete="set null")
    attachment_checksum = fields.Char(readonly=True)
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sending", "Sending"),
            ("sent", "Sent"),
            ("uncertain", "Uncertain"),
            ("failed", "Failed"),
            ("canceled", "Canceled"),
        ],
        default="queued",
        required=True,
        readonly=True,
        index=True,
    )
    delivery = fields.Selection(
        DELIVERY,
        readonly=True,
        help="What Meta reports of the message after it was accepted.",
    )
    is_undelivered = fields.Boolean(
        string="Sent, never delivered",
        compute="_compute_is_undelivered",
        search="_search_is_undelivered",
        help="Meta took it, and for a day (or as many hours as an administrator chose)"
        " it has reported neither that it was delivered nor that it failed.",
    )
    attempts = fields.Integer(readonly=True)
    next_attempt_at = fields.Datetime(readonly=True)
    throttled_since = fields.Datetime(
        readonly=True, help="Since then Meta refuses it because too much is sent."
    )
    sent_at = fields.Datetime(readonly=True)
    wamid = fields.Char(
        string="WhatsApp ID", readonly=True, index="btree_not_null", copy=False
    )
    error_id = fields.Many2one(
        "whatsapp.error",
        string="Reason",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    advice = fields.Text(compute="_compute_advice")
    error_kind = fields.Char(readonly=True)
    error_code = fields.Integer(readonly=True)
    error_text = fields.Text(string="Told to the author", readonly=True)
    error_details = fields.Text(
        string="Meta's words", readonly=True, groups="base.group_system"
    )
    attempt_ids = fields.One2many(
        "whatsapp.message.attempt", "row_id", string="History", readonly=True
    )
    is_too_late = fields.Boolean(
        string="Only a template is possible", compute="_compute_is_too_late"
    )
    uncertain_since = fields.Datetime(string="Perhaps delivered since", readonly=True)
    left = fields.Boolean(
        string="Left as it is",
        readonly=True,
        help="Somebody decided not to send again what was perhaps delivered.",
    )

    def init(self):
        """Make the indexes: status by uuid, and the work to do."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS whatsapp_message_queue_uuid_uniq
                ON whatsapp_message_queue (uuid);
            CREATE INDEX IF NOT EXISTS whatsapp_message_queue_open_idx
                ON whatsapp_message_queue (channel_id, id)
             WHERE state IN ('queued', 'sending');
            CREATE INDEX IF NOT EXISTS whatsapp_message_queue_failed_idx
                ON whatsapp_message_queue (channel_id)
             WHERE state IN ('failed', 'uncertain');
            CREATE INDEX IF NOT EXISTS whatsapp_message_queue_undelivered_idx
                ON whatsapp_message_queue (sent_at)
             WHERE state = 'sent' AND (delivery IS NULL OR delivery = 'sent');
            """
        )
        return super().init()

    @api.depends("channel_id", "message_id")
    @api.depends_context("lang")
    def _compute_name(self):
        for row in self:
            row.name = self.env._("To %s", row.channel_id.name or "")

    @api.depends("message_id", "attachment_id", "type")
    def _compute_text(self):
        for row in self:
            # sudo: whatsapp.message.queue - who sees the row sees the conversation
            row.text = " ".join(row.sudo()._whole_text().split())[:SHOWN]

    def _whole_text(self):
        """Return what the customer reads of this one, behind the name of a file."""
        if self.type == "reaction":
            return self.payload.get("reaction", {}).get("emoji") or ""
        if self.attachment_id and self.type != "template":
            caption = (self.payload.get(self.type) or {}).get("caption")
            return ": ".join(filter(None, (self.attachment_id.name, caption)))
        text = plain_text.from_html(self.body, marks=False)
        return ": ".join(filter(None, (self.attachment_id.name, text)))

    @api.model
    def _search_text(self, operator, value):
        positive = {"!=": "=", "not in": "in"}.get(
            operator, operator.removeprefix("not ")
        )
        # sudo: mail.message, ir.attachment - of rows that the user may see. A query
        # each: together they would read all messages of the database
        rows = self.sudo()
        found = [
            "|",
            ("id", "in", rows._search([("message_id.body", positive, value)])),
            ("id", "in", rows._search([("attachment_id.name", positive, value)])),
        ]
        return found if positive == operator else ["!", *found]

    @api.depends("delivery", "sent_at", "state", "type")
    def _compute_is_undelivered(self):
        before = self._undelivered_before()
        for row in self:
            row.is_undelivered = bool(
                row.state == "sent"
                and row.delivery in (False, "sent")
                and row.type != "reaction"
                and row.sent_at
                and row.sent_at < before
            )

    @api.model
    def _search_is_undelivered(self, operator, value):
        domain = [
            ("state", "=", "sent"),
            ("delivery", "in", (False, "sent")),
            # nobody waits for one, and not all are reported
            ("type", "!=", "reaction"),
            ("sent_at", "<", self._undelivered_before()),
        ]
        if compat.is_true(operator, value):
            return domain
        # sudo: whatsapp.message.queue - left out of what the rules let the user find
        return [("id", "not in", self.sudo()._search(domain))]

    @api.model
    def _undelivered_before(self):
        """Return the time before which a message should have been delivered, UTC."""
        hours = self.env["ir.config_parameter"]._whatsapp_value("undelivered_hours")
        return fields.Datetime.now() - timedelta(hours=hours)

    @api.depends("error_id", "state")
    @api.depends_context("lang")
    def _compute_advice(self):
        for row in self:
            row.advice = row._words()

    @api.depends("state", "channel_id.whatsapp_window_open")
    def _compute_is_too_late(self):
        for row in self:
            row.is_too_late = bool(row._open_to("template"))

    # ------------------------------------------------------------- record

    @api.model
    def create_from_notification(self, notification):
        """Record what a notification of OCA asks to be sent.

        The payload is built now, since a template lives in the context of the
        click. A file and its text are one message if it can have a caption, and the
        text is short enough for one.

        :param notification: one ``mail.notification`` of type gateway
        :return: the new rows, in the order in which they are to be sent
        :raise AccessError: the user may not see the message or the conversation
        :raise UserError: what would be refused by Meta for certain
        """
        if not notification.env.su:
            notification._whatsapp_check_person()
        service = self.env["mail.gateway.whatsapp"]
        # sudo: mail.notification and the rows - people who may post may send
        notification = notification.sudo()
        channel = notification.gateway_channel_id
        message = notification.mail_message_id
        service._check_allowed(channel)
        if message.attachment_ids and not channel.whatsapp_window_open:
            raise UserError(
                self.env._(
                    "Outside of the 24 hours WhatsApp delivers templates only, and no"
                    " files. Please send the template first, and the files when the"
                    " customer has answered."
                )
            )
        parts = self._parts_of(notification)
        if not parts:
            raise UserError(
                self.env._("There is nothing to send: the message is empty.")
            )
        if quoted := message.parent_id._whatsapp_wamid(channel):
            parts[0][0]["context"] = {"message_id": quoted}
        rows = self._record_rows(
            [
                self._row_values(notification, payload, attachment)
                for payload, attachment in parts
            ]
        )
        notification.notification_status = "ready"
        notification._whatsapp_send_to_chats()
        rows._wake()
        return rows

    @api.model
    def _parts_of(self, notification):
        """Return what has to be sent of a message, in the order of OCA: files first.

        :return: list of tuples (payload, attachment or None)
        :raise UserError: see :meth:`create_from_notification`
        """
        service = self.env["mail.gateway.whatsapp"]
        channel = notification.gateway_channel_id
        body = service._get_message_body(notification)
        is_template = bool(self.env.context.get("whatsapp_template_id"))
        text = service._html_to_whatsapp(body) if body and not is_template else ""
        files = notification.mail_message_id.attachment_ids
        files._whatsapp_make_voice()
        kinds = [service._check_attachment(attachment) for attachment in files]
        captioned = payloads.caption_place(kinds, text)
        parts = [
            (
                self._media_payload(
                    channel, attachment, kind, text if place == captioned else ""
                ),
                attachment,
            )
            for place, (attachment, kind) in enumerate(zip(files, kinds, strict=True))
        ]
        # 19.0 posts a file without a text with an empty paragraph
        says = text.strip() or is_template or not parts
        if body and says and captioned is None:
            # sudo: a template reads models and fields that its author chose
            document = service._template_document(channel)
            with_document = service.sudo().with_context(res_id=document)
            parts.append((with_document._send_payload(channel, body=body), None))
        return parts

    @api.model
    def _post_interactive(self, channel, kind, text, action):
        """Ask what the customer answers by a tap, and show it in the chat.

        :param channel: the conversation
        :param str kind: Meta's type of an interactive message
        :param str text: what people read
        :param dict action: Meta's object of that name
        :return: the new queue message
        :raise UserError: closed window, too long a text
        """
        service = self.env["mail.gateway.whatsapp"]
        service._check_allowed(channel)
        person = service._recipient(channel)
        try:
            payload = payloads.interactive_payload(person, kind, text, action)
        except NotSendable as error:
            raise service._refusal(error) from error
        return self._post_with_payload(channel, text, payload)

    @api.model
    def _post_template(self, channel, template, text, components, attachment=None):
        """Send a template with its values, and show its text in the chat.

        :param channel: the conversation
        :param template: ``mail.whatsapp.template``
        :param text: what people read, str or Markup
        :param list components: as ``tools.template.components`` returns them
        :param attachment: ``ir.attachment`` of the header, or none
        :return: the new queue message
        :raise UserError: marketing that the customer stopped
        """
        service = self.env["mail.gateway.whatsapp"]
        service._check_allowed(channel, template)
        payload = payloads.template_payload(
            service._recipient(channel),
            template.template_name,
            template.language,
            components,
        )
        row = self._post_with_payload(channel, text, payload, attachment)
        # sudo: whatsapp.message.queue - fields of ours are written by methods only
        row.sudo().template_id = template
        return row

    @api.model
    def _post_with_payload(self, channel, text, payload, attachment=None):
        """Show a text in the chat, and queue what is sent in its place.

        :param dict payload: see ``tools.payloads``
        :param attachment: ``ir.attachment`` that is uploaded for it, or none
        """
        if attachment:
            attachment = attachment._whatsapp_for_message(channel)
        # the context keeps OCA from sending the text as well
        message = channel.with_context(no_gateway_notification=True).message_post(
            body=text,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachment_ids=attachment.ids if attachment else [],
        )
        # sudo: as in create_from_notification
        notification = (
            self.env["mail.notification"]
            .sudo()
            .create(
                {
                    "mail_message_id": message.id,
                    "gateway_channel_id": channel.id,
                    "notification_type": "gateway",
                    "gateway_type": "whatsapp",
                    "notification_status": "ready",
                }
            )
        )
        # sudo: discuss.channel - who was let post need not be able to write
        channel.sudo()._whatsapp_message_sent(message)
        row = self._record_rows([self._row_values(notification, payload, attachment)])
        notification._whatsapp_send_to_chats()
        row._wake()
        return row

    @api.model
    def _record_reaction(self, channel, wamid, emoji):
        """Record our reaction to a message.

        :param str wamid: Meta's id of the message
        :param str emoji: empty to take it back
        :return: the new row
        """
        person = self.env["mail.gateway.whatsapp"]._recipient(channel)
        row = self._record_rows(
            [
                {
                    "gateway_id": channel.gateway_id.id,
                    "channel_id": channel.id,
                    "type": "reaction",
                    "payload": payloads.reaction_payload(person, wamid, emoji),
                }
            ]
        )
        row._wake()
        return row

    def _wake(self, seconds=0):
        """Have these messages sent as soon as they are committed, or a little later.

        :param int seconds: how much later
        """
        dbname = self.env.cr.dbname
        if not seconds:
            self.env.cr.postcommit.add(lambda: worker.wake(dbname, "outbound"))
            self._whatsapp_cron()._trigger()
            return
        self.env.cr.postcommit.add(
            lambda: worker.wake_later(dbname, "outbound", seconds)
        )
        at = fields.Datetime.now() + timedelta(seconds=seconds)
        self._whatsapp_cron()._trigger(at=at)

    def _media_payload(self, channel, attachment, kind, caption):
        payload = self.env["mail.gateway.whatsapp"]._send_payload(
            channel,
            body=caption,
            media_id=payloads.NOT_UPLOADED,
            media_type=kind,
            media_name=attachment.name,
        )
        if attachment._whatsapp_is_voice():
            payload[kind]["voice"] = True
        return payload

    def _record_rows(self, vals_list):
        """Make rows without a note, follower or tracking: there are many.

        :raise UserError: nothing leaves the number
        """
        gateways = {vals["gateway_id"] for vals in vals_list}
        self.env["mail.gateway"].browse(gateways)._whatsapp_check_on()
        # sudo: people who may post may send
        silent = self.sudo().with_context(
            mail_create_nolog=True, mail_create_nosubscribe=True, tracking_disable=True
        )
        return self.sudo().browse(silent.create(vals_list).ids)

    def _row_values(self, notification, payload, attachment=None):
        return {
            "gateway_id": notification.gateway_channel_id.gateway_id.id,
            "channel_id": notification.gateway_channel_id.id,
            "notification_id": notification.id,
            "message_id": notification.mail_message_id.id,
            "type": payload["type"],
            "payload": payload,
            "attachment_id": attachment.id if attachment else False,
            "attachment_checksum": attachment.checksum if attachment else False,
        }

    def _whatsapp_readdress(self, recipient):
        """Send what nobody received to another number or user id of the person.

        :param dict recipient: ``tools.identity.Identity.recipient``
        """
        for row in self:
            kept = {
                name: value
                for name, value in row.payload.items()
                if name not in ("to", "recipient")
            }
            row.payload = {**kept, **recipient}

    def _notifications(self):
        """Return both notifications: the conversation's and the document's.

        OCA makes the second for the message of a lead that was sent on.
        """
        original = self.message_id.gateway_message_id
        document = original.notification_ids.filtered(
            lambda n: (
                n.notification_type == "gateway"
                and n.gateway_channel_id in self.channel_id
            )
        )
        return self.notification_id | document

    # ------------------------------------------------------------- drain

    @classmethod
    def _drain(cls, registry, deadline, skip_keys):
        """Send what is due, conversation by conversation, oldest first.

        :param registry: the database's registry
        :param float deadline: ``monotonic()`` after which nothing is begun
        :param list skip_keys: grows by what others hold and what has to wait
        :return: True if work that is due was left
        """
        cls._probe_paused(registry)
        return Sender(registry, deadline, skip_keys).run()

    @classmethod
    def _waiting(cls, registry, limit, late=False):
        """Return in how many conversations something is due, ``limit`` at most.

        :param bool late: only those that wait for what somebody holds: none, since
            each is sent by a thread of its own
        """
        return (
            0
            if late
            else len(cls._due_channels(registry, [], limit, files=limit, busy={}))
        )

    @classmethod
    def _due_channels(cls, registry, skip_keys, limit, files, busy):
        """Return the conversations in which something is due, the oldest first.

        :param list skip_keys: ids of conversations to leave out
        :param int limit: how many at most
        :param int files: how many of them may begin with a file
        :param dict busy: phone number ID -> how many of its messages are on their way
        """
        with registry.cursor() as cr:
            cr.execute(
                """
                WITH due AS (
                    SELECT part.channel_id, part.gateway_id,
                           min(ARRAY[part.id,
                                     (part.attachment_checksum IS NOT NULL)::integer]
                           ) AS first
                      FROM whatsapp_message_queue part
                      JOIN mail_gateway gateway ON gateway.id = part.gateway_id
                     WHERE gateway.whatsapp_pause_reason IS NULL
                       AND gateway.active
                       AND NOT part.channel_id = ANY(%(skip_keys)s::integer[])
                       AND (part.state = 'sending'
                            OR part.state = 'queued'
                           AND (part.next_attempt_at IS NULL
                                OR part.next_attempt_at <= %(now)s))
                     GROUP BY part.channel_id, part.gateway_id),
                placed AS (
                    SELECT *, first[2] = 1 AS has_file,
                           -- files wait for places of their own
                           row_number() OVER (PARTITION BY gateway_id, first[2]
                                                  ORDER BY first) AS place,
                           row_number() OVER (PARTITION BY first[2]
                                                  ORDER BY first) AS file_place
                      FROM due)
                SELECT placed.channel_id
                  FROM placed
                  JOIN mail_gateway gateway ON gateway.id = placed.gateway_id
                  LEFT JOIN whatsapp_rate_limit learned
                    ON learned.number = gateway.whatsapp_from_phone
                  LEFT JOIN unnest(%(numbers)s::text[], %(counts)s::integer[])
                            AS busy (number, count)
                    ON busy.number = gateway.whatsapp_from_phone
                 WHERE (NOT has_file OR file_place <= %(files)s)
                   -- what waits for its turn can no longer be stopped: no more of a
                   -- number than leaves in some seconds (a rate of 0 is none)
                   AND (place + coalesce(busy.count, 0)
                        <= ceil(%(ahead)s * least(
                               nullif(greatest(gateway.whatsapp_rate, 0), 0),
                               nullif(greatest(gateway.whatsapp_rate_allowed, 0), 0),
                               learned.learned_rate))) IS NOT FALSE
                 -- some of each number: a slow one must not keep the others waiting
                 ORDER BY place
                 LIMIT %(limit)s
                """,
                {
                    "skip_keys": skip_keys,
                    "now": fields.Datetime.now(),
                    "files": files,
                    "numbers": list(busy),
                    "counts": list(busy.values()),
                    "ahead": AHEAD,
                    "limit": limit,
                },
            )
            return [channel_id for (channel_id,) in cr.fetchall()]

    @classmethod
    def _probe_paused(cls, registry):
        """Try one message of each number that is paused and whose time has come.

        What it is paused for may have been repaired at Meta, where nobody tells us.
        """
        with registry.cursor() as cr:
            cr.execute(
                """
                SELECT gateway.id,
                       (SELECT part.channel_id
                          FROM whatsapp_message_queue part
                         WHERE part.gateway_id = gateway.id
                           AND part.state = 'queued'
                           AND (part.next_attempt_at IS NULL
                                OR part.next_attempt_at <= %(now)s
                                OR gateway.whatsapp_outage
                               AND part.error_kind = 'transient')
                           -- in an outage a different one each time, since one may
                           -- itself be the cause, and none that was already sent as
                           -- often as COPIES allows
                           AND NOT (gateway.whatsapp_outage AND %(copies)s <= (
                               SELECT count(*) FROM whatsapp_message_attempt attempt
                                WHERE attempt.row_id = part.id
                                  AND attempt.fault = 'server'
                                  AND attempt.delivery IS NULL))
                           AND NOT EXISTS (
                               SELECT 1 FROM whatsapp_message_queue earlier
                                WHERE earlier.channel_id = part.channel_id
                                  AND earlier.id < part.id
                                  AND earlier.state IN ('queued', 'sending'))
                         -- an upload would keep the number waiting
                         ORDER BY part.attachment_checksum IS NOT NULL,
                               CASE WHEN gateway.whatsapp_outage THEN (
                               SELECT max(attempt.id) FROM whatsapp_message_attempt
                                      attempt
                                WHERE attempt.row_id = part.id) END NULLS FIRST,
                               part.id
                         LIMIT 1)
                  FROM mail_gateway gateway
                 WHERE gateway.whatsapp_pause_reason IS NOT NULL
                   AND gateway.active
                   AND gateway.whatsapp_probe_at <= %(now)s
                """,
                {"now": fields.Datetime.now(), "copies": COPIES},
            )
            due, real = cr.fetchall(), compat.is_real_cursor(cr)
        for gateway_id, channel_id in due:
            probe = partial(cls._probe_alone, registry, gateway_id, channel_id)
            if real:  # Meta may take its time, and others send meanwhile
                try:
                    Thread(target=probe, name="whatsapp-probe", daemon=True).start()
                except RuntimeError:  # the machine has no thread left
                    probe()
            else:
                probe()

    @classmethod
    def _probe_alone(cls, registry, gateway_id, channel_id):
        """Try a number unless somebody else does; wake the senders if it works."""
        keys = [probe_key(gateway_id)]
        if channel_id:
            keys.append(channel_key(channel_id))
        try:
            with try_locks(registry, keys) as mine:
                if mine:
                    cls._probe(registry, gateway_id, channel_id)
        except Exception as error:  # one number must not keep the others waiting
            _logger.error(
                "gateway %s could not be tried: %s", gateway_id, type(error).__name__
            )

    @classmethod
    def _probe(cls, registry, gateway_id, channel_id):
        """Try a number with one message, or with a question if nothing waits.

        In an outage the question comes first: it does no harm.
        """

        def ask(env):
            gateway = env["mail.gateway"].browse(gateway_id)
            try:
                client = gateway._whatsapp_client()
            except CloudApiError as error:
                return partial(never, error)
            return partial(_ask, client, gateway.sudo().whatsapp_from_phone)

        def begin(env):
            gateway = env["mail.gateway"].browse(gateway_id)
            probe_at = gateway.exists().whatsapp_probe_at
            if not probe_at or probe_at > fields.Datetime.now():
                return False, None  # somebody else was quicker
            gateway._whatsapp_probe_later()  # whatever comes of this one
            return gateway.whatsapp_outage, ask(env)

        def claim(env):
            row = env[cls._name]._claim_each([channel_id], probe=True)
            return row.id, row and row._retry_send()

        def record(env):
            env[cls._name].browse(row_id or [])._record(outcome)

        def decide(env):
            error = outcome if isinstance(outcome, CloudApiError) else None
            gateway = env["mail.gateway"].browse(gateway_id)
            has_file = env[cls._name].browse(row_id or []).attachment_checksum
            if answered and has_file and error and error.fault == "connection":
                gateway._whatsapp_resume()  # Meta answers: it is this upload
                return
            gateway._whatsapp_probed(error)
            if not error or error.kind == "permanent":  # Meta takes messages of it
                gateway._whatsapp_note_sending()

        row_id = False
        is_outage, question = in_transaction(registry, begin)
        if not question:
            return
        outcome = question() if is_outage or not channel_id else None
        answered = is_outage and not getattr(outcome, "fault", None)
        if channel_id and not (is_outage and getattr(outcome, "fault", None)):
            row_id, outgoing = in_transaction(registry, claim)
            outcome = outgoing() if outgoing else outcome or question()
        # first what became of the message: what follows must not undo it
        if row_id:
            in_transaction(registry, record)
        in_transaction(registry, decide)
        worker.wake(registry.db_name, "outbound")

    def _claim_each(self, channel_ids, probe=False):
        """Mark the next message of each conversation as leaving now.

        The caller holds the conversations: what is still 'sending' is what a
        crash left. A message that waits for its next attempt holds those
        behind it.

        :param bool probe: also of numbers that are paused
        :return: the rows, one of each conversation at most
        """
        rows = self._hold_next(channel_ids)
        for row in rows:
            if row.state == "sending":
                row._record_failure(CloudApiError("uncertain", reason="crash"))
        now, claimed = fields.Datetime.now(), self.browse()
        for row in rows.filtered(lambda row: row.state == "queued"):
            if not row.message_id and row.type != "reaction":  # it was deleted
                row.write({"state": "canceled", "next_attempt_at": False})
                continue
            # a probe does not wait: its message stands for all others
            waits = row.next_attempt_at and row.next_attempt_at > now and not probe
            paused = row.gateway_id.whatsapp_pause_reason and not probe
            if waits or paused or not row.gateway_id.active:
                continue
            if row.error_kind and not row._may_leave_again():
                continue
            row.write({"state": "sending", "attempts": row.attempts + 1})
            claimed |= row
        return claimed

    def _hold_next(self, channel_ids):
        """Take what is 'sending' in these conversations, and the next of each.

        A status of theirs may arrive at the same time, see ``lock_rows``.
        """
        self.flush_model()
        self.env.cr.execute(
            """
            SELECT id FROM whatsapp_message_queue
             WHERE channel_id = ANY(%(channels)s) AND state = 'sending'
                OR id IN (SELECT min(id) FROM whatsapp_message_queue
                           WHERE channel_id = ANY(%(channels)s) AND state = 'queued'
                           GROUP BY channel_id)
             ORDER BY id
               FOR NO KEY UPDATE
            """,
            {"channels": list(channel_ids)},
            log_exceptions=False,
        )
        return self.browse([row_id for (row_id,) in self.env.cr.fetchall()])

    # ------------------------------------------------------------- send

    def _retry_send(self):
        """Return what sends this message now; called of each that was claimed.

        The sender runs it outside of the transaction, for the first attempt as for
        those after 1, 5 and 15 minutes, while it holds the conversation. Whoever wants
        a message to be sent again uses :meth:`action_retry`, which queues it.

        :return: function without arguments that returns ``tools.cloud_api.Sent`` or a
            ``CloudApiError``, None if the message was not claimed
        """
        self.ensure_one()
        if self.state != "sending":
            return None
        # sudo: mail.gateway - the sender's number is for administrators
        number = self.gateway_id.sudo().whatsapp_from_phone
        payload = dict(self.payload, biz_opaque_callback_data=self.uuid)
        try:
            self._check_still_allowed()
            client = self.gateway_id._whatsapp_client()
            file = self._file()
        except CloudApiError as error:
            return partial(never, error)
        return partial(deliver, client, number, payload, file)

    def _check_still_allowed(self):
        """Look once more at what was right when the message was written.

        :raise CloudApiError: as Meta would refuse it
        """
        channel = self.channel_id
        if self.type == "template":
            if self._template().category == "marketing" and channel.whatsapp_opt_out:
                raise CloudApiError("permanent", OPTED_OUT, details="not sent")
        elif not channel.whatsapp_window_open:
            raise CloudApiError("permanent", WINDOW_CLOSED, details="not sent")

    def _file(self):
        """Return name, a function that opens the content, and MIME type; or None.

        The content is read while it is uploaded.
        """
        if not self.attachment_checksum:
            return None
        attachment = self.attachment_id
        if not attachment or attachment.checksum != self.attachment_checksum:
            raise CloudApiError("permanent", reason="file_changed")
        if attachment.store_fname:
            opened = partial(_open_file, attachment._full_path(attachment.store_fname))
        else:  # it is kept in the database
            opened = partial(BytesIO, attachment.raw)
        mimetype = sendable_type(attachment.mimetype, attachment.name)
        kind = payloads.media_kind(self.payload)
        if mimetype == pictures.WEBP and kind == "image":
            name = f"{Path(attachment.name).stem}.jpg"
            return name, partial(_open_picture, opened), pictures.JPEG
        return attachment.name, opened, mimetype

    # ------------------------------------------------------------- cron

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - whoever sends may not read crons
        return self.env.ref("mail_gateway_whatsapp_queue.ir_cron_message_queue").sudo()

    @api.model
    def _cron_retry_failed_messages(self):
        """Send what is due again, and what no thread has taken."""
        if worker.run_queue(self.env.registry, "outbound", seconds=60):
            self._whatsapp_cron()._trigger()
        # what was sent meanwhile is not in the cron's own transaction
        for step in ("_settle_doubtful", "_ask_about_uncertain"):
            in_transaction(
                self.env.registry,
                lambda env, step=step: getattr(env[self._name], step)(),
            )

    @api.autovacuum
    def _gc_sent(self):
        """Remove messages that were sent: they hold personal data."""
        limit = self.env["mail.gateway"]._whatsapp_kept_since()
        done, left = remove_in_batches(
            self, [("state", "in", ("sent", "canceled")), ("create_date", "<", limit)]
        )
        compat.vacuum_again(self.env, left)
        return done, left
