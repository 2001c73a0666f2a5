# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user

from ..hooks import bring_back
from .common import at
from .test_absence import AbsenceCase
from .test_duty import WEDNESDAY
from .test_one_person import BY_BOTH, BY_NUMBER, BY_USER, OnePersonCase
from .test_outcomes import OutcomeCase
from .test_report import EVA, ReportCase
from .test_together import TogetherCase

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
                "", [("id", "in", self.users.ids)]
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
        self.assertEqual(
            self.names(whatsapp_absence=False)[self.tomas.id], self.tomas.name
        )

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
            wizard = wizard.create(
                {"channel_id": self.channel.id, **self.chosen(model)}
            )
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
        return gateway.env[action["res_model"]].search(action["domain"]).channel_id

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

    def opened(self, row):
        action = row.action_open()
        return row.env[action["res_model"]].search(action["domain"]).channel_id

    def test_a_row_for_each_salesperson_the_longest_wait_first(self):
        self.ask()
        self.ask(WEDNESDAY + HOUR, person=EVA)
        bob = {"from": "34600000009", "name": "Bob"}
        third = self.ask(WEDNESDAY + 2 * HOUR, person=bob)
        third.lead_id.user_id = self.tomas
        found = [
            (row.user_id, row.waiting, row.since - WEDNESDAY) for row in self.rows()
        ]
        self.assertEqual(found, [(self.sofia, 1, 0 * HOUR), (self.tomas, 2, HOUR)])

    def test_what_nobody_has_is_a_row_of_its_own(self):
        channel = self.ask()
        channel.lead_id.user_id = False
        [row] = self.rows()
        self.assertFalse(row.user_id)
        self.assertEqual(self.opened(row), channel)

    def test_it_opens_what_it_counts(self):
        channel = self.ask()
        self.ask(person=EVA)
        self.assertEqual(self.opened(self.rows()[0]), channel)

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
            action = card.action_open()
            opened = card.env[action["res_model"]].search(action["domain"])
        return card, opened.channel_id

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
        row = self.answer(
            self.channel, "Our offer", user=self.owner, attachment_ids=file.ids
        )
        self.assertEqual(row.text, "offer.pdf: Our offer")
        self.assertEqual(self.found("offer.p"), row)
        self.assertEqual(self.found("our offer"), row)

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


class TestArchive(TogetherCase):
    """A customer does not vanish."""

    def test_a_conversation_is_not_archived_by_hand(self):
        system = new_test_user(
            self.env, "system", groups="base.group_system,base.group_partner_manager"
        )
        for user in (self.owner, self.manager, system):
            with self.subTest(user=user.login), self.assertRaises(UserError) as caught:
                self.channel.with_user(user).action_archive()
            self.assertIn("close", str(caught.exception))
        self.assertTrue(self.channel.active)

    def test_nor_is_its_row_in_the_inbox(self):
        chat = self.channel.whatsapp_conversation_ids
        with self.assertRaises(AccessError):
            chat.with_user(self.manager).action_archive()
        self.assertTrue(chat.fields_get(["active"])["active"]["readonly"], "no menu")

    def test_other_channels_are_archived_as_before(self):
        system = new_test_user(self.env, "system", groups="base.group_system")
        other = self.env["discuss.channel"].create({"name": "Lunch"})
        other.with_user(system).action_archive()
        self.assertFalse(other.active)

    def test_what_was_archived_before_comes_back(self):
        self.channel.action_archive()
        chat = self.channel.whatsapp_conversation_ids
        self.env.flush_all()
        self.assertFalse(self.channel.active or chat.active)
        bring_back(self.env.cr)
        self.env.invalidate_all()
        self.assertTrue(self.channel.active and chat.active)


