# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import random
from datetime import datetime, timedelta
from unittest.mock import patch

import pytz

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from ..tools import duty
from .common import WhatsappCase, at

WEDNESDAY = datetime(2026, 11, 25, 16, 0)  # UTC; 10:00 in Mexico, 17:00 in Spain


class DutyCase(WhatsappCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.whatsapp_only_working_hours = True
        cls.calendar = cls.hours("Office", [(day, 9, 18) for day in range(5)])
        for employee in cls.employees:
            employee.resource_calendar_id = cls.calendar
            employee.resource_id.tz = "America/Mexico_City"
        # an empty one says nothing about leaves that others may have made
        cls.env["resource.calendar.leaves"].search([]).unlink()

    @classmethod
    def hours(cls, name, parts, **values):
        return cls.env["resource.calendar"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "tz": "America/Mexico_City",
                "attendance_ids": [(5, 0, 0)]
                + [
                    (
                        0,
                        0,
                        {
                            "name": f"{day} {start}",
                            "dayofweek": str(day),
                            "hour_from": start,
                            "hour_to": end,
                            "day_period": "morning",
                            **(more[0] if more else {}),
                        },
                    )
                    for day, start, end, *more in parts
                ],
                **values,
            }
        )

    def colleague(self, login, **values):
        user = new_test_user(
            self.env, login=login, groups="sales_team.group_sale_salesman"
        )
        return self.env["hr.employee"].create(
            {
                "name": login,
                "user_id": user.id,
                "company_id": self.company.id,
                "resource_calendar_id": self.calendar.id,
                **values,
            }
        )

    def leave(self, employee=None, hours=24, **values):
        """Return an approved leave around the Wednesday."""
        return self.env["resource.calendar.leaves"].create(
            {
                "name": "Away",
                "date_from": WEDNESDAY - timedelta(hours=hours),
                "date_to": WEDNESDAY + timedelta(hours=hours),
                "resource_id": employee.resource_id.id if employee else False,
                "calendar_id": employee.resource_calendar_id.id if employee else False,
                "company_id": self.company.id,
                **values,
            }
        )

    def next(self, moment=WEDNESDAY, **more):
        """Return the name of whose turn is next, without taking it."""
        with at(moment):
            choice = self.env["hr.employee"]._whatsapp_choose(
                self.company, self.gateway, **more
            )
        return choice.employee.name or None

    def say(self, moment=WEDNESDAY, person=None):
        """A customer writes at some time; return the lead."""
        person = person or {"from": f"5215512345{next(self.wamids):03}", "name": "Ana"}
        self.now = int(pytz.utc.localize(moment).timestamp())
        with at(moment):
            return self.receive(
                self.message(content="Hi", person=person), person=person
            ).lead_id

    def cron(self, moment):
        self.env.flush_all()
        with at(moment):
            self.env["whatsapp.assignment"]._cron_hand_out()
        self.env.invalidate_all()

    def multiply(self, record, count, **columns):
        """Copy a row of the database, as hundreds of records would cost a minute.

        :param columns: column -> SQL of its value; ``number`` counts the copies
        :return: ids of the copies
        """
        table = record._table
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = %s AND column_name != 'id'",
            (table,),
        )
        names = [name for (name,) in self.env.cr.fetchall()]
        values = [columns.get(name, f'"{name}"') for name in names]
        quoted = ", ".join(f'"{name}"' for name in names)
        self.env.cr.execute(
            f"INSERT INTO {table} ({quoted}) SELECT {', '.join(values)}"
            f" FROM {table}, generate_series(1, %s) AS number WHERE id = %s"
            " RETURNING id",
            (count, record.id),
        )
        return [record_id for (record_id,) in self.env.cr.fetchall()]


