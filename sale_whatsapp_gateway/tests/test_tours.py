# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged

from odoo.addons.crm_whatsapp_gateway.tests.common import BROWSER

from .common import SaleCase


@tagged(BROWSER, "post_install", "-at_install")
class TestTours(SaleCase, HttpCase):
    """A quotation leaves and is accepted, as a plain salesperson sees it."""

    def tour(self, name):
        address = f"/odoo/action-sale.action_quotations_with_onboarding/{self.order.id}"
        self.start_tour(address, name, login=self.owner.login)

    def test_from_a_won_chat_to_an_accepted_quotation(self):
        self.owner.password = "sofia-in-the-browser"
        self.lead.action_set_won()
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            days=2
        )
        self.order.opportunity_id = self.lead
        self.tour("sale_whatsapp_gateway.send")
        self.send_due()
        row = self.env["whatsapp.message.queue"].search(
            [("channel_id", "=", self.channel.id)]
        )
        self.assertEqual((row.state, row.template_id), ("sent", self.offer))
        self.press(row, 0, "Acepto")
        self.tour("sale_whatsapp_gateway.answered")
