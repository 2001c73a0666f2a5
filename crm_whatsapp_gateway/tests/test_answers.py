# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.mail_gateway_whatsapp_queue.tools import window

from ..models.whatsapp_conversation_answer import WhatsappConversationAnswer
from ..models.working_time import WorkingTime
from .common import at
from .test_duty import WEDNESDAY, DutyCase

MINUTE = timedelta(minutes=1)
ANA = {"from": "5215512345678", "name": "Ana Pérez"}


class AnswerCase(DutyCase):
    """A team that works from 9 to 18 in Mexico; the window is open at any time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.whatsapp_only_working_hours = False
        cls.company.resource_calendar_id = cls.calendar
        cls.leader = new_test_user(
            cls.env, login="leader", groups="sales_team.group_sale_salesman_all_leads"
        )
        cls.team.user_id = cls.leader
        cls.startClassPatcher(patch.object(window, "is_open", lambda *args: True))

    def ask(self, moment=WEDNESDAY, person=ANA):
        """Let a customer write at some time; return the conversation."""
        return self.say(moment, person).whatsapp_channel_ids

    def reply(self, channel, moment, user=None, **kwargs):
        """Let somebody answer at some time; return the row that tells of it."""
        before = self.rows()
        with at(moment):
            self.answer(channel, "Hello", user=user, date=moment, **kwargs)
        return self.rows() - before

    def echo(self, moment, body="From the phone"):
        """Let somebody type in the app on the phone."""
        message = {
            "id": f"wamid.echo{next(self.wamids)}",
            "from": "10001",
            "to": ANA["from"],
            "timestamp": str(int(moment.timestamp())),
            "type": "text",
            "text": {"body": body},
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": "10001"},
            "message_echoes": [message],
        }
        change = {"field": "smb_message_echoes", "value": value}
        with at(moment):
            self.post(
                {
                    "object": "whatsapp_business_account",
                    "entry": [{"id": "20001", "changes": [change]}],
                }
            )
            self.drain()

    def rows(self):
        return self.env["whatsapp.answer"].search([])

    def asked(self, lead):
        """Return what the leader is asked for on a lead."""
        return lead.activity_ids.filtered("whatsapp_channel_id")

    def mark(self, moment):
        """Do what the cron does at some time."""
        self.env.flush_all()
        with at(moment):
            self.env["whatsapp.answer"]._cron_mark_late()
        self.env.invalidate_all()


class TestWorkingTime(DutyCase):
    def time(self, zone, parts, **values):
        calendar = self.hours(zone, parts, tz=zone, **values)
        return WorkingTime.of(self.company, self.env["resource.resource"], calendar)

    def test_to_the_second_on_the_days_on_which_the_clock_is_changed(self):
        week = [(day, 0, 8) for day in range(7)]
        madrid, york = (
            self.time("Europe/Madrid", week),
            self.time("America/New_York", week),
        )
        mexico = self.time("America/Mexico_City", week)
        until_evening = timedelta(hours=20)
        # (hours, midnight there in UTC, seconds of work until the evening)
        for hours, midnight, seconds in (
            (madrid, datetime(2026, 10, 24, 22), 9 * 3600),  # 02:00 comes twice
            (madrid, datetime(2026, 10, 25, 23), 8 * 3600),
            (madrid, datetime(2027, 3, 27, 23), 7 * 3600),  # 02:00 never comes
            (york, datetime(2026, 11, 1, 4), 9 * 3600),
            (york, datetime(2027, 3, 14, 5), 7 * 3600),
            (mexico, datetime(2026, 10, 25, 6), 8 * 3600),  # has no summer time
            (mexico, datetime(2027, 3, 28, 6), 8 * 3600),
        ):
            with self.subTest(zone=hours.zone, midnight=midnight):
                end = midnight + timedelta(seconds=seconds)
                self.assertEqual(
                    hours.seconds(midnight, midnight + until_evening), seconds
                )
                self.assertEqual(hours.after(midnight, seconds), end)
                self.assertEqual(
                    hours.after(midnight, seconds - 1), end - timedelta(seconds=1)
                )
                self.assertEqual(
                    hours.seconds(midnight + timedelta(seconds=1), end), seconds - 1
                )

    def test_what_is_counted_is_what_is_planned(self):
        parts = [(d, 9, 14) for d in range(5)] + [(d, 16.5, 19.25) for d in range(5)]
        hours = self.time("Europe/Madrid", parts)
        for begin in (
            datetime(2026, 10, 23, 15, 59, 59),
            datetime(2026, 10, 24, 3, 0, 1),
            datetime(2026, 10, 30, 17, 14, 30),
        ):
            for seconds in (1, 59, 600, 4 * 3600 + 7, 40 * 3600 + 1):
                with self.subTest(begin=begin, seconds=seconds):
                    end = hours.after(begin, seconds)
                    self.assertEqual(hours.seconds(begin, end), seconds)

    def test_midnight_is_no_gap(self):
        night = self.time("America/Mexico_City", [(0, 22, 24), (1, 0, 6)])
        monday = datetime(2026, 11, 24, 4)  # 22:00 there
        self.assertEqual(night.seconds(monday, monday + timedelta(days=1)), 8 * 3600)
        self.assertEqual(
            night.after(monday, 3 * 3600), monday + timedelta(hours=3), "one o'clock"
        )

    def test_holidays_stop_the_clock_somebody_s_own_leave_does_not(self):
        hours = WorkingTime.of(
            self.company, self.employees[0].resource_id, self.calendar
        )
        start, end = WEDNESDAY, WEDNESDAY + timedelta(hours=1)
        self.leave(self.employees[0])
        self.assertEqual(hours.seconds(start, end), 3600)
        other = self.env["res.company"].create({"name": "Other"})
        holiday = self.leave()
        holiday.company_id = other
        self.assertEqual(hours.seconds(start, end), 3600, "theirs is not ours")
        holiday.company_id = self.company
        self.assertEqual(hours.seconds(start, end), 0)
        self.assertFalse(hours.is_open(start))
        # half of Wednesday and Thursday is left to Friday
        self.assertEqual(hours.after(start, 60), datetime(2026, 11, 26, 16, 1))

    def test_without_hours_the_clock_counts(self):
        nobody = self.env["resource.resource"]
        flexible = self.hours("Flexible", [], flexible_hours=True)
        night = datetime(2026, 11, 28, 3)
        for calendar in (flexible, flexible.browse()):
            hours = WorkingTime.of(self.company, nobody, calendar)
            self.assertEqual(hours.seconds(night, night + MINUTE), 60)
            self.assertEqual(hours.after(night, 90), night + 1.5 * MINUTE)
            self.assertTrue(hours.is_open(night))
        never = WorkingTime.of(self.company, nobody, self.hours("Never", []))
        self.assertEqual(never.after(night, 60), night + MINUTE, "no endless search")
        self.assertEqual(never.seconds(night, night - MINUTE), 0)

    def test_who_has_no_fixed_hours_has_those_of_the_team(self):
        employee = self.employees[0]
        employee.resource_calendar_id = self.hours("Flex", [], flexible_hours=True)
        hours = WorkingTime.of(self.company, employee.resource_id, self.calendar)
        self.assertEqual(hours.calendar, self.calendar)

    def test_a_lunch_break_is_no_absence_a_gap_is(self):
        hours = self.time(
            "America/Mexico_City",
            [
                (2, 9, 13),
                (2, 13, 14, {"day_period": "lunch"}),
                (2, 14, 16),
                (2, 17, 19),
            ],
        )
        for hour, is_open in ((8, 0), (9, 1), (13, 1), (15, 1), (16, 0), (17, 1)):
            with self.subTest(hour=hour):
                moment = datetime(2026, 11, 25, hour + 6)
                self.assertEqual(hours.is_open(moment), bool(is_open))
        noon = datetime(2026, 11, 25, 19)
        self.assertEqual(hours.seconds(noon, noon + 60 * MINUTE), 0, "it is no work")


class TestAnswers(AnswerCase):
    def test_an_answer_tells_how_long_the_customer_waited(self):
        channel = self.ask()
        row = self.reply(channel, WEDNESDAY + 7.5 * MINUTE)
        self.assertRecordValues(
            row,
            [
                {
                    "channel_id": channel.id,
                    "lead_id": channel.lead_id.id,
                    "user_id": self.sofia.id,
                    "team_id": self.team.id,
                    "gateway_id": self.gateway.id,
                    "company_id": self.company.id,
                    "waiting_since": WEDNESDAY,
                    "answered_at": WEDNESDAY + 7.5 * MINUTE,
                    "is_first": True,
                    "seconds": 450,
                    "working_seconds": 450,
                    "working_minutes": 7.5,
                    "late": False,
                }
            ],
        )

    def test_nights_and_weekends_do_not_count(self):
        friday = datetime(2026, 11, 27, 23, 50)  # 17:50 in Mexico
        channel = self.ask(friday)
        row = self.reply(channel, datetime(2026, 11, 30, 15, 5, 30))  # Monday, 9:05
        self.assertEqual(row.working_seconds, 10 * 60 + 5 * 60 + 30)
        self.assertEqual(row.seconds, 63 * 3600 + 15 * 60 + 30)

    def test_the_hours_are_those_of_the_salesperson_s_time_zone(self):
        self.employees[0].resource_id.tz = "Europe/Madrid"
        channel = self.ask(WEDNESDAY)  # 17:00 in Madrid
        row = self.reply(channel, WEDNESDAY + timedelta(hours=2))
        self.assertEqual(row.working_seconds, 3600)

    def test_without_an_employee_the_hours_are_those_of_the_team(self):
        channel = self.ask()
        channel.lead_id.user_id = self.leader
        shop = self.hours("Shop", [(2, 10, 10.5)])
        self.gateway.whatsapp_away_calendar_id = shop
        row = self.reply(channel, WEDNESDAY + timedelta(hours=2))
        self.assertEqual(row.working_seconds, 1800)

    def test_a_customer_waits_since_the_first_of_several_messages(self):
        channel = self.ask()
        self.ask(WEDNESDAY + 3 * MINUTE)
        row = self.reply(channel, WEDNESDAY + 5 * MINUTE)
        self.assertEqual(row.seconds, 300)
        self.assertFalse(self.reply(channel, WEDNESDAY + 6 * MINUTE), "nobody waited")

    def test_the_first_answer_is_one_until_the_lead_is_opened_again(self):
        channel = self.ask()
        self.assertTrue(self.reply(channel, WEDNESDAY + MINUTE).is_first)
        self.ask(WEDNESDAY + 2 * MINUTE)
        self.assertFalse(self.reply(channel, WEDNESDAY + 3 * MINUTE).is_first)
        channel.lead_id.whatsapp_opened_at = WEDNESDAY + 4 * MINUTE
        self.ask(WEDNESDAY + 4 * MINUTE)
        self.assertTrue(self.reply(channel, WEDNESDAY + 5 * MINUTE).is_first)

    def test_an_automatic_message_is_no_answer(self):
        channel = self.ask()
        bot = self.env.ref("base.user_root")
        self.assertFalse(self.reply(channel, WEDNESDAY + MINUTE, user=bot))
        self.assertEqual(channel.whatsapp_conversation_ids.waiting_since, WEDNESDAY)
        self.assertEqual(channel.whatsapp_conversation_ids.last_author, "customer")
        self.assertEqual(channel.whatsapp_conversation_ids.last_text, "Hi")
        self.assertEqual(self.reply(channel, WEDNESDAY + 2 * MINUTE).seconds, 120)
        self.reply(channel, WEDNESDAY + 3 * MINUTE, user=bot)
        self.assertEqual(
            channel.whatsapp_conversation_ids.last_date, WEDNESDAY + 3 * MINUTE
        )

    def test_who_typed_on_the_phone_is_not_known(self):
        channel = self.ask()
        self.echo(WEDNESDAY + MINUTE)
        row = self.rows()
        self.assertEqual((row.seconds, row.user_id.id), (60, False))
        self.assertFalse(channel.whatsapp_conversation_ids.waiting_since)

    def test_a_word_from_the_phone_that_comes_late_is_no_answer_to_a_newer_one(self):
        channel = self.ask()
        self.ask(WEDNESDAY + 5 * MINUTE)
        self.echo(WEDNESDAY + 3 * MINUTE)
        self.assertFalse(self.rows())
        self.assertEqual(self.reply(channel, WEDNESDAY + 7 * MINUTE).seconds, 420)

    def test_people_who_are_no_leads_wait_too(self):
        self.env["phone.blacklist"].create({"number": "+525512345678"})
        self.ask()
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        self.assertFalse(channel.lead_id)
        channel.add_members(partner_ids=self.sofia.partner_id.ids)
        row = self.reply(channel, WEDNESDAY + MINUTE, user=self.sofia)
        self.assertEqual((row.seconds, row.is_first), (60, True))
        self.assertEqual(row.channel_id, channel)

    def test_the_answer_stays_when_all_else_is_gone(self):
        channel = self.ask()
        row = self.reply(channel, WEDNESDAY + MINUTE)
        lead = channel.lead_id
        channel.unlink()
        lead.unlink()
        self.env.invalidate_all()
        self.assertEqual(row.exists().seconds, 60)

    def test_a_customer_s_message_asks_for_no_hours_without_a_target(self):
        def never(channel):
            raise AssertionError("working hours are read")

        self.ask()
        with patch.object(WhatsappConversationAnswer, "_working_time", never):
            self.ask(WEDNESDAY + MINUTE)
            self.ask(person={"from": "34600000001", "name": "Bea"})
        self.assertEqual(len(self.events(state="done")), 3)

    def test_who_reads_which_answers(self):
        channel = self.ask()
        row = self.reply(channel, WEDNESDAY + MINUTE, user=self.sofia)
        nobody_s = self.env["whatsapp.answer"].create(
            {"company_id": self.company.id, "team_id": self.team.id, "seconds": 1}
        )
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )

        def seen(user):
            return self.env["whatsapp.answer"].with_user(user).search([])

        self.assertEqual(seen(self.sofia), row)
        self.assertFalse(seen(self.tomas))
        self.assertEqual(seen(self.leader), row | nobody_s)
        self.assertFalse(seen(stranger))
        self.team.user_id = self.tomas  # who is a plain salesperson
        self.assertEqual(seen(self.tomas), row | nobody_s)
        for user in (self.sofia, self.leader):
            with self.assertRaises(AccessError):
                row.with_user(user).write({"seconds": 1})
            with self.assertRaises(AccessError):
                row.with_user(user).unlink()
        self.assertFalse(
            seen(new_test_user(self.env, "root2", "base.group_system"))
            - (row | nobody_s)
        )


class TestLate(AnswerCase):
    def set_scene(self):
        super().set_scene()
        self.gateway.whatsapp_target_minutes = 15

    def test_the_answer_is_due_after_the_target(self):
        channel = self.ask()
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, WEDNESDAY + 15 * MINUTE
        )
        self.ask(WEDNESDAY + MINUTE)
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, WEDNESDAY + 15 * MINUTE
        )
        self.reply(channel, WEDNESDAY + 2 * MINUTE)
        self.assertFalse(channel.whatsapp_conversation_ids.answer_due)

    def test_no_target_is_no_target(self):
        for minutes in (0, -5):
            self.gateway.whatsapp_target_minutes = minutes
            channel = self.ask(person={"from": f"3460000000{-minutes}", "name": "X"})
            self.assertFalse(channel.whatsapp_conversation_ids.answer_due)

    def test_it_is_due_in_the_hours_of_who_has_the_lead(self):
        self.employees[0].resource_id.tz = "Europe/Madrid"
        evening = WEDNESDAY.replace(hour=16, minute=50)  # 17:50 in Madrid
        channel = self.ask(evening)
        self.assertEqual(channel.lead_id.user_id, self.sofia)
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, datetime(2026, 11, 26, 8, 5)
        )

    def test_a_lead_that_waits_for_somebody_is_due_by_the_team_s_hours(self):
        self.gateway.whatsapp_only_working_hours = True
        night = datetime(2026, 11, 26, 6)
        channel = self.ask(night)
        self.assertFalse(channel.lead_id.user_id)
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, datetime(2026, 11, 26, 15, 15)
        )
        for employee in self.employees:
            employee.resource_id.tz = "America/New_York"
        self.cron(datetime(2026, 11, 26, 14))
        self.assertTrue(channel.lead_id.user_id)
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, datetime(2026, 11, 26, 14, 15)
        )

    def test_due_and_waiting_are_one_write(self):
        channel = self.ask()
        self.reply(channel, WEDNESDAY + MINUTE)
        self.env.flush_all()
        for value in (WEDNESDAY, False):
            with self.assertQueries_of_table("whatsapp_conversation", 1):
                channel.whatsapp_conversation_ids.waiting_since = value

    def assertQueries_of_table(self, table, count):
        """Assert how often a table is updated."""
        return UpdateCounter(self, table, count)

    def test_what_is_late_is_marked_and_the_leader_is_asked_once(self):
        channel = self.ask()
        self.mark(WEDNESDAY + 14.9 * MINUTE)
        self.assertFalse(channel.whatsapp_conversation_ids.late)
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertTrue(channel.whatsapp_conversation_ids.late)
        asked = self.asked(channel.lead_id)
        self.assertEqual(asked.user_id, self.leader)
        self.assertEqual(asked.activity_type_id.icon, "fa-warning")
        self.assertEqual(asked.date_deadline, WEDNESDAY.date())
        for words in ("Ana Pérez", "15 working minutes", "sofia"):
            self.assertIn(words, asked.note)
        self.mark(WEDNESDAY + 16 * MINUTE)
        self.assertEqual(self.asked(channel.lead_id), asked)
        asked.action_feedback(feedback="I see to it")
        self.mark(WEDNESDAY + 17 * MINUTE)
        self.ask(WEDNESDAY + 18 * MINUTE)
        self.mark(WEDNESDAY + 40 * MINUTE)
        self.assertFalse(self.asked(channel.lead_id), "not again for the same waiting")

    def test_the_leader_reads_the_name_as_the_customer_typed_it(self):
        channel = self.ask()
        channel.name = '<a href="https://evil.example">Pay</a>'
        self.mark(WEDNESDAY + 20 * MINUTE)
        note = self.asked(channel.lead_id).note
        self.assertIn("&lt;a href=", note)
        self.assertNotIn("<a", note)

    def test_an_answer_ends_what_the_leader_was_asked_for(self):
        channel = self.ask()
        self.mark(WEDNESDAY + 20 * MINUTE)
        row = self.reply(channel, WEDNESDAY + 25 * MINUTE)
        self.assertTrue(row.late)
        self.assertFalse(
            channel.whatsapp_conversation_ids.late
            or channel.whatsapp_conversation_ids.answer_due
        )
        self.assertFalse(self.asked(channel.lead_id))
        self.ask(WEDNESDAY + 30 * MINUTE)
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, WEDNESDAY + 45 * MINUTE
        )
        self.mark(WEDNESDAY + 50 * MINUTE)
        self.assertTrue(self.asked(channel.lead_id), "it is another waiting")

    def test_an_answer_is_late_although_the_cron_did_not_come(self):
        channel = self.ask()
        self.assertFalse(self.reply(channel, WEDNESDAY + 15 * MINUTE).late)
        self.ask(WEDNESDAY + 20 * MINUTE)
        self.assertTrue(self.reply(channel, WEDNESDAY + 35.1 * MINUTE).late)

    def test_an_automatic_message_is_not_in_time(self):
        channel = self.ask()
        self.reply(channel, WEDNESDAY + MINUTE, user=self.env.ref("base.user_root"))
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertTrue(channel.whatsapp_conversation_ids.late)

    def test_a_leader_who_may_not_read_the_lead_is_not_asked(self):
        self.team.user_id = self.tomas  # who sees own leads only
        boss = new_test_user(
            self.env, login="boss", groups="sales_team.group_sale_manager"
        )
        self.gateway.whatsapp_alert_user_ids = boss
        channel = self.ask()
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertEqual(self.asked(channel.lead_id).user_id, boss)

    def test_without_a_leader_somebody_is_asked_all_the_same(self):
        self.team.user_id = self.gateway.whatsapp_alert_user_ids = False
        channel = self.ask()
        self.mark(WEDNESDAY + 15 * MINUTE)
        admin = self.env.ref("base.user_admin")
        self.assertEqual(self.asked(channel.lead_id).user_id, admin)

    def test_a_lost_lead_is_not_late_and_a_won_one_is(self):
        lost, won = (
            self.ask(person={"from": f"3460000000{n}", "name": "X"}) for n in (1, 2)
        )
        lost.lead_id.action_set_lost()
        won.lead_id.action_set_won()
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertFalse(
            lost.whatsapp_conversation_ids.late
            or lost.whatsapp_conversation_ids.answer_due
        )
        self.assertTrue(won.whatsapp_conversation_ids.late)

    def test_people_who_are_no_leads_are_marked_without_an_activity(self):
        self.env["phone.blacklist"].create({"number": "+525512345678"})
        self.ask()
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertTrue(channel.whatsapp_conversation_ids.late)
        asked = [("whatsapp_channel_id", "=", channel.id)]
        self.assertFalse(self.env["mail.activity"].search(asked))

    def test_many_late_ones_make_no_mail(self):
        channels = [
            self.ask(person={"from": f"346000000{n:02}", "name": "X"})
            for n in range(20)
        ]
        before = self.env["mail.message"].search_count([])
        mails = self.env["mail.mail"].search_count([])
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertTrue(
            all(channel.whatsapp_conversation_ids.late for channel in channels)
        )
        asked = self.env["mail.activity"].search(
            [("whatsapp_channel_id", "in", [channel.id for channel in channels])]
        )
        self.assertEqual((len(asked), asked.user_id), (20, self.leader))
        self.assertEqual(self.env["mail.message"].search_count([]), before)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_one_bad_conversation_does_not_keep_the_others(self):
        channels = [
            self.ask(person={"from": f"3460000000{n}", "name": "X"}) for n in range(3)
        ]
        mark = WhatsappConversationAnswer._mark_late

        def spoiled(chat):
            if chat.channel_id == channels[1]:
                raise ValueError("a rule of somebody else")
            return mark(chat)

        with (
            patch.object(
                type(self.env["whatsapp.conversation"]), "_mark_late", spoiled
            ),
            self.assertLogs("odoo.addons.crm_whatsapp_gateway", "ERROR"),
        ):
            self.mark(WEDNESDAY + 15 * MINUTE)
        late = [channel.whatsapp_conversation_ids.late for channel in channels]
        self.assertEqual(late, [True, False, True])

    def test_what_is_no_longer_waiting_for_another_reason_is_not_late(self):
        channel = self.ask()
        self.mark(WEDNESDAY + 15 * MINUTE)
        channel.whatsapp_conversation_ids.waiting_since = False  # somebody closed it
        self.assertFalse(
            channel.whatsapp_conversation_ids.late or self.asked(channel.lead_id)
        )
        self.assertFalse(self.rows())

    def test_the_leader_is_invited_the_own_language(self):
        self.env["res.lang"]._activate_lang("es_MX")
        self.leader.write({"lang": "es_MX", "tz": "Asia/Tokyo"})
        channel = self.ask()
        self.mark(WEDNESDAY + 15 * MINUTE)
        asked = self.asked(channel.lead_id)
        self.assertIn("1:00", asked.note, "the clock of Tokyo")
        self.assertEqual(asked.date_deadline, datetime(2026, 11, 26).date())


class UpdateCounter:
    """Asserts how many UPDATEs of a table a block makes."""

    def __init__(self, case, table, count):
        self.case, self.table, self.count = case, table, count

    def __enter__(self):
        cursor = type(self.case.env.cr)
        self.made = []
        execute = cursor.execute

        def counted(cr, query, params=None, **kwargs):
            code = getattr(query, "code", query)
            if str(code).lstrip().startswith("UPDATE") and self.table in str(query):
                self.made.append(str(query))
            return execute(cr, query, params, **kwargs)

        self.patcher = patch.object(cursor, "execute", counted)
        self.patcher.start()
        return self

    def __exit__(self, *error):
        self.case.env.flush_all()
        self.patcher.stop()
        if not any(error):
            self.case.assertEqual(len(self.made), self.count, self.made)
