# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.crm_whatsapp_gateway.tests.common import WhatsappCase, at

from ..models.whatsapp_message_queue import CALLS

ALERT = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue_alert"
LAST = {"from": "5215500000001", "name": "Last"}


@tagged("post_install", "-at_install")
class TestNames(WhatsappCase):
    """What others override is on the way that each message takes."""

    def setUp(self):
        super().setUp()
        CALLS.clear()

    def called(self, name):
        return [ids for called, ids in CALLS if called == name]

    def test_a_new_customer(self):
        channel = self.receive(self.message(content="Hello"))
        lead = channel.lead_id
        self.assertEqual(channel.description, "created")
        self.assertEqual(lead.referred, "created by the override")
        self.assertEqual(lead.function, "linked or created")
        self.assertEqual(lead.street, f"assigned to {lead.user_id.login}")
        self.assertEqual(lead.activity_ids.summary, "Call, says the override")
        posted = channel.message_ids.filtered("whatsapp_message_id")
        self.assertEqual(posted.subject, f"completed {posted.whatsapp_message_id}")

    def test_the_number(self):
        channel = self.receive(self.message(content="Hi", person=LAST), person=LAST)
        self.assertEqual(channel.whatsapp_phone, "+34600000000")

    def test_the_lead_of_the_person(self):
        lead = self.env["crm.lead"].create({"name": "Take me"})
        self.assertEqual(self.receive(self.message(content="Hi")).lead_id, lead)

    def test_whose_turn_it_is(self):
        self.employees[1].job_title = "Always me"
        for number in range(3):
            person = {"from": f"52155999988{number:02}", "name": "Somebody"}
            channel = self.receive(
                self.message(content="Hi", person=person), person=person
            )
            self.assertEqual(channel.lead_id.user_id, self.tomas)
            turn = self.env["whatsapp.assignment"].search([], limit=1)
            self.assertEqual(turn.employee_id, self.employees[1])

    @mute_logger(ALERT)
    def test_an_answer_that_fails_until_the_administrator_is_alerted(self):
        channel = self.receive(self.message(content="Hello"))
        row = self.answer(channel, "Hi")
        self.assertEqual(row.notification_id.failure_reason, "caught by the override")
        self.assertEqual(self.called("create_from_notification"), [row.ids])
        now = fields.Datetime.now()
        for minutes in (0, 1, 6, 21):
            self.meta.answers = [(400, {"error": {"code": 131000, "message": "x"}})]
            with at(now + timedelta(minutes=minutes, seconds=1)):
                self.env["whatsapp.message.queue"]._cron_retry_failed_messages()
        self.env.invalidate_all()
        self.assertEqual(row.state, "failed")
        self.assertEqual(self.called("_retry_send"), [row.ids] * 4)
        self.assertEqual(len(self.called("_cron_retry_failed_messages")), 4)
        self.assertIn(row.ids, self.called("_alert_admin"))
