# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import html2plaintext

from .common import BROWSER, WhatsappCase

EVA = {"from": "5215587654321", "name": "Eva Gil"}


class ScreenCase(WhatsappCase):
    """Salespeople who are told in the web client, and not by e-mail."""

    def setUp(self):
        super().setUp()
        self.users.notification_type = "inbox"
        self.channel = self.receive(self.message(content="How much is it?"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.colleague = self.users - self.owner

    def told(self, user):
        """Return what somebody was told and has not read, apart from chats."""
        unread = self.env["mail.notification"].search(
            [("res_partner_id", "=", user.partner_id.id), ("is_read", "=", False)]
        )
        return unread.mail_message_id

    def member(self, user, channel=None):
        members = (channel or self.channel).channel_member_ids
        members.invalidate_recordset()
        return members.filtered(lambda member: member.partner_id == user.partner_id)


class TestTold(ScreenCase):
    """Each event is told once, in words that lead to the chat."""

    def test_a_new_customer_is_told_once_with_the_words_and_the_chat(self):
        notice = self.told(self.owner)
        self.assertEqual(len(notice), 1)
        self.assertEqual(notice.subject, "WhatsApp: Ana Pérez is your customer now")
        self.assertIn("How much is it?", html2plaintext(notice.body))
        self.assertIn(f"discuss.channel_{self.channel.id}", notice.body)
        self.assertFalse(self.told(self.colleague))

    def test_so_it_is_when_a_manager_gives_the_lead_to_somebody(self):
        self.lead.user_id = self.colleague
        notice = self.told(self.colleague)
        self.assertEqual(notice.subject, "WhatsApp: Ana Pérez is your customer now")

    def test_it_is_told_in_the_language_of_who_gets_it(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.colleague.lang = "es_ES"
        self.lead.user_id = self.colleague
        notice = self.told(self.colleague)
        self.assertEqual(notice.subject, "WhatsApp: ahora atiendes a Ana Pérez")

    def test_other_leads_are_told_in_odoos_words(self):
        lead = self.env["crm.lead"].create({"name": "Plain", "type": "opportunity"})
        lead.user_id = self.colleague
        self.assertIn("Plain", self.told(self.colleague).subject)
        self.assertNotIn("discuss.channel_", self.told(self.colleague).body)

    def test_reading_the_chat_reads_what_was_told_of_it(self):
        other = self.receive(self.message(content="Open?", person=EVA), person=EVA)
        other.lead_id.user_id = self.owner
        self.assertEqual(len(self.told(self.owner)), 2)
        message = self.channel.message_ids[:1]
        self.member(self.owner).with_user(self.owner)._mark_as_read(message.id)
        self.assertIn(f"discuss.channel_{other.id}", self.told(self.owner).body)

    def test_a_handed_over_chat_is_unread_and_its_last_word_is_the_note(self):
        wizard = self.env["whatsapp.hand.over"].with_user(self.owner)
        wizard.create(
            {
                "channel_id": self.channel.id,
                "user_id": self.colleague.id,
                "note": "He wants five",
            }
        ).action_hand_over()
        self.env.invalidate_all()
        last = self.channel.message_ids.sorted("id")[-1:]
        self.assertIn("He wants five", last.body)
        self.assertEqual(last.author_id, self.owner.partner_id)
        self.assertTrue(self.member(self.colleague).message_unread_counter)
        self.assertFalse(self.member(self.owner))

    def test_nobody_reads_that_they_were_invited(self):
        sent = []
        bus = type(self.env["bus.bus"])
        with patch.object(bus, "_sendone", lambda *args: sent.append(args[2:])):
            self.channel._whatsapp_add_members(self.colleague)
        joined = [body for kind, body in sent if kind == "discuss.channel/joined"]
        self.assertEqual(len(joined), 1)
        self.assertFalse(joined[0]["invited_by_user_id"])


@tagged(BROWSER)
class TestScreen(ScreenCase):
    """What a plain salesperson has before them, in a real browser."""

    def setUp(self):
        super().setUp()
        self.owner.password = "sofia-in-the-browser"

    def tour(self, name, path="/odoo/action-crm.crm_lead_action_pipeline"):
        self.start_tour(path, f"crm_whatsapp_gateway.{name}", login=self.owner.login)

    def test_the_inbox_owns_its_screen(self):
        eva = self.receive(self.message(content="Open?", person=EVA), person=EVA)
        eva.lead_id.user_id = self.owner
        self.tour("screen_inbox")

    def test_the_systray_leads_to_the_chat(self):
        self.tour("screen_systray")
        self.assertFalse(self.told(self.owner))

    def test_what_a_colleague_wrote_on_the_lead_opens_the_lead(self):
        self.lead.with_user(self.env.ref("base.user_admin")).message_post(
            body="Please look", partner_ids=self.owner.partner_id.ids
        )
        self.tour("screen_lead_mention")

    def test_a_failure_says_whom_it_did_not_reach_and_why(self):
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel, "Hello Ana")
        self.send_due()
        self.assertEqual(row.state, "failed")
        self.tour("screen_failure")
