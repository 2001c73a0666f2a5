# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged

from .common import BROWSER, WhatsappCase

EVA = {"from": "5215587654321", "name": "Eva Gil"}


@tagged(BROWSER)
class ToursCase(WhatsappCase, HttpCase):
    notified_by = "email"  # as most people are

    def setUp(self):
        super().setUp()
        self.channel = self.receive(self.message(content="How much is it?"))
        self.owner = self.channel.lead_id.user_id
        self.owner.password = "sofia-in-the-browser"

    def from_eva(self):
        """Receive an older message of somebody else, for the same salesperson."""
        message = self.message(
            content="Are you open?", person=EVA, timestamp=str(self.now - 60)
        )
        channel = self.receive(message, person=EVA)
        channel.lead_id.user_id = self.owner
        return channel

    def offer(self):
        """Have three templates, one not in the customer's language."""
        self.env["res.lang"]._activate_lang("es_MX")
        self.channel.lead_id.lang_id = self.env["res.lang"]._lang_get("es_MX")
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=25
        )
        self.template("Hi", name="Order ready", language="en_US")
        self.template("Hola {{1}}", name="Order ready")
        self.template("Hola {{1}}, tu cotización {{2}} sigue.", name="Follow up")

    def sent_values(self):
        row = self.env["whatsapp.message.queue"].search([], limit=1)
        [body] = row.payload["template"]["components"]
        return [one["text"] for one in body["parameters"]]


class TestTours(ToursCase):
    """The web client as a plain salesperson sees it, in a real browser."""

    def test_the_inbox_is_filtered_and_opens_chat_form_and_lead(self):
        self.answer(self.from_eva(), "Until 8")
        self.start_tour("/odoo", "crm_whatsapp_gateway.inbox", login=self.owner.login)

    def test_one_conversation_after_the_other_is_answered(self):
        eva = self.from_eva()
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.inbox_answer",
            login=self.owner.login,
        )
        self.env.invalidate_all()
        self.assertEqual(
            self.channel.whatsapp_conversation_ids.last_text, "It is 5 euros"
        )
        self.assertEqual(self.channel.whatsapp_conversation_ids.state, "answered")
        self.assertEqual(eva.whatsapp_conversation_ids.state, "snoozed")
        self.assertEqual(eva.with_user(self.owner).whatsapp_conversation_ids.unread, 0)

    def test_the_keyboard_turns_the_page(self):
        self.from_eva()
        self.env.ref("crm_whatsapp_gateway.action_whatsapp_inbox").limit = 1
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.inbox_pages",
            login=self.owner.login,
        )

    def test_the_chat_opens_over_the_pipeline(self):
        self.start_tour(
            "/odoo/action-crm.crm_lead_action_pipeline",
            "crm_whatsapp_gateway.pipeline",
            login=self.owner.login,
        )

    def test_the_inbox_is_grouped_with_the_chat_beside(self):
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.inbox_groups",
            login=self.owner.login,
        )

    def test_an_empty_inbox_teaches(self):
        newcomer = new_test_user(
            self.env, login="newcomer", groups="sales_team.group_sale_salesman"
        )
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.inbox_empty",
            login=newcomer.login,
        )

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

    def test_a_template_is_found_filled_and_sent(self):
        self.offer()
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.template_choice",
            login=self.owner.login,
        )
        self.assertEqual(self.sent_values(), ["Ana", "S00042"])

    def test_three_keys_send_what_was_sent_last(self):
        self.offer()
        usual = self.template("Hola {{1}}, ¿seguimos?", name="Usual")
        usual.with_user(self.owner)._whatsapp_send(
            self.channel, {variable: "Eva" for variable in usual._whatsapp_variables()}
        )
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.template_keys",
            login=self.owner.login,
        )
        self.assertEqual(self.sent_values(), ["Ana"])

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


class TestPhone(ToursCase):
    """The same on a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_a_template_is_found_filled_and_sent(self):
        self.offer()
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            "crm_whatsapp_gateway.template_phone",
            login=self.owner.login,
        )
        self.assertEqual(self.sent_values(), ["Ana", "S00042"])

    def test_the_chat_has_the_whole_screen_and_goes_back(self):
        self.from_eva()
        self.start_tour(
            "/odoo/whatsapp",
            "crm_whatsapp_gateway.inbox_phone",
            login=self.owner.login,
        )
