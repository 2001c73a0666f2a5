# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.mail_gateway_whatsapp_queue.tools.referral import Referral

from .common import at
from .test_answers import ANA, MINUTE, AnswerCase
from .test_duty import WEDNESDAY

EVA = {"from": "34612345678", "name": "Eva"}
UNREACHABLE = {"error": {"code": 131026, "message": "Message undeliverable"}}


class ReportCase(AnswerCase):
    def set_scene(self):
        super().set_scene()
        self.gateway.whatsapp_target_minutes = 15

    def sums(self, groupby=None, domain=(), user=None, names=("received", "sent")):
        """Return sums of the report as {group: (sum, ...)}, or one tuple."""
        self.env.flush_all()
        report = self.env["whatsapp.report"].with_user(user or self.env.user)
        fields_ = report._fields
        aggregates = [f"{n}:{fields_[n].aggregator}" for n in names]
        rows = report._read_group(
            list(domain), [groupby] if groupby else [], aggregates
        )
        if not groupby:
            return rows[0]
        return {
            group.id if hasattr(group, "_name") else group: tuple(values)
            for group, *values in rows
        }


class TestReport(ReportCase):
    def test_messages_in_and_out_with_what_became_of_them(self):
        channel = self.ask()
        names = ("received", "sent", "delivered", "seen", "failed")
        self.reply(channel, WEDNESDAY + MINUTE)
        self.assertEqual(self.sums(names=names), (1, 0, 0, 0, 0), "it has not left")
        row = self.env["whatsapp.message.queue"].search([])
        self.send_due()
        self.assertEqual(self.sums(names=names), (1, 1, 0, 0, 0))
        self.status(row, "delivered")
        self.assertEqual(self.sums(names=names), (1, 1, 1, 0, 0))
        self.status(row, "read")
        self.assertEqual(self.sums(names=names), (1, 1, 1, 1, 0))

    def test_who_wrote_what(self):
        self.gateway.whatsapp_welcome_enabled = True
        channel = self.ask()
        self.reply(channel, WEDNESDAY + MINUTE, user=self.leader)
        self.echo(WEDNESDAY + 2 * MINUTE)
        self.send_due()
        self.assertEqual(
            self.sums("kind", [("kind", "in", ("in", "out", "auto", "phone"))]),
            {"in": (1, 0), "out": (0, 1), "auto": (0, 1), "phone": (0, 1)},
        )
        by_user = self.sums("user_id")
        self.assertEqual(by_user[self.sofia.id], (1, 0))
        self.assertEqual(by_user[self.leader.id], (0, 1))
        # the OdooBot's, and the unknown somebody's on the phone
        self.assertEqual(self.sums()[1], 3)

    def test_what_was_sent_stays_when_the_queue_is_emptied(self):
        channel = self.ask()
        self.reply(channel, WEDNESDAY + MINUTE)
        self.send_due()
        row = self.env["whatsapp.message.queue"].search([])
        names = ("received", "sent")
        before = self.sums("user_id", names=names)
        ago = fields.Datetime.now() - timedelta(days=400)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE whatsapp_message_queue SET create_date = %s", (ago,)
        )
        # as OCA does when the customer writes again
        row.message_id.notification_ids.write({"is_read": True})
        row.message_id.notification_ids.read_date = ago
        self.env.invalidate_all()
        row._gc_sent()
        self.env["mail.notification"]._gc_notifications()
        self.events()._gc_events()
        self.assertFalse(row.exists())
        after = self.sums("user_id", names=names)
        self.assertEqual(after, before)
        self.assertEqual(sum(sent for _received, sent in after.values()), 1)

    def test_failures_by_reason(self):
        for number, person in enumerate((ANA, EVA)):
            channel = self.ask(person=person)
            self.reply(channel, WEDNESDAY + MINUTE)
            self.meta.answers = [(400, UNREACHABLE)] * (1 - number)
            self.send_due()
        reasons = self.sums("error_id", names=("failed", "sent"))
        [failed] = [reason for reason in reasons if reason]
        self.assertEqual(self.env["whatsapp.error"].browse(failed).code, "131026")
        self.assertEqual(reasons[failed], (1, 0))
        self.assertEqual(self.sums(names=("failed", "sent")), (1, 1))

    def test_a_message_of_a_lead_counts_once(self):
        channel = self.ask()
        lead = channel.lead_id
        partner = self.env["res.partner"].create({"name": "Ana"})
        link = self.env["res.partner.gateway.channel"].create(
            {
                "partner_id": partner.id,
                "gateway_id": self.gateway.id,
                "gateway_token": channel.gateway_channel_token,
            }
        )
        lead.with_user(self.sofia).message_post(
            body="From the lead",
            subtype_xmlid="mail.mt_comment",
            message_type="comment",
            gateway_notifications=[
                {
                    "partner_id": partner.id,
                    "channel_type": "gateway",
                    "gateway_channel_id": link.id,
                }
            ],
        )
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)
        self.assertEqual(self.sums()[1], 1)

    def test_new_leads_and_what_became_of_them(self):
        names = ("new_leads", "won", "conversion")
        leads = [
            self.ask(person={"from": f"3460000000{n}", "name": "X"}).lead_id
            for n in range(4)
        ]
        known = self.env["crm.lead"].create(
            {"name": "Known", "phone": "+34 600 000 009", "user_id": self.sofia.id}
        )
        self.ask(person={"from": "34600000009", "name": "Known"})
        self.assertTrue(known.whatsapp_opened_at)
        self.assertEqual(self.sums(names=names), (4, 0, 0.0), "one was there before")
        leads[0].action_set_won()
        leads[1].action_set_lost()
        leads[2].action_set_won()
        leads[2].action_archive()
        self.assertEqual(self.sums(names=names), (4, 1, 25.0))
        self.assertEqual(
            self.sums("user_id", names=names),
            {self.sofia.id: (2, 1, 50.0), self.tomas.id: (2, 0, 0.0)},
        )
        leads[3].whatsapp_channel_ids.lead_id = known
        self.assertEqual(
            self.sums("gateway_id", names=("new_leads",)), {self.gateway.id: (4,)}
        )

    def test_by_source_and_campaign(self):
        ad = Referral.of_message(
            {
                "referral": {
                    "headline": "Sofa",
                    "source_type": "ad",
                    "source_id": "123",
                    "source_url": "https://fb.me/1",
                }
            }
        )
        channel = self.ask()
        lead = channel.lead_id
        lead.write(self.env["whatsapp.ad"]._attribution(ad))
        self.reply(channel, WEDNESDAY + MINUTE)
        self.ask(person=EVA)
        names = ("received", "new_leads")
        own = self.env.ref("crm_whatsapp_gateway.utm_source_whatsapp")
        self.assertTrue(lead.source_id and lead.source_id != own)
        by_source = self.sums("source_id", names=names)
        self.assertEqual(by_source, {lead.source_id.id: (1, 1), own.id: (1, 1)})
        by_campaign = self.sums("campaign_id", names=names)
        self.assertEqual(by_campaign[lead.campaign_id.id][1] > 0, True)

    def test_answers_and_those_that_are_late(self):
        names = ("first_answer", "any_answer", "late")
        channel = self.ask()
        self.reply(channel, WEDNESDAY + 10 * MINUTE)
        self.ask(WEDNESDAY + 20 * MINUTE)
        row = self.reply(channel, WEDNESDAY + 40 * MINUTE)
        row.is_first = False  # each cursor of a test has a clock of its own
        self.assertEqual(self.sums(names=names), (10.0, 15.0, 1))
        self.ask(WEDNESDAY + 50 * MINUTE)
        self.mark(WEDNESDAY + 70 * MINUTE)
        self.assertEqual(self.sums(names=names), (10.0, 15.0, 2), "it waits still")
        self.reply(channel, WEDNESDAY + 80 * MINUTE)
        self.assertEqual(self.sums(names=("late",)), (2,))

    def test_a_day_is_one_of_the_reader_s_time_zone(self):
        evening = datetime(2026, 11, 26, 1)  # 19:00 on Wednesday in Mexico
        self.ask(evening)
        report = self.env["whatsapp.report"].with_context(tz="America/Mexico_City")
        self.env.flush_all()
        [(day, count)] = report._read_group(
            [("kind", "=", "in")], ["date:day"], ["received:sum"]
        )
        self.assertEqual((str(day)[:10], count), ("2026-11-25", 1))

    def test_a_list_shows_the_facts_themselves(self):
        channel = self.ask()
        self.reply(channel, WEDNESDAY + MINUTE)
        self.env.flush_all()
        report = self.env["whatsapp.report"].with_user(self.sofia)
        rows = report.search_read([], ["kind", "lead_id", "date"])
        self.assertEqual(len({row["id"] for row in rows}), len(rows))
        kinds = sorted(row["kind"] for row in rows)
        self.assertEqual(kinds, ["answer", "in", "lead", "out"])
        again = report.browse(rows[0]["id"]).read(["kind"])
        self.assertEqual(again[0]["kind"], rows[0]["kind"])

    def test_who_sees_what(self):
        self.ask()  # of Sofia
        self.ask(person=EVA)  # of Tomás
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        clerk = new_test_user(self.env, login="clerk", groups="base.group_user")
        names = ("received", "new_leads")
        self.assertEqual(self.sums(names=names, user=self.sofia), (1, 1))
        self.assertEqual(self.sums(names=names, user=self.leader), (2, 2))
        self.assertFalse(any(self.sums(names=names, user=stranger)))
        self.team.user_id = self.tomas  # who is a plain salesperson
        self.assertEqual(self.sums(names=names, user=self.tomas), (2, 2))
        with self.assertRaises(AccessError):
            self.sums(names=names, user=clerk)


