# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from ..tools.status import advance

# Meta's status -> the notification's; what is missing says nothing new
SHOWN = {
    "sent": "sent",
    "delivered": "whatsapp_delivered",
    "read": "whatsapp_read",
    "played": "whatsapp_read",
    "failed": "exception",
}
MEANS = {
    "ready": None,
    "process": None,
    "pending": None,
    "sent": "sent",
    "whatsapp_delivered": "delivered",
    "whatsapp_read": "read",
    "exception": "failed",
}


class MailNotification(models.Model):
    _inherit = "mail.notification"

    notification_status = fields.Selection(
        selection_add=[
            ("whatsapp_delivered", "Delivered by WhatsApp"),
            ("whatsapp_read", "Read in WhatsApp"),
        ],
        ondelete={"whatsapp_delivered": "set sent", "whatsapp_read": "set sent"},
    )
    # OCA and Odoo search by these on each status
    gateway_message_id = fields.Char(index="btree_not_null")
    gateway_channel_id = fields.Many2one(index="btree_not_null")
    whatsapp_error_id = fields.Many2one(
        "whatsapp.error",
        string="WhatsApp error",
        ondelete="set null",
        readonly=True,
        help="The reports count failures by it, whatever the language of the reason.",
    )

    def _whatsapp_advance(self, reported, reason=None, error=None):
        """Write a status that Meta reports, unless we know better already.

        :param str reported: sent, delivered, read, played or failed
        :param str reason: why, of a failure
        :param error: ``whatsapp.error`` of it
        """
        for notification in self:
            known = MEANS.get(notification.notification_status)
            if advance(known, reported):
                notification._whatsapp_show(SHOWN[reported], reason, error)

    def _whatsapp_show(self, status, reason=None, error=None):
        """Write a status and show it to everybody who has the message open.

        :param str status: of the notification
        :param str reason: why it failed, or perhaps did
        :param error: ``whatsapp.error`` of it
        """
        doubtful = status in ("exception", "pending")
        # Odoo's own list of failures tells the author only, and costs most of all this
        failures = status == "exception" or self.filtered(
            lambda n: n.notification_status == "exception"
        )
        self.write(
            {
                "notification_status": status,
                "failure_type": "unknown" if status == "exception" else False,
                "failure_reason": doubtful and reason,
                "whatsapp_error_id": doubtful and error and error.id,
            }
        )
        if failures:
            self.mail_message_id._notify_message_notification_update()
        for notification in self.filtered("gateway_channel_id"):
            notification.gateway_channel_id._bus_send(
                "mail.record/insert",
                {
                    "mail.notification": [
                        {
                            "id": notification.id,
                            "notification_status": status,
                            "failure_reason": notification.failure_reason or "",
                        }
                    ]
                },
            )
