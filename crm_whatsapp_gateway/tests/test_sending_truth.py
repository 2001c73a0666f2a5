# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a message says of itself is true, in whatever order one learns of it."""

from datetime import datetime, timedelta
from itertools import permutations

from odoo.exceptions import UserError

from odoo.addons.mail_gateway_whatsapp_queue.tools.cloud_api import Sent
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import CloudApiError

from .common import WhatsappCase, at

REPORTS = ("sent", "delivered", "read", "failed")
# What becomes of the request itself: Meta's answer, or none
ANSWERS = {
    "accepted": Sent("wamid.out"),
    "refused": CloudApiError("transient", 131000, reason="131000"),
    "lost": CloudApiError("uncertain", reason="cut"),
}
# Whichever of these was reported, the first one of them counts:
# state, delivery and what the chat shows
ENDS = {
    "read": ("sent", "read", "whatsapp_read"),
    "delivered": ("sent", "delivered", "whatsapp_delivered"),
    "failed": ("failed", "failed", "exception"),
    "sent": ("sent", "sent", "sent"),
}


class TestSendingTruth(WhatsappCase):
    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.service = (
            self.env["mail.gateway.whatsapp"]
            .with_user(self.gateway.webhook_user_id)
            .with_context(no_gateway_notification=True)
        )

    def leaving(self):
        """Return a message that has left, and whose answer has not come."""
        row = self.answer(self.channel, "Hello")
        return row._claim_each(self.channel.ids)

    def happens(self, row, name):
        """Let Meta answer, or report a status."""
        if name in ANSWERS:
            row._record(ANSWERS[name])
            return
        status = {
            "id": "wamid.out",
            "status": name,
            "biz_opaque_callback_data": row.uuid,
        }
        if name == "failed":
            status["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
        self.service._receive_status(self.gateway, status)

    def said(self, row):
        """What one reads in the list of messages, and in the chat."""
        return row.state, row.delivery, row.notification_id.notification_status

    def assert_true(self, row, reports):
        best = next(name for name in ENDS if name in reports)
        self.assertEqual(self.said(row), ENDS[best])
        self.assertEqual(row.wamid, "wamid.out")
        self.assertEqual(row.notification_id.gateway_message_id, "wamid.out")
        self.assertTrue(row.sent_at)
        self.assertFalse(row.next_attempt_at)
        failed = best == "failed"
        self.assertEqual(bool(row.error_text), failed)
        self.assertEqual(row.error_code, 131026 if failed else 0)
        self.assertEqual(bool(row.notification_id.failure_reason), failed)
        self.assertEqual(bool(row.notification_id.failure_type), failed)

    def try_orders(self, row, answer, reports):
        """Try every order of an answer and statuses, and all statuses again."""
        for order in permutations((answer, *reports)):
            with self.subTest(order=order), self.undone():
                for name in order:
                    self.happens(row, name)
                self.assert_true(row, reports)
                for name in (*order, *reversed(order)):
                    self.happens(row, name)
                self.assert_true(row, reports)

    def test_every_order_of_an_answer_and_all_statuses_ends_alike(self):
        self.try_orders(self.leaving(), "accepted", REPORTS)

    def test_every_order_ends_alike_whatever_became_of_the_request(self):
        row = self.leaving()
        for answer in ANSWERS:
            for reports in (
                ("sent",),
                ("failed",),
                ("sent", "failed"),
                ("delivered", "failed"),
                ("sent", "delivered", "failed"),
                ("delivered", "read"),
            ):
                self.try_orders(row, answer, reports)

    def test_what_a_status_settled_is_not_sent_again(self):
        row = self.leaving()
        for answer in ANSWERS:
            for report in REPORTS:
                for order in permutations((answer, report)):
                    with self.subTest(order=order), self.undone():
                        for name in order:
                            self.happens(row, name)
                        self.send_due()
                        self.assertEqual(self.meta.calls, [])

    def test_a_message_that_is_deleted_is_not_sent(self):
        row = self.answer(self.channel, "Hello")
        row.message_id.unlink()
        self.assertEqual(row.state, "canceled")
        self.send_due()
        self.assertEqual(self.meta.calls, [])

    def test_what_was_sent_stays_so_without_its_message(self):
        row = self.leaving()
        row.message_id.unlink()
        self.happens(row, "accepted")
        self.happens(row, "read")
        self.assertEqual((row.state, row.delivery), ("sent", "read"))

    def test_without_any_status_a_message_says_what_is_known(self):
        row = self.leaving()
        for answer, told in {
            "accepted": ("sent", False, "sent"),
            "refused": ("queued", False, "ready"),
            "lost": ("uncertain", False, "pending"),
        }.items():
            with self.undone():
                self.happens(row, answer)
                self.assertEqual(self.said(row), told)

    def test_the_webhook_puts_every_order_right(self):
        """In one delivery each, with a status twice; and Meta repeats them all."""
        rows = []
        for order in permutations(REPORTS):
            row = self.answer(self.channel, "Hello")
            self.send_due()
            statuses = [
                {
                    "id": row.wamid,
                    "status": name,
                    "timestamp": str(self.now + 1 + REPORTS.index(name)),
                    "recipient_id": self.channel.gateway_channel_token,
                    "biz_opaque_callback_data": row.uuid,
                }
                for name in (*order, order[0])
            ]
            for _time in range(2):
                body = self.delivery(statuses=statuses)
                self.assertEqual(self.post(body).status_code, 200)
            rows.append(row)
        self.drain()
        for row in rows:
            self.assertEqual(self.said(row), ENDS["read"])
        events = self.events(kind="status")
        self.assertEqual(len(events), len(rows) * len(REPORTS))
        self.assertEqual(set(events.mapped("state")), {"done"})

    # ------------------------------------------------------------- window

    def test_the_window_closes_at_the_second(self):
        """Counted by Meta's timestamp, not by when the delivery came."""
        wrote = datetime(2026, 11, 22, 9, 30, 7)
        stamp = int((wrote - datetime(1970, 1, 1)).total_seconds())
        ana = {"from": "5215598765432", "name": "Ana", "bsuid": "MX.77"}
        channel = self.receive(
            self.message(content="Hi", person=ana, timestamp=str(stamp)), person=ana
        )
        self.assertEqual(channel.whatsapp_last_customer_date, wrote)
        queue = self.env["whatsapp.message.queue"]
        with at(wrote + timedelta(hours=23, minutes=59, seconds=59)):
            channel.invalidate_recordset(["whatsapp_window_open"])
            self.assertTrue(channel.whatsapp_window_open)
            row = self.answer(channel, "In time")
        self.assertEqual(row.state, "queued")
        with at(wrote + timedelta(hours=24)):
            channel.invalidate_recordset(["whatsapp_window_open"])
            self.assertFalse(channel.whatsapp_window_open)
            with self.assertRaisesRegex(UserError, "24 hours"):
                self.answer(channel, "Too late")
            with self.assertRaisesRegex(UserError, "24 hours"):
                queue._post_interactive(channel, "button", "Too late", {})
            template = self.template()
            template_row = queue._post_template(channel, template, "Hello", [])
        self.assertEqual(template_row.state, "queued")
        self.assertEqual(
            queue.search([("channel_id", "=", channel.id)]), row | template_row
        )
