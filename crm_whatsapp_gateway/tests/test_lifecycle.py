# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import file_open, mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models.ir_config_parameter import _warned
from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_sending import (
    WhatsappGatewaySending,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools import parameters
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import CloudApiError
from odoo.addons.mail_gateway_whatsapp_queue.tools.retry import RetryPolicy

from .common import WhatsappCase

CONTROLLER = "odoo.addons.mail_gateway_whatsapp_queue.controllers.webhook"
PARAMETERS = "odoo.addons.mail_gateway_whatsapp_queue.models.ir_config_parameter"
CLOUD_API = WhatsappGatewaySending._whatsapp_cloud_api  # which the tests replace


class TestArchivedNumber(WhatsappCase):
    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.owner = self.channel.lead_id.user_id

    def known(self):
        return self.channel.with_user(self.owner).whatsapp_known()

    def test_a_number_with_conversations_is_not_deleted_but_archived(self):
        with self.assertRaisesRegex(UserError, "archive it"):
            self.gateway.unlink()
        self.assertEqual(self.channel.gateway_id, self.gateway)

    def test_deliveries_and_outgoing_messages_are_history_too(self):
        empty = self.gateway.copy(
            {"name": "New", "token": "other", "webhook_key": "k", "webhook_secret": "s"}
        )
        values = {"key": "x", "kind": "change", "state": "ignored"}
        event = self.env["whatsapp.webhook.event"].create(
            {"gateway_id": empty.id, **values}
        )
        with self.assertRaisesRegex(UserError, "1 deliveries"):
            empty.unlink()
        event.unlink()
        empty.unlink()
        self.assertFalse(empty.exists())

    def test_an_archived_number_takes_no_delivery(self):
        self.gateway.action_archive()
        with mute_logger(CONTROLLER):
            refused = self.post(self.delivery(self.message(content="Hello?")))
            unknown = self.post(self.delivery(), key="nobody-has-this")
        self.assertEqual(refused.status_code, 403)
        self.assertEqual(refused.text, unknown.text)
        self.gateway.action_unarchive()
        self.receive(self.message(content="Are you back?"))
        self.assertEqual(self.texts(self.channel), ["Hi", "Are you back?"])

    def test_nothing_is_posted_into_an_archived_number(self):
        self.gateway.action_archive()
        with self.assertRaisesRegex(UserError, "is archived"):
            self.answer(self.channel)
        with self.assertRaisesRegex(UserError, "is archived"):
            self.template()._whatsapp_send(self.channel.with_user(self.owner), {})
        self.assertFalse(self.meta.sent)

    def test_what_waits_when_a_number_is_archived_waits_until_it_is_back(self):
        row = self.answer(self.channel)
        self.gateway.action_archive()
        self.send_due()
        self.assertEqual((row.state, self.meta.sent), ("queued", []))
        self.gateway.action_unarchive()
        self.send_due()
        self.assertEqual(row.state, "sent")

    def test_a_failed_message_is_not_sent_again_from_an_archived_number(self):
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel)
        self.send_due()
        self.gateway.action_archive()
        with self.assertRaisesRegex(UserError, "is archived"):
            row.with_user(self.owner).action_retry()
        self.assertEqual(row.state, "failed")

    def test_conversations_of_an_archived_number_are_read_as_before(self):
        channel = self.channel.with_user(self.owner)
        self.assertEqual(self.known()["whatsapp_off"], "")
        self.gateway.action_archive()
        self.env.invalidate_all()
        found = channel.search([("id", "=", channel.id)])
        self.assertEqual(found, channel)
        domain = self.env.ref("crm_whatsapp_gateway.action_whatsapp_inbox").domain
        chats = self.env["whatsapp.conversation"].with_user(self.owner)
        chat = chats.search([*eval(domain), ("channel_id", "=", channel.id)])
        self.assertEqual(chat.channel_id, channel)
        self.assertEqual(channel.message_ids, self.channel.message_ids)
        self.assertIn("is archived", self.known()["whatsapp_off"])
        self.assertIn("is archived", channel._whatsapp_store_values()["whatsapp_off"])
        note = channel._whatsapp_post_note("Only for us")
        self.assertIn(note, channel.message_ids)

    def test_an_archived_number_is_not_offered(self):
        lead = self.env["crm.lead"].create(
            {"name": "Luis", "phone": "+52 55 9999 0000", "team_id": self.team.id}
        )
        self.assertEqual(lead._whatsapp_default_gateway(), self.gateway)
        self.gateway.action_archive()
        self.assertNotEqual(lead._whatsapp_default_gateway(), self.gateway)

    # ------------------------------------------------------------- a deleted number

    def delete_number(self):
        """Delete the number as an older version did."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            DELETE FROM whatsapp_message_queue WHERE gateway_id = %(id)s;
            DELETE FROM mail_gateway WHERE id = %(id)s
            """,
            {"id": self.gateway.id},
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def new_number(self, **values):
        return self.env["mail.gateway"].create(
            {
                "name": "Sales again",
                "gateway_type": "whatsapp",
                "token": "EAAagain",
                "webhook_key": "webhook-key",
                "webhook_secret": "the app secret",
                "whatsapp_security_key": "verify me",
                "whatsapp_from_phone": "10001",
                "integrated_webhook_state": "integrated",
                "company_id": self.company.id,
                **values,
            }
        )

    def test_nothing_is_posted_into_a_conversation_without_number(self):
        self.delete_number()
        self.assertFalse(self.channel.gateway_id)
        with self.assertRaisesRegex(UserError, "was deleted"):
            self.answer(self.channel)
        self.assertIn("was deleted", self.channel._whatsapp_why_off())
        self.assertEqual(self.texts(self.channel), ["Hi"])
        self.channel.with_user(self.owner)._whatsapp_post_note("Only for us")

    def test_who_sees_all_sees_a_conversation_without_number(self):
        manager = new_test_user(
            self.env, "boss-of-all", groups="sales_team.group_sale_manager"
        )
        mate = new_test_user(self.env, "mate", groups="sales_team.group_sale_salesman")
        self.delete_number()
        domain = [("id", "=", self.channel.id)]
        channels = self.env["discuss.channel"]
        for user in (manager, self.owner):
            self.assertEqual(channels.with_user(user).search(domain), self.channel)
        self.assertFalse(channels.with_user(mate).search(domain))

    def test_events_outlive_their_number(self):
        event = self.events(kind="message")
        self.delete_number()
        self.assertTrue(event.exists())

    def test_a_conversation_goes_on_when_its_number_comes_back(self):
        lead = self.channel.lead_id
        self.delete_number()
        self.gateway = self.new_number()
        found = self.receive(self.message(content="Anybody there?"))
        self.assertEqual(found, self.channel)
        self.assertEqual(found.lead_id, lead)
        self.assertEqual(self.texts(found), ["Hi", "Anybody there?"])
        self.assertEqual(self.answer(found).gateway_id, self.gateway)

    def test_writing_first_goes_on_with_the_conversation_too(self):
        self.delete_number()
        self.gateway = self.new_number()
        lead = self.env["crm.lead"].create({"name": "Ana", "phone": "+525512345678"})
        self.assertEqual(lead._whatsapp_first_conversation(), self.channel)
        self.assertEqual(self.channel.gateway_id, self.gateway)

    def test_conversations_of_others_are_not_taken_over(self):
        self.delete_number()
        other = self.env["res.company"].create({"name": "Other"})
        self.channel.company_id = other
        telegram = self.env["discuss.channel"].create(
            {
                "name": "Ana on Telegram",
                "channel_type": "gateway",
                "gateway_channel_token": "5215512345678",
            }
        )
        self.gateway = self.new_number()
        found = self.receive(self.message(content="Hello"))
        self.assertNotIn(found, self.channel | telegram)
        self.assertFalse(telegram.gateway_id)


