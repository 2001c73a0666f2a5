# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _whatsapp_content(self, record):
        """Take the invoice that was made already: it is the legal one."""
        # sudo: ir.actions.report, ir.attachment - who may print it may read it
        known = self.sudo().is_invoice_report and record.sudo().invoice_pdf_report_id
        return known.raw if known else super()._whatsapp_content(record)
