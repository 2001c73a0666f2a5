# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models
from odoo.exceptions import AccessError


class CalendarEvent(models.Model):
    _inherit = "calendar.event"

    @api.constrains("videocall_channel_id")
    def _check_videocall_channel_id(self):
        """Hold no meeting in a WhatsApp conversation.

        Its name, and the address of its invitation, would be told to whoever has the
        meeting.

        :raise AccessError: the channel is one
        """
        # sudo: discuss.channel - what it is
        if self.sudo().videocall_channel_id._whatsapp_bound():
            raise AccessError(
                self.env._("A WhatsApp conversation is no place for a meeting.")
            )
