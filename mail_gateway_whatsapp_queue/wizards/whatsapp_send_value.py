# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class WhatsappSendDocumentValue(models.TransientModel):
    _name = "whatsapp.send.document.value"
    _inherit = "whatsapp.send.template.line"
    _description = "Value of a WhatsApp template for a document"

    wizard_id = fields.Many2one("whatsapp.send.document")
