# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import calendar_alarm, calendar_alarm_manager, calendar_event
