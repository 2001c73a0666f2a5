# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Events that are applied together do what they would have done one by one."""

from unittest.mock import patch

from odoo import Command
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import in_transaction
from odoo.addons.mail_gateway_whatsapp_queue.tools.identity import Identity

from .common import ANA, SECRET, WhatsappCase

EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
RULES = "odoo.addons.mail_gateway_whatsapp_queue.models.base_automation"
BOB = {"from": "5215587654321", "bsuid": "MX.2222", "name": "Bob"}
EVA = {"from": "34612345678", "bsuid": "ES.3333", "name": "Eva"}


class BatchCase(WhatsappCase):
    def deliver(self, *people, **more):
        """Let people write, each once, in this order; nothing is worked on yet."""
        for number, person in enumerate(people):
            message = self.message(content=f"Message {number}", person=person)
            self.post(self.delivery(message, person=person, **more))

    def change(self, person, **system):
        """Let Meta tell of a new number or user id; it is not worked on yet."""
        system = {"type": "user_changed_number", **system}
        message = self.message("system", system, person=person)
        self.post(self.delivery(message, person=person))

    def channel_of(self, token, gateway=None):
        return self.env["discuss.channel"].search(
            [
                ("gateway_channel_token", "=", token),
                ("gateway_id", "=", (gateway or self.gateway).id),
            ]
        )

    def drain_at_once(self):
        """Work on all of it, without a second attempt."""
        with self.assertNoLogs(EVENTS, "INFO"):
            self.drain()
        self.assertEqual(set(self.events().mapped("state")), {"done"})

    def rule(self, code, model="crm.lead", trigger="on_create", **values):
        """Make an automation rule of the customer's."""
        model = self.env["ir.model"]._get(model)
        action = self.env["ir.actions.server"].create(
            {"name": "R", "model_id": model.id, "state": "code", "code": code}
        )
        return self.env["base.automation"].create(
            {
                "name": "R",
                "model_id": model.id,
                "trigger": trigger,
                "action_server_ids": [Command.set(action.ids)],
                **values,
            }
        )


