# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.mail_gateway_whatsapp_queue import compat

from .common import HTTP, ConversationCase

SECRETS = ("token", "webhook_key", "webhook_secret", "whatsapp_security_key")


class AccessCase(ConversationCase):
    def set_scene(self):
        super().set_scene()
        self.colleague = self.users - self.owner
        self.manager = new_test_user(
            self.env, login="manager", groups="sales_team.group_sale_salesman_all_leads"
        )


@tagged(HTTP)
class TestDiscuss(AccessCase, HttpCase):
    def test_a_member_without_sales_rights_can_load_discuss_without_it(self):
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        self.channel.add_members(partner_ids=clerk.partner_id.ids)
        self.authenticate("clerk", "clerk")
        route, params = (
            ("/mail/data", {"fetch_params": ["channels_as_member"]})
            if compat.V19
            else ("/mail/action", {"channels_as_member": True})
        )
        data = self.make_jsonrpc_request(route, params)
        channels = {channel["id"] for channel in data.get("discuss.channel", [])}
        self.assertNotIn(self.channel.id, channels)
        with self.assertRaises(AccessError):
            self.gateway.with_user(clerk).read(["name"])


class TestAccess(AccessCase):
    def test_salespeople_read_no_secret(self):
        gateway = self.gateway.with_user(self.owner)
        self.assertEqual(gateway.name, "Sales")
        for name in SECRETS:
            with self.assertRaises(AccessError, msg=name):
                gateway.read([name])
        with self.assertRaises(AccessError):
            self.channel.with_user(self.owner).read(["gateway_token"])
        known = gateway.read()[0], self.channel.with_user(self.owner).read()[0]
        for values in known:
            self.assertNotIn("EAAtoken", str(values))
            self.assertNotIn("the app secret", str(values))

    def test_secrets_cannot_be_searched_either(self):
        for model, name in (
            ("mail.gateway", "token"),
            ("mail.gateway", "webhook_secret"),
            ("discuss.channel", "gateway_token"),
            ("discuss.channel", "gateway_id.token"),
        ):
            with self.assertRaises(AccessError, msg=name):
                self.env[model].with_user(self.owner).search([(name, "=like", "E%")])
        with self.assertRaises(AccessError):
            self.env["mail.gateway"].with_user(self.owner).search([], order="token")

    def test_conversations_are_seen_by_owner_and_managers_only(self):
        channels = self.env["discuss.channel"]
        domain = [("channel_type", "=", "gateway")]
        self.assertEqual(channels.with_user(self.owner).search(domain), self.channel)
        self.assertEqual(channels.with_user(self.manager).search(domain), self.channel)
        self.assertFalse(channels.with_user(self.colleague).search(domain))
        self.channel.lead_id.user_id = False
        self.assertEqual(
            channels.with_user(self.colleague).search(domain), self.channel
        )

    def test_a_manager_who_opens_a_conversation_can_write(self):
        channel = self.channel.with_user(self.manager)
        action = channel.action_open_whatsapp()
        self.assertEqual(action["params"], {"channel_id": channel.id})
        self.assertTrue(self.answer(self.channel, "I help", user=self.manager))
        self.assertTrue(channel.is_member)

    def test_others_cannot_open_it(self):
        with self.assertRaises(AccessError):
            self.channel.with_user(self.colleague).action_open_whatsapp()

    def sees(self, user):
        """Tell whether a user finds the conversation, and may read it."""
        channel = self.channel.with_user(user)
        found = bool(channel.search([("id", "=", channel.id)]))
        self.assertEqual(channel.has_access("read"), found)
        self.assertEqual(channel.has_access("write"), found)
        members = self.env["discuss.channel.member"].with_user(user)
        if not found:
            self.assertFalse(members.search([("channel_id", "=", channel.id)]))
        return found

    def test_who_sees_what(self):
        self.assertTrue(self.sees(self.owner))
        self.assertTrue(self.sees(self.manager))
        self.assertFalse(self.sees(self.colleague))
        self.channel.lead_id.user_id = False
        self.channel._whatsapp_remove_members(self.owner)
        self.assertTrue(self.sees(self.colleague), "a team without members is open")
        self.channel.lead_id.team_id = self.gateway.whatsapp_team_id = False
        self.assertFalse(self.channel.whatsapp_team_id)
        self.assertTrue(self.sees(self.colleague), "so is none")
        self.channel.lead_id.team_id = self.gateway.whatsapp_team_id = self.team
        self.team.member_ids = self.owner
        self.assertTrue(self.sees(self.owner))
        self.assertFalse(self.sees(self.colleague))
        self.team.member_ids += self.colleague
        self.assertTrue(self.sees(self.colleague))
        self.gateway.whatsapp_show_unassigned = False
        self.assertFalse(self.sees(self.colleague))
        self.assertTrue(self.sees(self.manager))
        self.channel.add_members(partner_ids=self.colleague.partner_id.ids)
        self.assertTrue(self.sees(self.colleague), "somebody asked for help")

    def test_oca_s_group_of_gateway_users_opens_no_colleague_s_conversation(self):
        group = self.env.ref("mail_gateway.gateway_user")
        for user in (self.colleague, self.manager):
            group.write({compat.USERS: [(4, user.id)]})
        self.assertFalse(self.sees(self.colleague))
        self.assertTrue(self.sees(self.manager))
        support = new_test_user(
            self.env,
            login="support",
            groups="base.group_user,mail_gateway.gateway_user",
        )
        self.assertFalse(self.sees(support), "not of this number, and no member")
        self.gateway.member_ids = support
        self.assertTrue(self.sees(support), "of this number")
        self.gateway.member_ids = False
        self.channel.add_members(partner_ids=support.partner_id.ids)
        self.assertTrue(self.sees(support), "a member")

    def test_membership_is_one_s_own(self):
        def takes_part(user, wanted=True):
            # sudo: the search alone is tried here, not the rules that use it
            channels = self.channel.with_user(user).sudo()
            return channels.search([("is_member", "=", wanted)])

        self.assertTrue(self.channel.channel_member_ids.guest_id)
        self.assertIn(self.channel, takes_part(self.owner))
        self.assertNotIn(self.channel, takes_part(self.owner, False))
        self.assertNotIn(self.channel, takes_part(self.colleague))
        self.assertIn(self.channel, takes_part(self.colleague, False))
        self.assertFalse(takes_part(self.env.ref("base.public_user")))
        self.channel.active = False
        self.assertNotIn(self.channel, takes_part(self.owner))

    def test_other_channels_are_as_they_were(self):
        group = self.env["discuss.channel"].create(
            {"name": "Us", "channel_type": "group"}
        )
        group.add_members(partner_ids=self.colleague.partner_id.ids)
        self.assertTrue(group.with_user(self.colleague).has_access("write"))
        self.assertFalse(group.with_user(self.owner).has_access("read"))

    def test_a_member_of_two_companies_needs_the_right_one(self):
        other = self.env["res.company"].create({"name": "Other"})
        both = new_test_user(
            self.env,
            login="both",
            groups="sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, (other + self.company).ids)],
        )
        channels = self.env["discuss.channel"].with_user(both)
        domain = [("id", "=", self.channel.id)]
        active = channels.with_context(allowed_company_ids=other.ids)
        self.assertFalse(active.search(domain))
        active = channels.with_context(allowed_company_ids=(other + self.company).ids)
        self.assertTrue(active.search(domain))

    def test_assignments_and_salespeople_are_apart_by_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            login="stranger2",
            groups="sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        for model in ("whatsapp.agent", "whatsapp.assignment"):
            self.assertTrue(self.env[model].with_user(self.owner).search([]))
            self.assertFalse(self.env[model].with_user(stranger).search([]))

    def test_a_salesperson_reads_the_lead_s_reasons_and_no_personnel_file(self):
        lead = self.channel.lead_id.with_user(self.owner)
        values = lead.read(
            [
                "whatsapp_match_reason",
                "whatsapp_assign_reason",
                "whatsapp_duplicate_ids",
            ]
        )[0]
        self.assertIn("Ana", values["whatsapp_match_reason"])
        self.assertIn("turn", values["whatsapp_assign_reason"])
        with self.assertRaises(AccessError):
            self.employees.with_user(self.owner).read(["whatsapp_limit"])

    def test_payloads_are_for_administrators(self):
        row = self.answer(self.channel, "Hello")
        self.assertEqual(row.with_user(self.owner).state, "queued")
        with self.assertRaises(AccessError):
            row.with_user(self.owner).read(["payload"])
        with self.assertRaises(AccessError):
            row.with_user(self.owner).write({"state": "sent"})
        with self.assertRaises(AccessError):
            self.events().with_user(self.manager).read(["payload"])

    def test_companies_are_apart(self):
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.assertFalse(
            self.env["discuss.channel"]
            .with_user(stranger)
            .search([("channel_type", "=", "gateway")])
        )

    def test_a_lead_of_another_company_is_not_found(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.env["crm.lead"].create(
            {"name": "Theirs", "phone": "+34612345678", "company_id": other.id}
        )
        person = {"from": "34612345678", "name": "Bob"}
        channel = self.receive(self.message(content="Hi", person=person), person=person)
        self.assertEqual(channel.lead_id.company_id, self.company)
        self.assertNotEqual(channel.lead_id.name, "Theirs")

    def test_the_lead_s_button_opens_the_conversation(self):
        lead = self.channel.lead_id.with_user(self.owner)
        self.assertEqual(lead.whatsapp_channel_count, 1)
        action = lead.action_open_whatsapp()
        self.assertEqual(action["tag"], "mail_gateway_whatsapp_queue.open_chat")
        back = self.channel.with_user(self.owner).action_open_lead()
        self.assertEqual((back["res_model"], back["res_id"]), ("crm.lead", lead.id))
