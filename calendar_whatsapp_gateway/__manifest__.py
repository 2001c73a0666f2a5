# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Calendar WhatsApp Gateway",
    "summary": "Meetings confirmed and reminded of by WhatsApp",
    "version": "1.0.0",
    "category": "Productivity/Calendar",
    "author": "crm_whatsapp_gateway contributors",
    "license": "AGPL-3",
    "depends": ["crm_whatsapp_gateway", "calendar"],
    "auto_install": True,
    "data": ["views/calendar_alarm_views.xml", "views/calendar_event_views.xml"],
}
