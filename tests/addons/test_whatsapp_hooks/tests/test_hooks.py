# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.tests.common import ANA, GatewayCase
from odoo.addons.mail_gateway_whatsapp_queue.tools.identity import Identity

EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
ALERT = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue_alert"
BOB = {"from": "5215587654321", "name": "Bob"}


@tagged("post_install", "-at_install")
class TestHooks(GatewayCase):
    """An addon on top of the base sees each hook, and changes what becomes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.responsible_user = new_test_user(
            cls.env,
            login="responsible",
            groups="base.group_user,mail_gateway.gateway_user",
        )

    def test_a_message_was_received_and_shown(self):
        channel = self.receive(self.message(content="Hello"))
        self.assertEqual(channel.description, "received Hello")
        posted = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(posted.subject, f"shown {posted.whatsapp_message_id}")

    def test_a_message_was_sent(self):
        channel = self.receive(self.message(content="Hello"))
        row = self.answer(channel, "Hi")
        self.assertEqual(row.message_id.subject, "sent")
        template = self.template()
        row = template._whatsapp_send(channel, {})
        self.assertEqual(row.message_id.subject, "sent")

    def test_may_this_conversation_send(self):
        channel = self.receive(self.message(content="Hello"))
        channel.name = "Off"
        with self.assertRaisesRegex(UserError, "may not send"):
            self.answer(channel, "Hi")
        self.assertEqual(
            channel.whatsapp_known()["whatsapp_off"], "This conversation may not send."
        )

    @mute_logger(ALERT)
    def test_who_is_responsible_decides_about_what_was_perhaps_delivered(self):
        channel = self.receive(self.message(content="Hello"))
        row = self.answer(channel, "Hi", user=self.env.ref("base.user_root"))
        self.assertEqual(row._whatsapp_responsible(), self.responsible_user)
        row._alert_admin()
        note = row.activity_ids[:1].note
        self.assertIn(self.env.ref("base.main_partner").display_name, note)

    def test_what_a_template_is_about_and_the_customer_s_language(self):
        channel = self.receive(self.message(content="Hello"))
        country = self.env.ref("base.model_res_country")
        template = self.template(model_id=country.id)
        self.assertEqual(template._whatsapp_record(channel), self.env.ref("base.mx"))
        self.env["res.lang"]._activate_lang("es_MX")
        channel.action_ask_phone()
        self.assertEqual(channel._whatsapp_customer_lang(), "es_MX")

    def test_what_fills_a_template(self):
        channel = self.receive(self.message(content="Hello"))
        template = self.template("Hola {{nombre}} de {{ciudad}}")
        self.gateway.member_ids |= self.responsible_user
        wizard = (
            self.env["whatsapp.send.template"]
            .with_user(self.responsible_user)
            .create({"channel_id": channel.id, "template_id": template.id})
        )
        self.assertEqual(wizard.line_ids.mapped("value"), ["Ana", "Oaxaca"])

    def test_names_and_numbers_that_come_later(self):
        hidden = {"bsuid": "MX.77", "name": ""}
        channel = self.receive(self.message(content="Hi", person=hidden), person=hidden)
        named = {**hidden, "name": "Carla"}
        self.receive(self.message(content="I am Carla", person=named), person=named)
        self.assertEqual(channel.name, "Carla")
        channel._whatsapp_take_phone("5215511112222")
        self.assertIn("phone +52", channel.description)
        channel._whatsapp_move_identity(Identity(phone="5215533334444"))
        self.assertIn(" is +52", channel.description)

    def test_two_conversations_become_one(self):
        kept = self.receive(self.message(content="One"))
        other = self.receive(self.message(content="Two", person=BOB), person=BOB)
        kept._whatsapp_merge(other, kept._whatsapp_identity(), "new_number")
        self.assertEqual(kept.description, "merged with Bob")

    def test_a_conversation_that_begins_from_a_document(self):
        partner = self.env["res.partner"].create(
            {"name": "Dora", "phone": "+52 55 2222 3333"}
        )
        channel = partner._whatsapp_get_channel("phone", self.gateway)
        self.assertEqual(channel.anonymous_name, "from res.partner")
        self.assertIn(
            self.responsible_user.partner_id, channel.channel_member_ids.partner_id
        )

    def test_what_is_sent_from_a_document(self):
        self.receive(self.message(content="Hello"))
        self.gateway.member_ids |= self.responsible_user
        contact = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+52 55 1234 5678"}
        )
        dialogs = self.env["whatsapp.send.document"].with_user(self.responsible_user)
        action = dialogs.action_open_for("res.partner", contact.ids)
        dialog = dialogs.browse(action["res_id"])
        self.assertEqual(
            (dialog.body, dialog.report_id), ("Dear Ana", dialog.report_ids)
        )
        self.assertEqual(dialog.gateway_id, self.gateway)
        dialog.action_send()
        self.assertEqual(contact.function, "sent text by responsible")

    def test_a_group(self):
        message = self.message(content="Hi all", group_id="120363@g.us")
        self.post(self.delivery(message))
        self.drain()
        channel = self.env["discuss.channel"].search(
            [("gateway_channel_token", "=like", "group:%")]
        )
        self.assertTrue(channel.name.startswith("Our "))
        self.assertEqual(channel.description, "customer in a group: Hi all")

    @mute_logger(EVENTS)
    def test_what_cannot_be_worked_on_may_be_postponed(self):
        place = {"latitude": 1, "longitude": 2}
        self.post(self.delivery(self.message("location", place)))
        self.drain()
        self.assertIn("no places today", self.events()[:1].error)

    def test_who_works_with_whatsapp(self):
        user = new_test_user(
            self.env,
            login="office",
            groups="base.group_user,base.group_partner_manager",
        )
        self.assertTrue(user._whatsapp_works())
        self.assertEqual(ANA["name"], "Ana Pérez")
