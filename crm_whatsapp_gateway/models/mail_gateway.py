# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_secrets import SECRETS

CALL_ACTIVITY = "mail.mail_activity_data_call"
WELCOME, AWAY = "welcome", "away"


class MailGateway(models.Model):
    """What becomes of those who write to a number, and what they are told."""

    _inherit = "mail.gateway"

    whatsapp_team_id = fields.Many2one(
        "crm.team",
        string="Sales team of new leads",
        check_company=True,
        help="Empty: the default team of the assigned salesperson.",
    )
    whatsapp_lead_type = fields.Selection(
        [
            ("team", "As the sales team works"),
            ("lead", "Lead"),
            ("opportunity", "Opportunity"),
        ],
        string="New contacts become",
        default="team",
        required=True,
        help="As the sales team works: a lead if the team qualifies leads first, else"
        " an opportunity. Returning customers always become an opportunity.",
    )
    whatsapp_reopen_days = fields.Integer(
        string="Reopen lost leads for",
        default=30,
        help="A customer whose lead was lost fewer days ago gets it back, with a note."
        " Later, and with 0, a new opportunity is made for the same salesperson.",
    )
    whatsapp_won_days = fields.Integer(
        string="Stay with won leads for",
        default=0,
        help="For so many days after a sale, what the customer writes stays with the"
        " won opportunity. Later, and with 0, it makes a new one for the same"
        " salesperson.",
    )
    whatsapp_excluded_tag_ids = fields.Many2many(
        "res.partner.category",
        "mail_gateway_whatsapp_excluded_tag_rel",
        string="Contacts that are no leads",
        help="Messages of contacts with one of these tags make no lead. Nor do those"
        " of your own users and of blacklisted numbers.",
    )
    whatsapp_employee_ids = fields.Many2many(
        "hr.employee",
        "mail_gateway_whatsapp_employee_rel",
        string="Salespeople",
        check_company=True,
        groups=SECRETS,
        help="Who takes turns at this number. Empty: the members of the sales team;"
        " if none of them ever received WhatsApp leads, everybody who does.",
    )
    whatsapp_only_working_hours = fields.Boolean(
        string="Only within working hours",
        help="Leads go to people within the working hours of their calendar, in their"
        " time zone. Until somebody's hours begin, a lead waits in the queue.",
    )
    whatsapp_answer_minutes = fields.Integer(
        string="Pass on without an answer after",
        help="Working minutes of the salesperson in which the first answer has to come."
        " Then the lead goes to the next one. 0: it stays.",
    )
    whatsapp_pass_on_times = fields.Integer(
        string="Pass on at most",
        default=2,
        help="How often a lead is passed on; then the leader of the team gets it.",
    )
    whatsapp_absence_rule = fields.Selection(
        [
            ("pass_on", "Go to the next salesperson"),
            ("stay", "Stay, and are listed"),
        ],
        string="Customers whose salesperson is away",
        default="pass_on",
        required=True,
        help="If the salesperson is on leave, or was switched off while customers wait:"
        " waiting customers go to the next salesperson now, others when they write"
        " again. Or they stay, and are listed under 'Needs attention'. If the"
        " salesperson no longer works here, they always go to somebody else.",
    )
    whatsapp_absence_minutes = fields.Integer(
        string="Wait for who is on leave",
        help="Minutes from the beginning of the leave, or from the customer's message."
        " 0: they are passed on at once.",
    )
    whatsapp_show_unassigned = fields.Boolean(
        string="Salespeople see what nobody has",
        default=True,
        help="Each salesperson sees their own conversations. With this, also those of"
        " their team that nobody has yet.",
    )
    whatsapp_activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Activity of a new lead",
        domain=[("res_model", "in", (False, "crm.lead"))],
        default=lambda self: self.env.ref(CALL_ACTIVITY, False),
        help="What the salesperson is asked for when a lead is opened by WhatsApp."
        " Empty: a call.",
    )
    whatsapp_activity_hours = fields.Integer(
        string="Due after",
        help="Hours until the activity is due. 0: at once.",
    )
    whatsapp_activity_done_by_answer = fields.Boolean(
        string="Done by an answer",
        default=True,
        help="The activity is marked as done when somebody answers in the chat first.",
    )
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
    whatsapp_conversation_count = fields.Integer(
        compute="_compute_whatsapp_conversation_count"
    )
    whatsapp_greeting_hours = fields.Integer(
        string="Not again within",
        default=24,
        help="Hours in which nobody gets the same message twice; at least one.",
    )

    def _compute_whatsapp_conversation_count(self):
        """Count what the user may see."""
        groups = self.env["whatsapp.conversation"]._read_group(
            self._whatsapp_inbox_domain(), ["gateway_id"], ["__count"]
        )
        counts = {gateway.id: count for gateway, count in groups}
        for gateway in self:
            gateway.whatsapp_conversation_count = counts.get(gateway.id, 0)

    def _whatsapp_inbox_domain(self):
        """Return the domain of what the inbox shows of these numbers."""
        return [
            ("gateway_id", "in", self.ids),
            ("inbox_date", "!=", False),
        ]

    def action_whatsapp_conversations(self):
        """Open the inbox with the conversations of this number."""
        self.ensure_one()
        self.check_access("read")
        return self.env["whatsapp.conversation"]._open_inbox(
            self.name, self._whatsapp_inbox_domain()
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

    def _whatsapp_conversation_vals(self, person, name, record=None):
        """Link a conversation that begins from a lead, or from what belongs to one."""
        values = super()._whatsapp_conversation_vals(person, name, record)
        # sudo: crm.lead - of a document that the user reads
        lead = record._whatsapp_lead().sudo() if record is not None else None
        if lead and (lead == record or lead._whatsapp_is_open()):
            values["lead_id"] = lead.id
        return values

    def _whatsapp_conversation_users(self, record=None):
        """Let the salesperson of the lead take part."""
        users = super()._whatsapp_conversation_users(record)
        if record is not None:
            # sudo: crm.lead, res.users - who it is, of what one reads
            users |= record._whatsapp_lead().sudo().user_id
        return users
