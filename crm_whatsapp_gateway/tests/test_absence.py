# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import new_test_user
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue import compat

from ..models import res_users
from .common import at
from .test_duty import WEDNESDAY, DutyCase

SALESMAN = "sales_team.group_sale_salesman"
GROUPS = "group_ids" if compat.V19 else "groups_id"


class AbsenceCase(DutyCase):
    """Sofía's customer waits for an answer; Tomás is on duty."""

    def set_scene(self):
        super().set_scene()
        self.lead = self.say()
        self.channel = self.lead.whatsapp_channel_ids
        self.assertEqual(self.lead.user_id, self.sofia)

    def archive(self, user):
        with self.at_noon():
            user.with_context(no_wizard=True).action_archive()
        self.env.invalidate_all()

    def at_noon(self):
        return at(WEDNESDAY + timedelta(hours=1))

    def assertPassedOn(self, lead, user, why):
        """The lead is somebody else's, who is told so and asked for a call, once."""
        self.assertEqual(lead.user_id, user)
        channel = lead.whatsapp_channel_ids
        members = channel.channel_member_ids.partner_id
        self.assertIn(user.partner_id, members)
        self.assertNotIn(self.sofia.partner_id, members)
        call = lead.activity_ids.filtered("whatsapp_call")
        self.assertEqual(call.user_id, user)
        self.assertEqual(len(call), 1)
        row = lead.whatsapp_assignment_ids.sorted("id")[-1]
        self.assertEqual(row.user_id, user)
        self.assertIn(why, row.reason)
        self.assertTrue(lead.message_ids.filtered(lambda m: why in (m.body or "")))
        self.assertTrue(channel.message_ids.filtered(lambda m: why in (m.body or "")))
        told = self.env["mail.message"].search(
            [
                ("model", "=", "crm.lead"),
                ("res_id", "=", lead.id),
                ("message_type", "=", "user_notification"),
                ("notified_partner_ids", "in", user.partner_id.ids),
                ("body", "ilike", why),
            ]
        )
        self.assertEqual(len(told), 1)
        self.assertFalse(self.meta.sent, "the customer is told nothing")
        self.assertTrue(
            channel.whatsapp_conversation_ids.waiting_since, "and waits still"
        )


