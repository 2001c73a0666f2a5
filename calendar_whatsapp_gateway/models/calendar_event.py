# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_document import DOCUMENT


class CalendarEvent(models.Model):
    """Meetings that guests are told of, and confirm, by WhatsApp."""

    _name = "calendar.event"
    _inherit = ["calendar.event", DOCUMENT]

    def _get_trigger_alarm_types(self):
        return super()._get_trigger_alarm_types() + ["whatsapp"]

    def _whatsapp_remind(self, template):
        """Send a template to each guest of meetings to come who has not declined.

        Who cannot be reached is named in the history of the meeting.

        :param template: ``mail.whatsapp.template``; none: nothing is sent
        """
        if not template:
            return
        now = fields.Datetime.now()
        for event in self.filtered(lambda event: event.stop > now):
            declined = event.attendee_ids.filtered(lambda one: one.state == "declined")
            guests = event._whatsapp_customers() - declined.partner_id
            event._whatsapp_send_automatically(template, guests)

    def _whatsapp_answered(self, message, meaning):
        """Keep whether the guest comes; ask the organizer to agree on another time."""
        res = super()._whatsapp_answered(message, meaning)
        # sudo: calendar.event, discuss.channel - its guest answered, whoever works now
        event = self.sudo()
        channel = self.env["discuss.channel"].sudo().browse(message.res_id)
        guest = event.attendee_ids.filtered(
            lambda one: one.partner_id in channel._whatsapp_partners()
        )[:1]
        if meaning == "yes" and guest.state != "accepted":
            guest.do_accept()
        elif meaning == "other":
            guest.do_tentative()
            lead = channel.lead_id
            user = self._whatsapp_who_works(event.user_id, lead.user_id)
            words = self.with_context(lang=user.lang)
            summary = words.env._("Answer by WhatsApp to %s", event.name)
            record = lead or guest.partner_id
            self._whatsapp_wake(record, user, summary, message.body)
        return res
