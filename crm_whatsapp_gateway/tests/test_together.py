# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import html2plaintext

from .common import ANA, BROWSER, HTTP, WhatsappCase

BOB = {"from": "34612345678", "name": "Bob"}


class TogetherCase(WhatsappCase):
    """A conversation with its owner, a colleague and a manager."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="How much is it?"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.colleague = self.users - self.owner
        self.manager = new_test_user(
            self.env, login="manager", groups="sales_team.group_sale_salesman_all_leads"
        )
        self.partner = self.env["res.partner"].create(
            {"name": "Ana Pérez", "email": "ana@example.com"}
        )

    def panel(self, user, channel=None):
        self.env.invalidate_all()
        return (channel or self.channel).with_user(user).whatsapp_panel()

    def hand_over(self, user, to, note="", channel=None):
        wizard = (
            self.env["whatsapp.hand.over"]
            .with_user(user)
            .create(
                {
                    "channel_id": (channel or self.channel).id,
                    "user_id": to.id,
                    "note": note,
                }
            )
        )
        action = wizard.action_hand_over()
        self.env.invalidate_all()
        return action

    def invite(self, user, whom, note=""):
        wizard = (
            self.env["whatsapp.invite"]
            .with_user(user)
            .create(
                {
                    "channel_id": self.channel.id,
                    "user_ids": [(6, 0, whom.ids)],
                    "note": note,
                }
            )
        )
        wizard.action_invite()
        self.env.invalidate_all()

    def members(self, channel=None):
        channel = channel or self.channel
        channel.invalidate_recordset()
        return channel.channel_member_ids.partner_id.user_ids

    def notices(self, user, since):
        """Return the texts that somebody was notified of after a message id."""
        found = self.env["mail.notification"].search(
            [
                ("res_partner_id", "=", user.partner_id.id),
                ("mail_message_id", ">", since),
            ]
        )
        return [html2plaintext(one.mail_message_id.body) for one in found]

    def last_message(self):
        return self.env["mail.message"].search([], order="id desc", limit=1).id

    def assertNothingLeaves(self):
        """Nothing is to be sent to a customer, nor is anything sent."""
        self.assertFalse(self.env["whatsapp.message.queue"].search([]))
        self.assertFalse(
            self.env["mail.notification"].search([("gateway_channel_id", "!=", False)])
        )
        self.send_due()
        self.assertFalse(self.meta.calls)


class TestPanel(TogetherCase):
    def test_it_shows_what_matters_and_what_can_be_done(self):
        self.lead.expected_revenue = 1200
        panel = self.panel(self.owner)
        self.assertEqual(panel["whatsapp_lead"]["user_id"], self.owner.id)
        self.assertEqual(panel["people"], [self.person(self.owner)])
        self.assertTrue(panel["can_invite"] and panel["can_hand_over"])
        self.assertFalse(panel["can_make_lead"])
        lead = panel["lead"]
        self.assertEqual(lead["revenue"], 1200)
        self.assertEqual(lead["call"], "+525512345678")
        self.assertTrue(lead["can_write"] and lead["is_open"])
        self.assertIn(
            {"id": self.lead.stage_id.id, "name": self.lead.stage_id.name},
            lead["stages"],
        )
        (call,) = lead["activities"]
        self.assertTrue(call["is_call"] and call["can_be_done"])
        self.assertEqual(call["state"], "today")

    def person(self, user):
        return {"id": user.partner_id.id, "name": user.name, "away": ""}

    def test_why_this_salesperson_follows_a_change_by_hand(self):
        self.assertIn("turn", self.panel(self.owner)["lead"]["assign_reason"])
        self.lead.with_user(self.manager).user_id = self.colleague
        self.env.flush_all()
        self.env.cr.flush()  # Odoo writes the history of a lead at the end
        reason = self.panel(self.colleague)["lead"]["assign_reason"]
        self.assertIn(f"Changed by {self.manager.name} on ", reason)
        self.lead.with_context(tracking_disable=True).user_id = False
        reason = self.panel(self.manager)["lead"]["assign_reason"]
        self.assertEqual(reason, "Changed after the assignment")
        self.lead.with_user(self.manager).user_id = self.owner
        self.assertIn("turn", self.panel(self.owner)["lead"]["assign_reason"])
        self.hand_over(self.owner, self.colleague)
        reason = self.panel(self.colleague)["lead"]["assign_reason"]
        self.assertTrue(reason)
        self.assertNotIn("Changed", reason)

    def test_stages_of_other_teams_are_no_choice(self):
        stages = self.env["crm.stage"]
        teams = "team_ids" if "team_ids" in stages._fields else "team_id"
        others = self.env["crm.team"].create({"name": "Others"})
        for name, team in (("Theirs", others), ("Ours", self.lead.team_id)):
            stages.create({"name": name})[teams] = team
        names = [stage["name"] for stage in self.panel(self.owner)["lead"]["stages"]]
        self.assertIn("Ours", names)
        self.assertNotIn("Theirs", names)

    def test_strangers_get_nothing(self):
        self.assertIs(self.panel(self.colleague), False)

    def test_who_may_not_read_the_lead_sees_what_the_chat_tells(self):
        self.invite(self.owner, self.colleague)
        panel = self.panel(self.colleague)
        self.assertEqual(panel["whatsapp_lead"]["name"], self.lead.name)
        self.assertFalse(panel["lead"])
        self.assertFalse(panel["can_hand_over"])
        clerk = new_test_user(
            self.env,
            login="clerk",
            groups="base.group_user,mail_gateway.gateway_user",
        )
        plain = new_test_user(self.env, login="plain", groups="base.group_user")
        self.channel.add_members(partner_ids=(clerk | plain).partner_id.ids)
        panel = self.panel(clerk)
        self.assertEqual(panel["whatsapp_lead"]["user"], self.owner.name)
        self.assertFalse(panel["lead"] or panel["can_invite"])
        self.assertFalse(self.panel(plain), "a member who does not work with WhatsApp")

    def test_who_may_not_write_the_lead_gets_no_actions(self):
        self.env["ir.rule"].create(
            {
                "name": "read only",
                "model_id": self.env.ref("crm.model_crm_lead").id,
                "domain_force": "[(0, '=', 1)]",
                "perm_read": False,
            }
        )
        panel = self.panel(self.owner)
        self.assertFalse(panel["lead"]["can_write"] or panel["lead"]["stages"])
        self.assertFalse(panel["can_hand_over"])

    def test_a_closed_lead_says_so(self):
        stage = self.lead.stage_id
        self.lead.action_set_won()
        lead = self.panel(self.owner)["lead"]
        self.assertTrue(lead["is_won"] and not lead["is_open"])
        self.lead.stage_id = stage
        self.lead.action_set_lost()
        lead = self.panel(self.owner)["lead"]
        self.assertFalse(lead["is_open"] or lead["stages"])

    def test_a_lead_that_is_no_opportunity_has_no_stages(self):
        self.lead.type = "lead"
        self.assertFalse(self.panel(self.owner)["lead"]["stages"])

    def test_quotations_are_offered_if_their_module_is_there(self):
        there = hasattr(self.env["crm.lead"], "action_sale_quotations_new")
        self.assertEqual(self.panel(self.owner)["lead"]["can_quote"], there)
        self.lead.type = "lead"
        self.assertFalse(self.panel(self.owner)["lead"]["can_quote"])

    def test_without_a_lead_it_says_why_and_makes_one(self):
        self.employees.sudo().mobile_phone = False
        self.employees[0].sudo().mobile_phone = "+34 612 345 678"
        channel = self.receive(self.message(content="Hi", person=BOB), person=BOB)
        self.assertFalse(channel.lead_id)
        panel = self.panel(self.owner, channel)
        self.assertIn("your user", panel["no_lead_reason"])
        self.assertTrue(panel["can_make_lead"])
        channel.with_user(self.owner).action_create_lead()
        self.assertTrue(self.panel(self.manager, channel)["lead"])

    def test_a_change_of_the_lead_reaches_the_open_chats(self):
        told = []
        channels = self.env.registry["discuss.channel"]

        def send(records, kind, content):
            told.append((records, kind, content))

        with patch.object(channels, "_bus_send", send):
            self.lead.with_user(self.owner).write({"name": "Ana's kitchen"})
            self.lead.expected_revenue = 5
        ((channel, kind, content),) = told
        self.assertEqual((channel, kind), (self.channel, "mail.record/insert"))
        self.assertEqual(
            content["discuss.channel"],
            [{"id": self.channel.id, "whatsapp_stale": True}],
        )
        known = self.channel.with_user(self.owner).whatsapp_known()["whatsapp_lead"]
        self.assertEqual(known["name"], "Ana's kitchen")
        self.assertIs(self.channel.with_user(self.colleague).whatsapp_known(), False)

    def test_the_lead_lets_choose_between_two_numbers_of_ours(self):
        other = self.gateway.copy(
            {
                "name": "Support",
                "token": "other",
                "webhook_key": "other-key",
                "whatsapp_from_phone": "10002",
            }
        )
        second = self.env["discuss.channel"].create(
            {
                "name": "Ana Pérez",
                "channel_type": "gateway",
                "gateway_id": other.id,
                "gateway_channel_token": ANA["from"],
                "lead_id": self.lead.id,
            }
        )
        action = self.lead.with_user(self.owner).action_open_whatsapp()
        self.assertEqual(action["tag"], "crm_whatsapp_gateway.choose_chat")
        choices = action["params"]["channels"]
        self.assertEqual(
            {(one["id"], one["number"]) for one in choices},
            {(self.channel.id, "Sales"), (second.id, "Support")},
        )


class TestHandOver(TogetherCase):
    def test_all_goes_to_the_colleague_with_the_note(self):
        since = self.last_message()
        action = self.hand_over(self.owner, self.colleague, "Wants 5\nuntil Friday")
        self.assertEqual(action["tag"], "crm_whatsapp_gateway.close_chat")
        self.assertEqual(self.lead.user_id, self.colleague)
        self.assertEqual(self.lead.team_id, self.team)
        self.assertEqual(self.members(), self.colleague)
        self.assertEqual(self.lead.activity_ids.user_id, self.colleague)
        self.assertIs(self.panel(self.owner), False)
        self.assertIn("until Friday", self.texts(self.channel)[-1])
        self.assertIn("Handed over to", self.texts(self.channel)[-1])
        empty = self.channel.message_ids.filtered(lambda one: not one.body)
        self.assertFalse(empty, "the chat shows no tracking")
        log = "".join(self.lead.message_ids.mapped("body"))
        self.assertIn("until Friday", log)
        row = self.lead.whatsapp_assignment_ids.sorted("id")[-1]
        self.assertEqual((row.user_id, row.giver_id), (self.colleague, self.owner))
        self.assertEqual(
            row.reason, f"Handed over by {self.owner.name}: Wants 5 until Friday"
        )
        (notice,) = self.notices(self.colleague, since)
        self.assertIn("until Friday", notice)
        self.assertNothingLeaves()

    def test_a_customer_who_was_called_is_not_to_be_called_anew(self):
        self.lead.with_user(self.owner).activity_ids.action_feedback(feedback="ok")
        self.hand_over(self.owner, self.colleague)
        self.assertFalse(self.lead.activity_ids)

    def test_a_note_is_no_answer(self):
        waits = self.channel.whatsapp_conversation_ids.waiting_since
        self.assertTrue(waits)
        self.hand_over(self.owner, self.colleague, "You know him better")
        self.assertEqual(self.channel.whatsapp_conversation_ids.waiting_since, waits)
        self.assertEqual(
            self.channel.whatsapp_conversation_ids.last_text, "How much is it?"
        )

    def test_the_next_message_goes_to_the_colleague(self):
        self.hand_over(self.owner, self.colleague)
        self.receive(self.message(content="And with delivery?"))
        self.assertEqual(self.lead.user_id, self.colleague)
        self.assertEqual(self.members(), self.colleague)

    def test_a_conversation_of_nobody_can_be_given_and_taken(self):
        self.lead.user_id = False
        self.channel._whatsapp_remove_members(self.owner)
        self.hand_over(self.owner, self.colleague)
        self.assertEqual(self.lead.user_id, self.colleague)
        self.lead.user_id = False
        action = self.hand_over(self.colleague, self.colleague)
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual(self.lead.user_id, self.colleague)

    def test_without_a_lead_the_colleague_takes_part_instead(self):
        self.channel.lead_id = False
        since = self.last_message()
        self.hand_over(self.owner, self.colleague, "Perhaps a supplier")
        self.assertEqual(self.members(), self.colleague)
        (notice,) = self.notices(self.colleague, since)
        self.assertIn("Perhaps a supplier", notice)
        row = self.env["whatsapp.assignment"].search([], limit=1)
        self.assertEqual((row.user_id, row.giver_id), (self.colleague, self.owner))
        self.assertNothingLeaves()

    def test_what_is_a_colleague_s_stays_there(self):
        self.invite(self.owner, self.colleague)
        third = new_test_user(
            self.env, login="third", groups="sales_team.group_sale_salesman"
        )
        with self.assertRaisesRegex(UserError, "only what is yours"):
            self.hand_over(self.colleague, third)
        with self.assertRaisesRegex(UserError, "only what is yours"):
            self.hand_over(self.colleague, self.colleague)
        self.assertEqual(self.lead.user_id, self.owner)

    def test_strangers_hand_nothing_over(self):
        with self.assertRaises(UserError):
            self.hand_over(self.colleague, self.colleague)
        self.assertEqual(self.lead.user_id, self.owner)

    def test_a_manager_hands_over_all(self):
        self.channel._whatsapp_add_members(self.manager)
        since = self.last_message()
        self.hand_over(self.manager, self.colleague, "Holidays")
        self.assertEqual(self.lead.user_id, self.colleague)
        self.assertEqual(self.members(), self.colleague)
        [notice] = self.notices(self.owner, since)
        self.assertIn("hands your conversation with Ana", notice)
        self.assertIn(self.colleague.name, notice)
        self.assertIn("Holidays", notice)
        self.assertEqual(len(self.notices(self.colleague, since)), 1)
        self.assertFalse(self.notices(self.manager, since))

    def test_twice_is_once(self):
        self.hand_over(self.owner, self.colleague)
        with self.assertRaises(UserError):
            self.hand_over(self.owner, self.colleague)
        with self.assertRaisesRegex(UserError, "already"):
            self.hand_over(self.manager, self.colleague)

    def test_who_could_not_see_it_gets_nothing(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="sales_team.group_sale_salesman",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        wizard = self.env["whatsapp.hand.over"].with_user(self.owner)
        offered = wizard.new({"channel_id": self.channel.id}).colleague_ids._origin
        self.assertIn(self.colleague, offered)
        for nobody in (stranger, clerk, self.owner):
            self.assertNotIn(nobody, offered)
        for nobody in (stranger, clerk):
            with self.assertRaisesRegex(UserError, "could not see"):
                self.hand_over(self.owner, nobody)
        self.assertEqual(self.lead.user_id, self.owner)

    def test_all_conversations_of_the_lead_go_along(self):
        person = {"bsuid": ANA["bsuid"], "name": "Ana Pérez"}
        second = self.env["discuss.channel"].create(
            {
                "name": "Ana Pérez",
                "channel_type": "gateway",
                "gateway_id": self.gateway.id,
                "gateway_channel_token": person["bsuid"],
                "lead_id": self.lead.id,
            }
        )
        second._whatsapp_add_members(self.owner)
        self.hand_over(self.owner, self.colleague)
        self.assertIn(self.colleague, self.members(second))
        self.assertNotIn(self.owner, self.members(second))


class TestAskIn(TogetherCase):
    def test_the_colleague_sees_the_history_and_can_answer(self):
        since = self.last_message()
        self.invite(self.owner, self.colleague, "What does delivery cost?")
        self.assertNothingLeaves()
        self.assertEqual(self.members(), self.owner + self.colleague)
        self.assertEqual(self.lead.user_id, self.owner)
        mine = self.channel.with_user(self.colleague)
        self.assertIn("How much is it?", self.texts(mine))
        (notice,) = self.notices(self.colleague, since)
        self.assertIn("What does delivery cost?", notice)
        self.assertFalse(self.notices(self.owner, since))
        self.assertTrue(self.answer(self.channel, "5 euros", user=self.colleague))
        self.send_due()
        self.assertEqual([one["text"]["body"] for one in self.meta.sent], ["5 euros"])
        self.assertEqual(self.lead.user_id, self.owner)

    def test_the_colleague_cares_for_what_failed(self):
        self.invite(self.owner, self.colleague)
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel, "5 euros", user=self.colleague)
        self.send_due()
        self.assertEqual(row.with_user(self.colleague).state, "failed")
        self.env["whatsapp.edit.message"].with_user(self.colleague).create(
            {"row_id": row.id, "body": "6 euros"}
        ).action_send()
        self.send_due()
        self.assertEqual(self.meta.sent[-1]["text"]["body"], "6 euros")

    def test_who_is_in_is_not_offered(self):
        wizard = self.env["whatsapp.invite"].with_user(self.owner)
        offered = wizard.new({"channel_id": self.channel.id}).colleague_ids._origin
        self.assertIn(self.colleague, offered)
        self.assertNotIn(self.owner, offered)

    def test_strangers_ask_nobody_in(self):
        with self.assertRaises(AccessError):
            self.invite(self.colleague, self.colleague)
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        with self.assertRaisesRegex(UserError, "could not see"):
            self.invite(self.owner, clerk)
        with self.assertRaisesRegex(UserError, "choose"):
            self.invite(self.owner, self.env["res.users"])
        self.assertEqual(self.members(), self.owner)


@tagged(HTTP)
class TestNotes(TogetherCase, HttpCase):
    def write_note(self, user, **values):
        """Post as the web client does."""
        self.authenticate(user.login, user.login)
        self.make_jsonrpc_request(
            "/mail/message/post",
            {
                "thread_model": "discuss.channel",
                "thread_id": self.channel.id,
                "post_data": {
                    "body": "He never pays",
                    "message_type": "comment",
                    "subtype_xmlid": "mail.mt_note",
                    **values,
                },
            },
        )
        self.env.invalidate_all()
        return self.channel.message_ids.sorted("id")[-1]

    def test_a_note_never_leaves(self):
        waits = self.channel.whatsapp_conversation_ids.waiting_since
        note = self.write_note(self.owner)
        self.assertEqual(html2plaintext(note.body).strip(), "He never pays")
        self.assertFalse(note.notification_ids)
        self.assertEqual(self.channel.whatsapp_conversation_ids.waiting_since, waits)
        self.assertEqual(
            self.channel.whatsapp_conversation_ids.last_text, "How much is it?"
        )
        self.assertTrue(self.lead.activity_ids, "nobody has answered")
        self.assertNothingLeaves()

    def test_a_note_with_a_file_never_leaves(self):
        attachments = self.env["ir.attachment"].with_user(self.owner)
        attachment = attachments.create(
            {
                "name": "offer.pdf",
                "raw": b"%PDF",
                "mimetype": "application/pdf",
            }
        )
        self.channel.with_user(self.owner).message_post(
            body="See",
            message_type="comment",
            subtype_id=self.env.ref("mail.mt_note").id,
            attachment_ids=attachment.ids,
        )
        self.assertNothingLeaves()

    def test_a_note_can_be_written_outside_of_the_window(self):
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=25
        )
        self.assertTrue(self.write_note(self.owner))
        self.assertNothingLeaves()

    def test_a_mention_reaches_no_customer(self):
        self.colleague.notification_type = "email"
        self.channel.add_members(partner_ids=self.partner.ids)
        mails = self.env["mail.mail"].search([])
        self.invite(self.owner, self.colleague)
        note = self.channel.with_user(self.owner).message_post(
            body="Look",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=(self.partner + self.colleague.partner_id).ids,
            special_mentions=["everyone"],
        )
        self.assertNotIn(self.partner, note.partner_ids)
        self.assertIn(self.colleague.partner_id, note.partner_ids)
        self.assertNotIn(self.partner, note.notification_ids.res_partner_id)
        new = self.env["mail.mail"].search([]) - mails
        self.assertNotIn(self.partner, new.recipient_ids)
        self.assertNothingLeaves()

    def test_what_becomes_of_a_note_never_leaves_either(self):
        note = self.write_note(self.owner)
        self.channel.with_user(self.owner)._message_update_content(
            note.with_user(self.owner).sudo(),
            body="He pays late",  # as Odoo's route
        )
        self.assertIn("late", note.body)
        note._message_reaction(
            "👍", "add", self.owner.partner_id, self.env["mail.guest"]
        )
        self.assertTrue(note.reaction_ids)
        self.assertNothingLeaves()

    def test_an_answer_to_a_note_leaves_without_it(self):
        note = self.write_note(self.owner)
        row = self.answer(self.channel, "Hello", parent_id=note.id)
        self.assertNotIn("context", row.payload)
        self.assertNotIn("He never pays", str(row.payload))

    def test_what_somebody_sends_of_a_document_leaves(self):
        """OCA's button sends also what was a note on the document."""
        note = self.lead.message_post(body="5 euros", subtype_xmlid="mail.mt_note")
        posted = self.channel.with_user(self.owner).message_post(
            body=note.body,
            message_type="comment",
            subtype_id=note.subtype_id.id,
            gateway_message_id=note.id,
        )
        self.assertTrue(
            self.env["whatsapp.message.queue"].search([("message_id", "=", posted.id)])
        )

    def test_what_says_nothing_of_a_note_leaves_as_before(self):
        self.channel.with_user(self.owner).message_post(
            body="Hi", message_type="comment"
        )
        self.assertEqual(len(self.env["whatsapp.message.queue"].search([])), 1)

    def test_a_note_fills_nobody_s_sidebar(self):
        self.write_note(self.manager)
        self.assertEqual(self.members(), self.owner)
        self.assertNothingLeaves()

    def test_other_channels_know_no_such_rule(self):
        group = self.env["discuss.channel"].create(
            {"name": "Us", "channel_type": "group"}
        )
        group.add_members(partner_ids=self.partner.ids)  # 19.0 asks for that
        message = group.message_post(
            body="x",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            partner_ids=self.partner.ids,
        )
        self.assertEqual(message.partner_ids, self.partner)


