# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).

from odoo import Command

from odoo.addons.crm_whatsapp_gateway.tests.common import ANA, WhatsappCase

PDF = b"%PDF-1.7 a quotation"


class SaleCase(WhatsappCase):
    """A customer who wrote, the salesperson's quotation, and a template for it."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="How much is the sofa?"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.partner = self.env["res.partner"].create(
            {"name": "Ana Pérez", "phone": "+" + ANA["from"]}
        )
        self.lead.partner_id = self.partner
        product = self.env["product.product"].create({"name": "Sofa"})
        self.order = self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "user_id": self.owner.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 100})
                ],
            }
        )
        self.offer = self.template(
            "Your quotation {{1}}",
            name="Quotation",
            template_name="quotation",
            model_id=self.env.ref("sale.model_sale_order").id,
            whatsapp_header="document",
            whatsapp_report_id=self.env.ref("sale.action_report_saleorder").id,
            button_ids=[
                Command.create({"button_type": "quick_reply", "name": "Acepto"}),
                Command.create({"button_type": "quick_reply", "name": "Una duda"}),
            ],
        )
        self.offer.variable_ids.field_name = "name"

    def setUp(self):
        super().setUp()
        self.print_as(PDF)

    def send(self, user=None, **values):
        """Send the quotation as its dialog does; return the rows of the queue."""
        orders = self.order.with_user(user or self.owner)
        action = orders.action_whatsapp_send()
        dialog = self.env[action["res_model"]].with_user(user or self.owner)
        dialog = dialog.browse(action["res_id"])
        dialog.write({"kind": "template", "template_id": self.offer.id, **values})
        dialog.action_send()
        self.send_due()
        rows = self.env["whatsapp.message.queue"]
        return rows.search([("channel_id", "=", self.channel.id)])

    def press(self, row, index, text):
        """Let the customer press a button of the message."""
        return self.receive(
            self.message(
                "button",
                {"payload": f"quotation/{index}", "text": text},
                context={"from": "5215500000001", "id": row.wamid},
            )
        )