class TestHandOverMany(TogetherCase):
    """Conversations that were chosen in the inbox go to a colleague at once."""

    def set_scene(self):
        super().set_scene()
        people = [{"from": f"3460000000{n}", "name": f"C{n}"} for n in range(5)]
        self.channels = self.channel
        for person in people:
            self.channels |= self.receive(
                self.message(content="Hi", person=person), person=person
            )
        self.mine = self.channels.filtered(
            lambda channel: channel.whatsapp_user_id == self.owner
        )
        self.theirs = self.channels - self.mine
        self.assertEqual((len(self.mine), len(self.theirs)), (3, 3))
        self.third = new_test_user(
            self.env, "third", groups="sales_team.group_sale_salesman"
        )

    def hand_over_many(self, user, channels, to, note=""):
        """Give them in the inbox as somebody does it; return what is said."""
        self.env.invalidate_all()
        chats = channels.sudo().whatsapp_conversation_ids.with_user(user)
        action = chats.action_choose_hand_over()
        wizard = (
            self.env["whatsapp.hand.over"]
            .with_user(user)
            .with_context(**action["context"])
            .create({"user_id": to.id, "note": note})
        )
        result = wizard.action_hand_over()
        self.env.invalidate_all()
        return result["params"]

    def last_message(self):
        return self.env["mail.message"].search([], order="id desc", limit=1).id

    def test_those_of_the_giver_go_with_one_notice(self):
        since = self.last_message()
        said = self.hand_over_many(self.owner, self.mine, self.colleague, "Holidays")
        self.assertEqual(self.mine.whatsapp_user_id, self.colleague)
        self.assertIn(": 3.", said["message"])
        self.assertEqual(said["type"], "success")
        self.assertEqual(set(said["channel_ids"]), set(self.mine.ids))
        [notice] = self.notices(self.colleague, since)
        self.assertIn("3 conversations", notice)
        self.assertIn("Holidays", notice)
        for channel in self.mine:
            self.assertIn(channel.name, notice)
            self.assertIn(self.colleague, self.members(channel))
            self.assertNotIn(self.owner, self.members(channel))

    def test_one_alone_is_told_as_one(self):
        since = self.last_message()
        self.hand_over_many(self.owner, self.channel, self.colleague)
        [notice] = self.notices(self.colleague, since)
        self.assertIn("hands the conversation with Ana", notice)

    def test_who_had_the_only_one_is_told_of_it_by_name(self):
        since = self.last_message()
        self.hand_over_many(self.manager, self.channel, self.third, "Holidays")
        [notice] = self.notices(self.owner, since)
        self.assertIn("hands your conversation with Ana", notice)
        self.assertIn(self.third.name, notice)
        self.assertIn("Holidays", notice)

    def test_each_giver_is_told_once(self):
        since = self.last_message()
        self.hand_over_many(self.manager, self.channels, self.third)
        self.assertEqual(self.channels.whatsapp_user_id, self.third)
        for user in self.users:
            [notice] = self.notices(user, since)
            self.assertIn("3 of your conversations", notice)
            self.assertIn(self.third.name, notice)
        self.assertEqual(len(self.notices(self.third, since)), 1)
        self.assertFalse(self.notices(self.manager, since))

    def test_what_the_colleague_has_already_stays_and_is_said(self):
        said = self.hand_over_many(self.manager, self.channels, self.colleague)
        self.assertEqual(self.channels.whatsapp_user_id, self.colleague)
        self.assertEqual(said["type"], "warning")
        self.assertIn(": 3.", said["message"])
        self.assertIn("Not handed over: 3", said["message"])
        self.assertIn("already", said["message"])

    def test_what_is_not_the_user_s_to_give_stays(self):
        self.theirs[0]._whatsapp_add_members(self.owner)
        both = self.mine[0] | self.theirs[0]
        said = self.hand_over_many(self.owner, both, self.third)
        self.assertEqual(self.mine[0].whatsapp_user_id, self.third)
        self.assertEqual(self.theirs[0].whatsapp_user_id, self.colleague)
        self.assertIn("Not handed over: 1", said["message"])
        self.assertIn("You can hand over only what is yours", said["message"])

    def test_if_none_may_go_it_is_refused(self):
        with self.assertRaises(UserError):
            self.hand_over_many(self.manager, self.theirs, self.colleague)
        clerk = new_test_user(self.env, "clerk", groups="base.group_user")
        with self.assertRaises(UserError):
            self.hand_over_many(self.manager, self.mine, clerk)
        self.assertEqual(self.mine.whatsapp_user_id, self.owner)

    def test_those_of_one_lead_go_once(self):
        second, first = self.mine[0], self.mine[1]
        second.lead_id = first.lead_id
        since = self.last_message()
        said = self.hand_over_many(self.owner, self.mine[:2], self.colleague)
        self.assertIn(": 2.", said["message"])
        self.assertEqual(said["type"], "success")
        self.assertEqual(len(self.notices(self.colleague, since)), 1)

    def test_nobody_chooses_what_they_may_not_see(self):
        foreign = self.theirs.whatsapp_conversation_ids
        with self.assertRaises(AccessError):
            foreign.with_user(self.owner).action_choose_hand_over()
        with self.assertRaises(AccessError):
            self.env["whatsapp.hand.over"].with_user(self.owner).create(
                {"conversation_ids": foreign.ids, "user_id": self.third.id}
            )
        clerk = new_test_user(
            self.env, "clerk", groups="base.group_user,mail_gateway.gateway_user"
        )
        self.gateway.member_ids = clerk
        chats = self.mine.whatsapp_conversation_ids.with_user(clerk)
        with self.assertRaises(AccessError):
            chats.action_choose_hand_over()

    def test_all_colleagues_but_who_has_them_are_offered(self):
        wizard = self.env["whatsapp.hand.over"].with_user(self.manager)
        chats = self.channels.whatsapp_conversation_ids
        for chosen, offered in ((chats, True), (self.mine, False)):
            channels = chosen if chosen == self.mine else chosen.channel_id
            dialog = wizard.new(
                {"conversation_ids": channels.whatsapp_conversation_ids.ids}
            )
            self.assertEqual(self.owner in dialog.colleague_ids._origin, offered)
            self.assertIn(self.third, dialog.colleague_ids._origin)


