# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from .discuss_channel_answer import AWAY


class MailGateway(models.Model):
    """What a number promises to those who write: an answer in time, and a greeting."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "mail.gateway"

    whatsapp_target_minutes = fields.Integer(
        string="Answer within",
        default=0,
        help="Working minutes in which a customer who waits is to be answered, counted"
        " in the hours of the lead's salesperson, else of the team. What waits longer"
        " is marked as late, and the leader of the team gets an activity. 0: no"
        " target; the times are measured all the same.",
    )
    whatsapp_welcome_enabled = fields.Boolean(
        string="Send a welcome message",
        help="Answers the first message of a person at once, and the first one after a"
        " long silence. Contacts that are no leads get none.",
    )
    whatsapp_welcome_text = fields.Text(
        string="Welcome message",
        translate=True,
        help="Sent in the customer's language. Empty: the standard text.",
    )
    whatsapp_welcome_days = fields.Integer(
        string="Welcome again after",
        default=14,
        help="Days without a word of either side after which somebody is welcomed"
        " again. 0: only the very first message is answered.",
    )
    whatsapp_away_enabled = fields.Boolean(
        string="Send an away message",
        help="Answers who writes outside of the team's hours, instead of the welcome"
        " message. Not to somebody whom a colleague has just answered, and not to"
        " contacts that are no leads.",
    )
    whatsapp_away_text = fields.Text(
        string="Away message",
        translate=True,
        help="Sent in the customer's language. Empty: the standard text.",
    )
    whatsapp_away_calendar_id = fields.Many2one(
        "resource.calendar",
        string="Hours of the team",
        check_company=True,
        help="Outside of them, and on public holidays, the team is away; not during a"
        " lunch break of the calendar. Empty: the working hours of the company.",
    )
    whatsapp_greeting_hours = fields.Integer(
        string="Not again within",
        default=24,
        help="Hours in which nobody gets the same message twice; at least one.",
    )

    def _whatsapp_greeting_text(self, kind):
        """Return what a customer is told, in the language of the context."""
        if kind == AWAY:
            return self.whatsapp_away_text or self.env._(
                "Thank you for your message. We are not here at the moment and will"
                " answer as soon as we are back."
            )
        return self.whatsapp_welcome_text or self.env._(
            "Hello, and thank you for writing to us. We will answer in a moment."
        )