class TestDuty(DutyCase):
    def test_who_is_on_leave_is_passed_over(self):
        self.assertEqual(self.next(), "sofia")
        leave = self.leave(self.employees[0], hours=1)
        self.assertEqual(self.next(), "tomas")
        self.assertEqual(self.next(WEDNESDAY + timedelta(hours=1)), "sofia")
        leave.time_type = "other"  # such as a training
        self.assertEqual(self.next(), "sofia")

    def test_leaves_count_without_working_hours_too(self):
        self.gateway.whatsapp_only_working_hours = False
        self.leave(self.employees[0])
        self.assertEqual(self.next(WEDNESDAY.replace(hour=4)), "tomas")

    def test_holidays_are_for_all(self):
        self.leave()
        self.assertIsNone(self.next())
        self.gateway.whatsapp_only_working_hours = False
        self.assertEqual(self.next(), "sofia")

    def test_working_hours_are_those_of_the_person_s_time_zone(self):
        self.employees[0].resource_id.tz = "Europe/Madrid"
        for hour, who in ((7, None), (8, "sofia"), (14, "sofia"), (17, "tomas")):
            with self.subTest(hour=hour):
                self.assertEqual(self.next(WEDNESDAY.replace(hour=hour)), who)

    def test_a_night_shift_goes_over_midnight(self):
        night = self.hours("Night", [(2, 22, 24), (3, 0, 6)])
        self.employees[0].resource_calendar_id = night
        for day, hour, who in (
            (26, 3, None),  # 21:00 on Wednesday in Mexico
            (26, 4, "sofia"),
            (26, 6, "sofia"),  # midnight
            (26, 11, "sofia"),
            (26, 12, None),
            (26, 15, "tomas"),
        ):
            with self.subTest(day=day, hour=hour):
                self.assertEqual(self.next(datetime(2026, 11, day, hour)), who)

    def test_two_weeks_take_turns(self):
        calendar = self.hours(
            "Every other week",
            [(2, 9, 18, {"week_type": "0"}), (4, 9, 18, {"week_type": "1"})],
            two_weeks_calendar=True,
        )
        self.employees.resource_calendar_id = calendar
        answers = {
            self.next(WEDNESDAY + timedelta(weeks=week, days=day))
            for week in range(2)
            for day in (0, 2)
        }
        self.assertEqual(answers, {"sofia", None})

    def test_flexible_hours_are_any_time(self):
        self.calendar.flexible_hours = True
        self.assertEqual(self.next(WEDNESDAY.replace(hour=3)), "sofia")

    def test_agrees_with_odoo_s_own_calendars(self):
        """The same answer as ``_work_intervals_batch``, at any time and place."""
        chance = random.Random(4)
        calendars = [
            self.hours(
                f"Random {n}",
                [
                    (day, start, start + length)
                    for day in range(7)
                    if chance.random() < 0.8
                    for start, length in [
                        (chance.choice((0, 6.5, 9, 14)), chance.choice((3, 4.25, 10)))
                    ]
                ],
            )
            for n in range(4)
        ]
        zones = ("America/Mexico_City", "Europe/Madrid", "Asia/Tokyo", "America/Lima")
        for n in range(8):
            self.colleague(
                f"agent{n}", resource_calendar_id=calendars[n % 4].id
            ).resource_id.tz = zones[n // 2]
        people = self.env["hr.employee"].search([("whatsapp_agent", "=", True)])
        for employee in chance.sample(people, 3):
            start = WEDNESDAY + timedelta(hours=chance.randrange(-80, 80))
            self.leave(
                employee,
                date_from=start,
                date_to=start + timedelta(hours=31, minutes=7),
            )
        holiday = datetime(2026, 11, 27, 6)
        self.leave(date_from=holiday, date_to=holiday + timedelta(hours=24))
        compared = 0
        for _time in range(60):
            moment = WEDNESDAY + timedelta(minutes=chance.randrange(-9000, 9000))
            with at(moment):
                members, hours = self.env["hr.employee"]._whatsapp_pool(
                    self.company, self.gateway
                )
            ours = {
                member.agent.id: duty.why_off(member.agent, hours) is None
                for member in members
            }
            start = pytz.utc.localize(moment)
            for employee in people:
                intervals = employee.resource_calendar_id._work_intervals_batch(
                    start, start + timedelta(seconds=1), employee.resource_id
                )[employee.resource_id.id]
                self.assertEqual(
                    ours[employee.id], bool(list(intervals)), (employee.name, moment)
                )
                compared += 1
        self.assertEqual(compared, 600)

    def test_who_has_enough_open_leads_gets_no_more(self):
        self.employees[0].whatsapp_limit = 2
        leads = [self.say() for _n in range(7)]
        owners = [lead.user_id.login for lead in leads]
        self.assertEqual(owners.count("sofia"), 2)
        self.assertIn("sofia (at the personal limit)", leads[-1].whatsapp_assign_reason)
        next(lead for lead in leads if lead.user_id == self.sofia).action_set_won()
        self.assertEqual(self.say().user_id, self.sofia)

    def test_the_pool_is_that_of_the_number_or_of_the_team(self):
        nora, luis = self.colleague("nora"), self.colleague("luis")
        self.team.member_ids = nora.user_id | luis.user_id
        turns = {self.say().user_id.login for _n in range(4)}
        self.assertEqual(turns, {"nora", "luis"})
        self.gateway.whatsapp_employee_ids = self.employees
        turns = {self.say().user_id.login for _n in range(4)}
        self.assertEqual(turns, {"sofia", "tomas"})
        self.gateway.whatsapp_employee_ids = luis
        luis.whatsapp_agent = False
        self.assertFalse(self.say().user_id, "nobody else steps in")
        self.gateway.whatsapp_employee_ids = False
        nora.whatsapp_agent = False
        self.assertFalse(self.say().user_id, "they are off, but it is their team")
        self.team.member_ids = self.env.ref("base.user_admin")
        self.assertTrue(self.say().user_id, "a team that never received any")

    def enlarge_pool(self, size):
        """Let so many salespeople take turns."""
        employee = self.employees[0]
        employee.whatsapp_limit = 1000
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT count(*) FROM hr_employee WHERE whatsapp_agent AND company_id = %s",
            (self.company.id,),
        )
        [(there,)] = self.env.cr.fetchall()
        users = self.multiply(
            employee.user_id,
            size - there,
            login=f"'copy {size}.' || number",
        )
        for user_id in users:
            self.multiply(employee, 1, user_id=str(user_id))
        self.env.cr.execute(
            "INSERT INTO res_company_users_rel (cid, user_id)"
            " SELECT %s, unnest(%s) ON CONFLICT DO NOTHING",
            (self.company.id, users),
        )
        self.env.invalidate_all()

    def test_queries_do_not_grow_with_the_pool(self):
        for size in (5, 500):
            self.enlarge_pool(size)
            with self.subTest(size=size), at(WEDNESDAY):
                choose = self.env["hr.employee"]._whatsapp_choose
                gateway = self.gateway
                # what a message has read before
                gateway.read(["whatsapp_only_working_hours", "whatsapp_team_id"])
                before = self.env.cr.sql_log_count
                choice = choose(self.company, gateway)
                # who may be chosen, and whoever is next with company and contact
                self.assertLessEqual(self.env.cr.sql_log_count - before, 7)
                self.assertIn(str(size), choice.reason)


