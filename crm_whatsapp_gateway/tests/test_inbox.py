# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import datetime, timedelta
from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools.safe_eval import safe_eval

from ..hooks import STATE_OF_CHANNELS, carry_over, post_init_hook
from ..models.discuss_channel import INBOX_BUS
from .common import WhatsappCase, at

AUTOMATIC = ("id", "create_date", "create_uid", "write_date", "write_uid")
EVA = {"from": "5215587654321", "name": "Eva Gil"}


class InboxCase(WhatsappCase):
    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="How much is it?"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.colleague = self.users - self.owner
        self.chat = self.channel.whatsapp_conversation_ids
        self.own = self.chat.with_user(self.owner)

    def setUp(self):
        super().setUp()
        self.sent = []
        bus = type(self.env["bus.bus"])

        def send(_bus, target, kind, message):
            self.sent.append((kind, message))

        patcher = patch.object(bus, "_sendone", send)
        patcher.start()
        self.addCleanup(patcher.stop)

    def found(self, user=None, **wanted):
        """Return the conversations for which all these fields are so."""
        domain = [(name, "=", value) for name, value in wanted.items()]
        chats = self.env["whatsapp.conversation"].with_user(user or self.owner)
        return chats.search(domain)

    def later(self, **delta):
        return at(datetime.fromtimestamp(self.now) + timedelta(**delta))

    def snooze(self, choice, chats=None):
        chats = self.own if chats is None else chats
        chats._snooze(chats._snooze_end(choice))

    def wake(self):
        self.env.flush_all()
        self.env["whatsapp.conversation"]._cron_wake_snoozed()
        self.env.invalidate_all()

    def reminders(self):
        return self.lead.activity_ids.filtered("whatsapp_snooze")


