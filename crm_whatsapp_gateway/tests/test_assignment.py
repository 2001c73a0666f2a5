# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from collections import Counter

from odoo.tests import new_test_user

from .common import WhatsappCase


class TestAssignment(WhatsappCase):
    def take(self, times):
        turns = [
            self.env["hr.employee"].get_next_whatsapp_assignee() for _n in range(times)
        ]
        return Counter(employee.name for employee in turns)

    def test_turns_are_fair(self):
        self.assertEqual(self.take(10), {"sofia": 5, "tomas": 5})

    def test_the_one_without_a_turn_for_longest_is_next(self):
        first = self.env["hr.employee"].get_next_whatsapp_assignee()
        second = self.env["hr.employee"].get_next_whatsapp_assignee()
        self.assertNotEqual(first, second)
        self.assertEqual(self.env["hr.employee"].get_next_whatsapp_assignee(), first)

    def test_a_newcomer_gets_one_turn_not_all_that_were_missed(self):
        self.take(10)
        user = new_test_user(
            self.env, login="nora", groups="sales_team.group_sale_salesman"
        )
        self.env["hr.employee"].create({"name": "nora", "user_id": user.id})
        self.assertEqual(self.take(3), {"nora": 1, "sofia": 1, "tomas": 1})

    def test_salespeople_take_part_by_themselves_and_administrators_do_not(self):
        self.assertEqual(self.employees.mapped("whatsapp_agent"), [True, True])
        boss = new_test_user(
            self.env,
            login="boss",
            groups="base.group_system,sales_team.group_sale_manager",
        )
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        for user in (boss, clerk):
            employee = self.env["hr.employee"].create(
                {"name": user.login, "user_id": user.id}
            )
            self.assertFalse(employee.whatsapp_agent)

    def test_who_is_switched_off_or_gone_is_passed_over(self):
        self.employees[0].whatsapp_agent = False
        self.assertEqual(self.take(2), {"tomas": 2})
        self.tomas.active = False
        self.assertFalse(self.env["hr.employee"].get_next_whatsapp_assignee())

    def test_who_may_not_work_in_the_company_is_passed_over(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.sofia.write({"company_ids": [(4, other.id)], "company_id": other.id})
        self.sofia.company_ids -= self.company
        self.env["hr.employee"].create(
            {"name": "x", "user_id": self.tomas.id, "company_id": other.id}
        )
        self.assertEqual(self.take(2), {"tomas": 2})

    def test_rights_that_change_switch_the_turns(self):
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        employee = self.env["hr.employee"].create(
            {"name": "clerk", "user_id": clerk.id}
        )
        groups = next(n for n in ("group_ids", "groups_id") if n in clerk._fields)
        salesman = self.env.ref("sales_team.group_sale_salesman")
        clerk.write({groups: [(4, salesman.id)]})
        self.assertTrue(employee.whatsapp_agent)
        clerk.write({groups: [(3, salesman.id)]})
        self.assertFalse(employee.whatsapp_agent)

    def test_companies_have_pools_of_their_own(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.assertFalse(
            self.env["hr.employee"].get_next_whatsapp_assignee(company=other)
        )
        self.assertTrue(
            self.env["hr.employee"].get_next_whatsapp_assignee(company=self.company)
        )

    def test_the_reason_is_kept(self):
        channel = self.receive(self.message(content="Hi"))
        turn = self.env["whatsapp.assignment"].search([])
        self.assertEqual(turn.lead_id, channel.lead_id)
        self.assertEqual(turn.employee_id.user_id, channel.lead_id.user_id)
        self.assertIn("2", turn.reason)

    def test_a_new_owner_comes_into_the_conversation(self):
        channel = self.receive(self.message(content="Hi"))
        channel.lead_id.user_id = self.tomas
        self.assertIn(self.tomas.partner_id, channel.channel_member_ids.partner_id)

    def test_the_call_is_asked_for_once_per_opening(self):
        channel = self.receive(self.message(content="Hi"))
        lead = channel.lead_id
        self.assertEqual(len(lead.activity_ids), 1)
        self.assertFalse(channel._create_immediate_call_activity())
        lead.activity_ids.action_done()
        self.receive(self.message(content="Again"))
        self.assertFalse(lead.activity_ids)

    def test_the_administrator_can_switch_the_call_off(self):
        rule = self.env.ref("crm_whatsapp_gateway.automation_immediate_call")
        rule.active = False
        channel = self.receive(self.message(content="Hi"))
        self.assertFalse(channel.lead_id.activity_ids)
        rule.active = True  # which puts the hooks of the registry back

    def test_queries_do_not_grow_with_the_pool(self):
        def cost():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["hr.employee"].get_next_whatsapp_assignee()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost()
        small = cost()
        users = self.env["res.users"].create(
            [{"name": f"u{n}", "login": f"u{n}"} for n in range(50)]
        )
        self.env["hr.employee"].create(
            [
                {"name": user.name, "user_id": user.id, "whatsapp_agent": True}
                for user in users
            ]
        )
        self.assertLessEqual(cost(), small + 2)