class TestQueue(DutyCase):
    NIGHT = WEDNESDAY.replace(hour=6)  # midnight in Mexico
    MORNING = WEDNESDAY.replace(hour=15)  # 9:00

    def test_leads_wait_until_somebody_comes_on_duty_in_their_order(self):
        leads = [
            self.say(
                self.NIGHT + timedelta(minutes=10 * n), {"from": number, "name": "X"}
            )
            for n, number in enumerate(("34600000003", "34600000001", "34600000002"))
        ]
        for lead in leads:
            self.assertFalse(lead.user_id)
            self.assertTrue(lead.whatsapp_queued_at)
            self.assertIn("Nobody is on duty", lead.whatsapp_assign_reason)
            self.assertIn("outside working hours", lead.whatsapp_assign_reason)
        self.cron(self.MORNING - timedelta(minutes=1))
        self.assertFalse(leads[0].user_id)
        self.cron(self.MORNING)
        owners = [lead.user_id.login for lead in leads]
        self.assertEqual(owners, ["sofia", "tomas", "sofia"])
        rows = self.env["whatsapp.assignment"].search([("employee_id", "!=", False)])
        self.assertEqual(rows.sorted("id").mapped("lead_id").ids, [x.id for x in leads])
        for lead in leads:
            self.assertFalse(lead.whatsapp_queued_at)
            self.assertEqual(lead.activity_ids.user_id, lead.user_id)
            channel = lead.whatsapp_channel_ids
            self.assertIn(
                lead.user_id.partner_id, channel.channel_member_ids.partner_id
            )

    def test_further_messages_of_a_waiting_lead_say_nothing_new(self):
        person = {"from": "34600000001", "name": "X"}
        lead = self.say(self.NIGHT, person)
        self.say(self.NIGHT + timedelta(minutes=5), person)
        self.assertEqual(len(lead.whatsapp_assignment_ids), 1)
        self.assertEqual(lead.whatsapp_queued_at, self.NIGHT)

    def test_a_returning_customer_waits_for_the_salesperson_of_then(self):
        person = {"from": "34600000001", "name": "X"}
        first = self.say(person=person)
        with at(WEDNESDAY + timedelta(hours=1)):
            first.user_id = self.tomas
            first.action_set_won()
        lead = self.say(self.NIGHT + timedelta(days=1), person)
        self.assertNotEqual(lead, first)
        self.assertFalse(lead.user_id)
        self.cron(self.MORNING + timedelta(days=1))
        self.assertEqual(lead.user_id, self.tomas)

    def test_leads_of_another_team_do_not_wait_for_this_one(self):
        nora = self.colleague("nora")
        nora.resource_id.tz = "Asia/Tokyo"
        waiting = [self.say(self.NIGHT) for _n in range(3)]
        other = self.env["crm.team"].create({"name": "Tokyo"})
        other.member_ids = nora.user_id
        # by the team of the lead
        lead = self.say(self.NIGHT)
        lead.team_id = other
        tokyo = datetime(2026, 11, 26, 1)  # 10:00 there, evening in Mexico
        self.cron(tokyo)
        self.assertEqual(lead.user_id, nora.user_id)
        self.assertTrue(all(x.whatsapp_queued_at for x in waiting if not x.user_id))

    def test_a_lead_that_somebody_took_waits_no_longer(self):
        lead = self.say(self.NIGHT)
        lead.user_id = self.tomas
        self.assertFalse(lead.whatsapp_queued_at)
        other = self.say(self.NIGHT)
        other.action_set_lost()
        self.cron(self.MORNING)
        self.assertEqual(lead.user_id, self.tomas)
        self.assertFalse(other.user_id)

    def test_one_bad_lead_does_not_keep_the_others_waiting(self):
        leads = [self.say(self.NIGHT) for _n in range(3)]
        give = type(leads[0])._whatsapp_assign

        def spoiled(lead, user):
            if lead == leads[1]:
                raise ValueError("a rule of somebody else")
            return give(lead, user)

        with (
            patch.object(type(leads[0]), "_whatsapp_assign", spoiled),
            self.assertLogs("odoo.addons.crm_whatsapp_gateway", "ERROR"),
        ):
            self.cron(self.MORNING)
        self.assertTrue(leads[0].user_id and leads[2].user_id)
        self.assertFalse(leads[1].user_id)

    def test_the_members_of_the_gateway_step_in_for_an_empty_pool_only(self):
        boss = new_test_user(self.env, login="boss", groups="base.group_user")
        self.gateway.member_ids = boss
        waiting = self.say(self.NIGHT).whatsapp_channel_ids
        self.assertNotIn(boss.partner_id, waiting.channel_member_ids.partner_id)
        self.employees.whatsapp_agent = False
        nobody_s = self.say().whatsapp_channel_ids
        self.assertIn(boss.partner_id, nobody_s.channel_member_ids.partner_id)


