# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_document import DOCUMENT

REPORT = "account.account_invoices"


class AccountMove(models.Model):
    """Invoices and credit notes that are sent by WhatsApp."""

    _name = "account.move"
    _inherit = ["account.move", DOCUMENT]

    def _whatsapp_recipients(self, customers=None):
        """Return nobody for what is no invoice of ours: a bill is its vendor's."""
        if not self.is_sale_document(include_receipts=True):
            return []
        return super()._whatsapp_recipients(customers)

    def _whatsapp_reports(self):
        """Offer the invoice first, which Odoo 18.0 has in no menu."""
        found = super()._whatsapp_reports()
        report = self.env.ref(REPORT, raise_if_not_found=False)
        if report and report._whatsapp_may_print():
            found = report | found
        return found

    def _whatsapp_not_ready(self):
        """Say that a draft is no invoice yet."""
        if self.state == "posted":
            return super()._whatsapp_not_ready()
        return self.env._("%s is not posted. Please post it first.", self.display_name)

    def _whatsapp_sent_from(self, rows):
        """Mark the invoice as sent, as an e-mail does."""
        res = super()._whatsapp_sent_from(rows)
        if rows.attachment_id:
            # sudo: account.move - that it was sent is a fact, whoever may write it
            self.sudo().is_move_sent = True
        return res

    def _whatsapp_answered(self, message, meaning):
        """Ask who made the invoice to go on when a button of it was pressed."""
        res = super()._whatsapp_answered(message, meaning)
        if meaning:
            user = self._whatsapp_who_works(self.invoice_user_id, self.create_uid)
            words = self.with_context(lang=user.lang)
            summary = words.env._("Answer by WhatsApp to %s", self.name)
            self._whatsapp_wake(self, user, summary, message.body)
        return res
