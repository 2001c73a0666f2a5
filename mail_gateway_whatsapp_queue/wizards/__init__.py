# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    mail_gateway_wizards,
    whatsapp_composer,
    whatsapp_dialog,
    whatsapp_edit_message,
    whatsapp_send_document,
    whatsapp_send_template,
    whatsapp_send_value,
    whatsapp_template_library,
)