class TestStates(InboxCase):
    """Whose turn it is, by itself and by the buttons."""

    def test_a_customer_opens_and_an_answer_answers(self):
        self.assertEqual(self.chat.state, "open")
        self.answer(self.channel, "It is 5 euros")
        self.assertEqual(self.chat.state, "answered")
        self.assertFalse(self.chat.waiting_since)
        self.receive(self.message(content="Fine"))
        self.assertEqual(self.chat.state, "open")

    def test_a_conversation_that_we_begin_has_nothing_to_do(self):
        lead = self.env["crm.lead"].create(
            {"name": "New", "phone": "+34612345678", "user_id": self.owner.id}
        )
        lead.with_user(self.owner).action_open_whatsapp()
        channel = lead.whatsapp_channel_ids
        self.assertEqual(channel.whatsapp_conversation_ids.state, "answered")
        self.assertFalse(
            channel.whatsapp_conversation_ids.inbox_date, "nothing was said yet"
        )

    def test_what_no_person_wrote_is_no_answer(self):
        since = self.chat.waiting_since
        self.answer(self.channel, "We are away", user=self.env.ref("base.user_root"))
        self.assertEqual(self.chat.last_text, "How much is it?")
        self.assertEqual(self.chat.state, "open")
        self.assertEqual(self.chat.waiting_since, since)

    def test_closed_is_closed_until_the_customer_writes(self):
        self.own.action_close()
        self.assertEqual(self.chat.state, "closed")
        self.assertFalse(self.chat.waiting_since)
        self.assertFalse(self.lead.whatsapp_answer_deadline)
        self.receive(self.message(content="One more thing"))
        self.assertEqual(self.chat.state, "open")
        self.assertTrue(self.chat.waiting_since)

    def test_closing_after_an_answer_stays(self):
        self.answer(self.channel, "Bye")
        self.own.action_close()
        self.assertEqual(self.chat.state, "closed")
        self.answer(self.channel, "One more thing")
        self.assertEqual(self.chat.state, "answered")

    def test_opened_again_it_is_the_turn_of_who_did_not_write_last(self):
        since = self.chat.waiting_since
        self.own.action_close()
        self.own.action_reopen()
        self.assertEqual(self.chat.state, "open")
        self.assertEqual(self.chat.waiting_since, since)
        self.answer(self.channel, "Bye")
        self.own.action_close()
        self.own.action_reopen()
        self.assertEqual(self.chat.state, "answered")
        self.assertFalse(self.chat.waiting_since)

    def test_a_message_that_crossed_our_answer_is_not_overlooked(self):
        self.answer(self.channel, "Hello")
        crossed = self.message(content="And blue?", timestamp=str(self.now - 60))
        self.receive(crossed)
        self.assertEqual(self.chat.last_text, "Hello")
        self.assertEqual(self.chat.state, "open")
        self.assertTrue(self.chat.waiting_since)

    def test_a_lead_that_ends_closes_what_does_not_wait(self):
        self.lead.action_set_won()
        self.assertEqual(self.chat.state, "open", "the customer waits")
        self.answer(self.channel, "It is yours")
        self.lead.stage_id = self.env["crm.stage"].search([("is_won", "=", False)])[:1]
        self.lead.with_user(self.owner).action_set_won()
        self.assertEqual(self.chat.state, "closed")
        self.own.action_reopen()
        self.lead.stage_id = self.env["crm.stage"].search([("is_won", "=", False)])[:1]
        self.lead.with_user(self.owner).action_set_lost()
        self.assertEqual(self.chat.state, "closed")

    def test_the_inboxes_are_told_ids_only(self):
        def told():
            return [message for kind, message in self.sent if kind == INBOX_BUS]

        self.own.action_close()
        whose = {"id": self.channel.id, "user": self.owner.id}
        self.assertEqual(told(), [[whose]])
        self.sent.clear()
        self.env["crm.lead"].create({"name": "No chat"}).user_id = self.colleague
        self.assertEqual(told(), [], "a lead without a conversation wakes nobody")
        self.lead.user_id = self.colleague
        self.assertIn([{**whose, "user": self.colleague.id}], told())

    def test_who_may_not_see_it_cannot_move_it(self):
        foreign = self.chat.with_user(self.colleague)
        for move in (
            foreign.action_close,
            foreign.action_reopen,
            lambda: self.snooze("hour", foreign),
        ):
            with self.assertRaises(AccessError):
                move()

    def test_conversations_of_before_get_a_turn(self):
        channel = self.receive(self.message(content="Hi", person=EVA), person=EVA)
        self.env.flush_all()
        long_ago = fields.Datetime.now() - timedelta(days=8)
        channel.message_ids.date = long_ago
        old = channel.whatsapp_conversation_ids
        names = ("last_date", "last_text", "last_author", "waiting_since", "state")
        (self.chat | old).write(dict.fromkeys((*names, "inbox_date")))
        self.env.flush_all()
        post_init_hook(self.env)
        self.assertEqual(old.state, "closed")
        self.assertFalse(old.waiting_since)
        self.assertEqual(self.chat.state, "open")
        self.assertEqual(self.chat.last_text, "How much is it?")
        self.assertTrue(self.chat.waiting_since)
        self.answer(self.channel, "5")
        self.env.flush_all()
        post_init_hook(self.env)
        self.assertEqual(self.chat.state, "answered")
        self.assertEqual(self.chat.last_text, "5")

    def before_there_were_conversations(self):
        """Keep the state where it was before this model, on the channel."""
        self.env.flush_all()
        for old, new in STATE_OF_CHANNELS.items():
            kind = self.chat._fields[new].column_type[1]
            self.env.cr.execute(f"ALTER TABLE discuss_channel ADD {old} {kind}")
            self.env.cr.execute(
                f"UPDATE discuss_channel channel SET {old} = chat.{new}"
                " FROM whatsapp_conversation chat WHERE chat.channel_id = channel.id"
            )
        self.env.cr.execute("DELETE FROM whatsapp_conversation")
        self.env.invalidate_all()

    def values(self, chat):
        columns = self.env["whatsapp.conversation"]._fields.values()
        names = [field.name for field in columns if field.store]
        return {name: chat[name] for name in names if name not in AUTOMATIC}

    def test_the_state_that_channels_had_moves_to_their_conversations(self):
        self.snooze("hour")
        self.chat.write({"welcomed_at": fields.Datetime.now(), "late": True})
        before = self.values(self.chat)
        self.before_there_were_conversations()
        self.assertFalse(self.channel.whatsapp_conversation_ids)
        for _time in range(2):
            carry_over(self.env.cr)
            self.env.invalidate_all()
            chat = self.channel.whatsapp_conversation_ids
            self.assertEqual(self.values(chat), before)

    def test_conversations_without_a_state_get_one_with_the_module(self):
        last = self.chat.last_date
        self.chat.write({"state": False, "inbox_date": False})
        self.before_there_were_conversations()
        carry_over(self.env.cr)
        self.env.invalidate_all()
        chat = self.channel.whatsapp_conversation_ids
        self.assertEqual(chat.state, "open")
        self.assertEqual(chat.inbox_date, last)

    def test_saved_filters_follow(self):
        action = self.env.ref("crm_whatsapp_gateway.action_whatsapp_inbox")
        saved = self.env["ir.filters"].create(
            {
                "name": "Late ones",
                "model_id": "discuss.channel",
                "action_id": action.id,
                "domain": "[('whatsapp_late', '=', True), ('lead_id', '!=', False)]",
                "context": "{'group_by': ['whatsapp_inbox_date:day']}",
            }
        )
        self.env.flush_all()
        carry_over(self.env.cr)
        self.env.invalidate_all()
        self.assertEqual(saved.model_id, "whatsapp.conversation")
        self.assertEqual(
            saved.domain, "[('late', '=', True), ('lead_id', '!=', False)]"
        )
        self.assertEqual(saved.context, "{'group_by': ['inbox_date:day']}")