class TestLabels(TogetherCase):
    """Labels of conversations: made by salespeople, kept in order by managers."""

    def set_scene(self):
        super().set_scene()
        self.chat = self.channel.whatsapp_conversation_ids
        self.tags = self.env["whatsapp.conversation.tag"]

    def tag(self, name, user=None):
        return self.tags.browse(
            self.tags.with_user(user or self.owner).name_create(name)[0]
        )

    def test_a_salesperson_makes_and_chooses_labels(self):
        tag = self.tag("Guarantee")
        self.assertTrue(1 <= tag.color <= 11)
        self.chat.with_user(self.owner).tag_ids = tag
        found = self.env["whatsapp.conversation"].with_user(self.owner)
        self.assertEqual(found.search([("tag_ids", "ilike", "guar")]), self.chat)
        groups = found._read_group([], ["tag_ids"], ["__count"])
        self.assertIn((tag, 1), groups)

    def test_a_name_is_there_once_however_it_is_written(self):
        tag = self.tag("Guarantee")
        self.assertEqual(self.tag(" guarantee "), tag)
        with self.assertRaises(ValidationError):
            self.tags.create({"name": "GUARANTEE"})
        self.assertNotEqual(self.tag("Guarante_"), tag, "no sign stands for any other")
        with self.assertRaises(ValidationError):
            self.tags.create({"name": "  "})

    def test_managers_keep_them_in_order(self):
        tag = self.tag("Guarantee")
        boss = new_test_user(self.env, "boss", groups="sales_team.group_sale_manager")
        for change in (lambda one: one.write({"name": "X"}), lambda one: one.unlink()):
            with self.assertRaises(AccessError):
                change(tag.with_user(self.owner))
            change(tag.with_user(boss))
        self.assertFalse(tag.exists())

    def test_a_colleague_s_conversation_is_not_labelled(self):
        tag = self.tag("Guarantee", self.colleague)
        with self.assertRaises(AccessError):
            self.chat.with_user(self.colleague).tag_ids = tag

    def test_the_panel_shows_and_offers_them(self):
        tag, other = self.tag("Guarantee"), self.tag("Delivery")
        self.chat.tag_ids = tag
        panel = self.panel(self.owner)
        self.assertEqual(
            panel["tags"], [{"id": tag.id, "name": "Guarantee", "color": tag.color}]
        )
        self.assertIn(other.name, panel["labels"])
        self.assertNotIn(tag.name, panel["labels"])
        self.assertTrue(panel["can_label"])
        self.assertEqual(panel["conversation"], self.chat.id)

    def test_a_change_shows_in_open_chats_and_inboxes(self):
        channels = type(self.channel)
        with (
            patch.object(channels, "_whatsapp_refresh_chats", autospec=True) as chats,
            patch.object(channels, "_whatsapp_wake_inboxes", autospec=True) as inboxes,
        ):
            self.chat.with_user(self.owner).tag_ids = self.tag("Guarantee")
        self.assertEqual(chats.call_args.args[0], self.channel)
        self.assertEqual(inboxes.call_args.args[0], self.channel)

    def test_each_label_is_a_filter(self):
        tag = self.tag("Guarantee")
        arch = self.chat.with_user(self.owner).get_view(
            self.env.ref("crm_whatsapp_gateway.whatsapp_conversation_view_search").id,
            "search",
        )["arch"]
        self.assertIn(f'name="tag_ids_{tag.id}"', arch)
        self.assertIn("Label: Guarantee", arch)


class TestMergedLabels(OnePersonCase):
    def test_conversations_of_one_person_keep_the_labels_of_both(self):
        tags = self.env["whatsapp.conversation.tag"].create(
            [{"name": "Guarantee"}, {"name": "Delivery"}]
        )
        for person, tag in zip((BY_NUMBER, BY_USER), tags, strict=True):
            self.say("Hi", person).whatsapp_conversation_ids.tag_ids = tag
        channel = self.say("It is me", BY_BOTH)
        self.assertEqual(self.conversations(), channel)
        self.assertEqual(channel.whatsapp_conversation_ids.tag_ids, tags)
