# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_document import DOCUMENT


class SaleOrder(models.Model):
    """Quotations and orders that are sent by WhatsApp, and answered there."""

    _name = "sale.order"
    _inherit = ["sale.order", DOCUMENT]

    def _whatsapp_sent_from(self, rows):
        """Mark a quotation as sent, as an e-mail does; let the lead have it."""
        res = super()._whatsapp_sent_from(rows)
        # sudo: sale.order - that it was sent is a fact, whoever may write it
        order = self.sudo()
        if order.state == "draft" and (rows.attachment_id or rows.template_id):
            order.with_context(tracking_disable=True).state = "sent"
        # sudo: crm.lead - of the conversation in which the user sends it
        lead = rows.channel_id.sudo().lead_id
        if (
            not order.opportunity_id
            and lead._whatsapp_is_open()
            and lead.company_id in (order.company_id, lead.company_id.browse())
            and lead.partner_id.commercial_partner_id
            == order.partner_id.commercial_partner_id
        ):
            order.opportunity_id = lead
        return res

    def _whatsapp_answered(self, message, meaning):
        """Ask the salesperson to go on when a button of the quotation was pressed."""
        res = super()._whatsapp_answered(message, meaning)
        if meaning:
            user = self._whatsapp_who_works(self.user_id, self.opportunity_id.user_id)
            words = self.with_context(lang=user.lang)
            summary = words._whatsapp_answer(meaning)
            self._whatsapp_wake(self, user, summary, message.body)
        return res

    def _whatsapp_answer(self, meaning):
        """Return what the salesperson reads of an answer."""
        if meaning == "yes":
            return self.env._("Accepted by WhatsApp: %s", self.name)
        return self.env._("Answer by WhatsApp to %s", self.name)