class TestPeople(BatchCase):
    def test_a_number_that_somebody_else_has_next(self):
        moved = {**ANA, "from": EVA["from"]}
        taker = {**BOB, "from": ANA["from"]}
        self.deliver(ANA, moved, taker)
        self.drain_at_once()
        self.assertEqual(
            self.texts(self.channel_of(EVA["from"])), ["Message 0", "Message 1"]
        )
        self.assertEqual(self.texts(self.channel_of(ANA["from"])), ["Message 2"])

    def test_a_token_that_was_given_back_is_free(self):
        self.deliver(ANA, BOB)
        self.drain_at_once()
        ana, bob = (self.channel_of(one["from"]).id for one in (ANA, BOB))

        def work(env):
            channels = env["discuss.channel"]
            moved = Identity(phone=EVA["from"], bsuid=BOB["bsuid"])
            channels.browse(bob)._whatsapp_learn_identity(moved)
            moved = Identity(phone=BOB["from"], bsuid=ANA["bsuid"])
            channels.browse(ana)._whatsapp_learn_identity(moved)
            channels.create(
                {
                    "name": "Eva",
                    "channel_type": "gateway",
                    "gateway_id": self.gateway.id,
                    "gateway_channel_token": ANA["from"],
                }
            )

        in_transaction(self.registry, work)

    def test_two_numbers_change_hands_at_once(self):
        self.deliver(ANA, BOB)
        self.drain_at_once()
        ana, bob = self.channel_of(ANA["from"]), self.channel_of(BOB["from"])
        self.change(BOB, wa_id=EVA["from"])
        self.change(ANA, wa_id=BOB["from"])
        self.drain_at_once()
        self.assertEqual(ana.gateway_channel_token, BOB["from"])
        self.assertEqual(bob.gateway_channel_token, EVA["from"])

    def test_both_spellings_of_argentina_are_one_person(self):
        for spelling in ("5491122334455", "541122334455"):
            self.deliver({"from": spelling, "name": "A"})
        self.drain_at_once()
        self.assertFalse(self.events(kind="merge"))
        self.assertEqual(len(self.leads()), 1)

    def test_a_new_number_counts_at_all_numbers_of_ours(self):
        support = self.gateway.copy(
            {
                "name": "Support",
                "token": "other",
                "webhook_key": "other-key",
                "webhook_secret": SECRET,
                "integrated_webhook_state": "integrated",
                "whatsapp_from_phone": "10002",
            }
        )
        partner = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+52 55 1234 5678"}
        )
        self.deliver(ANA)
        self.drain_at_once()
        self.change(ANA, wa_id=EVA["from"])
        stranger = {"from": ANA["from"], "name": "Stranger"}
        message = self.message(content="Hi", person=stranger)
        body = self.delivery(message, person=stranger, number="10002")
        self.assertEqual(self.post(body, key="other-key").status_code, 200)
        self.drain_at_once()
        channel = self.channel_of(ANA["from"], support)
        self.assertEqual(self.texts(channel), ["Hi"])
        self.assertIn("612", partner.phone)
        self.assertNotIn(partner, channel.message_ids.author_id)

    def test_a_merge_leaves_to_others_what_is_theirs_by_now(self):
        hidden = {"bsuid": ANA["bsuid"], "name": "Ana"}
        self.deliver(hidden, {"from": ANA["from"], "name": "Ana"})
        self.drain_at_once()
        first, second = self.leads().whatsapp_channel_ids.sorted("id")
        first._whatsapp_merge_later(second, self.person(ANA), "both_names")
        # before it is done, somebody else has the number
        second.write({"gateway_channel_token": EVA["from"], "whatsapp_phone": False})
        taker = {**BOB, "from": ANA["from"]}
        self.deliver(taker)
        self.drain_at_once()
        self.assertFalse(second.exists())
        self.assertEqual(first.gateway_channel_token, EVA["from"])
        self.assertEqual(self.texts(first), ["Message 0", "Message 1"])
        self.assertEqual(self.texts(self.channel_of(ANA["from"])), ["Message 0"])

    def test_a_merge_keeps_the_name_of_the_author(self):
        hidden = {"bsuid": ANA["bsuid"]}
        both = {"from": ANA["from"], "bsuid": ANA["bsuid"]}
        self.deliver(hidden, {"from": ANA["from"], "name": "Ana"}, both)
        self.drain_at_once()
        channel = self.channel_of(ANA["from"])
        self.assertEqual(channel.name, "Ana")
        self.assertEqual(len(self.texts(channel)), 3)
        self.assertEqual(channel.message_ids.author_guest_id.name, "Ana")

    def person(self, person):
        return Identity(phone=person["from"], bsuid=person["bsuid"])

    def test_persons_who_share_an_event_are_one(self):
        runs = self.registry["whatsapp.webhook.event"]._runs(
            [("b", 1), ("d", 2), ("both", 1), ("both", 3), ("a", 3), ("a", 4)]
        )
        self.assertEqual(sorted(runs), [[1, 3, 4], [2]])


class TestRules(BatchCase):
    def test_a_contact_that_a_rule_deletes(self):
        self.env["res.partner"].create({"name": "P", "phone": "+52 55 1234 5678"})
        self.rule(
            "env['res.partner'].search([('phone', 'like', '1234 5678')]).unlink()"
        )
        self.deliver(ANA, ANA, BOB)
        self.drain_at_once()
        channel = self.channel_of(ANA["from"])
        self.assertEqual(self.texts(channel), ["Message 0", "Message 1"])
        self.assertFalse(self.env["res.partner.gateway.channel"].search([]))

    def test_a_lead_that_a_rule_deletes(self):
        self.rule("records.unlink()")
        self.deliver(ANA, ANA, BOB)
        self.drain()
        for person in (ANA, BOB):
            self.assertTrue(self.texts(self.channel_of(person["from"])))
        # the lead is tried again
        messages = self.events(kind="message")
        self.assertEqual(set(messages.mapped("state")), {"done"})

    def test_a_salesperson_whom_a_rule_takes_out_gets_no_more(self):
        self.rule(
            "env['hr.employee'].search([('user_id', '=', records.user_id.id)])"
            ".write({'whatsapp_agent': False})"
        )
        self.deliver(ANA, BOB, EVA)
        self.drain()
        users = [self.channel_of(one["from"]).lead_id.user_id for one in (ANA, BOB)]
        self.assertEqual(set(users), set(self.users))
        self.assertFalse(self.channel_of(EVA["from"]).lead_id.user_id)

    def test_a_rule_that_a_rule_archives_runs_no_more(self):
        self.rule("raise UserError('Never mind')").active = False
        noisy = self.rule("records.write({'description': 'Ran'})")
        self.rule(
            f"env['base.automation'].browse({noisy.id}).write({{'active': False}})"
        )
        self.deliver(ANA, BOB)
        self.drain_at_once()
        self.assertFalse(noisy.active)

    def test_what_an_isolated_rule_undid_is_not_known(self):
        self.rule(
            "partner = env['res.partner'].create("
            "{'name': 'Gone', 'phone': records.phone})\n"
            "env['res.partner'].search([('id', '=', partner.id)]).exists()\n"
            "raise UserError('Never mind')"
        )
        self.deliver(ANA, BOB, ANA)
        with mute_logger(RULES):
            self.drain()
        self.assertEqual(set(self.events().mapped("state")), {"done"})
        self.assertEqual(
            self.texts(self.channel_of(ANA["from"])), ["Message 0", "Message 2"]
        )
        self.assertEqual(len(self.leads()), 2)
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Gone")]))


