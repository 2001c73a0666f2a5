# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models
from odoo.tools import SQL

# One row per fact. No row depends on the queue of outgoing messages, which is emptied
# after a while: what was sent is told by the notifications, which stay. Date, company
# and the id of a message are plain columns: so PostgreSQL looks into each part by its
# index, and knows how many rows to expect.
FACTS = """
    SELECT message.id,
           message.date,
           CASE WHEN message.whatsapp_by_phone THEN 'phone'
                WHEN message.author_id IN %(robots)s THEN 'auto'
                WHEN message.whatsapp_message_id IS NOT NULL THEN 'in'
                ELSE 'out' END AS kind,
           CASE WHEN message.whatsapp_by_phone OR message.author_id IN %(robots)s
                THEN NULL
                WHEN message.whatsapp_message_id IS NOT NULL
                THEN channel.whatsapp_user_id
                ELSE author.user_id END AS user_id,
           channel.whatsapp_team_id AS team_id,
           channel.gateway_id,
           channel.company_id,
           channel.id AS channel_id,
           channel.lead_id,
           lead.source_id,
           lead.medium_id,
           lead.campaign_id,
           CASE WHEN sent.notification_status = 'exception'
                THEN sent.whatsapp_error_id END AS error_id,
           (message.whatsapp_message_id IS NOT NULL
               AND message.whatsapp_by_phone IS NOT TRUE
               AND (message.author_id IN %(robots)s) IS NOT TRUE)::integer AS received,
           (message.whatsapp_by_phone IS TRUE
               OR message.whatsapp_message_id IS NOT NULL
               AND message.author_id IN %(robots)s
               OR sent.notification_status IN
               ('pending', 'sent', 'whatsapp_delivered', 'whatsapp_read'))::integer
               AS sent,
           (sent.notification_status IN
               ('whatsapp_delivered', 'whatsapp_read'))::integer AS delivered,
           (sent.notification_status = 'whatsapp_read')::integer AS seen,
           (sent.notification_status = 'exception')::integer AS failed,
           NULL::integer AS new_leads,
           NULL::integer AS won,
           NULL::numeric AS conversion,
           NULL::numeric AS first_answer,
           NULL::numeric AS any_answer,
           NULL::numeric AS first_elapsed,
           NULL::numeric AS any_elapsed,
           NULL::integer AS late
      FROM mail_message message
      JOIN discuss_channel channel ON channel.id = message.res_id
      LEFT JOIN crm_lead lead ON lead.id = channel.lead_id
      LEFT JOIN mail_notification sent ON sent.mail_message_id = message.id
                                      AND sent.notification_type = 'gateway'
      LEFT JOIN (SELECT partner_id, min(id) AS user_id
                   FROM res_users
                  WHERE share IS NOT TRUE
                  GROUP BY partner_id) author ON author.partner_id = message.author_id
     WHERE message.model = 'discuss.channel'
       AND message.gateway_type = 'whatsapp'
       AND message.message_type = 'comment'
       AND (message.whatsapp_message_id IS NOT NULL OR sent.id IS NOT NULL)
    UNION ALL
    SELECT -answer.id * 3,
           answer.answered_at,
           'answer',
           answer.user_id,
           answer.team_id,
           answer.gateway_id,
           answer.company_id,
           answer.channel_id,
           answer.lead_id,
           lead.source_id,
           lead.medium_id,
           lead.campaign_id,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           CASE WHEN answer.is_first THEN answer.working_seconds / 60.0 END,
           answer.working_seconds / 60.0,
           CASE WHEN answer.is_first THEN answer.seconds / 60.0 END,
           answer.seconds / 60.0,
           answer.late::integer
      FROM whatsapp_answer answer
      LEFT JOIN crm_lead lead ON lead.id = answer.lead_id
    UNION ALL
    SELECT -lead.id * 3 - 1,
           lead.create_date,
           'lead',
           lead.user_id,
           lead.team_id,
           lead.whatsapp_gateway_id,
           lead.company_id,
           NULL,
           lead.id,
           lead.source_id,
           lead.medium_id,
           lead.campaign_id,
           NULL, NULL, NULL, NULL, NULL, NULL,
           1,
           (lead.active AND stage.is_won IS TRUE)::integer,
           CASE WHEN lead.active AND stage.is_won THEN 100.0 ELSE 0.0 END,
           NULL, NULL, NULL, NULL, NULL
      FROM crm_lead lead
      LEFT JOIN crm_stage stage ON stage.id = lead.stage_id
     WHERE lead.whatsapp_gateway_id IS NOT NULL
    UNION ALL
    SELECT -chat.id * 3 - 2,
           chat.answer_due,
           'late',
           chat.user_id,
           chat.team_id,
           chat.gateway_id,
           chat.company_id,
           chat.channel_id,
           chat.lead_id,
           lead.source_id,
           lead.medium_id,
           lead.campaign_id,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL,
           1
      FROM whatsapp_conversation chat
      LEFT JOIN crm_lead lead ON lead.id = chat.lead_id
     WHERE chat.late
"""


