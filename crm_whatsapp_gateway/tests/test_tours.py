# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields

from .common import WhatsappCase


class TestTours(WhatsappCase):
    """The web client as a plain salesperson sees it, in a real browser."""

    def setUp(self):
        super().setUp()
        self.channel = self.receive(self.message(content="How much is it?"))
        self.owner = self.channel.lead_id.user_id
        self.owner.password = "sofia-in-the-browser"

    def test_inbox_chat_lead_and_back(self):
        self.answer(self.channel, "It is 5 euros")
        self.start_tour("/odoo", "crm_whatsapp_gateway.inbox", login=self.owner.login)

    def test_discuss_shows_the_conversation(self):
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.discuss",
            login=self.owner.login,
        )

    def test_a_contact_card_is_saved_from_the_chat(self):
        card = {
            "name": {"formatted_name": "Eva Gil"},
            "phones": [{"phone": "+34 612 345 678"}],
        }
        self.receive(self.message("contacts", [card]))
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.contact",
            login=self.owner.login,
        )
        contact = self.env["res.partner"].search([("name", "=", "Eva Gil")])
        self.assertEqual(contact.phone_sanitized, "+34612345678")

    def test_the_lead_tells_all_of_its_conversation(self):
        lead = self.channel.lead_id
        self.env["crm.lead"].create(
            {"name": "Older", "phone": lead.phone, "user_id": self.owner.id}
        )
        self.start_tour(
            f"/odoo/crm.lead/{lead.id}",
            "crm_whatsapp_gateway.lead",
            login=self.owner.login,
        )

    def test_the_own_switch_is_moved_in_the_list_of_salespeople(self):
        self.start_tour(
            "/odoo/whatsapp-salespeople",
            "crm_whatsapp_gateway.salespeople",
            login=self.owner.login,
        )
        self.env.invalidate_all()
        self.assertEqual(self.employees.mapped("whatsapp_agent"), [False, True])

    def test_outside_of_the_window_a_template_is_sent_from_the_chat(self):
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=25
        )
        template = self.template("Hello {{1}}")
        template.variable_ids.field_name = "contact_name"
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.template",
            login=self.owner.login,
        )
        rows = self.env["whatsapp.message.queue"].search([])
        self.assertEqual(rows.payload["template"]["name"], "greeting")

    def test_a_failed_message_is_edited_and_sent_again_from_the_chat(self):
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel, "Hello Ana")
        self.send_due()
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.failed",
            login=self.owner.login,
        )
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertEqual(self.meta.sent[-1]["text"]["body"], "Hello again")
