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

from .. import compat, pictures, worker
from ..concurrency import exclusive, hold_rows, in_transaction, remove_in_batches
from ..outbound import Sender, deliver, lock_key, never, session
from ..tools.cloud_api import NotSendable, sendable_type
from ..tools.errors import DICTIONARY, CloudApiError
from ..tools.retry import REPEATABLE, RetryPolicy, next_when_throttled
from ..tools.status import advance
from .mail_notification import SHOWN
from .whatsapp_guarded import GUARDED
from .whatsapp_message_attempt import DELIVERY

_logger = logging.getLogger(__name__)

AHEAD = 2  # seconds of its rate that a number has on its way at most
ASK_AFTER = 10  # minutes, about what was perhaps delivered
# How often a message may be sent if Meta answers with a server error, after which it
# may have arrived: without proof, and if later messages were reported and it was not
COPIES, MOST_COPIES = 2, 3
# Seconds to wait before another copy leaves, so that a status that arrives at the same
# time is processed first
LETS_PASS = 3
# Meta's codes for what is looked at once more before a message leaves
WINDOW_CLOSED, OPTED_OUT = 131047, 131050
NO_ERROR = {
    "next_attempt_at": False,
    "error_id": False,
    "error_kind": False,
    "error_code": False,
    "error_text": False,
    "error_details": False,
    "throttled_since": False,
}


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
    _inherit = ["mail.thread", "mail.activity.mixin", GUARDED]
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
    lead_id = fields.Many2one(related="channel_id.lead_id")
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
    payload = fields.Json(readonly=True, groups="base.group_system")
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
            """
        )
        return super().init()

    @api.depends("channel_id", "message_id")
    @api.depends_context("lang")
    def _compute_name(self):
        for row in self:
            row.name = self.env._("To %s", row.channel_id.name or "")

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
        click. A file and its text are two messages.

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
        # (payload, attachment) in the order of OCA: files first
        parts = [
            (self._media_payload(channel, attachment), attachment)
            for attachment in message.attachment_ids
        ]
        body = service._get_message_body(notification)
        if body:
            # sudo: a template reads models and fields that its author chose
            document = service._template_document(channel)
            payload = (
                service.sudo()
                .with_context(res_id=document)
                ._send_payload(channel, body=body)
            )
            parts.append((payload, None))
        if not parts:
            raise UserError(
                self.env._("There is nothing to send: the message is empty.")
            )
        if quoted := message.parent_id._whatsapp_wamid(channel):
            parts[0][0]["context"] = {"message_id": quoted}
        recipient = service._recipient(channel)
        rows = self._record_rows(
            [
                self._row_values(notification, payload, attachment, recipient)
                for payload, attachment in parts
            ]
        )
        notification.notification_status = "ready"
        return rows

    @api.model
    def _post_interactive(self, channel, text, interactive):
        """Send what has no body in Odoo's words, and show its text in the chat.

        :param channel: the conversation
        :param str text: what people read
        :param dict interactive: Meta's object of that name
        :return: the new row
        """
        self.env["mail.gateway.whatsapp"]._check_allowed(channel)
        return self._post_as(channel, text, interactive=interactive)

    @api.model
    def _post_template(self, channel, template, text, components):
        """Send a template with its values, and show its text in the chat.

        :param channel: the conversation
        :param template: ``mail.whatsapp.template``
        :param text: what people read, str or Markup
        :param list components: as ``tools.template.components`` returns them
        :return: the new row
        :raise UserError: marketing that the customer stopped
        """
        self.env["mail.gateway.whatsapp"]._check_allowed(channel, template)
        content = {
            "name": template.template_name,
            "language": {"code": template.language},
        }
        if components:
            content["components"] = components
        return self._post_as(channel, text, template=content)

    @api.model
    def _post_as(self, channel, text, **content):
        """Show a text in the chat, and record what is sent in its place.

        :param content: one of Meta's kinds of messages, and its object
        """
        service = self.env["mail.gateway.whatsapp"]
        recipient = service._recipient(channel)
        # the context keeps OCA from sending the text as well
        message = channel.with_context(no_gateway_notification=True).message_post(
            body=text, message_type="comment", subtype_xmlid="mail.mt_comment"
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
        channel.sudo()._whatsapp_note_posted(message)
        payload = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": next(iter(content)),
            **content,
        }
        row = self._record_rows(
            [self._row_values(notification, payload, None, recipient)]
        )
        row._wake()
        return row

    @api.model
    def _record_reaction(self, channel, wamid, emoji):
        """Record our reaction to a message.

        :param str wamid: Meta's id of the message
        :param str emoji: empty to take it back
        :return: the new row
        """
        recipient = self.env["mail.gateway.whatsapp"]._recipient(channel)
        row = self._record_rows(
            [
                {
                    "gateway_id": channel.gateway_id.id,
                    "channel_id": channel.id,
                    "type": "reaction",
                    "payload": {
                        "messaging_product": "whatsapp",
                        "recipient_type": "individual",
                        "type": "reaction",
                        "reaction": {"message_id": wamid, "emoji": emoji},
                        **recipient,
                    },
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

    def _media_payload(self, channel, attachment):
        service = self.env["mail.gateway.whatsapp"]
        return service._send_payload(
            channel,
            media_id="uploaded when it is sent",
            media_type=service._check_attachment(attachment),
            media_name=attachment.name,
        )

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

    def _row_values(self, notification, payload, attachment, recipient):
        payload.pop("to", None)
        return {
            "gateway_id": notification.gateway_channel_id.gateway_id.id,
            "channel_id": notification.gateway_channel_id.id,
            "notification_id": notification.id,
            "message_id": notification.mail_message_id.id,
            "type": payload["type"],
            "payload": {**payload, **recipient},
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
    def _drain(cls, registry, deadline, passed):
        """Send what is due, conversation by conversation, oldest first.

        :param registry: the database's registry
        :param float deadline: ``monotonic()`` after which nothing is begun
        :param list passed: grows by what others hold and what has to wait
        :return: True if work that is due was left
        """
        cls._probe_paused(registry)
        return Sender(registry, deadline, passed).run()

    @classmethod
    def _due_channels(cls, registry, passed, limit, files, busy):
        """Return the conversations in which something is due, the oldest first.

        :param list passed: ids of conversations to leave out
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
                       AND NOT part.channel_id = ANY(%(passed)s::integer[])
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
                    "passed": passed,
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
        keys = [f"whatsapp:probe:{gateway_id}"]
        if channel_id:
            keys.append(lock_key(channel_id))
        try:
            with exclusive(registry, keys) as mine:
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
            return env[cls._name]._claim_each([channel_id], probe=True)._outgoing()

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

        A status of theirs may arrive at the same time, see ``hold_rows``.
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

    def _may_leave_again(self):
        """Tell whether another copy of a message may leave now; else let it wait.

        What Meta may have taken leaves again once. Then the statuses of others have
        to come, and none of its own: that shows that Meta has not taken it.
        """
        if self._has_waiting_status():
            return False  # it is worked on in a moment
        if self.error_kind in REPEATABLE and self.gateway_id._whatsapp_judge_outage():
            return False  # before there are more copies
        doubtful = self._doubtful_attempts()
        # 0 attempts: a person has decided
        if not self.attempts or len(doubtful) < COPIES:
            return True
        if not self._others_are_reported(doubtful):
            self._record_uncertain()
        elif len(doubtful) < MOST_COPIES:
            return True
        else:
            self._record_end()
        return False

    def _has_waiting_status(self):
        """Tell whether a status of this message came, and nobody has read it yet."""
        self.env.cr.execute(
            """
            SELECT EXISTS (SELECT 1 FROM whatsapp_webhook_event
                            WHERE state = 'pending' AND kind = 'status'
                              AND gateway_id = %s
                              AND create_date > %s
                              AND payload::text LIKE ANY(%s))
            """,
            (
                self.gateway_id.id,
                fields.Datetime.now() - timedelta(minutes=ASK_AFTER),
                [f"%{name}%" for name in {self.uuid, *self.attempt_ids.mapped("uuid")}],
            ),
        )
        return self.env.cr.fetchone()[0]

    def _doubtful_attempts(self):
        """Return the attempts, the last one first, of which Meta may have a copy."""
        return self.attempt_ids.filtered(
            lambda attempt: attempt.fault == "server" and not attempt.delivery
        ).sorted("id", reverse=True)

    def _others_are_reported(self, doubtful):
        """Tell whether statuses come of messages that left after this one.

        :param doubtful: ``whatsapp.message.attempt`` of this message, the last first
        """
        self.env.cr.execute(
            """
            SELECT EXISTS (
                SELECT 1
                  FROM whatsapp_message_attempt later
                  JOIN whatsapp_message_queue other ON other.id = later.row_id
                 WHERE later.id > %s AND later.outcome = 'sent'
                   AND other.gateway_id = %s AND other.id != %s
                   AND other.delivery IS NOT NULL)
            """,
            (doubtful[0].id, self.gateway_id.id, self.id),
        )
        return self.env.cr.fetchone()[0]

    # ------------------------------------------------------------- send

    def _retry_send(self):
        """Send these messages now and write what became of them."""
        for row in self:
            row.write({"state": "sending", "attempts": row.attempts + 1})
            _row_id, outgoing = row._outgoing()
            row._record(outgoing())

    def _outgoing(self):
        """Read all that sending needs.

        :return: tuple of the id and a function without arguments that sends,
            which returns ``tools.cloud_api.Sent`` or a ``CloudApiError``; of an
            empty recordset (False, None)
        """
        if not self:
            return False, None
        # sudo: mail.gateway - the sender's number is for administrators
        number = self.gateway_id.sudo().whatsapp_from_phone
        payload = dict(self.payload, biz_opaque_callback_data=self.uuid)
        try:
            self._check_still_allowed()
            client = self.gateway_id._whatsapp_client()
            file = self._file()
        except CloudApiError as error:
            return self.id, partial(never, error)
        return self.id, partial(deliver, client, number, payload, file)

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
        if mimetype == pictures.WEBP and self.type == "image":
            name = f"{Path(attachment.name).stem}.jpg"
            return name, partial(_open_picture, opened), pictures.JPEG
        return attachment.name, opened, mimetype

    def _record(self, outcome):
        """Write the outcome of an attempt, whatever a status wrote meanwhile."""
        hold_rows(self)
        if not self.exists() or self.state != "sending":
            return
        if isinstance(outcome, CloudApiError):
            self._record_failure(outcome)
        else:
            self._record_sent(outcome)

    # ------------------------------------------------------------- outcome

    def _record_sent(self, sent):
        self.env["whatsapp.message.attempt"]._note(self, sent, self.error_id.browse())
        self.write(
            {
                "state": "sent",
                "wamid": sent.message_id,
                "sent_at": fields.Datetime.now(),
                **NO_ERROR,
            }
        )
        notifications = self._notifications()
        notifications.gateway_message_id = sent.message_id
        notifications._whatsapp_advance("sent")

    def _record_failure(self, error):
        """Decide by the kind of the error; each kind has its own consequence."""
        entry = self.env["whatsapp.error"]._of(error)
        kind = entry.kind or error.kind
        self.env["whatsapp.message.attempt"]._note(self, error, entry)
        self.write(self._error_values(error, entry))
        if kind == "uncertain":
            self._record_uncertain()
        elif kind == "auth":
            # nothing is burnt: the same attempt is made when somebody resumes
            self.write({"state": "queued", "attempts": self.attempts - 1})
            if self.gateway_id._whatsapp_pause(error):
                self._alert_admin()
        elif error.fault and self.gateway_id.whatsapp_outage:
            # An outage uses up no attempt: the same one is made when Meta works again.
            # At least 1, since 0 means that a person asked to send again
            self.write(
                {
                    "state": "queued",
                    "attempts": max(1, self.attempts - 1),
                    "next_attempt_at": False,
                }
            )
        else:
            self._plan_again(error, entry)
        if self.state != "failed":
            self.error_text = self._words_for_author()
        if error.fault:
            self.gateway_id._whatsapp_judge_outage()

    def _plan_again(self, error, entry, late=False):
        """Send again after some minutes, if the kind of the error allows it; else end.

        :param bool late: Meta took it first; then each time is an attempt, whatever
            the reason
        :return: True if it is sent again
        """
        now, told = fields.Datetime.now(), error.retry_after or entry.wait_seconds
        if self.error_kind == "throttled" and not late and error.fault != "server":
            # nothing is burnt: the attempts are for what fails
            since = self.throttled_since or now
            attempts = max(self.attempts - 1, 0)
            self.write({"attempts": attempts, "throttled_since": since})
            next_attempt = next_when_throttled(since, now, told)
        else:
            next_attempt = self._retry_policy().next_attempt(
                self.attempts, self.error_kind, now, told
            )
        if next_attempt:
            self.write({"state": "queued", "next_attempt_at": next_attempt})
            self._whatsapp_cron()._trigger(at=next_attempt)
            return True
        self._record_end()
        return False

    def _record_end(self):
        """Give up: tell who wrote it, and an administrator if one has to act."""
        self.write({"state": "failed", "next_attempt_at": False})
        if self.error_code == WINDOW_CLOSED and self.channel_id.whatsapp_window_open:
            self.channel_id._whatsapp_close_window(self.sent_at)
        self.error_text = self._words_for_author()
        self._notifications()._whatsapp_show(
            "exception", self.error_text, self.error_id
        )
        if self.error_kind != "permanent" or self.error_id.actor == "administrator":
            self._alert_admin()

    def _error_values(self, error, entry):
        """Return what a row keeps of its error.

        :param error: ``tools.errors.CloudApiError``
        :param entry: ``whatsapp.error`` of it
        """
        return {
            "error_id": entry.id,
            "error_kind": entry.kind or error.kind,
            "error_code": error.code,
            "error_details": str(error),
        }

    def _words_for_author(self):
        """Return what the author is told, in their language."""
        lang = self.message_id.author_id.lang or self.create_uid.lang
        return self.with_context(lang=lang)._words()

    def _words(self):
        """Return what became of a message and what can be done, or an empty text."""
        if not self.error_kind:
            return ""
        gives_up = self.state == "failed" and self.error_kind in REPEATABLE
        words = self.error_id.advice or DICTIONARY["unknown"].advice
        if gives_up:
            words = self.env._(
                "WhatsApp did not take the message, though it was tried several times."
                " Send it again later, or reach the customer in another way."
            )
        if self.error_kind in REPEATABLE and self._doubtful_attempts():
            doubt = self.env._(
                "WhatsApp answered with an error of its own, so the message may have"
                " arrived all the same: wait for the tick before you write again."
            )
            words = f"{words} {doubt}" if self.state != "uncertain" else doubt
        return words

    @api.model
    def _retry_policy(self):
        """Return how often and after how long a failed message is sent again."""
        minutes = self.env["ir.config_parameter"]._whatsapp_value("retry_minutes")
        return RetryPolicy(minutes)

    def _record_uncertain(self):
        """Keep a message that perhaps arrived; its status will tell, else a person."""
        now = fields.Datetime.now()
        self.write(
            {"state": "uncertain", "next_attempt_at": False, "uncertain_since": now}
        )
        self.error_text = self._words_for_author()
        self._whatsapp_cron()._trigger(at=now + timedelta(minutes=ASK_AFTER))
        self._notifications()._whatsapp_show("pending", self.error_text, self.error_id)

    @api.model
    def _settle_doubtful(self):
        """Send again what others' statuses show that Meta has not taken.

        Unless later messages of the conversation have left: then a person decides.
        """
        now = fields.Datetime.now()
        rows = self.search(
            [
                ("state", "=", "uncertain"),
                ("left", "=", False),
                ("error_kind", "in", REPEATABLE),
                ("gateway_id.whatsapp_pause_reason", "=", False),
            ],
            order="id",
            limit=1000,
        )
        for row in rows:
            doubtful = row._doubtful_attempts()
            if not doubtful or doubtful[0].date > now - timedelta(minutes=1):
                continue  # it is too early for its status
            overtaken = self.search_count(
                [
                    ("channel_id", "=", row.channel_id.id),
                    ("id", ">", row.id),
                    ("state", "not in", ("queued", "canceled")),
                ],
                limit=1,
            )
            if not overtaken and row._others_are_reported(doubtful):
                row._withdraw_questions()
                row.state = "queued"
                row._notifications()._whatsapp_show("ready")

    # ------------------------------------------------------------- statuses

    @api.model
    def _by_status(self, gateway, status):
        """Return the row that a status of Meta speaks of, or none."""
        names = self._names_in(status)
        for name, value in names:
            row = self.search(
                [("gateway_id", "=", gateway.id), (name, "=", value)], limit=1
            )
            if row:
                return row
        if not names:
            return self.browse()
        # an earlier copy of what was sent again
        attempts = self.env["whatsapp.message.attempt"].search(
            ["|"] * (len(names) - 1) + [(name, "=", value) for name, value in names]
        )
        return attempts.row_id.filtered(lambda row: row.gateway_id == gateway)[:1]

    @api.model
    def _with_wamid(self, wamid, name, record):
        """Return the row of which Meta knows a copy by this id, or none.

        :param str wamid: Meta's id
        :param str name: a field of the row
        :param record: what it has to hold
        """
        row = self.search([("wamid", "=", wamid), (name, "=", record.id)], limit=1)
        if row:
            return row
        attempts = self.env["whatsapp.message.attempt"].search([("wamid", "=", wamid)])
        return attempts.row_id.filtered(lambda row: row[name] == record)[:1]

    @api.model
    def _names_in(self, status):
        """Return what a status names its message by: list of (field, value)."""
        mark, wamid = status.get("biz_opaque_callback_data"), status.get("id")
        return [
            (name, value)
            for name, value in (("uuid", mark), ("wamid", wamid))
            if value and isinstance(value, str)
        ]

    def _earlier_copy(self, status):
        """Return the attempts of an earlier copy that a status speaks of, or none."""
        names = dict(self._names_in(status))
        mark, wamid = names.get("uuid"), names.get("wamid")
        is_last = mark == self.uuid if mark else wamid == self.wamid
        if is_last and (not mark or not self.wamid or wamid in (None, self.wamid)):
            return self.attempt_ids.browse()
        return self.attempt_ids.filtered(
            lambda attempt: (
                attempt.uuid == mark and attempt.wamid in (False, wamid)
                if mark
                else attempt.wamid == wamid
            )
        )

    def _apply_status(self, status, error=None):
        """Write what Meta reports; it also settles what was uncertain.

        Of several copies of a message, one that arrived counts for all; a failure
        counts of the last one only.
        """
        self.ensure_one()
        hold_rows(self)
        reported, copy = status.get("status"), self._earlier_copy(status)
        known = copy[:1].delivery if copy else self.delivery
        delivery = advance(known or None, reported)
        if not delivery:
            return
        if copy:
            copy.delivery = delivery
            if reported == "failed" or (reported == "sent" and self.state == "sent"):
                return
            if reported != "sent" and not advance(self.delivery or None, reported):
                return
        if reported == "failed":
            self._apply_failure(status, error)
            return
        values = {"delivery": delivery}
        shown = self._notifications()
        settled = self.state != "sent"
        if settled:
            # Meta took it, whatever it answered: it must not be sent again
            values.update(self._taken_values(status, copy), state="sent", **NO_ERROR)
        self._withdraw_questions()
        self.write(values)
        if settled:
            shown.gateway_message_id = status.get("id")
            shown._whatsapp_show(SHOWN[reported])
        else:
            shown._whatsapp_advance(reported)

    def _taken_values(self, status, copy):
        """Return the names of the copy that Meta has.

        :param copy: ``whatsapp.message.attempt`` of an earlier copy, or none
        """
        values = {
            "wamid": status.get("id"),
            "sent_at": self.sent_at or fields.Datetime.now(),
        }
        if copy and copy[0].uuid:
            if self.state == "sending" and copy[0].uuid != self.uuid:
                # what is on its way has a status of its own
                lost = CloudApiError("uncertain", reason="cut")
                entry = self.env["whatsapp.error"]._of(lost)
                self.env["whatsapp.message.attempt"]._note(self, lost, entry)
            values["uuid"] = copy[0].uuid
        return values

    def _apply_failure(self, status, error):
        """Send again what Meta took and did not deliver, or end it.

        :param error: ``tools.errors.CloudApiError`` of the status
        """
        if self.state == "canceled":
            self.delivery = "failed"  # somebody gave it up before
            return
        entry = self.env["whatsapp.error"]._of(error)
        self.env["whatsapp.message.attempt"]._note(
            self, error, entry, wamid=status.get("id"), delivery="failed"
        )
        before = self.state
        values = {**self._error_values(error, entry), "delivery": "failed"}
        if before != "sent":
            values.update(self._taken_values(status, None))
            self._notifications().gateway_message_id = status.get("id")
        self._withdraw_questions()
        self.write(values)
        if self.error_kind == "auth":  # what follows would fail as well
            self.gateway_id._whatsapp_pause(error)
        is_gone = not self.message_id and self.type != "reaction"  # it was deleted
        if before == "failed" or is_gone:
            self._record_end()
            return
        is_planned = before == "queued" and self.error_kind in REPEATABLE
        if is_planned or self._plan_again(error, entry, late=True):
            self._begin_copy()
            self.error_text = self._words_for_author()
            self._notifications()._whatsapp_show("ready")

    def _begin_copy(self):
        """Give what is sent again a name of its own, by which statuses tell copies
        apart.
        """
        for row in self:
            before = row.attempt_ids.filtered(
                lambda attempt, row=row: attempt.uuid == row.uuid
            )
            if not before:
                continue  # it never left
            if row.delivery:
                # of several with one name, those of which Meta told the id
                told = before.filtered(
                    lambda attempt, row=row: attempt.wamid == row.wamid
                )
                told.delivery = row.delivery
            row.write({"uuid": uuid.uuid4().hex, "wamid": False, "delivery": False})

    # ------------------------------------------------------------- cron

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - whoever sends may not read crons
        return self.env.ref("crm_whatsapp_gateway.ir_cron_message_queue").sudo()

    @api.model
    def _cron_retry_failed_messages(self):
        """Send what is due again, and what no thread has taken."""
        if worker.run_lane(self.env.registry, "outbound", seconds=60):
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
