# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import at
from .test_absence import AbsenceCase
from .test_duty import WEDNESDAY
from .test_outcomes import OutcomeCase
from .test_report import EVA, UNREACHABLE, ReportCase

SUNDAY = WEDNESDAY + timedelta(days=4)
HOUR = timedelta(hours=1)


class TestWhoIsAway(AbsenceCase):
    """Where colleagues are chosen, it is said who of them is away."""

    def names(self, user=None, company=None, **context):
        """Return the names of both salespeople, as somebody reads them in a list."""
        context.setdefault("whatsapp_absence", company.id if company else True)
        self.env.invalidate_all()
        users = self.env["res.users"].with_user(user or self.sofia)
        with at(WEDNESDAY):
            found = users.with_context(lang="en_US", tz="UTC", **context).name_search(
                args=[("id", "in", self.users.ids)]
            )
        return dict(found)

    def test_until_when_somebody_is_on_leave(self):
        self.leave(self.employees[1], hours=72)
        names = self.names()
        self.assertEqual(names[self.sofia.id], self.sofia.name)
        self.assertEqual(
            names[self.tomas.id], f"{self.tomas.name} (on leave until 11/28/2026)"
        )

    def test_the_hour_counts_if_it_is_today(self):
        self.leave(self.employees[1], hours=1)
        self.assertIn("(on leave until 5:00", self.names()[self.tomas.id])

    def test_who_was_switched_off_receives_nothing(self):
        self.employees[1].whatsapp_agent = False
        name = self.names()[self.tomas.id]
        self.assertEqual(name, f"{self.tomas.name} (receives no WhatsApp leads)")

    def test_who_never_sold_is_not_one_who_no_longer_does(self):
        clerk = new_test_user(self.env, "clerk", groups="base.group_user")
        asked = clerk.with_user(self.sofia).with_context(whatsapp_absence=True)
        self.assertEqual(asked.display_name, clerk.name)

    def test_in_other_places_a_name_is_a_name(self):
        self.leave(self.employees[1])
        self.assertEqual(self.names(whatsapp_absence=False)[self.tomas.id], self.tomas.name)

    def test_leaves_are_for_who_works_with_whatsapp(self):
        self.leave(self.employees[1])
        clerk = new_test_user(self.env, "clerk", groups="base.group_user")
        self.assertEqual(self.names(user=clerk)[self.tomas.id], self.tomas.name)

    def test_another_company_tells_nothing(self):
        self.leave(self.employees[1])
        other = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(self.names(company=other)[self.tomas.id], self.tomas.name)
        self.assertIn("on leave", self.names(company=self.company)[self.tomas.id])

    def test_the_dialogs_ask_for_the_company_of_the_conversation(self):
        for model in ("whatsapp.hand.over", "whatsapp.invite"):
            wizard = self.env[model].with_user(self.sofia)
            wizard = wizard.create({"channel_id": self.channel.id, **self.chosen(model)})
            self.assertEqual(wizard.company_id, self.company)
            arch = wizard.get_view()["arch"]
            self.assertIn("{'whatsapp_absence': company_id}", arch)

    def chosen(self, model):
        return {"user_id": self.tomas.id} if model == "whatsapp.hand.over" else {}

    def test_the_panel_beside_the_chat_says_it(self):
        self.leave(self.employees[0], hours=72)
        self.channel._whatsapp_add_members(self.tomas)
        with at(WEDNESDAY):
            panel = self.channel.with_user(self.tomas).sudo().whatsapp_panel()
        people = {person["name"]: person["away"] for person in panel["people"]}
        self.assertEqual(people[self.tomas.name], "")
        self.assertIn("on leave until", people[self.sofia.name])
        self.assertEqual(panel["owner_away"], people[self.sofia.name])

    def test_the_list_of_salespeople_says_when_they_are_back(self):
        self.leave(self.employees[1], hours=72)
        agents = self.env["whatsapp.agent"].with_user(self.sofia)
        with at(WEDNESDAY):
            until = {agent.user_id: agent.until for agent in agents.search([])}
        self.assertFalse(until[self.sofia])
        self.assertEqual(until[self.tomas], WEDNESDAY + timedelta(hours=72))


