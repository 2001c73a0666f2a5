# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The addon without a CRM: conversations in Discuss, answers by the queue, alerts."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .. import compat
from .common import ANA, GatewayCase, at

ALERT = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue_alert"
EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
HIDDEN = {"bsuid": "MX.99", "name": "Hidden"}


class TestAlone(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office, cls.other, cls.stranger = (
            new_test_user(cls.env, login=login, groups=groups)
            for login, groups in (
                ("office", "base.group_user,mail_gateway.gateway_user"),
                ("other", "base.group_user,mail_gateway.gateway_user"),
                ("stranger", "base.group_user"),
            )
        )
        cls.portal = new_test_user(cls.env, login="portal", groups="base.group_portal")
        cls.gateway.member_ids = cls.office
        cls.gateway.whatsapp_alert_user_ids = cls.env.ref("base.user_admin")

    def responsible(self, channel):
        return self.office

    def hello(self, **kwargs):
        return self.receive(self.message(content="Hello"), **kwargs)

    # ------------------------------------------------------------- in

    def test_a_message_is_a_conversation_of_those_who_care_for_the_number(self):
        channel = self.hello()
        self.assertEqual(channel.name, ANA["name"])
        self.assertEqual(channel.whatsapp_phone, "+525512345678")
        self.assertTrue(channel.whatsapp_window_open)
        self.assertIn(self.office.partner_id, channel.channel_member_ids.partner_id)
        self.assertEqual(self.texts(channel.with_user(self.office)), ["Hello"])
        self.assertEqual(self.events().mapped("state"), ["done"])

    def test_a_delivery_that_comes_twice_is_shown_once(self):
        body = self.delivery(self.message(content="Once"))
        for _time in range(2):
            self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        self.drain()
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        self.assertEqual(self.texts(channel), ["Once"])

    @mute_logger("odoo.addons.mail_gateway_whatsapp_queue.controllers.webhook")
    def test_without_a_valid_signature_nothing_is_stored(self):
        body = self.delivery(self.message(content="Forged"))
        self.assertEqual(self.post(body, secret="another").status_code, 403)
        self.assertFalse(self.events())

    def test_a_person_without_a_number_is_one_conversation_once_it_is_known(self):
        channel = self.receive(self.message(content="Hi", person=HIDDEN), person=HIDDEN)
        self.assertFalse(channel.whatsapp_phone)
        both = {**HIDDEN, "from": "5215512345678"}
        again = self.receive(self.message(content="Me", person=both), person=both)
        self.assertEqual(again, channel)
        self.assertEqual(channel.whatsapp_phone, "+525512345678")

    def test_only_who_works_with_it_sees_a_conversation(self):
        channel = self.hello()
        for user in (self.stranger, self.portal):
            with self.assertRaises(AccessError):
                channel.with_user(user).read(["name"])
        # no member of the number, and none of the conversation
        found = channel.with_user(self.other).search([("id", "=", channel.id)])
        self.assertFalse(found)
        channel._whatsapp_add_members(self.other)
        self.assertEqual(channel.with_user(self.other).name, ANA["name"])
        groups = "group_ids" if compat.V19 else "groups_id"
        self.other[groups] -= self.env.ref("mail_gateway.gateway_user")
        self.assertNotIn(self.other.partner_id, channel.channel_member_ids.partner_id)

    # ------------------------------------------------------------- out

    def test_an_answer_leaves_by_the_queue_and_tells_its_statuses(self):
        channel = self.hello()
        row = self.answer(channel, "How can we help?")
        self.assertEqual(row.state, "queued")
        self.assertFalse(self.meta.sent)
        self.send_due()
        self.assertEqual(self.meta.sent[0]["text"]["body"], "How can we help?")
        self.assertEqual(row.state, "sent")
        for status in ("delivered", "read"):
            self.status(row, status)
        self.assertEqual(row.delivery, "read")
        self.assertEqual(row.notification_id.notification_status, "whatsapp_read")

    @mute_logger(ALERT)
    def test_what_fails_is_sent_again_three_times_then_somebody_is_alerted(self):
        row = self.answer(self.hello())
        now = fields.Datetime.now()
        for minutes in (0, 1, 6, 21):
            self.meta.answers = [(400, {"error": {"code": 131000, "message": "x"}})]
            with at(now + timedelta(minutes=minutes, seconds=1)):
                self.send_due()
        self.assertEqual(len(self.meta.sent), 4)
        self.assertEqual(row.state, "failed")
        self.assertEqual(row.activity_ids.user_id, self.env.ref("base.user_admin"))
        self.assertEqual(row.notification_id.notification_status, "exception")
        row.with_user(self.office).action_retry()
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertFalse(row.activity_ids)

    def test_after_24_hours_only_a_template_is_sent(self):
        channel = self.hello()
        later = fields.Datetime.now() + timedelta(hours=25)
        template = self.template("Are you still there?")
        with at(later):
            with self.assertRaisesRegex(UserError, "24 hours"):
                self.answer(channel)
            wizard = (
                self.env["whatsapp.send.template"]
                .with_user(self.office)
                .create({"channel_id": channel.id, "template_id": template.id})
            )
            wizard.action_send()
            self.send_due()
        self.assertEqual(self.meta.sent[0]["template"]["name"], "greeting")
        self.assertIn("Are you still there?", self.texts(channel))

    def test_a_keyword_stops_marketing_and_another_one_takes_it_back(self):
        channel = self.receive(self.message(content="baja"))
        self.assertTrue(channel.whatsapp_opt_out)
        template = self.template(category="marketing")
        with self.assertRaisesRegex(UserError, "no more marketing"):
            template._whatsapp_send(channel, {})
        self.receive(self.message(content="ALTA"))
        self.assertFalse(channel.whatsapp_opt_out)

    def test_a_contact_is_written_to_first(self):
        partner = self.env["res.partner"].create(
            {"name": "Bob", "phone": "+52 55 8765 4321"}
        )
        composer = (
            self.env["whatsapp.composer"]
            .with_user(self.office)
            .create(
                {
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "number_field_name": "phone",
                    "gateway_id": self.gateway.id,
                    "template_id": self.template("Hello Bob").id,
                    "body": "Hello Bob",
                }
            )
        )
        composer.action_send_whatsapp()
        self.send_due()
        self.assertEqual(self.meta.sent[0]["to"], "+525587654321")

    def test_a_note_among_colleagues_never_leaves(self):
        channel = self.hello()
        channel.with_user(self.office).message_post(
            body="Who is she?",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )
        self.send_due()
        self.assertFalse(self.meta.sent)

    # ------------------------------------------------------------- the number

    def test_the_set_up_has_no_check_of_salespeople(self):
        kinds = self.gateway.whatsapp_check_ids.mapped("kind")
        self.assertIn("token", kinds)
        self.assertNotIn("salespeople", kinds)

    @mute_logger(EVENTS)
    def test_a_message_that_fails_is_not_lost(self):
        service = type(self.env["mail.gateway.whatsapp"])

        def fail(*args):
            raise ValueError("broken")

        self.patch(service, "_post_received", fail)
        self.assertFalse(self.hello().message_ids.filtered("whatsapp_message_id"))
        event = self.events()
        self.assertEqual((event.state, event.attempts), ("pending", 1))
        self.patch(service, "_post_received", service.__mro__[1]._post_received)
        event.action_process_again()
        self.drain()
        self.assertEqual(event.state, "done")

    def test_a_number_with_a_history_is_archived_not_deleted(self):
        self.hello()
        with self.assertRaisesRegex(UserError, "archive"):
            self.gateway.unlink()
        self.gateway.active = False
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        with self.assertRaisesRegex(UserError, "archived"):
            self.answer(channel)