class TestSnooze(InboxCase):
    def test_it_comes_back_with_a_reminder_and_the_customer_is_told_nothing(self):
        self.answer(self.channel, "I ask my boss")
        sent = len(self.env["whatsapp.message.queue"].search([]))
        self.snooze("hours")
        self.assertEqual(self.chat.state, "snoozed")
        self.assertEqual(self.chat.snoozed_by_id, self.owner)
        self.wake()
        self.assertEqual(self.chat.state, "snoozed", "too early")
        with self.later(hours=4, minutes=1):
            self.wake()
            self.wake()
        self.assertEqual(self.chat.state, "open")
        self.assertFalse(self.chat.snoozed_until)
        self.assertGreater(self.chat.inbox_date, self.chat.last_date)
        self.assertEqual(self.reminders().user_id, self.owner)
        self.assertEqual(len(self.env["whatsapp.message.queue"].search([])), sent)
        self.answer(self.channel, "He says yes")
        self.assertFalse(self.reminders())
        self.assertEqual(self.chat.state, "answered")

    def test_the_customer_ends_it(self):
        self.snooze("monday")
        self.receive(self.message(content="Well?"))
        self.assertEqual(self.chat.state, "open")
        self.assertFalse(self.chat.snoozed_until)
        with self.later(days=8):
            self.wake()
        self.assertFalse(self.reminders(), "nobody is woken twice")

    def test_our_own_message_does_not_end_it(self):
        self.snooze("monday")
        self.answer(self.channel, "I come back to you on Monday")
        self.assertEqual(self.chat.state, "snoozed")
        self.assertFalse(self.chat.waiting_since)

    def test_mornings_are_the_user_s(self):
        self.owner.tz = "America/Mexico_City"
        end = self.own._snooze_end
        with at(datetime(2026, 11, 26, 2)):  # Wednesday evening there
            self.assertEqual(end("tomorrow"), datetime(2026, 11, 26, 15, 0))
            self.assertEqual(end("monday"), datetime(2026, 11, 30, 15, 0))
            self.assertEqual(end("hour"), datetime(2026, 11, 26, 3, 0))

    def test_the_cron_is_woken_at_that_time(self):
        cron = self.env.ref("crm_whatsapp_gateway.ir_cron_snoozed")
        before = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.snooze("hour")
        after = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertEqual((after - before).call_at, self.chat.snoozed_until)

    def test_the_dialog_offers_ready_times_and_an_own_one(self):
        action = self.own.action_choose_snooze()
        wizards = self.env[action["res_model"]].with_user(self.owner)
        wizard = wizards.with_context(**action["context"]).create({})
        self.assertEqual(wizard.conversation_ids, self.chat)
        self.assertEqual(wizard.until, self.own._snooze_end("tomorrow"))
        wizard.write({"choice": "own", "until": fields.Datetime.now()})
        with self.assertRaises(UserError):
            wizard.action_snooze()
        until = fields.Datetime.now().replace(microsecond=0) + timedelta(days=3)
        wizard.until = until
        wizard.action_snooze()
        self.assertEqual(self.chat.snoozed_until, until)

    def test_a_reminder_follows_the_lead_and_ends_with_the_conversation(self):
        self.snooze("hour")
        with self.later(hours=2):
            self.wake()
        self.lead.user_id = self.colleague
        self.assertEqual(self.reminders().user_id, self.colleague)
        self.chat.with_user(self.colleague).action_close()
        self.assertFalse(self.reminders())

    def test_without_an_open_lead_a_message_reminds(self):
        self.lead.action_set_lost()
        self.snooze("hour")
        with self.later(hours=2):
            self.wake()
        self.assertFalse(self.reminders())
        told = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.owner.partner_id.id)]
        )
        self.assertTrue(
            told.mail_message_id.filtered(lambda m: self.channel.name in m.body)
        )

    def test_one_that_cannot_be_woken_holds_back_no_other(self):
        other = self.receive(self.message(content="Hi", person=EVA), person=EVA)
        other = other.whatsapp_conversation_ids
        self.snooze("hour", self.chat | other)
        wake = type(self.chat)._wake

        def stumble(chat):
            if chat == self.chat:
                raise ValueError("no")
            return wake(chat)

        logger = "odoo.addons.crm_whatsapp_gateway.models.whatsapp_conversation"
        with (
            self.later(hours=2),
            patch.object(type(self.chat), "_wake", stumble),
            self.assertLogs(logger, "ERROR"),
        ):
            self.wake()
        self.assertEqual(self.chat.state, "snoozed")
        self.assertEqual(other.state, "open")


