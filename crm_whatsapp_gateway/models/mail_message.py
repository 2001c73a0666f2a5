# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class MailMessage(models.Model):
    _inherit = "mail.message"

    whatsapp_message_id = fields.Char(
        string="WhatsApp ID",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Meta's id of a message that a customer sent.",
    )

    def _send_to_gateway_thread(self, gateway_channel_id):
        """Show the document's copy as waiting: OCA shows it as sent at once."""
        res = super()._send_to_gateway_thread(gateway_channel_id)
        self.notification_ids.filtered(
            lambda n: (
                n.gateway_type == "whatsapp"
                and n.notification_status == "sent"
                and not n.gateway_message_id
            )
        ).notification_status = "ready"
        return res

    def _whatsapp_of(self, channel, wamid):
        """Return the message of a conversation that has this id of Meta, or none."""
        if not wamid:
            return self.browse()
        return self.search(
            [
                ("whatsapp_message_id", "=", wamid),
                ("model", "=", channel._name),
                ("res_id", "=", channel.id),
            ],
            limit=1,
        )

    def _whatsapp_sent(self, gateway, wamid):
        """Tell whether we sent this message ourselves, by the Cloud API."""
        sent = self.env["whatsapp.message.queue"].sudo()
        return bool(
            wamid
            and sent.search_count(
                [("wamid", "=", wamid), ("gateway_id", "=", gateway.id)], limit=1
            )
        )

    def _whatsapp_find(self, channel, wamid):
        """Return the message of a conversation, the customer's or ours, or none."""
        if not wamid:
            return self.browse()
        found = self._whatsapp_of(channel, wamid)
        if not found:
            # sudo: whatsapp.message.queue - each part of ours has its own id
            sent = self.env["whatsapp.message.queue"].sudo()
            domain = [("wamid", "=", wamid), ("channel_id", "=", channel.id)]
            found = sent.search(domain, limit=1).message_id
        return found.sudo(self.env.su)
