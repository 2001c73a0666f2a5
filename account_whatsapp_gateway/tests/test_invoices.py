# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import format_date
from odoo.tools.safe_eval import safe_eval

from odoo.addons.crm_whatsapp_gateway.tests.common import ANA, WhatsappCase
from odoo.addons.mail_gateway_whatsapp_queue import compat

PDF = b"%PDF-1.7 an invoice"


@tagged("post_install", "-at_install")
class TestInvoices(WhatsappCase):
    """A customer who wrote, a posted invoice, and a template for it."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="The invoice, please"))
        self.owner = self.channel.lead_id.user_id
        accountants = self.env.ref("account.group_account_invoice")
        self.owner[compat.GROUPS] = [Command.link(accountants.id)]
        company = self.env.company
        if not company.chart_template:
            charts = self.env["account.chart.template"]
            charts.try_loading("generic_coa", company, install_demo=False)
        self.partner = self.env["res.partner"].create(
            {"name": "Ana Pérez", "phone": "+" + ANA["from"]}
        )
        self.invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner.id,
                "invoice_user_id": self.owner.id,
                "invoice_line_ids": [
                    Command.create({"name": "Sofa", "price_unit": 100, "tax_ids": []})
                ],
            }
        )
        self.due = self.template(
            "Invoice {{1}} over {{2}} is due on {{3}}",
            name="Invoice",
            template_name="invoice",
            model_id=self.env.ref("account.model_account_move").id,
            whatsapp_header="document",
            whatsapp_report_id=self.env.ref("account.account_invoices").id,
        )
        names = ("name", "amount_total", "invoice_date_due")
        variables = self.due.variable_ids.sorted("name")
        for variable, name in zip(variables, names, strict=True):
            variable.field_name = name

    def setUp(self):
        super().setUp()
        self.print_as(PDF)

    def dialog(self, user=None):
        moves = self.invoice.with_user(user or self.owner)
        action = moves.action_whatsapp_send()
        dialogs = self.env[action["res_model"]].with_user(user or self.owner)
        return dialogs.browse(action["res_id"])

    def send(self):
        dialog = self.dialog()
        dialog.write({"kind": "template", "template_id": self.due.id})
        dialog.action_send()
        self.send_due()
        return self.meta.sent[-1]

    def test_the_pdf_with_amount_and_due_date_leaves_and_it_is_marked_as_sent(self):
        self.invoice.action_post()
        sent = self.send()["template"]["components"]
        texts = [parameter["text"] for parameter in sent[1]["parameters"]]
        self.assertEqual(texts[0], self.invoice.name)
        self.assertIn("100", texts[1])
        due = format_date(self.env, self.invoice.invoice_date_due, lang_code="es_MX")
        self.assertEqual(texts[2], due)
        self.assertTrue(self.invoice.is_move_sent)
        self.assertEqual(self.invoice.with_user(self.owner).whatsapp_state, "sent")

    def test_the_invoice_that_was_made_is_the_one_that_is_sent(self):
        self.invoice.action_post()
        legal = self.env["ir.attachment"].create(
            {
                "name": "legal.pdf",
                "raw": b"%PDF-1.7 legal",
                "res_model": "account.move",
                "res_id": self.invoice.id,
                "res_field": "invoice_pdf_report_file",
            }
        )
        self.env.invalidate_all()
        self.assertEqual(self.invoice.invoice_pdf_report_id, legal)
        self.send()
        row = self.env["whatsapp.message.queue"].search([], limit=1)
        self.assertEqual(row.attachment_id.raw, b"%PDF-1.7 legal")

    def test_the_printed_invoice_goes_with_a_free_text(self):
        self.invoice.action_post()
        dialog = self.dialog()
        self.assertEqual(dialog.kind, "text")
        self.assertEqual(
            dialog.report_id.report, self.env.ref("account.account_invoices")
        )

    def test_a_draft_is_not_sent(self):
        dialog = self.dialog()
        self.assertIn("not posted", dialog.refusal)
        dialog.write({"kind": "text", "body": "Here it is"})
        with self.assertRaisesRegex(UserError, "not posted"):
            dialog.action_send()

    def test_a_bill_of_a_vendor_is_sent_to_nobody(self):
        bill = self.env["account.move"].create(
            {"move_type": "in_invoice", "partner_id": self.partner.id}
        )
        self.assertEqual(bill._whatsapp_recipients(), [])

    def test_who_reads_no_invoices_sends_none(self):
        self.invoice.action_post()
        colleague = (self.users - self.owner)[:1]
        with self.assertRaises(AccessError):
            self.dialog(colleague)

    def test_what_is_due_is_reminded_of_by_a_rule(self):
        rule = self.env.ref("account_whatsapp_gateway.invoice_reminder")
        self.assertFalse(rule.active)
        rule.action_server_ids.write(
            {
                "whatsapp_gateway_id": self.gateway.id,
                "whatsapp_template_id": self.due.id,
            }
        )
        today = fields.Date.today()
        self.invoice.invoice_date_due = today - timedelta(days=4)
        self.invoice.action_post()
        self.assertEqual(rule.trg_date_id.name, "invoice_date_due")
        due = self.invoice.filtered_domain(safe_eval(rule.filter_domain))
        self.assertEqual(due, self.invoice)
        rule.action_server_ids.with_context(
            active_model="account.move", active_ids=due.ids
        ).run()
        self.send_due()
        self.assertEqual(self.meta.sent[-1]["template"]["name"], "invoice")
