# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from .whatsapp_message_queue import ASK_AFTER

_logger = logging.getLogger(__name__)

PAUSED = "crm_whatsapp_gateway.mail_activity_type_paused"
NOT_SENT = "crm_whatsapp_gateway.mail_activity_type_not_sent"
PERHAPS = "crm_whatsapp_gateway.mail_activity_type_perhaps"
WAITS = ("failed", "uncertain")  # for a person


class WhatsappMessageQueue(models.Model):
    """Who is told what could not be sent, and what they can do about it."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "whatsapp.message.queue"

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
        links = [self.channel_id._get_html_link()]
        if self.lead_id:
            links.append(self.lead_id._get_html_link())
        return Markup("<p>%s</p><p>%s</p><p>%s</p>") % (
            row.error_id.advice or row.error_text or "",
            Markup(" · ").join(links),
            row.env._(
                "Here you can send it again, edit it or give it up. Others that fail"
                " meanwhile make no further alert: see Outgoing messages."
            ),
        )

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
            or at_work(self.lead_id.user_id)
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
        # sudo: whatsapp.message.queue - who may read it in the chat may decide
        return self.sudo()

    def action_retry(self):
        """Send again now what failed or waits; a person has decided so.

        :raise UserError: none of them can be sent again
        """
        rows = self._by_a_person()._open_to("retry")
        if not rows:
            raise UserError(
                self.env._("There is nothing to send again: nothing has failed.")
            )
        rows._send_again()

    def _send_again(self):
        # people may retry what failed before the number was switched off
        self.sudo().gateway_id._whatsapp_check_on()
        self._withdraw_questions()
        self.write(
            {
                "state": "queued",
                "attempts": 0,
                "next_attempt_at": False,
                "throttled_since": False,
                "delivery": False,
                "left": False,
            }
        )
        self._say(self.env._("To be sent again."))
        self._notifications()._whatsapp_show("ready")
        self._wake()

    def action_cancel(self):
        """Give up messages that wait for another attempt.

        :raise UserError: none of them waits
        """
        rows = self._by_a_person().filtered(
            lambda row: row.state in ("queued", "failed", "uncertain")
        )
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
        """Leave messages that were perhaps delivered as they are."""
        rows = self._by_a_person()._open_to("leave")
        rows._withdraw_questions()
        rows.left = True
        rows._say(self.env._("Left as it is: perhaps delivered."))

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
            action = self.env["ir.actions.actions"]._for_xml_id(
                "crm_whatsapp_gateway.action_whatsapp_send_template"
            )
            template = row._template()
            return {
                **action,
                "context": {
                    "default_channel_id": row.channel_id.id,
                    "default_template_id": template.id,
                    "default_replaced_id": row.id,
                },
            }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Edit and send again"),
            "res_model": "whatsapp.edit.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_row_id": row.id,
                "default_body": row.payload["text"]["body"],
            },
        }

    def _open_to(self, decision):
        """Return those of these messages about which a person can decide so.

        :param str decision: retry, edit, cancel or leave
        """
        waits = self.filtered(
            lambda row: (
                row.state in WAITS or (row.state == "queued" and row.next_attempt_at)
            )
        )
        if decision == "edit":
            editable = self.filtered(
                lambda row: row.type in ("text", "template") and row._is_unsent()
            )
            return (editable & waits)[-1:]
        if decision == "leave":
            return waits.filtered(lambda row: row.state == "uncertain" and not row.left)
        return waits

    def _check_editable(self):
        if self.type not in ("text", "template"):
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
        return self.state in ("failed", "canceled") or (
            self.state == "queued" and not self.delivery
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

    def _change_text(self, content):
        """Send another text in place of one that did not arrive.

        :param dict content: Meta's object of the kind text
        :raise UserError: closed window, or the message arrived
        """
        self.ensure_one()
        self._check_editable()
        self.env["mail.gateway.whatsapp"]._check_allowed(self.channel_id)
        self.payload = {**self.payload, "text": content}
        self._send_again()
