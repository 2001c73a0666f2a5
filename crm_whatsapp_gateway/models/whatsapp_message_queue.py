# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import uuid
from datetime import timedelta
from functools import partial
from io import BytesIO
from threading import Thread

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import compat, worker
from ..concurrency import exclusive, in_transaction, remove_in_batches
from ..outbound import Sender, deliver, never, session
from ..tools.errors import CloudApiError
from ..tools.retry import RetryPolicy, next_when_throttled
from ..tools.status import advance
from .whatsapp_guarded import GUARDED

_logger = logging.getLogger(__name__)

AHEAD = 2  # seconds of its rate that a number has on its way at most
ASK_AFTER = 10  # minutes, about what was perhaps delivered
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
        [
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("read", "Read"),
            ("played", "Played"),
            ("failed", "Failed"),
        ],
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
    advice = fields.Text(related="error_id.advice")
    error_kind = fields.Char(readonly=True)
    error_code = fields.Integer(readonly=True)
    error_text = fields.Text(string="Told to the author", readonly=True)
    error_details = fields.Text(
        string="Meta's words", readonly=True, groups="base.group_system"
    )
    attempt_ids = fields.One2many(
        "whatsapp.message.attempt", "row_id", string="History", readonly=True
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

    def _wake(self):
        """Have these messages sent as soon as they are committed."""
        dbname = self.env.cr.dbname
        self.env.cr.postcommit.add(lambda: worker.wake(dbname, "outbound"))
        self._whatsapp_cron()._trigger()

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
                           row_number() OVER (PARTITION BY gateway_id
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
                                OR part.next_attempt_at <= %(now)s)
                         ORDER BY part.id LIMIT 1)
                  FROM mail_gateway gateway
                 WHERE gateway.whatsapp_pause_reason IS NOT NULL
                   AND gateway.active
                   AND gateway.whatsapp_probe_at <= %(now)s
                """,
                {"now": fields.Datetime.now()},
            )
            due, real = cr.fetchall(), compat.is_real_cursor(cr)
        for gateway_id, channel_id in due:
            probe = partial(cls._probe_alone, registry, gateway_id, channel_id)
            if real:  # Meta may take its time, and others send meanwhile
                Thread(target=probe, name="whatsapp-probe", daemon=True).start()
            else:
                probe()

    @classmethod
    def _probe_alone(cls, registry, gateway_id, channel_id):
        """Try a number unless somebody else does; wake the senders if it works."""
        keys = [f"whatsapp:probe:{gateway_id}"]
        if channel_id:
            keys.append(f"whatsapp:send:{channel_id}")
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
        """Try a number with one message, or with a question if nothing waits."""

        def begin(env):
            gateway = env["mail.gateway"].browse(gateway_id)
            if gateway.whatsapp_probe_at > fields.Datetime.now():
                return False, None  # somebody else was quicker
            gateway._whatsapp_probe_later()  # whatever comes of this one
            row = env[cls._name]
            if channel_id:
                row = row._claim_each([channel_id], probe=True)
            if row:
                return row._outgoing()
            try:
                client = gateway._whatsapp_client()
            except CloudApiError as error:
                return False, partial(never, error)
            return False, partial(_ask, client, gateway.sudo().whatsapp_from_phone)

        def record(env):
            row = env[cls._name].browse(row_id or [])
            if row:
                row._record(outcome)
            kind = outcome.kind if isinstance(outcome, CloudApiError) else None
            if kind in (None, "permanent"):  # Meta takes messages of this number
                gateway = env["mail.gateway"].browse(gateway_id)
                gateway._whatsapp_resume()
                gateway._whatsapp_note_sending()

        row_id, outgoing = in_transaction(registry, begin)
        if outgoing:
            outcome = outgoing()
            in_transaction(registry, record)
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
            waits = row.next_attempt_at and row.next_attempt_at > now
            paused = row.gateway_id.whatsapp_pause_reason and not probe
            if not (waits or paused) and row.gateway_id.active:
                row.write({"state": "sending", "attempts": row.attempts + 1})
                claimed |= row
        return claimed

    def _hold_next(self, channel_ids):
        """Take what is 'sending' in these conversations, and the next of each.

        A status of theirs may arrive at the same time, see ``_hold``.
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
            client = self.gateway_id._whatsapp_client()
            file = self._file()
        except CloudApiError as error:
            return self.id, partial(never, error)
        return self.id, partial(deliver, client, number, payload, file)

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
        return attachment.name, opened, attachment.mimetype

    def _hold(self):
        """Take the rows before anything that hangs on them is written.

        A status may arrive while the answer to our own request is recorded:
        then one of both transactions is repeated, without an error in the log.
        """
        self.env.cr.execute(
            "SELECT 1 FROM whatsapp_message_queue WHERE id = ANY(%s) FOR NO KEY UPDATE",
            (self.ids,),
            log_exceptions=False,
        )

    def _record(self, outcome):
        """Write the outcome of an attempt, whatever a status wrote meanwhile."""
        self._hold()
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
            return
        if kind == "auth":
            # nothing is burnt: the same attempt is made when somebody resumes
            self.write({"state": "queued", "attempts": self.attempts - 1})
            if self.gateway_id._whatsapp_pause(error):
                self._alert_admin()
            return
        now, told = fields.Datetime.now(), error.retry_after or entry.wait_seconds
        if kind == "throttled":
            # nothing is burnt: the attempts are for what fails
            since = self.throttled_since or now
            self.write({"attempts": self.attempts - 1, "throttled_since": since})
            next_attempt = next_when_throttled(since, now, told)
        else:
            next_attempt = self._retry_policy().next_attempt(
                self.attempts, kind, now, told
            )
        if next_attempt:
            self.write({"state": "queued", "next_attempt_at": next_attempt})
            self._whatsapp_cron()._trigger(at=next_attempt)
            return
        self.write({"state": "failed", "next_attempt_at": False})
        self._notifications()._whatsapp_show(
            "exception", self.error_text, self.error_id
        )
        if kind != "permanent" or entry.actor == "administrator":
            self._alert_admin()

    def _error_values(self, error, entry):
        """Return what a row says of its error, in the language of who wrote it.

        :param error: ``tools.errors.CloudApiError``
        :param entry: ``whatsapp.error`` of it
        """
        lang = self.message_id.author_id.lang or self.create_uid.lang
        return {
            "error_id": entry.id,
            "error_kind": entry.kind or error.kind,
            "error_code": error.code,
            "error_text": entry.with_context(lang=lang)._advice(error),
            "error_details": str(error),
        }

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
        self._whatsapp_cron()._trigger(at=now + timedelta(minutes=ASK_AFTER))
        self._notifications()._whatsapp_show("pending", self.error_text, self.error_id)

    # ------------------------------------------------------------- statuses

    @api.model
    def _by_status(self, gateway, status):
        """Return the row that a status of Meta speaks of, or none."""
        mark, wamid = status.get("biz_opaque_callback_data"), status.get("id")
        for name, value in (("uuid", mark), ("wamid", wamid)):
            if value and isinstance(value, str):
                row = self.search(
                    [("gateway_id", "=", gateway.id), (name, "=", value)], limit=1
                )
                if row:
                    return row
        return self.browse()

    def _apply_status(self, status, error=None):
        """Write what Meta reports; it also settles what was uncertain."""
        self.ensure_one()
        self._hold()
        reported = status.get("status")
        if not (delivery := advance(self.delivery or None, reported)):
            return
        values = {"delivery": delivery}
        failed = reported == "failed"
        if failed and self.state == "canceled":
            self.write(values)  # somebody gave it up before
            return
        if self.state != "sent":
            # Meta took it, whatever it answered: it must not be sent again
            values.update(
                state="sent",
                wamid=status.get("id"),
                sent_at=self.sent_at or fields.Datetime.now(),
                **NO_ERROR,
            )
            self._notifications().gateway_message_id = status.get("id")
        entry = self.env["whatsapp.error"]
        if failed:
            entry = entry._of(error)
            values.update(state="failed", **self._error_values(error, entry))
        self._withdraw_questions()
        self.write(values)
        self._notifications()._whatsapp_advance(reported, self.error_text, entry)
        if entry.actor == "administrator":
            if entry.kind == "auth":  # what follows would fail as well
                self.gateway_id._whatsapp_pause(error)
            self._alert_admin()

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
        self._ask_about_uncertain()

    @api.autovacuum
    def _gc_sent(self):
        """Remove messages that were sent: they hold personal data."""
        limit = self.env["mail.gateway"]._whatsapp_kept_since()
        done, left = remove_in_batches(
            self, [("state", "in", ("sent", "canceled")), ("create_date", "<", limit)]
        )
        compat.vacuum_again(self.env, left)
        return done, left
