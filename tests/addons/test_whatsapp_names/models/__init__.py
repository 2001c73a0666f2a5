# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    discuss_channel,
    hr_employee,
    mail_gateway_whatsapp,
    mail_notification,
    whatsapp_message_queue,
)
