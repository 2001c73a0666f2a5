# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Sales WhatsApp Gateway",
    "summary": "Quotations by WhatsApp, and the customer's answer on them",
    "version": "1.0.0",
    "category": "Sales/Sales",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "depends": ["crm_whatsapp_gateway", "sale_crm"],
    "auto_install": True,
    "data": ["views/sale_order_views.xml"],
    "assets": {
        "web.assets_tests": [
            "sale_whatsapp_gateway/static/tests/tours/**/*",
        ],
    },
}
