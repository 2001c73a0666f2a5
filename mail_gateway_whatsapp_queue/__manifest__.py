# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "WhatsApp Gateway Queue",
    "summary": "WhatsApp in Discuss: nothing lost, nothing twice, both ways",
    "version": "1.0.0",
    "category": "Productivity/Discuss",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "depends": ["base_automation", "mail_gateway_whatsapp"],
    "external_dependencies": {"python": ["phonenumbers", "requests"]},
    "pre_init_hook": "pre_init_hook",
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "data": [
        "security/ir.model.access.csv",
        "security/ir_rule.xml",
        "data/whatsapp.error.csv",
        "data/whatsapp.gateway.check.outcome.csv",
        "data/whatsapp.template.example.csv",
        "data/mail_activity_type_data.xml",
        "data/res_partner_data.xml",
        "data/ir_cron_data.xml",
        "views/whatsapp_send_template_views.xml",
        "views/mail_gateway_views.xml",
        "views/mail_whatsapp_template_views.xml",
        "views/whatsapp_template_library_views.xml",
        "views/whatsapp_edit_message_views.xml",
        "views/whatsapp_error_views.xml",
        "views/whatsapp_message_queue_views.xml",
        "views/whatsapp_webhook_event_views.xml",
        "views/whatsapp_setup_views.xml",
        "views/menu_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "mail_gateway_whatsapp_queue/static/src/**/*",
        ],
        "web.assets_tests": [
            "mail_gateway_whatsapp_queue/static/tests/tours/**/*",
        ],
    },
}
