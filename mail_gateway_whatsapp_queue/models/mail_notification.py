# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from .. import compat
from ..tools.status import advance
from .whatsapp_guarded import GUARDED

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


# What OCA gives when somebody posts, and what people do with a notification
POSTED = {"mail_message_id", "gateway_channel_id", "notification_type", "gateway_type"}
READ = {"is_read", "read_date"}


class MailNotification(models.Model):
    _name = "mail.notification"
    _inherit = ["mail.notification", GUARDED]

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
    whatsapp_status_date = fields.Datetime(
        string="Status since",
        readonly=True,
        help="When the message got the status that it has now.",
    )
    whatsapp_version = fields.Integer(
        string="Changes of the status",
        readonly=True,
        help="Tells a status from an older one that reaches the browser later.",
    )

    # ------------------------------------------------------------- rights

    @api.model_create_multi
    def create(self, vals_list):
        """Let a person ask for a message to be sent, and say nothing of its status.

        :raise AccessError: not a message, or a conversation, that they may see
        """
        records = super().create(vals_list)
        if self.env.su:
            return records
        # sudo: mail.notification - to whom it belongs, before the user's right is asked
        for record, vals in zip(records, vals_list, strict=True):
            if record.sudo()._whatsapp_bound():
                self._whatsapp_refuse(vals.keys() - POSTED)
                record._whatsapp_check_person()
        return records

    def write(self, vals):
        """Let a person read a notification, and not move its message.

        :raise AccessError: anything else of a notification of WhatsApp
        """
        # sudo: mail.notification - what it is; only a refusal tells of it
        if not self.env.su and self.sudo()._whatsapp_bound():
            self._whatsapp_refuse(vals.keys() - READ)
        res = super().write(vals)
        if "gateway_channel_id" in vals and not self.env.su:
            if self.sudo()._whatsapp_bound():
                self._whatsapp_refuse(["gateway_channel_id"])
        return res

    # ------------------------------------------------------------- sending

    def send_gateway(self, *args, **kwargs):
        """Record what is to be sent to WhatsApp; it leaves after the commit.

        Odoo repeats a transaction after a serialization error, and no rollback
        recalls a message. What is wrong already now is said now.

        :raise UserError: closed window, file of a kind or size that WhatsApp
            does not take, empty message
        """
        # sudo: mail.notification - whose gateway it is
        ours = self.filtered(
            lambda n: n.sudo().gateway_channel_id.gateway_id.gateway_type == "whatsapp"
        )
        for notification in ours:
            self.env["whatsapp.message.queue"].create_from_notification(notification)
        others = self - ours
        return super(MailNotification, others).send_gateway(*args, **kwargs)

    # ------------------------------------------------------------- statuses

    def _whatsapp_bound(self):
        """Return the notifications of messages to customers of WhatsApp."""
        return self.filtered(
            lambda n: n.gateway_channel_id and n.gateway_channel_id._whatsapp_bound()
        )

    def _whatsapp_check_person(self):
        """Refuse who may not see the messages and the conversations of these.

        :raise AccessError: whoever works now may not read one of them
        """
        # sudo: mail.notification - what it belongs to is what has to be read
        self.sudo().gateway_channel_id._whatsapp_check_person()
        messages = self.sudo().mail_message_id
        messages.with_user(self.env.uid).check_access("read")

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
        :param str reason: why it failed, perhaps did, or waits
        :param error: ``whatsapp.error`` of it
        """
        doubtful = status in ("exception", "pending")
        # Odoo's own list of failures tells the author only, and costs most of all this
        failures = status == "exception" or self.filtered(
            lambda n: n.notification_status == "exception"
        )
        for notification in self:
            notification.write(
                {
                    "notification_status": status,
                    "failure_type": "unknown" if status == "exception" else False,
                    "failure_reason": (doubtful or status == "ready") and reason,
                    "whatsapp_error_id": doubtful and error and error.id,
                    "whatsapp_status_date": fields.Datetime.now(),
                    "whatsapp_version": notification.whatsapp_version + 1,
                }
            )
        if failures:
            self.mail_message_id._notify_message_notification_update()
        self._whatsapp_send_to_chats()

    # ------------------------------------------------------------- web client

    def _whatsapp_send_to_chats(self):
        """Show these notifications wherever their conversation is open.

        With their message: when Odoo tells of a new one, it has no notification yet.
        """
        for notification in self.filtered("gateway_channel_id"):
            compat.bus_send_record(notification.gateway_channel_id, notification)

    def _filtered_for_web_client(self):
        """Show what became of a document that was sent: Odoo shows none of a note."""
        ours = self.filtered(
            lambda n: n.gateway_type == "whatsapp" and n.gateway_channel_id
        )
        return super()._filtered_for_web_client() | ours

    def _to_store(self, store, *args, **kwargs):
        """Tell the web client since when the status is, and why."""
        if hasattr(super(), "_to_store"):
            res = super()._to_store(store, *args, **kwargs)
        else:  # 19.0 has it for what is more than fields only
            res = store.add_records_fields(self, *args, **kwargs)
        for notification in self.filtered(lambda n: n.gateway_type == "whatsapp"):
            since = notification.whatsapp_status_date
            compat.store_values(
                store,
                notification,
                {
                    "failure_reason": notification.failure_reason or "",
                    "whatsapp_status_date": fields.Datetime.to_string(since) or False,
                    "whatsapp_version": notification.whatsapp_version,
                },
            )
        return res