class TestAttention(ReportCase):
    def card(self, kind, user=None, moment=WEDNESDAY):
        """Return a card as somebody sees it at some time."""
        self.env.flush_all()
        self.env.invalidate_all()
        cards = self.env["whatsapp.attention"].with_user(user or self.leader)
        with at(moment):
            card = cards.search([]).filtered(lambda card: card.kind == kind)
            card.mapped("count")
        return card

    def opened(self, card, moment=WEDNESDAY):
        """Return the records that a card opens."""
        with at(moment):
            action = card.action_open()
        return card.env[action["res_model"]].search(action["domain"])

    def test_late_ones_are_counted_and_opened(self):
        channel = self.ask()
        self.assertEqual(self.card("late").count, 0)
        self.mark(WEDNESDAY + 15 * MINUTE)
        card = self.card("late")
        self.assertEqual((card.count, card.who), (1, self.sofia.name))
        self.assertTrue(card.since)
        self.assertEqual(self.opened(card).channel_id, channel)

    def test_with_several_people_each_has_a_number(self):
        for n in range(3):
            self.ask(person={"from": f"3460000000{n}", "name": "X"})
        self.mark(WEDNESDAY + 15 * MINUTE)
        card = self.card("late")
        who = f"{self.sofia.name} (2), {self.tomas.name} (1)"
        self.assertEqual((card.count, card.who), (3, who))

    def test_the_window_is_about_to_close(self):
        channel = self.ask()
        for hours, count in ((21.9, 0), (22, 1), (23.9, 1), (24, 0)):
            moment = WEDNESDAY + timedelta(hours=hours)
            with self.subTest(hours=hours):
                self.assertEqual(self.card("closing", moment=moment).count, count)
        moment = WEDNESDAY + timedelta(hours=23)
        card = self.card("closing", moment=moment)
        self.assertEqual(self.opened(card, moment).channel_id, channel)
        self.reply(channel, moment)
        self.assertEqual(self.card("closing", moment=moment).count, 0)

    def test_waiting_and_nobody_has_them(self):
        channel = self.ask()
        self.assertEqual(self.card("unassigned").count, 0)
        channel.lead_id.user_id = False
        card = self.card("unassigned")
        self.assertEqual((card.count, card.who), (1, "WhatsApp"))
        self.assertEqual(self.opened(card).channel_id, channel)

    def test_put_aside_while_the_customer_waits(self):
        channel = self.ask()
        until = WEDNESDAY + timedelta(days=7)
        with at(WEDNESDAY):
            chat = channel.whatsapp_conversation_ids.with_user(self.sofia)
            chat._snooze(until)
        for hours, count in ((23, 0), (25, 1)):
            moment = WEDNESDAY + timedelta(hours=hours)
            with self.subTest(hours=hours):
                self.assertEqual(self.card("snoozed", moment=moment).count, count)
        card = self.card("snoozed", moment=moment)
        self.assertEqual(card.who, self.sofia.name)
        self.assertEqual(self.opened(card, moment).channel_id, channel)
        self.reply(channel, moment)
        self.assertEqual(self.card("snoozed", moment=moment).count, 0)

    def test_messages_that_failed(self):
        channel = self.ask()
        self.reply(channel, WEDNESDAY + MINUTE)
        self.meta.answers = [(400, UNREACHABLE)]
        self.send_due()
        now = WEDNESDAY + MINUTE
        card = self.card("failed", moment=now)
        self.assertEqual(card.count, 1)
        self.assertIn("131026", card.who)
        self.assertEqual(self.opened(card, now).channel_id, channel)
        later = now + timedelta(days=8)
        self.assertEqual(self.card("failed", moment=later).count, 0)

    def test_numbers_that_cannot_send(self):
        self.assertEqual(self.card("paused").count, 0)
        self.gateway.whatsapp_pause_reason = "no token"
        card = self.card("paused")
        self.assertEqual((card.count, card.who), (1, "Sales"))
        self.assertEqual(self.opened(card), self.gateway)

    def test_what_could_not_be_taken_is_for_administrators(self):
        self.ask()
        self.assertFalse(self.card("events"))
        boss = new_test_user(
            self.env,
            login="boss",
            groups="sales_team.group_sale_manager,base.group_system",
        )
        self.events().state = "failed"
        card = self.card("events", user=boss)
        self.assertEqual(card.count, 1)
        self.assertEqual(self.opened(card), self.events())

    def test_everybody_sees_what_they_may(self):
        self.ask()
        self.mark(WEDNESDAY + 15 * MINUTE)
        self.assertEqual(self.card("late", user=self.sofia).count, 1)
        self.assertEqual(self.card("late", user=self.tomas).count, 0)

    def test_it_asks_once_per_card(self):
        self.ask()
        cards = self.env["whatsapp.attention"].with_user(self.leader)
        cards.search([]).mapped("count")
        self.env.invalidate_all()
        for n in range(5):
            self.ask(person={"from": f"3460000000{n}", "name": "X"})
        self.env.flush_all()
        self.env.invalidate_all()
        cards = cards.search([])
        cards.mapped("kind")
        with self.assertQueryCount(25):  # of which seven count
            cards.mapped("count")