class WhatsappReport(models.Model):
    """What came, what left and what became of it: a row per message, lead and answer.

    Messages count for whom the conversation or the lead has now, answers and what was
    written by people for whoever wrote.
    """

    _name = "whatsapp.report"
    _description = "WhatsApp report"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"

    date = fields.Datetime(readonly=True)
    kind = fields.Selection(
        [
            ("in", "Received"),
            ("out", "Sent by a person"),
            ("auto", "Sent automatically"),
            ("phone", "Typed on the phone"),
            ("lead", "New lead"),
            ("answer", "Answer"),
            ("late", "Late, not answered yet"),
        ],
        string="What",
        readonly=True,
    )
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales team", readonly=True)
    gateway_id = fields.Many2one("mail.gateway", string="Number", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    channel_id = fields.Many2one(
        "discuss.channel", string="Conversation", readonly=True
    )
    lead_id = fields.Many2one("crm.lead", readonly=True)
    source_id = fields.Many2one("utm.source", readonly=True)
    medium_id = fields.Many2one("utm.medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    error_id = fields.Many2one(
        "whatsapp.error", string="Reason of failure", readonly=True
    )
    received = fields.Integer(
        string="Messages received", readonly=True, help="What customers wrote."
    )
    sent = fields.Integer(
        string="Messages sent", readonly=True, help="What Meta took from us."
    )
    delivered = fields.Integer(string="Messages delivered", readonly=True)
    seen = fields.Integer(string="Messages read", readonly=True)
    failed = fields.Integer(string="Messages failed", readonly=True)
    new_leads = fields.Integer(
        readonly=True, help="Leads that a WhatsApp message created."
    )
    won = fields.Integer(
        string="Leads won",
        readonly=True,
        help="Of the new leads of the period, those that are won by now.",
    )
    conversion = fields.Float(
        string="Won (%)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="Share of the new leads that are won by now.",
    )
    first_answer = fields.Float(
        string="First answer (working minutes)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="How long customers of newly opened leads waited for a person.",
    )
    any_answer = fields.Float(
        string="Answer (working minutes)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="How long customers waited for a person each time.",
    )
    first_elapsed = fields.Float(
        string="First answer (minutes by the clock)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="The same as the customer felt it: nights, Sundays and holidays count.",
    )
    any_elapsed = fields.Float(
        string="Answer (minutes by the clock)",
        readonly=True,
        aggregator="avg",
        digits=(16, 1),
        help="The same as the customer felt it: nights, Sundays and holidays count.",
    )
    late = fields.Integer(
        string="Late answers",
        readonly=True,
        help="After the target of the number, those not answered yet included.",
    )

    _depends = {
        "crm.lead": [
            "active",
            "campaign_id",
            "company_id",
            "create_date",
            "medium_id",
            "source_id",
            "stage_id",
            "team_id",
            "user_id",
            "whatsapp_gateway_id",
        ],
        "discuss.channel": [
            "company_id",
            "gateway_id",
            "lead_id",
            "whatsapp_team_id",
            "whatsapp_user_id",
        ],
        "mail.message": [
            "author_id",
            "date",
            "gateway_type",
            "message_type",
            "model",
            "res_id",
            "whatsapp_by_phone",
            "whatsapp_message_id",
        ],
        "mail.notification": [
            "mail_message_id",
            "notification_status",
            "notification_type",
            "whatsapp_error_id",
        ],
        "whatsapp.answer": [
            "answered_at",
            "channel_id",
            "company_id",
            "gateway_id",
            "is_first",
            "late",
            "lead_id",
            "seconds",
            "team_id",
            "user_id",
            "working_seconds",
        ],
        "whatsapp.conversation": [
            "answer_due",
            "channel_id",
            "company_id",
            "gateway_id",
            "late",
            "lead_id",
            "team_id",
            "user_id",
        ],
    }

    @property
    def _table_query(self):
        robots = self.env["discuss.channel"]._whatsapp_robots()
        return SQL(FACTS, robots=tuple(sorted(robots)))
