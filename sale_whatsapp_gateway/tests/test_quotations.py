# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import html2plaintext

from .common import PDF, SaleCase


@tagged("post_install", "-at_install")
class TestQuotations(SaleCase):
    def activities(self):
        return self.order.activity_ids.filtered(lambda one: one.user_id == self.owner)

    def test_the_pdf_leaves_and_the_quotation_is_marked_as_sent(self):
        before = fields.Datetime.now() - timedelta(days=2)
        self.channel.whatsapp_last_customer_date = before
        row = self.send()
        self.assertEqual((row.state, row.template_id), ("sent", self.offer))
        header, body = self.meta.sent[-1]["template"]["components"][:2]
        named = header["parameters"][0]["document"]["filename"]
        self.assertIn(self.order.name, named)
        self.assertEqual(body["parameters"][0]["text"], self.order.name)
        self.assertEqual(self.order.state, "sent")
        self.assertEqual(self.order.opportunity_id, self.lead)
        note = self.order.message_ids.filtered("attachment_ids")
        self.assertEqual(note.attachment_ids.raw, PDF)

    def test_the_quotation_shows_what_became_of_it(self):
        orders = self.env["sale.order"].with_user(self.owner)
        self.assertFalse(self.order.whatsapp_state)
        self.assertIn(self.order, orders.search([("whatsapp_state", "=", False)]))
        row = self.send()
        self.assertEqual(self.order.with_user(self.owner).whatsapp_state, "sent")
        self.status(row, "read")
        self.env.invalidate_all()
        self.assertEqual(self.order.with_user(self.owner).whatsapp_state, "read")
        for domain, found in (
            ([("whatsapp_state", "=", "read")], True),
            ([("whatsapp_state", "in", ["sent", "read"])], True),
            ([("whatsapp_state", "=", "failed")], False),
            ([("whatsapp_state", "=", False)], False),
            ([("whatsapp_state", "!=", False)], True),
            ([("whatsapp_state", "!=", "read")], False),
        ):
            with self.subTest(domain=domain):
                self.assertEqual(self.order in orders.search(domain), found)

    def test_a_text_without_the_pdf_does_not_mark_it(self):
        self.send(kind="text", body="One moment, please", report_id=False)
        self.assertEqual(self.order.state, "draft")

    def test_accept_wakes_the_salesperson_once_and_stands_on_the_quotation(self):
        row = self.send()
        self.press(row, 0, "Acepto")
        [activity] = self.activities()
        self.assertEqual(activity.summary, f"Accepted by WhatsApp: {self.order.name}")
        self.assertIn("Acepto", activity.note)
        answers = [html2plaintext(one.body) for one in self.order.message_ids]
        self.assertEqual(answers.count("Acepto"), 1)
        self.press(row, 0, "Acepto")
        self.assertEqual(len(self.activities()), 1)

    def test_who_left_is_not_woken_but_who_has_the_lead(self):
        row = self.send()
        colleague = (self.users - self.owner)[:1]
        self.order.opportunity_id.user_id = colleague
        self.owner.active = False
        self.press(row, 0, "Acepto")
        self.assertEqual(self.order.activity_ids.user_id, colleague)

    def test_a_button_means_what_it_said_when_it_was_sent(self):
        row = self.send()
        accept, question = self.offer.button_ids
        accept.sequence, question.sequence = 2, 1
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.offer.button_ids[0], question)
        self.press(row, 1, "Una duda")
        self.assertEqual(
            self.activities().summary, f"Answer by WhatsApp to {self.order.name}"
        )

    def test_a_strange_answer_is_a_message_like_others(self):
        row = self.send()
        for payload in (
            *("quotation/99", "quotation/" + "9" * 5000, "other/0", "quotation/-1"),
            *("", None, 7, ["quotation/0"], {"a": 1}),
        ):
            for text in ("Hola", None, 7, {"a": "Acepto"}):
                with self.subTest(payload=payload, text=text):
                    said = len(self.texts(self.channel))
                    self.receive(
                        self.message(
                            "button",
                            {"payload": payload, "text": text},
                            context={"from": "5215500000001", "id": row.wamid},
                        )
                    )
                    self.assertEqual(len(self.texts(self.channel)), said + 1)
        self.assertFalse(
            self.activities().filtered(lambda one: "Accepted" in one.summary)
        )

    def rule(self, **values):
        """Let each change of a quotation send the template."""
        model = self.env.ref("sale.model_sale_order")
        action = {
            "name": "Send",
            "model_id": model.id,
            "state": "whatsapp",
            "whatsapp_gateway_id": self.gateway.id,
            "whatsapp_template_id": self.offer.id,
        }
        self.env["base.automation"].create(
            {
                "name": "Send",
                "model_id": model.id,
                "trigger": "on_create_or_write",
                "action_server_ids": [Command.create({**action, **values})],
            }
        )

    def test_a_rule_that_sends_ends(self):
        self.rule()
        self.order.with_user(self.owner).client_order_ref = "A"
        self.env.flush_all()
        rows = self.env["whatsapp.message.queue"].search([])
        self.assertEqual(len(rows), 1)
        self.assertEqual(self.order.state, "sent")

    def test_a_rule_sends_for_who_does_not_work_with_whatsapp(self):
        seller = new_test_user(
            self.env, "seller", groups="sales_team.group_sale_salesman_all_leads"
        )
        self.rule()
        file = self.env["ir.attachment"].create({"name": "a.pdf", "raw": PDF})
        for source in ({}, {"whatsapp_report_id": False}):
            if source:
                self.offer.write({**source, "whatsapp_file_ids": [(6, 0, file.ids)]})
            with self.subTest(source=source):
                self.order.with_user(seller).client_order_ref = f"A{source}"
                self.env.flush_all()
        rows = self.env["whatsapp.message.queue"].search([])
        self.assertEqual(len(rows), 2)
        self.send_due()
        self.assertEqual(set(rows.mapped("state")), {"sent"})

    def test_a_locked_or_cancelled_quotation_is_answered_all_the_same(self):
        row = self.send()
        self.order.action_confirm()
        self.order.locked = True
        self.press(row, 0, "Acepto")
        self.assertEqual(len(self.activities()), 1)
        self.activities().action_done()
        self.order._action_cancel()
        self.press(row, 0, "Acepto")
        self.assertEqual(len(self.activities()), 1)
        self.assertEqual(self.order.state, "cancel")

    def test_an_answer_that_quotes_another_conversation_is_of_no_quotation(self):
        row = self.send()
        eva = {"from": "5215588887777", "name": "Eva", "bsuid": "MX.77"}
        self.receive(
            self.message(
                "button",
                {"payload": "quotation/0", "text": "Acepto"},
                person=eva,
                context={"from": "5215500000001", "id": row.wamid},
            ),
            person=eva,
        )
        self.assertFalse(self.activities())

    def test_a_question_is_no_acceptance(self):
        row = self.send()
        self.press(row, 1, "Una duda")
        self.assertEqual(
            self.activities().summary, f"Answer by WhatsApp to {self.order.name}"
        )
        self.assertEqual(self.order.state, "sent")

    def test_a_typed_answer_asks_for_nothing_more(self):
        row = self.send()
        self.receive(self.message(content="Acepto", context={"id": row.wamid}))
        self.assertFalse(self.activities())
        self.assertIn("Acepto", self.order.message_ids[:1].body)

    def test_a_button_of_a_deleted_quotation_is_a_message_like_others(self):
        row = self.send()
        self.order.state = "cancel"
        self.order.unlink()
        self.press(row, 0, "Acepto")
        self.assertIn("Acepto", self.texts(self.channel)[-1])

    def test_another_lead_of_the_customer_s_is_not_taken(self):
        other = self.env["crm.lead"].create({"name": "Other", "type": "opportunity"})
        self.order.opportunity_id = other
        self.send()
        self.assertEqual(self.order.opportunity_id, other)
        self.assertEqual(self.channel.lead_id, self.lead)

    def test_a_new_conversation_belongs_to_the_lead_of_the_quotation(self):
        other = self.env["crm.lead"].create(
            {"name": "Other", "type": "opportunity", "user_id": self.owner.id}
        )
        bob = self.env["res.partner"].create({"name": "Bob", "phone": "+34612345678"})
        self.order.write({"opportunity_id": other.id, "partner_id": bob.id})
        self.send()
        self.assertEqual(other.whatsapp_channel_ids.whatsapp_phone, "+34612345678")

    def test_who_may_not_read_the_quotation_cannot_send_it(self):
        colleague = (self.users - self.owner)[:1]
        portal = new_test_user(self.env, "p", groups="base.group_portal")
        for user in (colleague, portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.order.with_user(user).action_whatsapp_send()

    def test_the_link_to_the_portal_opens_the_quotation(self):
        path = self.order.whatsapp_portal_path
        self.assertTrue(path.startswith(f"my/orders/{self.order.id}?access_token="))
