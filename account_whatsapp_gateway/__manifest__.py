# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Invoicing WhatsApp Gateway",
    "summary": "Invoices and reminders by WhatsApp",
    "version": "1.0.0",
    "category": "Accounting/Accounting",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "depends": ["crm_whatsapp_gateway", "account"],
    "auto_install": True,
    "data": ["data/base_automation_data.xml", "views/account_move_views.xml"],
}
