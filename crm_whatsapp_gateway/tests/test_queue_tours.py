# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import BROWSER
from .test_tours import ToursCase

CUSTOMERS = 20


@tagged(BROWSER)
class TestQueueTours(ToursCase):
    """A salesperson's customers, one after the other, by keyboard."""

    def customers(self, number):
        """Receive a message of each of so many customers; the first waits longest.

        :return: their conversations, in this order
        """
        channels = self.env["discuss.channel"]
        for place in range(number):
            person = {"from": f"52155870000{place:02}", "name": f"Customer {place:02}"}
            message = self.message(
                content=f"Question {place:02}",
                person=person,
                timestamp=str(self.now - 60 * (number - place)),
            )
            channel = self.receive(message, person=person)
            channel.lead_id.user_id = self.owner
            channels |= channel
        return channels

    def test_twenty_customers_are_answered_by_keyboard_each_once_in_order(self):
        channels = self.customers(CUSTOMERS) | self.channel
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.queue",
            login=self.owner.login,
            timeout=600,
        )
        self.env.invalidate_all()
        answers = self.env["mail.message"].search(
            [
                ("model", "=", "discuss.channel"),
                ("res_id", "in", channels.ids),
                ("author_id", "=", self.owner.partner_id.id),
                ("message_type", "=", "comment"),
            ],
            order="id",
        )
        self.assertEqual(answers.mapped("res_id"), channels.ids[:CUSTOMERS])
        for place, answer in enumerate(answers):
            self.assertIn(f"Answer {place:02}", answer.body)

    def test_from_anywhere_to_the_first_customer_with_two_clicks(self):
        self.customers(2)
        self.start_tour(
            "/odoo", "crm_whatsapp_gateway.queue_begin", login=self.owner.login
        )

    def test_letters_into_a_closed_window_do_nothing(self):
        channel = self.customers(2)[0]
        channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(days=2)
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.queue_letters",
            login=self.owner.login,
        )
        self.env.invalidate_all()
        self.assertEqual(channel.whatsapp_conversation_ids.state, "open")

    def test_close_snooze_and_hand_over_by_keys_while_writing(self):
        first, second, __ = self.customers(3)
        self.start_tour(
            "/odoo/whatsapp", "crm_whatsapp_gateway.queue_keys", login=self.owner.login
        )
        self.env.invalidate_all()
        self.assertEqual(self.responsible(first), self.users - self.owner)
        self.assertEqual(second.whatsapp_conversation_ids.state, "closed")

    def test_the_order_of_the_inbox_is_chosen_and_kept(self):
        self.customers(2)
        self.start_tour(
            "/odoo/whatsapp", "crm_whatsapp_gateway.queue_order", login=self.owner.login
        )
        self.assertEqual(
            self.owner.res_users_settings_id.whatsapp_inbox_order, "newest"
        )

    def test_drafts_are_marked_until_they_are_sent(self):
        self.customers(2)
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.queue_drafts",
            login=self.owner.login,
        )

    def test_a_conversation_has_an_address(self):
        second = self.customers(2)[1]
        self.start_tour(
            f"/odoo/whatsapp?conversation={second.id}",
            "crm_whatsapp_gateway.queue_address",
            login=self.owner.login,
        )

    def test_the_address_of_a_colleague_s_conversation_is_refused_in_words(self):
        self.customers(1)
        colleague = self.users - self.owner
        self.channel.lead_id.user_id = colleague
        self.channel._whatsapp_remove_members(self.owner)
        self.start_tour(
            f"/odoo/whatsapp?conversation={self.channel.id}",
            "crm_whatsapp_gateway.queue_refused",
            login=self.owner.login,
        )
