# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError

from odoo.addons.mail_gateway_whatsapp_queue.models import discuss_channel_member
from odoo.addons.mail_gateway_whatsapp_queue.queue import receipts

from .common import WhatsappCase


class TestChat(WhatsappCase):
    """Quotes, reactions, and what the customer sees of what we do."""

    def set_scene(self):
        super().set_scene()
        self.question = self.message(content="How much is it?")
        self.channel = self.receive(self.question)
        self.owner = self.channel.lead_id.user_id
        self.asked = self.env["mail.message"]._whatsapp_of(
            self.channel, self.question["id"]
        )

    def setUp(self):
        super().setUp()
        discuss_channel_member._typed.clear()

    def react(self, message, emoji, action="add", user=None):
        user = user or self.owner
        message.with_user(user).sudo()._message_reaction(
            emoji, action, user.partner_id, self.env["mail.guest"]
        )
        self.send_due()

    def reactions(self):
        return [
            (sent["reaction"]["message_id"], sent["reaction"]["emoji"])
            for sent in self.meta.sent
            if sent["type"] == "reaction"
        ]

    # ------------------------------------------------------------- quotes

    def test_a_reply_quotes_the_customer_s_message(self):
        self.answer(self.channel, "5 euros", parent_id=self.asked.id)
        self.send_due()
        self.assertEqual(
            self.meta.sent[0]["context"], {"message_id": self.question["id"]}
        )

    def test_a_reply_quotes_a_message_of_ours(self):
        row = self.answer(self.channel, "5 euros")
        self.send_due()
        self.answer(self.channel, "Each", parent_id=row.message_id.id)
        self.send_due()
        self.assertNotIn("context", self.meta.sent[0])
        self.assertEqual(self.meta.sent[1]["context"], {"message_id": row.wamid})

    def test_of_a_file_and_a_text_one_quotes(self):
        file = self.env["ir.attachment"].with_user(self.owner)
        file = file.create({"name": "offer.pdf", "raw": b"%PDF-1.4"})
        file.sudo().mimetype = "application/pdf"
        text = "See " * 400  # more than a caption holds
        self.answer(
            self.channel, text, attachment_ids=file.ids, parent_id=self.asked.id
        )
        self.send_due()
        self.assertEqual(["context" in sent for sent in self.meta.sent], [True, False])

    # ------------------------------------------------------------- reactions

    def test_the_customer_sees_our_reaction(self):
        self.react(self.asked, "👍")
        self.react(self.asked, "👍", "remove")
        self.assertEqual(
            self.reactions(), [(self.question["id"], "👍"), (self.question["id"], "")]
        )

    def test_of_several_reactions_the_customer_sees_the_last(self):
        colleague = (self.users - self.owner)[:1]
        self.channel._whatsapp_add_members(colleague)  # only who sees it may react
        self.react(self.asked, "👍")
        self.react(self.asked, "🎉", user=colleague)
        self.react(self.asked, "🎉", "remove", user=colleague)
        self.assertEqual(
            [emoji for _wamid, emoji in self.reactions()], ["👍", "🎉", "👍"]
        )

    def test_the_customer_s_own_reaction_is_not_sent_back(self):
        row = self.answer(self.channel, "5 euros")
        self.send_due()
        reaction = {"message_id": row.wamid, "emoji": "🙏"}
        self.receive(self.message("reaction", reaction))
        self.assertEqual(row.message_id.reaction_ids.content, "🙏")
        self.send_due()
        self.assertEqual(self.reactions(), [])

    def test_a_reaction_to_what_meta_does_not_know_stays_here(self):
        note = self.channel._message_log(body="For colleagues")
        self.react(note, "👍")
        self.assertEqual((note.reaction_ids.content, self.reactions()), ("👍", []))

    def test_a_reaction_outside_of_the_window_is_refused(self):
        self.channel.whatsapp_last_customer_date -= timedelta(hours=24)
        with self.assertRaisesRegex(UserError, "template"):
            self.react(self.asked, "👍")
        self.assertFalse(self.asked.reaction_ids)

    # ------------------------------------------------------------- receipts

    def told(self, work):
        """Return what Meta is told because of some work of the salesperson."""
        jobs = []
        with patch.object(receipts, "later", lambda *job: jobs.append(job)):
            work()
            self.env.cr.postcommit.run()
        for dbname, gateway_id, _channel_id, wamid, typing in jobs:
            receipts._tell(dbname, gateway_id, wamid, typing)
        return [body for _method, _path, body in self.meta.calls]

    def member(self):
        self.env.flush_all()
        return self.channel.with_user(self.owner).channel_member_ids.filtered(
            lambda member: member.partner_id == self.owner.partner_id
        )

    def test_who_reads_turns_the_ticks_blue_once(self):
        member = self.member()

        def read_twice():
            for _time in range(2):
                member._mark_as_read(self.asked.id)

        [told] = self.told(read_twice)
        self.assertEqual(told["status"], "read")
        self.assertEqual(told["message_id"], self.question["id"])
        self.assertNotIn("typing_indicator", told)

    def test_who_types_is_seen_typing_now_and_then(self):
        member = self.member()

        def type_much():
            for is_typing in (True, True, False, True):
                member._notify_typing(is_typing)

        [told] = self.told(type_much)
        self.assertEqual(told["typing_indicator"], {"type": "text"})
        self.assertEqual(told["message_id"], self.question["id"])

    def test_a_company_may_keep_it_to_itself(self):
        member = self.member()
        for setting, expected in (("none", 0), ("read", 1)):
            self.gateway.whatsapp_receipts = setting
            discuss_channel_member._typed.clear()
            self.meta.calls.clear()
            member.sudo().seen_message_id = False

            def read_and_type():
                member._mark_as_read(self.asked.id)
                member._notify_typing(True)

            told = self.told(read_and_type)
            self.assertEqual(len(told), expected, setting)

    def test_our_own_words_are_not_reported(self):
        row = self.answer(self.channel, "5 euros")
        self.member().seen_message_id = self.asked
        told = self.told(lambda: self.member()._mark_as_read(row.message_id.id))
        self.assertEqual(told, [])

    def test_a_paused_number_is_left_alone(self):
        self.gateway.whatsapp_pause_reason = "x"
        self.assertEqual(
            self.told(lambda: self.member()._mark_as_read(self.asked.id)), []
        )

    # ------------------------------------------------------------- canned responses

    def test_canned_responses_in_spanish_are_there_for_salespeople(self):
        found = self.env["mail.canned.response"].with_user(self.owner).search([])
        self.assertLessEqual(
            {"saludo", "precio", "llamada", "gracias"}, set(found.mapped("source"))
        )
