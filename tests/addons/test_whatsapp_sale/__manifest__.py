# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Test: crm_whatsapp_gateway beside Odoo's sales",
    "version": "1.0.0",
    "category": "Hidden/Tests",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "depends": ["crm_whatsapp_gateway", "sale_crm"],
}
