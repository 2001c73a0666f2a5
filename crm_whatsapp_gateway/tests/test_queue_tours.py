# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
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
            "/odoo/whatsapp", "crm_whatsapp_gateway.queue", login=self.owner.login
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
