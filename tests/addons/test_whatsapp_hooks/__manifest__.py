# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Test: Overrides every hook of mail_gateway_whatsapp_queue",
    "version": "1.0.0",
    "category": "Hidden/Tests",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "depends": ["mail_gateway_whatsapp_queue"],
}