@tagged(HTTP)
class TestWhoTakesPart(TogetherCase, HttpCase):
    def typing(self, user):
        self.authenticate(user.login, user.login)
        self.make_jsonrpc_request(
            "/discuss/channel/notify_typing",
            {"channel_id": self.channel.id, "is_typing": True},
        )

    def test_a_manager_who_looks_collects_nothing(self):
        self.channel.with_user(self.manager).action_open_whatsapp()
        self.assertEqual(self.members(), self.owner)

    def test_who_types_takes_part(self):
        self.typing(self.manager)
        self.assertEqual(self.members(), self.owner + self.manager)

    def test_who_answers_takes_part(self):
        self.answer(self.channel, "I help", user=self.manager)
        self.assertEqual(self.members(), self.owner + self.manager)

    def test_a_stranger_gets_in_by_neither(self):
        with self.assertRaises(Exception):  # noqa: B017 - 404 looks different
            self.typing(self.colleague)
        with self.assertRaises(AccessError):
            self.channel.with_user(self.colleague).message_post(
                body="x", message_type="comment"
            )
        with self.assertRaises(AccessError):
            self.channel.with_user(self.colleague)._find_or_create_member_for_self()
        self.assertEqual(self.members(), self.owner)

    def test_the_own_conversation_is_hidden_until_the_customer_writes(self):
        member = self.channel.channel_member_ids.filtered("partner_id.user_ids")
        before = fields.Datetime.now() - timedelta(minutes=5)
        self.channel.last_interest_dt = member.last_interest_dt = before
        self.channel.with_user(self.owner).action_unfollow()
        self.assertEqual(self.members(), self.owner)
        member.invalidate_recordset()
        self.assertFalse(member.is_pinned)
        self.receive(self.message(content="Hello?"))
        member.invalidate_recordset()
        self.assertTrue(member.is_pinned)

    def test_others_can_leave(self):
        self.invite(self.owner, self.colleague)
        self.channel.with_user(self.colleague).action_unfollow()
        self.assertEqual(self.members(), self.owner)

    def test_who_watched_over_nobody_s_leaves_when_it_is_somebody_s(self):
        helper = new_test_user(
            self.env, login="helper", groups="sales_team.group_sale_salesman"
        )
        self.gateway.member_ids = self.manager + helper
        self.lead.user_id = False
        self.channel._whatsapp_remove_members(self.owner)
        self.channel._whatsapp_add_members(self.gateway.member_ids)
        self.channel.with_user(helper).message_post(
            body="I have asked the boss",
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )
        self.lead.user_id = self.colleague
        self.assertEqual(self.members(), self.colleague + helper)

    def test_the_owner_takes_part_when_a_manager_writes_first(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Eva",
                "phone": "+34 612 345 679",
                "user_id": self.colleague.id,
                "company_id": self.company.id,
            }
        )
        lead.with_user(self.manager).action_open_whatsapp()
        self.assertIn(self.colleague, self.members(lead.whatsapp_channel_ids))