class TestNumber(ReportCase):
    """A number leads to its conversations."""

    def opened(self, gateway):
        action = gateway.action_whatsapp_conversations()
        return gateway.env[action["res_model"]].search(action["domain"])

    def test_its_conversations_are_counted_and_opened(self):
        mine = self.ask()
        other = self.ask(person=EVA)
        gateway = self.gateway.with_user(self.leader)
        self.assertEqual(gateway.whatsapp_conversation_count, 2)
        self.assertEqual(self.opened(gateway), mine | other)

    def test_everybody_counts_what_they_may_see(self):
        mine = self.ask()
        self.ask(person=EVA)
        gateway = self.gateway.with_user(self.sofia)
        self.assertEqual(gateway.whatsapp_conversation_count, 1)
        self.assertEqual(self.opened(gateway), mine)

    def test_those_of_another_number_are_its_own(self):
        self.ask()
        second = self.gateway.copy({"name": "Second", "whatsapp_from_phone": "1"})
        second = second.with_user(self.leader)
        self.assertEqual(second.whatsapp_conversation_count, 0)
        self.assertFalse(self.opened(second))


class TestWaiting(ReportCase):
    """Who has how many customers waiting, and since when."""

    def rows(self, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["whatsapp.waiting"].with_user(user or self.leader).search([])

    def test_a_row_for_each_salesperson_the_longest_wait_first(self):
        self.ask()
        self.ask(WEDNESDAY + HOUR, person=EVA)
        bob = {"from": "34600000009", "name": "Bob"}
        third = self.ask(WEDNESDAY + 2 * HOUR, person=bob)
        third.lead_id.user_id = self.tomas
        found = [
            (row.user_id, row.waiting, row.since - WEDNESDAY) for row in self.rows()
        ]
        self.assertEqual(
            found, [(self.sofia, 1, 0 * HOUR), (self.tomas, 2, HOUR)]
        )

    def test_what_nobody_has_is_a_row_of_its_own(self):
        channel = self.ask()
        channel.lead_id.user_id = False
        [row] = self.rows()
        self.assertFalse(row.user_id)
        action = row.action_open()
        found = row.env[action["res_model"]].search(action["domain"])
        self.assertEqual(found, channel)

    def test_it_opens_what_it_counts(self):
        channel = self.ask()
        self.ask(person=EVA)
        row = self.rows()[0]
        action = row.action_open()
        found = row.env[action["res_model"]].search(action["domain"])
        self.assertEqual(found, channel)

    def test_late_ones_are_told_apart(self):
        self.ask()
        self.assertEqual(self.rows().late, 0)
        self.mark(WEDNESDAY + HOUR)
        self.assertEqual(self.rows().late, 1)

    def test_who_is_answered_waits_no_more(self):
        channel = self.ask()
        self.reply(channel, WEDNESDAY + HOUR)
        self.assertFalse(self.rows())

    def test_everybody_counts_what_they_may_see(self):
        self.ask()
        self.ask(person=EVA)
        self.assertEqual(self.rows(self.sofia).user_id, self.sofia)
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.rows(clerk)


class TestSunday(ReportCase):
    """The customer who wrote on Saturday evening waits, whatever the hours say."""

    def late_card(self, moment):
        self.env.flush_all()
        self.env.invalidate_all()
        with at(moment):
            cards = self.env["whatsapp.attention"].with_user(self.leader).search([])
            card = cards.filtered(lambda card: card.kind == "late")
            card.mapped("count")
            opened = card.env["discuss.channel"].search(card.action_open()["domain"])
        return card, opened

    def test_the_card_is_not_in_order_while_somebody_waits(self):
        channel = self.ask(SUNDAY - 23 * HOUR)
        self.mark(SUNDAY)
        card, opened = self.late_card(SUNDAY)
        self.assertEqual((card.count, card.level), (0, "warning"))
        self.assertIn("1", card.words)
        self.assertEqual(card.who, self.sofia.name)
        self.assertTrue(card.since)
        self.assertEqual(opened, channel)

    def test_it_is_in_order_once_nobody_waits(self):
        channel = self.ask(SUNDAY - 23 * HOUR)
        self.reply(channel, SUNDAY)
        card, opened = self.late_card(SUNDAY)
        self.assertEqual((card.count, card.level), (0, "success"))
        self.assertFalse(card.words or card.who or card.since or opened)

    def test_what_is_late_is_an_alarm(self):
        channel = self.ask()
        self.ask(WEDNESDAY + HOUR, person=EVA)
        self.mark(WEDNESDAY + HOUR)
        card, opened = self.late_card(WEDNESDAY + HOUR)
        self.assertEqual((card.count, card.level, card.words), (1, "danger", False))
        self.assertEqual(opened, channel)

    def test_an_answer_tells_both_times(self):
        channel = self.ask(SUNDAY - 23 * HOUR)
        row = self.reply(channel, SUNDAY)
        self.assertEqual((row.working_minutes, row.minutes), (0, 23 * 60))
        names = ("first_answer", "any_answer", "first_elapsed", "any_elapsed")
        self.assertEqual(self.sums(names=names), (0, 0, 23 * 60, 23 * 60))


class TestUndelivered(OutcomeCase):
    """What Meta took, and of which nothing was heard since."""

    def card(self, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        cards = self.env["whatsapp.attention"].with_user(user or self.admin)
        return cards.search([]).filtered(lambda card: card.kind == "undelivered")

    def undelivered(self):
        return self.env["whatsapp.message.queue"].search(
            [("is_undelivered", "=", True)]
        )

    def test_it_shows_after_a_day(self):
        row = self.sent()
        self.status(row, "sent")
        for minutes, found in ((23 * 60, False), (25 * 60, True)):
            with self.subTest(minutes=minutes), self.in_minutes(minutes):
                self.assertEqual(bool(self.undelivered()), found)
                self.assertEqual(row.is_undelivered, found)
                self.assertEqual(self.card().count, int(found))
                row.invalidate_recordset()

    def test_the_card_opens_the_messages(self):
        row = self.sent()
        with self.in_minutes(25 * 60):
            card = self.card()
            action = card.action_open()
            found = card.env[action["res_model"]].search(action["domain"])
        self.assertEqual(found, row)

    def test_what_arrived_or_failed_is_known(self):
        for status in ("delivered", "read"):
            self.status(self.sent(), status)
        self.fails(self.sent(), 131026)
        with self.in_minutes(25 * 60):
            self.assertFalse(self.undelivered())
            self.assertFalse(self.card().count)

    def test_all_others_are_found_too(self):
        row = self.sent()
        queue = self.env["whatsapp.message.queue"]
        self.assertIn(row, queue.search([("is_undelivered", "=", False)]))
        with self.in_minutes(25 * 60):
            self.assertNotIn(row, queue.search([("is_undelivered", "=", False)]))

    def test_a_reaction_is_missed_by_nobody(self):
        queue = self.env["whatsapp.message.queue"]
        self.answer(self.channel, "Hello")
        self.send_due()
        row = queue._record_reaction(self.channel, "wamid.x", "\N{THUMBS UP SIGN}")
        self.send_due()
        self.assertEqual(row.state, "sent")
        with self.in_minutes(25 * 60):
            self.assertNotIn(row, self.undelivered())

    def test_an_administrator_chooses_after_how_long(self):
        self.env["ir.config_parameter"].set_param(
            "mail_gateway_whatsapp_queue.undelivered_hours", "48"
        )
        self.sent()
        with self.in_minutes(25 * 60):
            self.assertFalse(self.undelivered())
        with self.in_minutes(49 * 60):
            self.assertTrue(self.undelivered())

    def test_a_salesperson_sees_the_own_ones(self):
        self.sent()
        colleague = self.users - self.owner
        with self.in_minutes(25 * 60):
            self.assertEqual(self.card(self.owner).count, 1)
            self.assertEqual(self.card(colleague).count, 0)


class TestTextOfQueue(OutcomeCase):
    """A list of messages shows what they say."""

    def found(self, words, operator="ilike", user=None):
        queue = self.env["whatsapp.message.queue"].with_user(user or self.owner)
        return queue.search([("text", operator, words)])

    def test_the_beginning_as_a_person_reads_it(self):
        row = self.answer(self.channel, "Hello,\n how   are you? " + "x" * 200)
        text = row.with_user(self.owner).text
        self.assertTrue(text.startswith("Hello, how are you? xxx"))
        self.assertEqual(len(text), 100)

    def test_of_a_file_its_name(self):
        files = self.env["ir.attachment"].with_user(self.owner)
        file = files.create({"name": "offer.pdf", "raw": b"%PDF-1.4 of an offer"})
        rows = self.answer(
            self.channel, "Our offer", user=self.owner, attachment_ids=file.ids
        )
        self.assertEqual(rows.mapped("text"), ["offer.pdf", "Our offer"])
        self.assertEqual(self.found("offer.p"), rows[0])

    def test_of_a_reaction_the_sign(self):
        row = self.env["whatsapp.message.queue"]._record_reaction(
            self.channel, "wamid.x", "\N{THUMBS UP SIGN}"
        )
        self.assertEqual(row.with_user(self.owner).text, "\N{THUMBS UP SIGN}")

    def test_it_is_searched_for(self):
        mine = self.answer(self.channel, "The blue sofa")
        other = self.answer(self.channel, "The red one")
        self.assertEqual(self.found("blue"), mine)
        self.assertEqual(self.found("blue", "not ilike"), other)

    def test_who_does_not_see_the_conversation_reads_nothing(self):
        row = self.answer(self.channel, "The blue sofa")
        colleague = self.users - self.owner
        self.assertFalse(self.found("blue", user=colleague))
        with self.assertRaises(AccessError):
            row.with_user(colleague).read(["text"])
