# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    whatsapp_colleague,
    whatsapp_hand_over,
    whatsapp_invite,
    whatsapp_link_lead,
    whatsapp_send_template,
    whatsapp_snooze,
)
