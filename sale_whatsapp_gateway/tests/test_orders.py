# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import datetime

from odoo.tests import new_test_user, tagged

from odoo.addons.crm_whatsapp_gateway.tests.common import WhatsappCase


@tagged("post_install", "-at_install")
class TestOrders(WhatsappCase):
    """The panel beside the chat shows what the customer ordered last."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Where is my sofa?"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.partner = self.env["res.partner"].create({"name": "Ana Pérez"})
        self.lead.partner_id = self.partner
        self.product = self.env["product.product"].create({"name": "Sofa"})

    def order(self, day=1, **values):
        return self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "user_id": self.owner.id,
                "date_order": datetime(2026, 11, day, 12),
                "order_line": [
                    (0, 0, {"product_id": self.product.id, "price_unit": 100 * day})
                ],
                **values,
            }
        )

    def shown(self, user=None):
        panel = self.channel.with_user(user or self.owner).whatsapp_panel()
        return panel["lead"]["orders"]

    def names(self, *args):
        return [order["name"] for order in self.shown(*args)]

    def test_without_one_it_shows_none(self):
        self.assertEqual(self.shown(), [])

    def test_the_last_three_the_newest_first(self):
        orders = [self.order(day) for day in (3, 1, 4, 2)]
        self.assertEqual(self.names(), [orders[2].name, orders[0].name, orders[3].name])

    def test_number_date_amount_and_state(self):
        order = self.order(5)
        [shown] = self.shown()
        self.assertEqual((shown["id"], shown["name"]), (order.id, order.name))
        self.assertEqual(shown["date"], "2026-11-05")
        self.assertEqual(shown["amount"], order.amount_total)
        self.assertEqual(shown["currency"], order.currency_id.id)
        self.assertEqual((shown["state"], shown["is_order"]), ("Quotation", False))
        order.action_confirm()
        [shown] = self.shown()
        self.assertEqual((shown["state"], shown["is_order"]), ("Sales Order", True))

    def test_those_of_the_lead_and_of_the_customer_s_company(self):
        other = self.env["res.partner"].create({"name": "Somebody else"})
        of_lead = self.order(1, partner_id=other.id, opportunity_id=self.lead.id)
        company = self.env["res.partner"].create({"name": "ACME", "is_company": True})
        self.partner.parent_id = company
        of_company = self.order(2, partner_id=company.id)
        self.order(3, partner_id=other.id)
        self.assertEqual(self.names(), [of_company.name, of_lead.name])

    def test_of_a_lead_without_a_contact_the_own_ones(self):
        self.lead.partner_id = False
        self.order(1)
        own = self.order(2, opportunity_id=self.lead.id)
        self.assertEqual(self.names(), [own.name])

    def test_what_one_may_not_read_is_not_shown(self):
        colleague = self.users - self.owner
        mine = self.order(1)
        self.order(2, user_id=colleague.id)
        self.assertEqual(self.names(), [mine.name])

    def test_a_manager_sees_them_all(self):
        manager = new_test_user(
            self.env, "manager", groups="sales_team.group_sale_salesman_all_leads"
        )
        self.order(1)
        self.order(2, user_id=(self.users - self.owner).id)
        self.assertEqual(len(self.names(manager)), 2)

    def test_a_quotation_can_be_made_of_the_lead(self):
        panel = self.channel.with_user(self.owner).whatsapp_panel()
        self.assertTrue(panel["lead"]["can_quote"])
