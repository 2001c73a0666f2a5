# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields

from .common import WhatsappCase

DAY = 24 * 60


class TestOrder(WhatsappCase):
    """Who comes first in the inbox, for each user."""

    def set_scene(self):
        super().set_scene()
        # minutes since the customer wrote
        self.closed = self.waiting("Closed", DAY + 60)
        self.closing = self.waiting("Closing", DAY - 60)
        self.new = self.waiting("New", 5)
        self.answered = self.waiting("Answered", DAY - 30)
        self.answer(self.answered)
        self.env.flush_all()

    def waiting(self, name, minutes):
        """Return the channel of a customer who wrote so many minutes ago."""
        person = {"from": f"52155111{minutes:05}", "name": name}
        message = self.message(
            content="Hello", person=person, timestamp=str(self.now - 60 * minutes)
        )
        channel = self.receive(message, person=person)
        channel.lead_id.user_id = self.sofia
        return channel

    def listed(self, user):
        """Return the names of the customers as the inbox of a user lists them."""
        conversations = self.env["whatsapp.conversation"].with_user(user)
        channels = self.closed | self.closing | self.new | self.answered
        return conversations.search(
            [("channel_id", "in", channels.ids)], order="inbox_order"
        ).mapped("name")

    def choose(self, user, order):
        """Choose an order as the inbox does."""
        settings = user.res_users_settings_id.with_user(user)
        settings.set_res_users_settings({"whatsapp_inbox_order": order})

    def test_who_waits_longest_is_first_for_whoever_chose_nothing(self):
        self.assertEqual(
            self.listed(self.sofia), ["Closed", "Closing", "New", "Answered"]
        )

    def test_the_window_that_closes_next_is_first(self):
        self.choose(self.sofia, "closing")
        self.assertEqual(
            self.listed(self.sofia), ["Closing", "New", "Closed", "Answered"]
        )

    def test_a_window_that_meta_closed_is_not_closing(self):
        self.closing.whatsapp_window_closed_at = fields.Datetime.now() - timedelta(
            minutes=10
        )
        self.choose(self.sofia, "closing")
        self.assertEqual(
            self.listed(self.sofia), ["New", "Closed", "Closing", "Answered"]
        )

    def test_the_newest_message_is_first(self):
        self.choose(self.sofia, "newest")
        self.assertEqual(
            self.listed(self.sofia), ["Answered", "New", "Closing", "Closed"]
        )

    def test_each_user_has_an_own_order(self):
        self.choose(self.sofia, "newest")
        manager = self.env.ref("base.user_admin")
        self.assertEqual(self.listed(manager)[0], "Closed")
