# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_time

from ..queue.locks import lock_rows
from ..tools import payloads

_logger = logging.getLogger(__name__)

ALERTS = "whatsapp.message.alert"
ASK_AFTER = 10  # minutes, about what was perhaps delivered
# Seconds to wait before another copy leaves, so that a status that arrives at the same
# time is processed first
LETS_PASS = 3
PAUSED = "mail_gateway_whatsapp_queue.mail_activity_type_paused"
NOT_SENT = "mail_gateway_whatsapp_queue.mail_activity_type_not_sent"
PERHAPS = "mail_gateway_whatsapp_queue.mail_activity_type_perhaps"
WAITS = ("failed", "uncertain")  # for a person


class WhatsappMessageAlert(models.AbstractModel):
    """Who is alerted of what could not be sent, and what they can do about it.

    A part of ``whatsapp.message.queue``.
    """

    _name = ALERTS
    _description = "WhatsApp outgoing message: alerts and decisions"

    # ------------------------------------------------------------- alerts

    def _alert_admin(self):
        """Tell the administrators of the number, once until the alert is closed."""
        for row in self:
            paused = bool(row.gateway_id.whatsapp_pause_reason)
            xmlid = PAUSED if paused else NOT_SENT
            users = row.gateway_id._whatsapp_alerted()
            if paused:
                users -= row.gateway_id._whatsapp_know_cause(row.error_id.code)
            for user in users - row._open_alerts(xmlid, users).user_id:
                row._alert(xmlid, user)
            _logger.error(
                "queue row %s: gateway %s needs its administrator (%s %s)",
                row.id,
                row.gateway_id.id,
                row.error_kind,
                row.error_code,
            )

    def _open_alerts(self, xmlid, users):
        """Return the alerts of this kind about the number of this message."""
        alerts = self.env["mail.activity"].search(
            [
                ("res_model", "=", self._name),
                ("activity_type_id", "=", self.env.ref(xmlid).id),
                ("user_id", "in", users.ids),
            ]
        )
        rows = self.browse(alerts.mapped("res_id")).exists()
        same = rows.filtered(lambda row: row.gateway_id == self.gateway_id)
        return alerts.filtered(lambda alert: alert.res_id in same.ids)

    def _alert(self, xmlid, user):
        words = self.with_context(lang=user.lang).env
        summary = (
            words._("%s: WhatsApp sends nothing", self.gateway_id.name)
            if xmlid == PAUSED
            else words._("%s: a WhatsApp message was not sent", self.gateway_id.name)
        )
        self.activity_schedule(
            xmlid, summary=summary, note=self._alert_note(user), user_id=user.id
        )

    def _alert_note(self, user):
        """Return why, to whom, and where to look; in the language of the user."""
        row = self.with_context(lang=user.lang)
        links = [record._get_html_link() for record in self._alert_records()]
        return Markup("<p>%s</p><p>%s</p><p>%s</p>") % (
            row._waits_for() or row.advice or row.error_text or "",
            Markup(" · ").join(links),
            row.env._(
                "Here you can send it again, edit it or give it up. Others that fail"
                " meanwhile make no further alert: see Outgoing messages."
            ),
        )

    def _alert_records(self):
        """Return the records that an alert leads to. A hook."""
        return [self.channel_id]

    @api.model
    def _close_alerts(self, gateways):
        """Complete the alerts of numbers that work again."""
        for gateway in gateways:
            row = self.new({"gateway_id": gateway.id})
            for alert in row._open_alerts(PAUSED, gateway._whatsapp_alerted()):
                alert.action_feedback(
                    feedback=self.with_context(lang=alert.user_id.lang).env._(
                        "Sending works again."
                    )
                )

    # ------------------------------------------------------------- questions

    @api.model
    def _ask_about_uncertain(self):
        """Ask who wrote a message that was perhaps delivered, if no status came.

        Everybody has one question at a time, however many there are.
        """
        since = fields.Datetime.now() - timedelta(minutes=ASK_AFTER)
        rows = self.search(
            [
                ("state", "=", "uncertain"),
                ("left", "=", False),
                ("type", "!=", "reaction"),
                ("uncertain_since", "<=", since),
                ("gateway_id.whatsapp_outage", "=", False),
            ],
            order="id",
            limit=1000,
        )
        if not rows:
            return
        asked = self.env["mail.activity"].search(
            [
                ("res_model", "=", self._name),
                ("activity_type_id", "=", self.env.ref(PERHAPS).id),
            ]
        )
        busy = set(asked.user_id.ids)
        for row in rows:
            for user in row._whatsapp_responsible():
                if user.id not in busy:
                    busy.add(user.id)
                    row._ask(user)

    def _whatsapp_responsible(self):
        """Return who decides about a message: its author, the salesperson, else the
        administrators of the number.
        """

        def at_work(users):
            return users.filtered(lambda user: user.active and not user.share)

        robot = self.env.ref("base.partner_root")
        return (
            at_work((self.author_id - robot).user_ids)[:1]
            or at_work(self.channel_id._whatsapp_responsible())
            or self.gateway_id._whatsapp_alerted()
        )

    def _ask(self, user):
        words = self.with_context(lang=user.lang).env
        self.activity_schedule(
            PERHAPS,
            summary=words._("Perhaps delivered: send again or leave?"),
            note=self._alert_note(user),
            user_id=user.id,
        )

    def _withdraw_questions(self):
        """Forget what was asked of people: it is settled."""
        asked = self.filtered(lambda row: row.state in WAITS)
        if asked:
            asked.activity_unlink([PERHAPS, NOT_SENT])

    # ------------------------------------------------------------- buttons

    def _by_a_person(self):
        """Return these rows with the right to change them, which readers have.

        :raise AccessError: somebody may not see one of them
        """
        self.check_access("read")
        # what a status or the sender writes meanwhile is not overwritten
        lock_rows(self)
        # sudo: whatsapp.message.queue - who may read it in the chat may decide
        return self.sudo()

    def action_retry(self):
        """Send again now what failed or waits; a person has decided so.

        :return: a notification if some of several cannot be sent, or None
        :raise UserError: none of them can be sent again, and why
        """
        rows = self._by_a_person()
        ready = rows._open_to("retry")
        if not ready and {"sent", "canceled"}.issuperset(rows.mapped("state")):
            raise UserError(
                self.env._("There is nothing to send again: nothing has failed.")
            )
        if not ready:
            raise UserError(rows._why_not("retry"))
        ready._send_again()
        refused = (rows - ready).filtered(lambda row: row.state in WAITS)
        if not refused:
            return None
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("%s are not sent again", len(refused)),
                "message": refused._why_not("retry"),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _send_again(self):
        # people may retry what failed before the number was switched off
        self.sudo().gateway_id._whatsapp_check_on()
        doubtful = "uncertain" in self.mapped("state")
        self._withdraw_questions()
        self._begin_copy()
        self.write(
            {
                "state": "queued",
                "attempts": 0,
                "next_attempt_at": False,
                "throttled_since": False,
                "left": False,
            }
        )
        self._say(self.env._("To be sent again."))
        self._notifications()._whatsapp_show("ready")
        self._wake(LETS_PASS if doubtful else 0)

    def action_cancel(self):
        """Give up messages that wait, whatever they wait for.

        :raise UserError: none of them waits
        """
        rows = self._by_a_person()._open_to("cancel")
        if not rows:
            raise UserError(
                self.env._(
                    "There is nothing to give up: what was sent cannot be called back."
                )
            )
        rows._withdraw_questions()
        rows.write({"state": "canceled", "next_attempt_at": False})
        rows._say(self.env._("Given up."))
        rows._notifications()._whatsapp_show("canceled")

    def action_leave(self):
        """Leave messages that were perhaps delivered as they are.

        :raise UserError: none of them was
        """
        rows = self._by_a_person()
        perhaps = rows._open_to("leave")
        if not perhaps:
            raise UserError(rows._why_not("leave"))
        perhaps._withdraw_questions()
        perhaps.left = True
        perhaps._say(self.env._("Left as it is: perhaps delivered."))

    def action_template(self):
        """Choose a template in place of a text for which it is too late.

        :return: action of the dialog
        :raise UserError: it need not be, or cannot be replaced
        """
        self.ensure_one()
        row = self._by_a_person()
        if not row._open_to("template"):
            raise UserError(row._why_not("template"))
        return row._template_dialog()

    def _template_dialog(self, template=None):
        """Return the dialog that sends a template in place of this message.

        :param template: ``mail.whatsapp.template`` to begin with, or None
        """
        action = self.env["ir.actions.actions"]._for_xml_id(
            "mail_gateway_whatsapp_queue.action_whatsapp_send_template"
        )
        chosen = {"default_template_id": template.id} if template else {}
        return {
            **action,
            "context": {
                "default_channel_id": self.channel_id.id,
                "default_replaced_id": self.id,
                **chosen,
            },
        }

    def _say(self, words):
        """Keep in the history of each message what a person decided."""
        self._message_log_batch(bodies=dict.fromkeys(self.ids, words))

    def action_edit(self):
        """Change a message that did not arrive, and send it again.

        :return: action of the dialog; of a template, the dialog that sends one
        :raise UserError: it perhaps arrived, or cannot be changed
        """
        self.ensure_one()
        row = self._by_a_person()
        row._check_editable()
        if row.type == "template":
            return row._template_dialog(row._template())
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Edit and send again"),
            "res_model": "whatsapp.edit.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_row_id": row.id,
                "default_body": payloads.text_of(row.payload) or "",
            },
        }

    def _open_to(self, decision):
        """Return those of these messages about which a person can decide so.

        :param str decision: retry, template, edit, cancel or leave
        """
        if decision == "cancel":
            return self.filtered(lambda row: row.state in ("queued", *WAITS))
        if decision == "leave":
            return self.filtered(lambda row: row.state == "uncertain" and not row.left)
        if decision == "retry":
            return self.filtered(
                lambda row: row._is_stuck() and not row._why_not_again()
            )
        changeable = self.filtered(lambda row: row._is_stuck() and row._is_unsent())
        if decision == "edit":
            return changeable.filtered(
                lambda row: row._has_words() and not row._is_too_late()
            )[-1:]
        return changeable.filtered(
            lambda row: row.type != "reaction" and row._is_too_late()
        )[-1:]

    def _is_stuck(self):
        """Tell whether a message waits for more than its turn."""
        return self.state in WAITS or (
            self.state == "queued"
            and bool(self.next_attempt_at or self.gateway_id.whatsapp_pause_reason)
        )

    def _is_too_late(self):
        """Tell whether only a template would be delivered in place of this message."""
        return self.type != "template" and not self.channel_id.whatsapp_window_open

    def _why_not_again(self):
        """Return why a person cannot send a message again now, or an empty text."""
        if self.state == "uncertain" and self._ask_at() > fields.Datetime.now():
            return self.env._(
                "This message may just be arriving, which WhatsApp reports within some"
                " minutes. If it does not, you can send it again from %s on; it may"
                " then arrive twice.",
                self._moment(self._ask_at()),
            )
        if self.state == "queued" and (waits_for := self._waits_for()):
            return waits_for
        try:
            self._check_allowed_again()
        except UserError as error:
            return str(error)
        return ""

    def _check_allowed_again(self):
        """Refuse what would be refused if it was written now.

        :raise UserError: closed window, marketing that the customer stopped, a number
            of which nothing leaves, a template that is gone
        """
        template = self._template() if self.type == "template" else None
        if template is not None and not template:
            raise UserError(
                self.env._(
                    "The template of this message is no longer there. Please send"
                    " another one."
                )
            )
        service = self.env["mail.gateway.whatsapp"]
        service = service.with_context(whatsapp_template_id=False)
        service._check_allowed(self.channel_id, template)

    def _ask_at(self):
        """Return when no status is expected any more, UTC."""
        return (self.uncertain_since or self.create_date) + timedelta(minutes=ASK_AFTER)

    def _moment(self, moment):
        return format_time(self.env, moment, self.env.user.tz, "short")

    def _waits_for(self):
        """Return for what a message waits with all others of its number, or ''."""
        gateway = self.gateway_id
        if self.state != "queued" or not gateway.whatsapp_pause_reason:
            return ""
        if gateway.whatsapp_outage:
            return self.env["whatsapp.error"]._by_code("outage").advice or ""
        return self.env._(
            "This number sends nothing until an administrator has acted: %s The message"
            " is sent then.",
            gateway.whatsapp_pause_reason,
        )

    def _why_not(self, decision):
        """Return why a person cannot decide so about any of these messages.

        :param str decision: retry, template, edit, cancel or leave
        """
        row = (self.filtered(lambda row: row.state != "canceled") or self)[:1]
        if row._is_stuck():
            if decision == "retry":
                return row._why_not_again()
            if decision == "leave":
                return self.env._("This message certainly did not arrive.")
            if not row._is_unsent():
                return self.env._(
                    "This message may have arrived, so WhatsApp cannot change it any"
                    " more. Please write another one."
                )
            if decision == "edit" and row._is_too_late():
                service = self.env["mail.gateway.whatsapp"]
                return service._window_words(row.channel_id)
            return self.env._("This is not possible with a message of this kind.")
        return {
            "queued": self.env._("The message is about to be sent."),
            "sending": self.env._("The message is being sent at this moment."),
            "canceled": self.env._("The message has been given up meanwhile."),
        }.get(
            row.state,
            self.env._("The message has been sent meanwhile."),
        )

    def _reason(self):
        """Return what a message waits for or ended with, for who looks at it now."""
        if waits_for := self._waits_for():
            return waits_for
        words = self.error_text or ""
        if self.state == "uncertain":
            again = self._why_not_again() or self.env._(
                "If you send it again, it may arrive twice."
            )
            return f"{words} {again}".strip()
        return words

    def _check_editable(self):
        if not self._has_words():
            raise UserError(
                self.env._(
                    "Only texts and templates can be edited. Please give this message"
                    " up and write another one."
                )
            )
        if not self._is_unsent():
            raise UserError(
                self.env._(
                    "This message was sent, perhaps, and WhatsApp cannot change it any"
                    " more. Please write another one."
                )
            )

    def _is_unsent(self):
        """Tell whether the customer certainly has nothing of this message."""
        return (
            self.state in ("failed", "canceled", "queued")
            and self.delivery in (False, "failed")
            and not self.attempt_ids.filtered(
                lambda attempt: (
                    (attempt.outcome == "uncertain" or attempt.fault == "server")
                    and not attempt.delivery
                )
            )
        )

    def _template(self):
        content = self.payload["template"]
        return self.env["mail.whatsapp.template"].search(
            [
                ("gateway_id", "=", self.gateway_id.id),
                ("template_name", "=", content["name"]),
                ("language", "=", content["language"]["code"]),
            ],
            limit=1,
        )

    def _has_words(self):
        """Tell whether a message has a text, a caption or a template to change."""
        return self.type == "template" or payloads.text_of(self.payload) is not None

    def _change_text(self, body):
        """Send another text or caption in place of one that did not arrive.

        :param body: HTML
        :raise UserError: closed window, the message arrived, or too long a text
        """
        self.ensure_one()
        self._check_editable()
        service = self.env["mail.gateway.whatsapp"]
        service._check_allowed(self.channel_id)
        self.payload = service._change_text(self.payload, body)
        self._send_again()

    def _rebuild(self):
        """Send a message with files as it is now, in place of what did not leave.

        A file that has its place keeps it, with the caption that it has now.

        :raise UserError: closed window, or what Meta would refuse for certain
        """
        notification = self.notification_id[:1]
        self.env["mail.gateway.whatsapp"]._check_allowed(self.channel_id)
        parts, before = self._parts_of(notification), self.sorted("id")
        if quoted := before[0].payload.get("context"):
            parts[0][0]["context"] = quoted
        kept, added = self.browse(), []
        for payload, attachment in parts:
            values = self._row_values(notification, payload, attachment)
            row = (before - kept).filtered(
                lambda row, file_id=values["attachment_id"]: (
                    row.attachment_id.id == file_id
                )
            )[:1]
            if row:
                row.write(values)
                kept |= row
            else:
                added.append(values)
        gone = before - kept
        gone._withdraw_questions()
        gone.write({"state": "canceled", "next_attempt_at": False})
        (kept | self._record_rows(added))._send_again()