class TestFilters(InboxCase):
    """What the search view offers, as a plain salesperson finds it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.view = cls.env.ref("crm_whatsapp_gateway.whatsapp_conversation_view_search")

    def offered(self, user):
        """Return the names of the filters that a user is offered."""
        chats = self.env["whatsapp.conversation"].with_user(user)
        arch = chats.get_view(self.view.id, "search")["arch"]
        return {
            part.split('"')[0] for part in arch.replace("'", '"').split('name="')[1:]
        }

    def test_the_window_that_closes_soon(self):
        def closing():
            return self.found(window_closing=True)

        self.assertFalse(closing())
        self.assertFalse(self.chat.window_closing)
        for hours, wanted in ((21, False), (22, True), (23, True), (24, False)):
            wrote = fields.Datetime.now() - timedelta(hours=hours, seconds=5)
            self.channel.whatsapp_last_customer_date = wrote
            self.assertEqual(bool(closing()), wanted, hours)
            self.assertEqual(self.chat.window_closing, wanted, hours)
            self.assertEqual(bool(self.found(window_closing=False)), not wanted, hours)
        self.channel.whatsapp_last_customer_date = wrote + timedelta(hours=1)
        self.assertTrue(closing())
        self.answer(self.channel, "In time")
        self.assertFalse(closing())

    def test_words_of_any_message_and_tags_of_the_lead(self):
        """As the search view asks for them."""
        arch = etree.fromstring(
            self.env["whatsapp.conversation"]
            .with_user(self.owner)
            .get_view(self.view.id, "search")["arch"]
        )
        self.answer(self.channel, "The oak table is sold")
        self.receive(self.message(content="A pity"))
        tag = self.env["crm.tag"].create({"name": "Wholesale"})
        self.channel.lead_id.tag_ids = tag
        for label, word in (("Any message", "oak"), ("Tag of the lead", "whole")):
            [field] = arch.xpath(f"//field[@string='{label}']")
            for typed, wanted in ((word, True), ("nothing of it", False)):
                domain = safe_eval(field.get("filter_domain"), {"self": typed})
                chats = self.env["whatsapp.conversation"].with_user(self.owner)
                found = chats.search(domain)
                self.assertEqual(self.chat in found, wanted, (label, typed))

    def test_failed_messages(self):
        row = self.answer(self.channel, "Hello")
        for state, wanted in (
            ("queued", False),
            ("failed", True),
            ("uncertain", True),
            ("canceled", False),
        ):
            row.sudo().state = state
            self.chat.invalidate_recordset(["failed"])
            self.assertEqual(bool(self.found(failed=True)), wanted, state)
            self.assertEqual(bool(self.found(failed=False)), not wanted)
            self.assertEqual(self.own.failed, wanted, state)

    def test_failed_messages_are_looked_up_by_an_index(self):
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            "EXPLAIN SELECT channel_id FROM whatsapp_message_queue"
            " WHERE state IN ('failed', 'uncertain')"
        )
        plan = " ".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("whatsapp_message_queue_failed_idx", plan)

    def test_a_number_and_a_team_are_filters_if_there_is_a_choice(self):
        self.assertNotIn(f"gateway_id_{self.gateway.id}", self.offered(self.owner))
        second = self.gateway.copy(
            {
                "name": "Service",
                "token": "EAAother",
                "webhook_key": "other",
                "whatsapp_from_phone": "10002",
            }
        )
        names = self.offered(self.owner)
        self.assertLessEqual(
            {f"gateway_id_{self.gateway.id}", f"gateway_id_{second.id}"}, names
        )
        other = self.env["crm.team"].create({"name": "Service"})
        names = self.offered(self.owner)
        self.assertIn(f"team_id_{other.id}", names)

    def test_an_inbox_begins_with_what_is_mine_or_nobody_s(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_whatsapp_gateway.action_whatsapp_inbox"
        )
        self.assertIn("search_default_own", action["context"])
        self.assertIn("search_default_current", action["context"])
        everything = new_test_user(
            self.env,
            login="everything",
            groups="sales_team.group_sale_salesman_all_leads",
        )
        leader = new_test_user(
            self.env, login="leader", groups="sales_team.group_sale_manager"
        )
        for user in (self.owner, everything):
            self.assertIn("own", self.offered(user))
        self.assertNotIn("own", self.offered(leader), "who leads sees all of them")

    def test_it_is_grouped_by_owner_stage_day_and_state(self):
        channels = self.env["whatsapp.conversation"].with_user(self.owner)
        domain = [("id", "=", self.chat.id)]
        for group, value in (
            ("user_id", self.owner),
            ("stage_id", self.lead.stage_id),
            ("gateway_id", self.gateway),
            ("team_id", self.lead.team_id),
            ("state", "open"),
        ):
            groups = dict(channels._read_group(domain, [group], ["__count"]))
            self.assertEqual(groups, {value: 1}, group)
        days = channels._read_group(domain, ["inbox_date:day"], ["__count"])
        self.assertEqual(len(days), 1)
        won = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        self.lead.stage_id = won
        groups = dict(channels._read_group(domain, ["stage_id"], ["__count"]))
        self.assertEqual(groups, {won: 1})


class TestSpeed(InboxCase):
    def conversations(self, first, last):
        """Make conversations with their leads, the owner a member of each."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            WITH person AS (
                SELECT 'Person ' || n AS name, 520000000000 + n AS phone
                  FROM generate_series(%(first)s, %(last)s) n
            ), lead AS (
                INSERT INTO crm_lead (name, type, active, user_id, team_id, stage_id,
                                      company_id)
                SELECT person.name, 'opportunity', true, %(user)s, %(team)s, %(stage)s,
                       %(company)s
                  FROM person
                RETURNING id, name
            ), channel AS (
                INSERT INTO discuss_channel
                       (name, channel_type, uuid, active, gateway_id,
                        gateway_channel_token, lead_id, company_id,
                        whatsapp_user_id, whatsapp_team_id,
                        whatsapp_last_customer_date)
                SELECT person.name, 'gateway', 'uuid' || person.phone, true,
                       %(gateway)s, person.phone::text, lead.id, %(company)s,
                       %(user)s, %(team)s, now()
                  FROM person JOIN lead ON lead.name = person.name
                RETURNING id, name, lead_id
            ), chat AS (
                INSERT INTO whatsapp_conversation
                       (channel_id, name, active, gateway_id, lead_id, stage_id,
                        company_id, user_id, team_id, state, inbox_date, last_date,
                        last_text, last_author, waiting_since)
                SELECT channel.id, channel.name, true, %(gateway)s, channel.lead_id,
                       %(stage)s, %(company)s, %(user)s, %(team)s, 'open', now(),
                       now(), 'Hi', 'customer', now()
                  FROM channel
            )
            INSERT INTO discuss_channel_member
                   (channel_id, partner_id, new_message_separator)
            SELECT channel.id, %(partner)s, 0 FROM channel
            """,
            {
                "first": first,
                "last": last,
                "user": self.owner.id,
                "partner": self.owner.partner_id.id,
                "team": self.team.id,
                "stage": self.lead.stage_id.id,
                "company": self.company.id,
                "gateway": self.gateway.id,
            },
        )
        self.env.invalidate_all()

    def fields_of(self, view_type):
        """Return what the web client asks for of the fields of a view."""
        channels = self.env["whatsapp.conversation"].with_user(self.owner)
        xmlid = f"crm_whatsapp_gateway.whatsapp_conversation_view_{view_type}"
        views = channels.get_views([(self.env.ref(xmlid).id, view_type)])
        names = views["models"]["whatsapp.conversation"]["fields"]
        return {
            name: {"fields": {"display_name": {}}}
            if field["type"] == "many2one"
            else {}
            for name, field in names.items()
            if f'name="{name}"' in views["views"][view_type]["arch"]
        }

    def cost(self, specification, limit, offset=0):
        """Return the number of queries of one page of the inbox."""
        self.env.flush_all()
        self.env.invalidate_all()
        channels = self.env["whatsapp.conversation"].with_user(self.owner)
        domain = [
            ("gateway_id", "!=", False),
            ("inbox_date", "!=", False),
            ("user_id", "in", (self.owner.id, False)),
            ("state", "in", ("open", "answered")),
        ]
        before = self.env.cr.sql_log_count
        page = channels.web_search_read(
            domain,
            specification,
            offset=offset,
            limit=limit,
            order="inbox_date desc",
            count_limit=10001,
        )
        self.assertTrue(page["records"])
        return self.env.cr.sql_log_count - before

    def test_20_conversations_cost_as_many_queries_as_2000(self):
        specifications = list(map(self.fields_of, ("kanban", "list")))
        for specification in specifications:
            self.assertIn("unread", specification)
            self.assertIn("activity_state", specification)
        # the first one wrote in setUp; with its activity it is on each first page
        self.chat.inbox_date = fields.Datetime.now() + timedelta(days=1)
        self.conversations(2, 20)
        for _time in range(2):  # the first time more is read, and kept
            few = [self.cost(specification, 20) for specification in specifications]
        self.conversations(21, 2000)
        for limit in (20, 80):
            many = [self.cost(specification, limit) for specification in specifications]
            self.assertEqual(many, few, limit)

    def test_a_page_of_groups_costs_as_many_queries_with_2000(self):
        channels = self.env["whatsapp.conversation"].with_user(self.owner)

        def cost():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            for group in (
                "user_id",
                "stage_id",
                "inbox_date:day",
            ):
                channels._read_group([], [group], ["__count"])
            return self.env.cr.sql_log_count - before

        cost()
        self.conversations(2, 20)
        few = cost()
        self.conversations(21, 2000)
        self.assertEqual(cost(), few)
