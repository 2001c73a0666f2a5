# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "CRM WhatsApp Gateway",
    "summary": "Every WhatsApp message on the right lead, in the right hands",
    "version": "1.0.0",
    "category": "Sales/CRM",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "application": True,
    "depends": [
        "crm",
        "hr",
        "utm",
        "base_automation",
        "mail_gateway_whatsapp",
    ],
    "external_dependencies": {"python": ["phonenumbers", "requests"]},
    "pre_init_hook": "pre_init_hook",
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "data": [
        "security/ir.model.access.csv",
        "security/ir_rule.xml",
        "data/utm_source_data.xml",
        "data/cron_data.xml",
        "data/automated_actions.xml",
        "views/whatsapp_send_template_views.xml",
        "views/discuss_channel_views.xml",
        "views/crm_lead_views.xml",
        "views/hr_employee_views.xml",
        "views/mail_gateway_views.xml",
        "views/whatsapp_message_queue_views.xml",
        "views/whatsapp_webhook_event_views.xml",
        "views/whatsapp_ad_views.xml",
        "views/whatsapp_agent_views.xml",
        "views/whatsapp_assignment_views.xml",
        "views/menu_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "crm_whatsapp_gateway/static/src/**/*",
        ],
        "web.assets_tests": [
            "crm_whatsapp_gateway/static/tests/tours/**/*",
        ],
    },
}