class TestMemory(BatchCase):
    def test_what_goes_with_another_is_forgotten(self):
        def work(env):
            partner = env["res.partner"].create({"name": "P"})
            links = env["res.partner.gateway.channel"]
            links.create(
                {
                    "partner_id": partner.id,
                    "gateway_id": self.gateway.id,
                    "gateway_token": ANA["from"],
                }
            )
            gateway = env["mail.gateway"].browse(self.gateway.id)
            self.assertTrue(links._whatsapp_link_of(gateway, [ANA["from"]]))
            partner.unlink()
            self.assertFalse(links._whatsapp_link_of(gateway, [ANA["from"]]))

        in_transaction(self.registry, work)

    def test_what_was_not_written_is_found_as_before(self):
        def work(env):
            guests = env["mail.guest"]
            guest = guests.create({"name": "G", "gateway_token": "one"})
            self.assertEqual(guests._whatsapp_find_by(gateway_token=["one"]), guest)
            with self.assertRaises(ValueError):
                guest.write({"gateway_token": "two", "no_such_field": 1})
            self.assertEqual(guests._whatsapp_find_by(gateway_token=["one"]), guest)

        in_transaction(self.registry, work)


class TestFollowers(BatchCase):
    def test_a_salesperson_who_follows_no_more_follows_with_a_new_call(self):
        self.deliver(ANA)
        self.drain_at_once()
        channel = self.channel_of(ANA["from"])
        lead, seller = channel.lead_id, channel.lead_id.user_id.partner_id
        self.assertIn(seller, lead.message_partner_ids)
        lead.message_unsubscribe(seller.ids)
        lead.activity_ids.unlink()
        self.env.flush_all()

        def work(env):
            env["discuss.channel"].browse(channel.id)._create_immediate_call_activity()

        in_transaction(self.registry, work)
        self.env.invalidate_all()
        self.assertTrue(lead.activity_ids)
        self.assertIn(seller, lead.message_partner_ids)

    def test_strangers_of_one_batch_reach_the_phones_of_their_salespeople(self):
        self.env["mail.push.device"].create(
            [
                {"partner_id": partner.id, "endpoint": f"/{partner.id}", "keys": "{}"}
                for partner in self.users.partner_id
            ]
        )
        pushed = []

        def push(channel, message, recipients, *args, **kwargs):
            pushed.extend(one["id"] for one in recipients)

        channels = self.registry["discuss.channel"]
        self.deliver(ANA, BOB)
        with patch.object(channels, "_notify_thread_by_web_push", push):
            self.drain_at_once()
        self.assertEqual(sorted(pushed), sorted(self.users.partner_id.ids))

    def test_members_are_searched_as_odoo_says(self):
        self.deliver(ANA)
        self.drain_at_once()
        channel = self.channel_of(ANA["from"])
        members = self.env["discuss.channel.member"]
        found = members.search_fetch([("channel_id", "=", channel.id)], ["id"], 0, 1)
        self.assertEqual(len(found), 1)
