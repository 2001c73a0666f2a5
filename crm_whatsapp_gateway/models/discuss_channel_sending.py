# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from time import monotonic

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from .. import receipts

TYPING_SECONDS = 20  # Meta shows it for 25
_typed = {}  # (database, conversation) -> when somebody typed last


class DiscussChannelMember(models.Model):
    """Lets customers see that their messages are read, and that we type."""

    _inherit = "discuss.channel.member"

    @api.model_create_multi
    def create(self, vals_list):
        """Let people bring in only who may see the conversation, and no customers.

        :raise AccessError: one of them could not see it
        """
        members = super().create(vals_list)
        if not self.env.su:
            # sudo: discuss.channel.member - who it is that was brought in
            for member in members.sudo():
                member._whatsapp_check_invited()
        return members

    def _whatsapp_check_invited(self):
        channel, guest = self.channel_id, self.guest_id
        if channel._whatsapp_bound():
            users = self.partner_id.user_ids
            if not any(user._whatsapp_works() for user in users):
                raise AccessError(
                    self.env._(
                        "%s does not work with WhatsApp, and could not see the"
                        " conversation.",
                        self.partner_id.name or guest.name,
                    )
                )
        elif guest.gateway_id.gateway_type == "whatsapp":
            raise AccessError(
                self.env._("A customer of WhatsApp takes part in no other channel.")
            )

    def _mark_as_read(self, last_message_id, *args, **kwargs):
        """Tell the customer, too, if the user has not read so far before."""
        seen = self.seen_message_id.id
        res = super()._mark_as_read(last_message_id, *args, **kwargs)
        if self._whatsapp_tells("read", "typing"):
            last = self.channel_id._whatsapp_last_received(last_message_id)
            if last and last.id > (seen or 0):
                self.channel_id._whatsapp_receipt(last)
        return res

    def _notify_typing(self, is_typing):
        res = super()._notify_typing(is_typing)
        for member in self if is_typing else self.browse():
            if member._whatsapp_tells("typing") and member._whatsapp_types_anew():
                last = member.channel_id._whatsapp_last_received()
                if last:
                    member.channel_id._whatsapp_receipt(last, typing=True)
        return res

    def _whatsapp_tells(self, *settings):
        """Tell whether the customer is to see what this member does."""
        channel = self.channel_id
        return (
            channel._is_whatsapp()
            and channel.gateway_id.whatsapp_receipts in settings
            and bool(self.partner_id.user_ids.filtered(lambda user: not user.share))
        )

    def _whatsapp_types_anew(self):
        key, now = (self.env.cr.dbname, self.channel_id.id), monotonic()
        if now - _typed.get(key, -TYPING_SECONDS) < TYPING_SECONDS:
            return False
        if len(_typed) > 10000:
            _typed.clear()
        _typed[key] = now
        return True


class DiscussChannel(models.Model):
    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel"

    # ------------------------------------------------------------- edited messages

    def _message_update_content(self, message, body=None, **kwargs):
        """Send an edited message again if it did not arrive; else refuse.

        :raise AccessError: it is a colleague's conversation
        :raise UserError: the customer has the message as it was sent
        """
        if self._is_whatsapp():
            self._whatsapp_check_person()
        edited = body is not None and self._is_whatsapp()
        rows = edited and message._whatsapp_rows().filtered(
            lambda row: row.state != "canceled" or row.type == "text"
        )
        if edited and not rows and message.notification_ids.gateway_channel_id:
            self._whatsapp_refuse_edit()  # rows of old messages are removed
        if not rows:
            return super()._message_update_content(message, body=body, **kwargs)
        text = rows.filtered(lambda row: row.type == "text")[-1:]
        removed = not body and not kwargs.get("attachment_ids")
        if not all(row._is_unsent() for row in (rows if removed or not text else text)):
            self._whatsapp_refuse_edit()
        res = super()._message_update_content(message, body=body, **kwargs)
        if removed:
            rows.filtered(lambda row: row.state != "canceled").action_cancel()
        elif text:
            service = self.env["mail.gateway.whatsapp"]
            body = service._get_message_body(text.notification_id)
            text._change_text(service._send_payload(self, body=body)["text"])
        return res

    def _whatsapp_refuse_edit(self):
        raise UserError(
            self.env._(
                "The customer has this message as it was sent: WhatsApp cannot change"
                " it any more, nor take it back. Please write another one."
            )
        )

    # ------------------------------------------------------------- receipts

    def _whatsapp_last_received(self, until=None):
        """Return the customer's last message that Meta has an id of, or none.

        :param int until: id of the last message that counts
        """
        domain = [
            ("model", "=", self._name),
            ("res_id", "=", self.id),
            ("whatsapp_message_id", "!=", False),
            ("author_guest_id", "!=", False),
        ]
        partner = self._whatsapp_customer()
        if partner:
            domain[-1:] = [
                "|",
                ("author_guest_id", "!=", False),
                ("author_id", "=", partner.id),
            ]
        if until:
            domain.append(("id", "<=", until))
        # sudo: mail.message - whoever reads the conversation sees it
        messages = self.env["mail.message"].sudo()
        return messages.search(domain, order="id desc", limit=1)

    def _whatsapp_receipt(self, message, typing=False):
        """Have Meta told, after the commit, that we read up to a message.

        :param message: ``mail.message`` of the customer
        :param bool typing: besides, somebody types
        """
        job = (
            self.env.cr.dbname,
            self.gateway_id.id,
            self.id,
            message.whatsapp_message_id,
            typing,
        )
        self.env.cr.postcommit.add(lambda: receipts.later(*job))
