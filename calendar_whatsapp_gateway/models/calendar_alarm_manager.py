# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class CalendarAlarmManager(models.AbstractModel):
    _inherit = "calendar.alarm_manager"

    @api.model
    def _send_reminder(self):
        """Remind by WhatsApp, too."""
        res = super()._send_reminder()
        ids_of = self._get_events_by_alarm_to_notify("whatsapp")
        events = self.env["calendar.event"]
        for alarm in self.env["calendar.alarm"].browse(ids_of):
            reminded = events.browse(ids_of[alarm.id])
            reminded._whatsapp_remind(alarm.whatsapp_template_id)
            events |= reminded
        for event in events.filtered("recurrence_id"):
            next_date = event.get_next_alarm_date(ids_of)
            # without one, Odoo would plan any alarm
            if next_date:
                event.recurrence_id.with_context(date=next_date)._setup_alarms()
        return res
