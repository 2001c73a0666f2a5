# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged

from .common import BROWSER, WhatsappCase


@tagged(BROWSER)
class TestReportTours(WhatsappCase, HttpCase):
    """What a leader looks at, in a real browser."""

    notified_by = "email"  # as most people are

    def setUp(self):
        super().setUp()
        self.leader = new_test_user(
            self.env, login="leader", groups="sales_team.group_sale_salesman_all_leads"
        )
        self.leader.password = "leader-in-the-browser"
        self.channel = self.receive(self.message(content="How much is it?"))

    def test_what_needs_attention_is_opened_by_its_card(self):
        self.channel.whatsapp_conversation_ids.write(
            {
                "answer_due": fields.Datetime.now() - timedelta(minutes=1),
                "late": True,
            }
        )
        self.start_tour(
            "/odoo/whatsapp-attention",
            "crm_whatsapp_gateway.attention",
            login=self.leader.login,
        )

    def test_while_a_customer_waits_late_answers_are_not_in_order(self):
        self.start_tour(
            "/odoo/whatsapp-attention",
            "crm_whatsapp_gateway.nobody_is_late",
            login=self.leader.login,
        )

    def test_who_waits_is_opened_by_salesperson(self):
        self.start_tour(
            "/odoo/whatsapp-waiting",
            "crm_whatsapp_gateway.waiting",
            login=self.leader.login,
        )

    def test_the_report_as_pivot_graph_and_list(self):
        self.answer(self.channel, "It is 5 euros")
        self.send_due()
        self.start_tour(
            "/odoo/whatsapp-report",
            "crm_whatsapp_gateway.report",
            login=self.leader.login,
        )
