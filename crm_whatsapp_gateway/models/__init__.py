# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    crm_lead,
    discuss_channel,
    gateway_indexes,
    hr_employee,
    mail_gateway,
    mail_gateway_whatsapp,
    mail_gateway_whatsapp_kinds,
    mail_message,
    mail_notification,
    whatsapp_assignment,
    whatsapp_message_queue,
    whatsapp_webhook_event,
)