class TestPassingOn(DutyCase):
    def set_scene(self):
        super().set_scene()
        self.nora = self.colleague("nora")
        self.nora.resource_id.tz = "America/Mexico_City"
        self.leader = new_test_user(
            self.env, login="leader", groups="sales_team.group_sale_manager"
        )
        self.team.user_id = self.leader
        self.gateway.whatsapp_answer_minutes = 30
        self.lead = self.say()
        self.channel = self.lead.whatsapp_channel_ids

    def later(self, minutes):
        self.cron(WEDNESDAY + timedelta(minutes=minutes))
        return self.lead.user_id.login

    def test_without_an_answer_it_goes_on_and_then_to_the_leader(self):
        self.assertEqual(self.later(29), "sofia")
        self.assertEqual(self.later(30), "tomas")
        self.assertEqual(self.lead.whatsapp_passed_on, 1)
        self.assertEqual(self.lead.activity_ids.user_id, self.tomas)
        told = self.env["mail.message"].search([("body", "ilike", "working minutes")])
        for user in self.sofia | self.tomas:
            self.assertTrue(
                told.filtered(lambda m, u=user: u.partner_id in m.partner_ids)
            )
        self.assertNotIn(
            self.sofia.partner_id, self.channel.channel_member_ids.partner_id
        )
        self.assertEqual(self.later(59), "tomas")
        self.assertEqual(self.later(60), "nora")
        self.assertEqual(self.later(90), "leader")
        self.assertIn("leader", self.lead.whatsapp_assign_reason)
        self.assertFalse(self.lead.whatsapp_answer_deadline)
        self.assertEqual(self.later(500), "leader")

    def test_an_answer_ends_it(self):
        with at(WEDNESDAY + timedelta(minutes=10)):
            self.answer(self.channel, "Hello")
        self.assertFalse(self.lead.whatsapp_answer_deadline)
        self.assertEqual(self.later(60), "sofia")

    def test_a_new_owner_by_hand_has_the_whole_time(self):
        with at(WEDNESDAY + timedelta(minutes=20)):
            self.lead.user_id = self.tomas
        self.assertEqual(self.later(45), "tomas")
        self.assertNotEqual(self.later(50), "tomas")

    def test_a_closed_lead_stays(self):
        self.lead.action_set_won()
        self.assertEqual(self.later(60), "sofia")

    def test_only_working_minutes_count(self):
        lead = self.say(WEDNESDAY.replace(hour=23, minute=50))  # 17:50 in Mexico
        self.assertEqual(lead.whatsapp_answer_deadline, datetime(2026, 11, 26, 15, 20))

    def test_with_nobody_else_it_stays_and_goes_on_when_somebody_comes(self):
        (self.employees[1] | self.nora).whatsapp_agent = False
        self.assertEqual(self.later(30), "sofia")
        self.assertEqual(len(self.lead.whatsapp_assignment_ids), 1)
        self.nora.whatsapp_agent = True
        self.assertEqual(self.later(31), "nora")

    def test_one_lead_that_stays_does_not_keep_another_from_going_on(self):
        second = self.say()  # of Tomás
        third = self.say()  # of Nora
        self.assertEqual((second.user_id.login, third.user_id.login), ("tomas", "nora"))
        (self.employees[1] | self.nora).whatsapp_agent = False
        self.assertEqual(self.later(30), "sofia", "there is nobody else")
        self.assertEqual(second.user_id, self.sofia)
        third.whatsapp_passed_on = 2
        third.whatsapp_answer_deadline = WEDNESDAY
        self.later(31)
        self.assertEqual(third.user_id, self.leader)

    def test_it_never_comes_back_to_who_had_it_while_others_are_there(self):
        self.gateway.whatsapp_pass_on_times = 5
        self.assertEqual(self.later(30), "tomas")
        self.assertEqual(self.later(60), "nora")
        self.assertIn(self.later(90), ("sofia", "tomas"), "now all have had it")

    def test_the_reasons_are_in_the_company_s_language(self):
        self.env["res.lang"]._activate_lang("es_MX")
        self.company.partner_id.lang = "es_MX"
        self.later(30)
        self.assertIn("más tiempo", self.lead.whatsapp_assign_reason)

    def test_switched_off_nothing_is_passed_on(self):
        self.gateway.whatsapp_answer_minutes = 0
        self.assertEqual(self.later(60), "sofia")
        self.assertFalse(self.lead.whatsapp_answer_deadline)
        self.assertFalse(self.say().whatsapp_answer_deadline)


