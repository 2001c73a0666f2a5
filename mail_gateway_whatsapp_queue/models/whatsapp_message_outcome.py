# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import uuid
from datetime import timedelta

from odoo import api, fields, models

from ..queue.locks import lock_rows
from ..tools.cloud_api import Sent
from ..tools.errors import CATALOGUE, CloudApiError
from ..tools.retry import REPEATABLE, RetryPolicy, next_when_throttled
from ..tools.status import RANK, advance
from .mail_notification import SHOWN
from .whatsapp_message_queue_alert import ASK_AFTER

OUTCOME = "whatsapp.message.outcome"
# How often a message may be sent if Meta answers with a server error, after which it
# may have arrived: without proof, and if later messages were reported and it was not
COPIES, MOST_COPIES = 2, 3
WINDOW_CLOSED = 131047  # Meta's code: free text is not possible
NO_ERROR = {
    "next_attempt_at": False,
    "error_id": False,
    "error_kind": False,
    "error_code": False,
    "error_text": False,
    "error_details": False,
    "throttled_since": False,
}


class WhatsappMessageOutcome(models.AbstractModel):
    """What became of a message: what Meta answered, and what it reports later.

    A part of ``whatsapp.message.queue``.
    """

    _name = OUTCOME
    _description = "WhatsApp outgoing message: what became of it"

    # ------------------------------------------------------------- before it leaves

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

    # ------------------------------------------------------------- Meta's answer

    def _record(self, outcome):
        """Write the outcome of an attempt, whatever a status wrote meanwhile."""
        lock_rows(self)
        if not self.exists() or self.state != "sending":
            return
        if isinstance(outcome, CloudApiError):
            self._record_failure(outcome)
        else:
            self._record_sent(outcome)

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
        self._notifications().gateway_message_id = sent.message_id
        self._show_progress()

    def _show_progress(self):
        """Show how far the message has come of which this is a part.

        Of several parts the one that is least far counts, and what one of them has to
        say of its failure or doubt, or that it waits, stays.
        """
        parts = self
        if self.notification_id:
            parts = self.search([("notification_id", "=", self.notification_id.id)])
        others = (parts - self).filtered(lambda part: part.state != "canceled")
        if all(part.state == "sent" for part in others):
            steps = [part.delivery or "sent" for part in self | others]
            status = SHOWN[min(steps, key=RANK.get)]
            self._notifications().filtered(
                lambda n: n.notification_status != status
            )._whatsapp_show(status)

    def _record_failure(self, error):
        """Decide by the kind of the error; each kind has its own consequence."""
        entry = self.env["whatsapp.error"]._for_error(error)
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
        if self.state == "queued":
            self._notifications()._whatsapp_show("ready", self.error_text)
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
        words = self.error_id.advice or CATALOGUE["unknown"].advice
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
        lock_rows(self)
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
        if self.state == "sending" and not copy:
            # its answer is still to come, or never will
            taken = Sent(status.get("id"))
            entry = self.env["whatsapp.error"]
            self.env["whatsapp.message.attempt"]._note(self, taken, entry)
        if self.state != "sent":
            # Meta took it, whatever it answered: it must not be sent again
            values.update(self._taken_values(status, copy), state="sent", **NO_ERROR)
            self._notifications().gateway_message_id = status.get("id")
        self._withdraw_questions()
        self.write(values)
        self._show_progress()

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
                entry = self.env["whatsapp.error"]._for_error(lost)
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
        entry = self.env["whatsapp.error"]._for_error(error)
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
            self._notifications()._whatsapp_show("ready", self.error_text)

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