@tagged(BROWSER)
class ToursCase(TogetherCase, HttpCase):
    notified_by = "email"  # as most people are

    def setUp(self):
        super().setUp()
        self.assertEqual(self.owner, self.sofia)
        for user in self.users:
            user.password = f"{user.login}-in-the-browser"

    def discuss(self, name, user, channel=None):
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{(channel or self.channel).id}",
            f"crm_whatsapp_gateway.{name}",
            login=user.login,
        )
        self.env.invalidate_all()


class TestTogetherTours(ToursCase):
    """Chat and lead together as plain salespeople see them, in a real browser."""

    def test_the_lead_is_moved_on_from_the_chat(self):
        self.discuss("lead_actions", self.sofia)
        self.assertTrue(self.lead.stage_id.is_won)
        self.assertIn("Will think", "".join(self.lead.message_ids.mapped("body")))

    def test_the_lead_is_lost_from_the_chat(self):
        self.discuss("lead_lost", self.sofia)
        self.assertFalse(self.lead._whatsapp_is_open())

    def test_a_conversation_is_handed_over_and_the_colleague_has_it(self):
        self.discuss("hand_over", self.sofia)
        self.assertEqual(self.lead.user_id, self.tomas)
        self.discuss("handed_over", self.tomas)
        self.assertNothingLeaves()

    def test_who_is_on_leave_is_marked_where_colleagues_are_chosen(self):
        self.channel._whatsapp_add_members(self.tomas)
        day = timedelta(days=1)
        resource = self.employees[1].resource_id
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Away",
                "date_from": fields.Datetime.now() - day,
                "date_to": fields.Datetime.now() + 3 * day,
                "resource_id": resource.id,
                "calendar_id": resource.calendar_id.id,
            }
        )
        self.discuss("away", self.sofia)

    def test_a_colleague_is_invited_and_sees_the_history(self):
        self.discuss("invite", self.sofia)
        self.assertEqual(self.lead.user_id, self.sofia)
        self.discuss("invited", self.tomas)
        self.assertNothingLeaves()

    def test_a_note_is_written_in_the_chat_and_stays_among_colleagues(self):
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=25
        )
        self.discuss("note", self.sofia)
        self.assertIn("Pays late", self.texts(self.channel))
        self.assertNothingLeaves()

    def test_a_note_is_written_while_free_text_is_possible(self):
        self.discuss("note_in_window", self.sofia)
        self.assertIn("Pays late", self.texts(self.channel))
        rows = self.env["whatsapp.message.queue"].search([])
        self.assertEqual([row.payload["text"]["body"] for row in rows], ["Hello Ana"])

    def test_a_lead_with_two_numbers_opens_the_right_one(self):
        support = self.gateway.copy(
            {
                "name": "Support",
                "token": "other",
                "webhook_key": "other-key",
                "whatsapp_from_phone": "10002",
            }
        )
        self.env["discuss.channel"].create(
            {
                "name": "Ana Pérez",
                "channel_type": "gateway",
                "gateway_id": support.id,
                "gateway_channel_token": ANA["from"],
                "lead_id": self.lead.id,
            }
        )
        self.start_tour(
            f"/odoo/crm.lead/{self.lead.id}",
            "crm_whatsapp_gateway.two_numbers",
            login=self.sofia.login,
        )

    def test_a_conversation_without_a_lead_gets_one(self):
        self.env["phone.blacklist"].create({"number": "+34612345678"})
        channel = self.receive(
            self.message(content="How much is it?", person=BOB), person=BOB
        )
        self.assertFalse(channel.lead_id)
        channel._whatsapp_add_members(self.sofia)
        self.employees[1].whatsapp_agent = False
        self.discuss("no_lead", self.sofia, channel)
        self.assertEqual(channel.lead_id.user_id, self.sofia)


class TestTogetherPhone(ToursCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_the_panel_fits_on_a_phone(self):
        self.start_tour(
            "/odoo/whatsapp", "crm_whatsapp_gateway.phone", login=self.sofia.login
        )
        self.env.invalidate_all()
        self.assertEqual(self.lead.stage_id.name, "Qualified")