class TestAgents(DutyCase):
    def agent(self, user, by=None):
        agents = self.env["whatsapp.agent"].with_user(by or self.sofia)
        return agents.search([("user_id", "=", user.id)])

    def test_the_list_shows_turn_load_and_duty(self):
        lead = self.say()
        self.leave(self.employees[1])
        with at(WEDNESDAY):
            sofia, tomas = self.agent(self.sofia), self.agent(self.tomas)
            self.assertEqual((sofia.duty, sofia.turn), ("on", 1))
            self.assertEqual((tomas.duty, tomas.turn), ("leave", 0))
        self.assertEqual((sofia.load, sofia.turns, sofia.waiting), (1, 1, 1))
        self.assertTrue(sofia.last_turn_at)
        self.assertFalse(tomas.last_turn_at)
        lead.action_set_won()
        self.env.invalidate_all()
        self.assertEqual(sofia.load, 0)

    def test_a_person_flips_the_own_switch_only(self):
        self.agent(self.sofia).receives = False
        self.assertFalse(self.employees[0].whatsapp_agent)
        self.assertEqual(self.next(), "tomas")
        self.agent(self.sofia).receives = True
        self.assertTrue(self.employees[0].whatsapp_agent)
        with self.assertRaises(AccessError):
            self.agent(self.tomas).receives = False
        with self.assertRaises(AccessError):
            self.agent(self.sofia).most = 5
        self.assertTrue(self.employees[1].whatsapp_agent)

    def test_a_manager_flips_all(self):
        manager = new_test_user(
            self.env, login="manager", groups="sales_team.group_sale_manager"
        )
        agent = self.agent(self.tomas, by=manager)
        agent.write({"receives": False, "most": 7})
        self.assertFalse(self.employees[1].whatsapp_agent)
        self.assertEqual(self.employees[1].whatsapp_limit, 7)
        with self.assertRaises(AccessError):
            agent.write({"load": 0})

    def test_who_switches_on_is_not_hidden(self):
        self.employees[0].whatsapp_agent = False
        self.assertTrue(self.agent(self.sofia), "the switch must be found again")
