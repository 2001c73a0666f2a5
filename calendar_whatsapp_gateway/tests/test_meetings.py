# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import html2plaintext

from odoo.addons.crm_whatsapp_gateway.tests.common import ANA, WhatsappCase
from odoo.addons.mail_gateway_whatsapp_queue.models.base import Base


@tagged("post_install", "-at_install")
class TestMeetings(WhatsappCase):
    """A customer who wrote, a meeting with her and others, and a template for it."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Can I see the sofa?"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.owner.partner_id.phone = "+34 611 111 111"
        self.ana, self.bob, self.eva = self.env["res.partner"].create(
            [
                {"name": "Ana Pérez", "phone": "+" + ANA["from"]},
                {"name": "Bob", "phone": "+34 612 345 678"},
                {"name": "Eva"},
            ]
        )
        self.lead.partner_id = self.ana
        guests = self.ana | self.bob | self.eva | self.owner.partner_id
        start = fields.Datetime.now() + timedelta(hours=2)
        self.meeting = self.env["calendar.event"].create(
            {
                "name": "Visit",
                "user_id": self.owner.id,
                "start": start,
                "stop": start + timedelta(hours=1),
                "partner_ids": [Command.set(guests.ids)],
            }
        )
        self.reminder = self.template(
            "See you soon: {{1}}",
            name="Visit",
            template_name="visit",
            model_id=self.env.ref("calendar.model_calendar_event").id,
            button_ids=[
                Command.create({"button_type": "quick_reply", "name": "Confirmo"}),
                Command.create({"button_type": "quick_reply", "name": "Otra hora"}),
            ],
        )
        self.reminder.variable_ids.field_name = "name"
        self.alarm = self.env["calendar.alarm"].create(
            {
                "name": "WhatsApp",
                "alarm_type": "whatsapp",
                "duration": 3,
                "interval": "hours",
                "whatsapp_template_id": self.reminder.id,
            }
        )

    def remind(self, since=timedelta(days=1)):
        """Do what Odoo's cron does."""
        manager = self.env["calendar.alarm_manager"]
        manager.with_context(lastcall=fields.Datetime.now() - since)._send_reminder()
        self.send_due()
        return sorted(sent["to"] for sent in self.meta.sent)

    def attendee(self, partner):
        return self.meeting.attendee_ids.filtered(lambda a: a.partner_id == partner)

    def press(self, index, text):
        row = self.env["whatsapp.message.queue"].search(
            [("channel_id", "=", self.channel.id)], limit=1
        )
        return self.receive(
            self.message(
                "button",
                {"payload": f"visit/{index}", "text": text},
                context={"from": "5215500000001", "id": row.wamid},
            )
        )

    def test_each_guest_is_reminded_and_the_organizer_is_not(self):
        self.meeting.alarm_ids = self.alarm
        self.assertEqual(self.remind(), ["+34612345678", "+" + ANA["from"]])
        notes = html2plaintext(" ".join(self.meeting.message_ids.mapped("body")))
        self.assertIn("Eva has no phone number", notes)
        self.assertEqual(self.meeting.whatsapp_state, "sent")

    def test_who_declined_is_not_reminded(self):
        self.attendee(self.bob).do_decline()
        self.meeting.alarm_ids = self.alarm
        self.assertEqual(self.remind(), ["+" + ANA["from"]])

    def test_what_is_over_or_was_reminded_of_is_not(self):
        self.meeting.alarm_ids = self.alarm
        self.assertEqual(self.remind(since=timedelta(minutes=10)), [])
        before = fields.Datetime.now() - timedelta(hours=5)
        self.meeting.write({"start": before, "stop": before + timedelta(hours=1)})
        self.assertEqual(self.remind(), [])

    def test_odoo_plans_its_cron_for_the_reminder(self):
        self.assertIn("whatsapp", self.meeting._get_trigger_alarm_types())

    def test_a_guest_who_confirms_comes(self):
        self.meeting.alarm_ids = self.alarm
        self.remind()
        self.press(0, "Confirmo")
        self.assertEqual(self.attendee(self.ana).state, "accepted")
        self.assertEqual(self.attendee(self.bob).state, "needsAction")
        said = len(self.meeting.message_ids)
        self.press(0, "Confirmo")
        # the second time only the answer itself
        self.assertEqual(len(self.meeting.message_ids), said + 1)

    def test_who_wants_another_time_wakes_the_organizer(self):
        self.meeting.alarm_ids = self.alarm
        self.remind()
        self.press(1, "Otra hora")
        self.assertEqual(self.attendee(self.ana).state, "tentative")
        [activity] = self.lead.activity_ids.filtered(
            lambda one: one.summary == "Answer by WhatsApp to Visit"
        )
        self.assertEqual(activity.user_id, self.owner)

    def test_a_reminder_without_a_template_stops_no_other(self):
        bare = self.alarm.copy({"whatsapp_template_id": False})
        self.meeting.alarm_ids = bare | self.alarm
        self.assertEqual(self.remind(), ["+34612345678", "+" + ANA["from"]])

    def test_of_a_series_the_next_meeting_is_reminded_of_and_the_others_planned(self):
        self.env["calendar.event"].create(
            {
                "name": "Series",
                "user_id": self.owner.id,
                "start": self.meeting.start,
                "stop": self.meeting.stop,
                "partner_ids": [Command.set((self.ana | self.bob).ids)],
                "alarm_ids": [Command.set(self.alarm.ids)],
                "recurrency": True,
                "rrule_type": "daily",
                "interval": 2,
                "end_type": "count",
                "count": 3,
                "event_tz": "UTC",
            }
        )
        events = self.env["calendar.event"].search([("name", "=", "Series")])
        self.assertEqual(len(events), 3)
        self.assertEqual(self.remind(), ["+34612345678", "+" + ANA["from"]])
        follows = events.sorted("start")[1].start - timedelta(hours=3)
        cron = self.env.ref("calendar.ir_cron_scheduler_alarm")
        planned = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertIn(follows, planned.mapped("call_at"))

    def test_an_error_for_one_guest_stops_no_other(self):
        self.meeting.alarm_ids = self.alarm
        send = Base._whatsapp_send_template

        def fails(record, template, channel):
            if channel.name == "Bob":
                raise ValueError("a report")
            return send(record, template, channel)

        logger = "odoo.addons.mail_gateway_whatsapp_queue.models.base"
        with (
            patch.object(Base, "_whatsapp_send_template", fails),
            self.assertLogs(logger, "ERROR"),
        ):
            self.assertEqual(self.remind(), ["+" + ANA["from"]])
        notes = html2plaintext(" ".join(self.meeting.message_ids.mapped("body")))
        self.assertIn("log of the server", notes)

    def test_a_private_meeting_is_not_sent_by_others(self):
        self.meeting.privacy = "private"
        self.env.flush_all()
        self.env.invalidate_all()
        colleague = (self.users - self.owner)[:1]
        with self.assertRaisesRegex(UserError, "Busy"):  # nothing but that
            self.meeting.with_user(colleague).action_whatsapp_send()
        self.env.invalidate_all()
        self.assertTrue(self.meeting.with_user(self.owner).action_whatsapp_send())

    def test_the_organizer_who_left_is_not_woken_but_who_has_the_lead(self):
        self.meeting.alarm_ids = self.alarm
        self.remind()
        boss = self.users - self.owner
        self.meeting.user_id = boss[:1]
        boss[:1].active = False
        self.press(1, "Otra hora")
        [activity] = self.lead.activity_ids.filtered(
            lambda one: one.summary == "Answer by WhatsApp to Visit"
        )
        self.assertEqual(activity.user_id, self.owner)

    def test_the_meeting_is_sent_by_hand_to_one_guest(self):
        meeting = self.meeting.with_user(self.owner)
        action = meeting.action_whatsapp_send()
        dialog = self.env[action["res_model"]].with_user(self.owner)
        dialog = dialog.browse(action["res_id"])
        self.assertIn("Ana", dialog.recipient_id.name)
        dialog.write({"kind": "template", "template_id": self.reminder.id})
        dialog.action_send()
        self.send_due()
        self.assertEqual(self.meta.sent[-1]["to"], "+" + ANA["from"])
