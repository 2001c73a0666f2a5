# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

CALLS = []


class WhatsappMessageQueue(models.Model):
    _inherit = "whatsapp.message.queue"

    @api.model
    def create_from_notification(self, notification):
        rows = super().create_from_notification(notification)
        CALLS.append(("create_from_notification", rows.ids))
        return rows

    def _retry_send(self):
        CALLS.append(("_retry_send", self.ids))
        return super()._retry_send()

    @api.model
    def _cron_retry_failed_messages(self):
        CALLS.append(("_cron_retry_failed_messages", []))
        return super()._cron_retry_failed_messages()

    def _alert_admin(self):
        CALLS.append(("_alert_admin", self.ids))
        return super()._alert_admin()