class TestAbsence(AbsenceCase):
    def test_the_customers_of_an_archived_user_go_on_at_once(self):
        self.archive(self.sofia)
        self.assertPassedOn(self.lead, self.tomas, "no longer takes care")

    def test_so_do_those_of_an_archived_employee(self):
        self.archive(self.employees[0])
        self.assertPassedOn(self.lead, self.tomas, "no longer takes care")

    def test_so_do_those_of_who_is_no_salesperson_any_more(self):
        with self.at_noon():
            self.sofia.write({GROUPS: [(3, self.env.ref(SALESMAN).id)]})
        self.assertPassedOn(self.lead, self.tomas, "no longer takes care")

    def test_so_do_those_of_who_is_taken_out_of_the_group(self):
        with self.at_noon():
            group = self.env.ref(SALESMAN)
            group.write({compat.USERS: [(3, self.sofia.id)]})
        self.assertFalse(self.employees[0].whatsapp_agent, "nor does she take turns")
        self.assertPassedOn(self.lead, self.tomas, "no longer takes care")

    def test_so_do_those_of_who_left_the_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        with self.at_noon():
            self.sofia.write(
                {"company_ids": [(6, 0, other.ids)], "company_id": other.id}
            )
        self.assertPassedOn(self.lead, self.tomas, "no longer takes care")

    def test_so_do_those_of_who_is_switched_off_while_they_wait(self):
        with self.at_noon():
            self.employees[0].whatsapp_agent = False
        self.assertPassedOn(self.lead, self.tomas, "receives no WhatsApp leads")

    def test_so_do_those_of_who_is_on_leave(self):
        self.leave(self.employees[0], hours=1)
        self.cron(WEDNESDAY + timedelta(minutes=5))
        self.assertPassedOn(self.lead, self.tomas, "on leave")
        self.cron(WEDNESDAY + timedelta(minutes=6))
        self.assertPassedOn(self.lead, self.tomas, "on leave")

    def test_with_nobody_on_duty_the_lead_waits_for_a_salesperson(self):
        self.employees[1].whatsapp_agent = False
        boss = new_test_user(self.env, login="boss", groups=SALESMAN)
        self.gateway.member_ids = boss
        self.archive(self.sofia)
        self.assertFalse(self.lead.user_id)
        self.assertTrue(self.lead.whatsapp_queued_at)
        cards = self.env["whatsapp.attention"].search([("kind", "=", "unassigned")])
        self.assertEqual(cards.count, 1)
        members = self.channel.channel_member_ids.partner_id
        self.assertIn(boss.partner_id, members, "who steps in when nobody can")
        self.assertNotIn(self.sofia.partner_id, members)
        calls = self.lead.activity_ids.filtered("whatsapp_call")
        self.assertEqual(len(calls), 1)
        self.assertNotEqual(calls.user_id, self.sofia)
        with self.at_noon():
            self.employees[1].whatsapp_agent = True
        self.cron(WEDNESDAY + timedelta(hours=2))
        self.assertEqual(self.lead.user_id, self.tomas)
        self.assertEqual(calls.user_id, self.tomas)

    def test_who_comes_back_keeps_what_nobody_else_can_take(self):
        self.employees[1].whatsapp_agent = False
        self.leave(self.employees[0], hours=1)
        self.cron(WEDNESDAY + timedelta(minutes=5))
        self.assertEqual(self.lead.user_id, self.sofia)
        with at(WEDNESDAY + timedelta(minutes=6)):
            card = self.env["whatsapp.attention"].search([("kind", "=", "absent")])
            self.assertEqual(card.count, 1)
            self.assertIn("sofia", card.who)
            found = (
                self.env["whatsapp.conversation"]
                .search(card.action_open()["domain"])
                .channel_id
            )
        self.assertEqual(found, self.channel)
        with at(WEDNESDAY + timedelta(hours=2)):
            self.env.invalidate_all()
            self.assertEqual(card.count, 0, "back again")

    def test_the_number_may_say_that_they_stay(self):
        self.gateway.whatsapp_absence_rule = "stay"
        self.leave(self.employees[0], hours=1)
        self.cron(WEDNESDAY + timedelta(minutes=5))
        with at(WEDNESDAY + timedelta(minutes=5)):
            self.say_again()
            card = self.env["whatsapp.attention"].search([("kind", "=", "absent")])
            self.assertEqual(card.count, 1)
        self.assertEqual(self.lead.user_id, self.sofia)
        self.archive(self.sofia)
        self.assertEqual(
            self.lead.user_id, self.tomas, "for who is gone that is no rule"
        )

    def test_the_number_may_say_for_how_long_they_wait(self):
        self.gateway.whatsapp_absence_minutes = 30
        self.leave(
            self.employees[0], hours=3, date_from=WEDNESDAY + timedelta(minutes=10)
        )
        for minute, who in ((5, self.sofia), (39, self.sofia), (40, self.tomas)):
            self.cron(WEDNESDAY + timedelta(minutes=minute))
            self.assertEqual(self.lead.user_id, who, minute)

    def say_again(self, moment=WEDNESDAY):
        person = {"from": self.channel.gateway_channel_token, "name": "Ana"}
        return self.say(moment, person)

    def test_who_does_not_wait_goes_on_with_the_next_message(self):
        moment = WEDNESDAY + timedelta(minutes=5)
        with at(moment):
            self.answer(self.channel, "Hello")
        self.leave(self.employees[0], hours=3)
        self.cron(moment)
        self.assertEqual(self.lead.user_id, self.sofia)
        self.env["mail.activity"].search([]).unlink()
        self.assertEqual(self.say_again(moment + timedelta(minutes=5)), self.lead)
        self.assertEqual(self.lead.user_id, self.tomas)
        self.assertIn("on leave", self.lead.whatsapp_assign_reason)
        self.assertEqual(self.lead.activity_ids.user_id, self.tomas)

    def test_an_archived_employee_s_next_message_finds_somebody(self):
        with self.at_noon():
            self.answer(self.channel, "Hello")
        self.archive(self.employees[0])
        self.assertEqual(self.lead.user_id, self.sofia)
        self.say_again(WEDNESDAY + timedelta(hours=2))
        self.assertEqual(self.lead.user_id, self.tomas)

    def test_who_is_switched_off_goes_on_with_who_writes_later(self):
        with self.at_noon():
            self.answer(self.channel, "Hello")
            self.employees[0].whatsapp_agent = False
        self.say_again(WEDNESDAY + timedelta(hours=2))
        self.cron(WEDNESDAY + timedelta(hours=2))
        self.assertEqual(self.lead.user_id, self.sofia)

    def test_who_gets_a_waiting_customer_by_hand_keeps_it(self):
        self.employees[1].whatsapp_agent = False
        with self.at_noon():
            self.channel.with_user(self.sofia)._whatsapp_hand_over(self.tomas)
        self.cron(WEDNESDAY + timedelta(hours=2))
        self.assertEqual(self.lead.user_id, self.tomas)

    def test_a_manager_without_employee_keeps_what_is_theirs(self):
        boss = new_test_user(
            self.env, login="boss", groups="sales_team.group_sale_manager"
        )
        with self.at_noon():
            self.lead.user_id = boss
        self.cron(WEDNESDAY + timedelta(hours=2))
        self.assertEqual(self.lead.user_id, boss)

    def test_closed_leads_and_answered_customers_stay(self):
        with self.at_noon():
            self.answer(self.channel, "Hello")
        won = self.say()
        won.user_id = self.sofia
        won.action_set_won()
        self.archive(self.sofia)
        self.assertEqual((self.lead | won).user_id, self.sofia)

    def test_a_returning_customer_does_not_go_to_an_archived_employee(self):
        person = {"from": self.channel.gateway_channel_token, "name": "Ana"}
        with self.at_noon():
            self.lead.action_set_won()
        self.archive(self.employees[0])
        lead = self.say(WEDNESDAY + timedelta(days=1), person)
        self.assertNotEqual(lead, self.lead)
        self.assertEqual(lead.user_id, self.tomas)

    def test_turns_are_fair(self):
        nora = self.colleague("nora")
        nora.resource_id.tz = "America/Mexico_City"
        self.say()  # of Tomás
        self.say()  # of Nora
        leads = self.lead | self.say() | self.say()
        leads.user_id = self.sofia
        self.archive(self.sofia)
        owners = leads.mapped("user_id.login")
        self.assertEqual(sorted(owners), ["nora", "tomas"])
        self.assertEqual(len(leads.activity_ids), 3)

    def test_many_are_left_to_the_cron(self):
        leads = self.lead | self.say() | self.say()
        leads.user_id = self.sofia
        cron = self.env["whatsapp.assignment"]._whatsapp_cron()
        triggers = self.env["ir.cron.trigger"]
        triggers.search([]).unlink()
        with patch.object(res_users, "FEW", 2):
            self.archive(self.sofia)
        self.assertEqual(leads.user_id, self.sofia)
        self.assertTrue(triggers.search([("cron_id", "=", cron.id)]))
        self.cron(WEDNESDAY + timedelta(hours=1))
        self.assertEqual(leads.user_id, self.tomas)
        self.assertEqual(len(leads.activity_ids.filtered("whatsapp_call")), 3)

    def test_one_bad_lead_keeps_nobody_from_being_archived(self):
        other = self.say()
        other.user_id = self.sofia
        give = type(other)._whatsapp_assign

        def spoiled(lead, user):
            if lead == self.lead:
                raise ValueError("a rule of somebody else")
            return give(lead, user)

        with (
            patch.object(type(other), "_whatsapp_assign", spoiled),
            mute_logger("odoo.addons.crm_whatsapp_gateway.models.res_users"),
        ):
            self.archive(self.sofia)
        self.assertFalse(self.sofia.active)
        self.assertEqual(self.lead.user_id, self.sofia)
        self.assertEqual(other.user_id, self.tomas)
        self.cron(WEDNESDAY + timedelta(hours=1))
        self.assertEqual(self.lead.user_id, self.tomas, "tried again")

    def test_an_archive_asks_no_more_for_a_thousand_answered_customers(self):
        def cost():
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.sofia._whatsapp_reassign_customers()
            return self.env.cr.sql_log_count - before

        with self.at_noon():
            self.answer(self.channel, "Hello")
        cost()
        one = cost()
        self.multiply(self.lead, 1000)
        self.assertLessEqual(cost(), one)
