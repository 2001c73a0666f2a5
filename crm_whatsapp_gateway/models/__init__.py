# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    crm_lead,
    discuss_channel,
    discuss_channel_inbox,
    gateway_indexes,
    hr_employee,
    ir_actions_server,
    mail_activity,
    mail_gateway,
    mail_gateway_whatsapp,
    mail_gateway_whatsapp_kinds,
    mail_message,
    mail_notification,
    mail_whatsapp_template,
    res_users,
    whatsapp_ad,
    whatsapp_agent,
    whatsapp_assignment,
    whatsapp_message_queue,
    whatsapp_phones,
    whatsapp_webhook_event,
)
