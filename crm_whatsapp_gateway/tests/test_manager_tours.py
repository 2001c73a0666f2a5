# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.tests import tagged

from .common import BROWSER
from .test_tours import ToursCase


@tagged(BROWSER)
class TestManagerTours(ToursCase):
    """Order among many conversations, as a plain salesperson makes it in a browser."""

    def setUp(self):
        super().setUp()
        self.eva = self.from_eva()

    def test_what_was_chosen_in_the_list_is_handed_over(self):
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.hand_over_many",
            login=self.owner.login,
        )
        self.env.invalidate_all()
        both = self.channel | self.eva
        self.assertEqual(both.whatsapp_user_id, self.users - self.owner)

    def test_a_label_is_made_found_and_removed(self):
        self.start_tour(
            "/odoo/whatsapp", "crm_whatsapp_gateway.labels", login=self.owner.login
        )
        self.assertTrue(
            self.env["whatsapp.conversation.tag"].search([("name", "=", "Guarantee")])
        )
        self.assertFalse(self.channel.whatsapp_conversation_ids.tag_ids)
