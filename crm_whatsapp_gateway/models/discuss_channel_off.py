# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models
from odoo.exceptions import UserError

from .. import compat


class DiscussChannel(models.Model):
    """A conversation in which nothing can be sent, and why."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel"

    def _whatsapp_is_orphan(self):
        """Tell whether this was a conversation of ours, and its number is gone."""
        return (
            self.channel_type == "gateway"
            and not self.gateway_id
            and bool(self.whatsapp_phone or self.whatsapp_bsuid)
        )

    def _whatsapp_why_off(self):
        """Return why nothing can be sent here, or an empty text."""
        self.ensure_one()
        if self._whatsapp_is_orphan():
            return self.env._(
                "The WhatsApp number of this conversation was deleted, so nothing can"
                " be sent. When an administrator sets the number up again, the"
                " conversation goes on with the next message of the customer, or when"
                " you write from the lead."
            )
        if self._whatsapp_is_group():
            return self.env._(
                "This is a group on WhatsApp. Odoo cannot write in groups: please"
                " answer on the phone, or write to the person alone."
            )
        return self.gateway_id._whatsapp_why_off() if self._is_whatsapp() else ""

    def _whatsapp_check_on(self):
        """Refuse to send where nothing leaves.

        :raise UserError: with the reason and the way out
        """
        for channel in self:
            if why := channel._whatsapp_why_off():
                raise UserError(why)

    def message_post(self, **kwargs):
        """Post nothing into a conversation without a number but notes.

        :raise UserError: it would reach nobody
        """
        if (
            kwargs.get("message_type") == "comment"
            and self._whatsapp_is_orphan()
            and not self._whatsapp_is_note(kwargs)
            and not self.env.context.get("no_gateway_notification")
        ):
            self._whatsapp_check_on()
        return super().message_post(**kwargs)

    def _to_store(self, store, *args, **kwargs):
        """Let the chat say why nothing can be sent."""
        res = super()._to_store(store, *args, **kwargs)
        for channel in self:
            if channel._whatsapp_is_orphan():
                compat.store_values(
                    store,
                    channel,
                    {
                        "whatsapp_off": channel._whatsapp_why_off(),
                        **channel._whatsapp_window_values(),
                    },
                )
        return res

    def whatsapp_known(self):
        """Besides, tell in ``off`` why nothing can be sent, or an empty text."""
        known = super().whatsapp_known()
        return known and {**known, "off": self._whatsapp_why_off()}

    def _whatsapp_store_values(self):
        return {
            **super()._whatsapp_store_values(),
            "whatsapp_off": self._whatsapp_why_off(),
        }