class TestCopy(WhatsappCase):
    """A neutralized copy of a database."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.owner = self.channel.lead_id.user_id
        self.row = self.answer(self.channel)
        self.admin = new_test_user(self.env, "copy-admin", groups="base.group_system")
        self.env.flush_all()
        with file_open("mail_gateway_whatsapp_queue/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "True")

    def retype(self):
        """Type the settings of a number anew, as an administrator may."""
        self.gateway.with_user(self.admin).write(
            {
                "token": "EAAnew",
                "whatsapp_from_phone": "10002",
                "webhook_key": "copy-key",
                "webhook_secret": "the app secret",
                "whatsapp_security_key": "verify me",
                "integrated_webhook_state": "integrated",
            }
        )

    def test_typing_another_number_sends_nothing(self):
        self.retype()
        self.assertTrue(self.gateway.whatsapp_pause_reason)
        self.send_due()
        self.assertFalse(self.meta.calls)

    def test_an_answer_is_refused_at_the_click(self):
        self.retype()
        rows = self.env["whatsapp.message.queue"].search_count([])
        with self.assertRaisesRegex(UserError, "is a copy"):
            self.answer(self.channel)
        message = self.channel.message_ids[-1:]
        with self.assertRaisesRegex(UserError, "is a copy"):
            self.env["whatsapp.message.queue"]._record_reaction(
                self.channel, message.whatsapp_message_id, "👍"
            )
        self.row.state = "failed"
        with self.assertRaisesRegex(UserError, "is a copy"):
            self.row.action_retry()
        self.assertEqual(self.env["whatsapp.message.queue"].search_count([]), rows)

    def test_a_copy_is_not_resumed_by_the_button_of_a_pause(self):
        with self.assertRaisesRegex(UserError, "is a copy"):
            self.gateway.with_user(self.admin).action_whatsapp_resume()

    def test_nothing_asks_meta(self):
        self.retype()
        with self.assertRaises(CloudApiError) as caught:
            self.gateway._whatsapp_client()
        self.assertEqual(caught.exception.reason, "copy")
        gateway = self.gateway.with_user(self.admin)
        with self.assertRaisesRegex(UserError, "is a copy"):
            gateway.button_import_whatsapp_template()
        gateway.action_whatsapp_test()
        rows = self.gateway.whatsapp_check_ids
        told = {row.kind: row.outcome for row in rows}
        self.assertEqual(told["copy"], "copied")
        self.assertEqual(told["token"], "not_in_copy")
        template = self.template(template_uid="77")
        for ask in (
            "button_export_template",
            "button_sync_template",
            "action_whatsapp_delete",
        ):
            with self.assertRaisesRegex(UserError, "is a copy"):
                getattr(template, ask)()
        self.assertFalse(self.meta.calls)

    def test_the_webhook_takes_nothing(self):
        self.retype()
        with mute_logger(CONTROLLER):
            answer = self.post(
                self.delivery(self.message(content="Hello"), number="10002"),
                key="copy-key",
            )
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.texts(self.channel)[-1:], ["Hello"])  # ours of before

    def test_an_administrator_connects_a_copy_on_purpose(self):
        self.retype()
        row = self.gateway.whatsapp_check_ids.filtered(lambda row: row.kind == "copy")
        row.with_user(self.admin).action_test()
        self.assertEqual(row.fix_label, "Connect this copy on purpose")
        with self.assertRaises(AccessError):
            self.gateway.with_user(self.owner).action_whatsapp_connect_copy()
        row.with_user(self.admin).action_fix()
        self.assertEqual(row.outcome, "copy_connected")
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.answer(self.channel)
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)
        answer = self.post(
            self.delivery(self.message(content="Hello"), number="10002"), key="copy-key"
        )
        self.assertEqual(answer.status_code, 200)
        row.with_user(self.admin).action_fix()
        with self.assertRaisesRegex(UserError, "is a copy"):
            self.answer(self.channel)

    def test_a_copy_of_a_connected_copy_is_cut_off_again(self):
        self.gateway.with_user(self.admin).action_whatsapp_connect_copy()
        self.env.flush_all()
        with file_open("mail_gateway_whatsapp_queue/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertTrue(self.gateway._whatsapp_is_cut_off())


class TestParameters(WhatsappCase):
    """System parameters: checked when written, read without surprises."""

    WRONG = {
        "event_retention_days": ("-5", "abc", "0", "3651", "", "  ", "1.5", "٣"),
        "undelivered_hours": ("0", "169", "a day", ""),
        "inbound_slots": ("-1", "x", str(10**9), "17"),
        "media_slots": ("1,2",),
        "outbound_slots": ("1e1", ""),
        "retry_minutes": ("1,,5", "-1", "0", "", ",", "abc", "1, 10081", "1," * 20),
        "graph_url": ("http://graph.facebook.com", "graph.facebook.com", "", "ftp://x"),
    }
    RIGHT = {
        "event_retention_days": "90",
        "undelivered_hours": "48",
        "inbound_slots": "4",
        "media_slots": " 2 ",
        "outbound_slots": "0",
        "retry_minutes": "2,4",
        "graph_url": "http://127.0.0.1:8099",
    }

    def test_what_could_not_be_used_is_refused_with_what_could(self):
        stored = self.env["ir.config_parameter"]
        for name, texts in self.WRONG.items():
            about = parameters.PARAMETERS[name]
            for text in texts:
                with self.subTest(name=name, text=text):
                    key = parameters.PREFIX + name
                    with self.assertRaises(ValidationError) as caught:
                        stored.create({"key": key, "value": text})
                    for words in (key, about.allowed, about.default):
                        self.assertIn(words, str(caught.exception))

    def test_every_way_of_writing_is_checked(self):
        stored = self.env["ir.config_parameter"]
        key = parameters.PREFIX + "inbound_slots"
        for text in ("17", 17, -1):
            with self.assertRaises(ValidationError):
                stored.set_param(key, text)
        stored.set_param(key, 3)
        with self.assertRaises(ValidationError):
            stored.search([("key", "=", key)]).value = "x"
        other = stored.create({"key": "x.places", "value": "none"})
        with self.assertRaises(ValidationError):
            other.key = parameters.PREFIX + "media_slots"
        result = stored.load(
            ["key", "value"], [[parameters.PREFIX + "outbound_slots", "x"]]
        )
        self.assertIn("outbound_slots", result["messages"][0]["message"])
        self.assertEqual(stored._whatsapp_value("inbound_slots"), 3)

    def test_what_is_right_is_used(self):
        stored = self.env["ir.config_parameter"]
        for name, text in self.RIGHT.items():
            stored.set_param(parameters.PREFIX + name, text)
        self.assertEqual(stored._whatsapp_value("media_slots"), 2)
        self.assertEqual(
            self.env["whatsapp.message.queue"]._retry_policy(), RetryPolicy((2, 4))
        )
        self.assertEqual(
            CLOUD_API(self.gateway).base_url.rpartition("/")[0], self.RIGHT["graph_url"]
        )

    def test_what_was_stored_before_counts_as_the_default_and_is_said_once(self):
        _warned.clear()
        stored = self.env["ir.config_parameter"]
        for name, texts in self.WRONG.items():
            key, text = parameters.PREFIX + name, texts[0]
            self.env.cr.execute(
                "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)",
                (key, text),
            )
            self.env.registry.clear_cache()
            default = parameters.value(name, None)[0]
            with self.assertLogs(PARAMETERS, "WARNING") as log:
                self.assertEqual(stored._whatsapp_value(name), default)
                self.assertEqual(stored._whatsapp_value(name), default)
            self.assertEqual(len(log.output), 1)

    def test_the_vacuum_removes_all_that_is_old_whatever_the_parameter(self):
        self.receive(self.message(content="Hi"))
        events = self.events()
        old = fields.Datetime.now() - timedelta(days=31)
        self.env.cr.execute(
            "UPDATE whatsapp_webhook_event SET create_date = %s WHERE id = ANY(%s)",
            (old, events.ids),
        )
        new = events.create({"key": "new", "kind": "change", "state": "done"})
        self.env.cr.execute(
            "INSERT INTO ir_config_parameter (key, value) VALUES (%s, '-5')",
            (parameters.PREFIX + "event_retention_days",),
        )
        self.env.registry.clear_cache()
        with mute_logger(PARAMETERS):
            done, left = events._gc_events()
        self.assertEqual((done, left), (len(events), 0))
        self.assertFalse(events.exists())
        self.assertTrue(new.exists())

    def test_the_vacuum_goes_on_batch_by_batch(self):
        from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import (
            remove_in_batches,
        )

        events = self.env["whatsapp.webhook.event"].create(
            [
                {"key": f"batch{number}", "kind": "change", "state": "done"}
                for number in range(25)
            ]
        )
        domain = [("id", "in", events.ids)]
        self.assertEqual(remove_in_batches(events, domain, 10, seconds=0), (0, 1))
        self.assertEqual(remove_in_batches(events, domain, 10), (25, 0))
