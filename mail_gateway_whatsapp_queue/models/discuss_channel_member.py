# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from time import monotonic

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError

from .. import compat
from ..queue.locks import remembered

TYPING_SECONDS = 20  # Meta shows it for 25
_typed = {}  # (database, conversation) -> when somebody typed last


class DiscussChannelMember(models.Model):
    """Who takes part in a WhatsApp conversation: colleagues and the customer.

    Never a user of the portal or the website, who would read what the customer
    writes; and nobody only because the conversation was created in their name.
    Besides, customers see that their messages are read, and that we type.
    """

    _inherit = "discuss.channel.member"

    def init(self):
        """Make the index of who takes part in what; remove who may not."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS discuss_channel_member_partner_channel_idx
                ON discuss_channel_member (partner_id, channel_id)
            """
        )
        # who came in before _whatsapp_may_take_part was here
        self.env.cr.execute(
            """
            DELETE FROM discuss_channel_member member
             USING discuss_channel channel, mail_gateway gateway
             WHERE channel.id = member.channel_id
               AND channel.channel_type = 'gateway'
               AND gateway.id = channel.gateway_id
               AND gateway.gateway_type = 'whatsapp'
               AND EXISTS (SELECT FROM res_users person
                            WHERE person.partner_id = member.partner_id)
               AND NOT EXISTS (SELECT FROM res_users colleague
                                WHERE colleague.partner_id = member.partner_id
                                  AND colleague.active
                                  AND NOT colleague.share
                                  AND colleague.id != %s)
            """,
            (SUPERUSER_ID,),
        )
        return super().init()

    @api.model_create_multi
    def create(self, vals_list):
        """Leave out who may not take part; let people bring in only who works with it.

        :raise AccessError: one of those that a person brings in could not see it
        """
        members = super().create(
            [vals for vals in vals_list if self._whatsapp_may_take_part(vals)]
        )
        if not self.env.su:
            # sudo: discuss.channel.member - who it is that was brought in
            for member in members.sudo():
                member._whatsapp_check_invited()
        return members

    @api.model
    def search_fetch(self, domain, field_names=None, *args, **kwargs):
        """Search the members of a conversation that has begun just now in memory.

        Odoo looks for them before it adds one, and with each message.
        """
        channel = self._whatsapp_begun(domain) if self.env.su else None
        if not channel or any(args) or any(kwargs.values()):
            return super().search_fetch(domain, field_names, *args, **kwargs)
        return channel.channel_member_ids.sorted("id").filtered_domain(domain)

    @api.model
    def _whatsapp_begun(self, domain):
        """Return the one channel whose members are asked for, if it has just begun."""
        begun = remembered(self.env.cr, "begun")
        # what follows the first of '&' holds for all that is found
        terms = compat.all_of(domain) if begun else ()
        first = next((term for term in terms if term != "&"), None)
        if not isinstance(first, tuple) or first[:2] != ("channel_id", "="):
            return None
        ids = [first[2]] if first[2] in begun else []
        return self.env["discuss.channel"].browse(ids)

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

    def _whatsapp_may_take_part(self, vals):
        """Tell whether somebody may become a member.

        :param dict vals: of the new member
        """
        channel = self.env["discuss.channel"].browse(vals.get("channel_id"))
        # sudo: discuss.channel, mail.guest, res.partner - whoever adds them
        channel = channel.sudo()
        if not channel._is_whatsapp():
            return True
        if not vals.get("partner_id"):  # the customer, no visitor with a link
            guest = channel.env["mail.guest"].browse(vals.get("guest_id"))
            return guest.gateway_id == channel.gateway_id
        partner = self.env["res.partner"].sudo().browse(vals["partner_id"])
        # Odoo makes whoever creates a channel its member
        created = (
            self.env.context.get("mail_create_bypass_create_check")
            is self._bypass_create_check
        )
        if created and partner == self.env.user.partner_id:
            return False
        if not partner.partner_share:
            data = self.env["ir.model.data"]
            return partner.id != data._xmlid_to_res_id("base.partner_root")
        return not partner._whatsapp_users()

    def _mark_as_read(self, last_message_id, *args, **kwargs):
        """Tell the customer, too, if the user has not read so far before."""
        seen = self.seen_message_id.id
        res = super()._mark_as_read(last_message_id, *args, **kwargs)
        if self._whatsapp_tells("read", "typing"):
            last = self.channel_id._whatsapp_last_received(last_message_id)
            if last and last.id > (seen or 0):
                self.channel_id._whatsapp_receipt(last)
        if self.is_self and self.channel_id._is_whatsapp():
            self._whatsapp_read_notices()
        return res

    def _set_new_message_separator(self, message_id, *args, **kwargs):
        """Tell no browser what a customer of WhatsApp has read: there is none."""
        if self.guest_id.gateway_id.gateway_type != "whatsapp":
            return super()._set_new_message_separator(message_id, *args, **kwargs)
        self.new_message_separator = message_id
        return None

    def _whatsapp_read_notices(self):
        """Let what the user was told about a conversation be read along with it."""
        notices = self.env["mail.message"].search(
            [
                ("needaction", "=", True),
                ("message_type", "=", "user_notification"),
                ("body", "like", f'discuss.channel_{self.channel_id.id}"'),
            ]
        )
        if notices:
            notices.set_message_done()

    def _bus_send(self, notification_type, message, /, **kwargs):
        """Leave out Odoo's toast 'you have been invited': we tell why, and once."""
        if notification_type == "discuss.channel/joined":
            if self.channel_id._is_whatsapp():
                message = {**message, "invited_by_user_id": False}
        return super()._bus_send(notification_type, message, **kwargs)

    if not compat.V19:

        def _to_store(self, store, /, **kwargs):
            """Tell nobody who takes part in what nobody has seen yet."""
            if self.env.context.get("whatsapp_untold"):
                return None
            return super()._to_store(store, **kwargs)

    def _to_store_defaults(self, target):  # of 19.0
        if self.env.context.get("whatsapp_untold"):
            return []
        return super()._to_store_defaults(target)

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
