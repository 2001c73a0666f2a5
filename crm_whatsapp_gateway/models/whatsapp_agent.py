# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.mail_gateway_whatsapp_queue import compat

from ..tools import duty
from .hr_employee import SALESPERSON

RECENT = timedelta(days=30)
ROWS = """
    SELECT employee.id,
           employee.id AS employee_id,
           employee.user_id,
           employee.company_id,
           COALESCE(employee.whatsapp_agent, FALSE) AS receives,
           COALESCE(employee.whatsapp_limit, 0) AS most,
           last.id AS last_turn,
           last.create_date AS last_turn_at,
           recent.turns,
           leads.load,
           chats.waiting
      FROM hr_employee employee
      JOIN res_users person ON person.id = employee.user_id
                           AND person.active AND NOT person.share
      LEFT JOIN LATERAL (
           SELECT turn.id, turn.create_date
             FROM whatsapp_assignment turn
            WHERE turn.employee_id = employee.id
            ORDER BY turn.id DESC LIMIT 1) last ON TRUE
      LEFT JOIN LATERAL (
           SELECT count(*) AS turns
             FROM whatsapp_assignment turn
            WHERE turn.employee_id = employee.id
              AND turn.create_date > %(recently)s) recent ON TRUE
      LEFT JOIN LATERAL (
           SELECT count(*) AS load
             FROM crm_lead lead
             LEFT JOIN crm_stage stage ON stage.id = lead.stage_id
            WHERE lead.user_id = employee.user_id
              AND lead.active
              AND lead.whatsapp_opened_at IS NOT NULL
              AND stage.is_won IS NOT TRUE) leads ON TRUE
      LEFT JOIN LATERAL (
           SELECT count(*) AS waiting
             FROM whatsapp_conversation chat
            WHERE chat.user_id = employee.user_id
              AND chat.waiting_since IS NOT NULL) chats ON TRUE
     WHERE employee.active
       AND (employee.whatsapp_agent
            OR employee.user_id = ANY(%(sellers)s::integer[])
            OR recent.turns > 0
            OR leads.load > 0)
"""
MANAGERS = ("sales_team.group_sale_manager", "hr.group_hr_user")


class WhatsappAgent(models.Model):
    """Who takes turns: a salesperson's turn, load and switch, for everybody to see.

    Employees are for the personnel department; of them this shows what a sales team
    needs, one row per employee with a user who may sell.
    """

    _name = "whatsapp.agent"
    _description = "WhatsApp salesperson"
    _auto = False
    _order = "receives desc, last_turn nulls first, id"
    _rec_name = "user_id"

    employee_id = fields.Many2one("hr.employee", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    receives = fields.Boolean(
        string="Receives leads",
        help="Off: no new leads, and no returning customers either.",
    )
    most = fields.Integer(
        string="Limit", help="Open WhatsApp leads at most. 0: no limit."
    )
    last_turn = fields.Integer(readonly=True)
    last_turn_at = fields.Datetime(string="Last turn", readonly=True)
    turns = fields.Integer(
        string="Turns, 30 days", readonly=True, help="Leads got by the fair turn."
    )
    load = fields.Integer(
        string="Open leads", readonly=True, help="Open leads that came by WhatsApp."
    )
    waiting = fields.Integer(
        readonly=True,
        help="Conversations in which the customer had the last word.",
    )
    duty = fields.Selection(
        [
            ("on", "On duty"),
            (duty.OFF, "Switched off"),
            (duty.LEAVE, "On leave"),
            (duty.HOURS, "Outside working hours"),
            (duty.LIMIT, "At the limit"),
        ],
        string="Now",
        compute="_compute_duty",
    )
    turn = fields.Integer(
        compute="_compute_duty",
        help="Place in the order of turns of the company, among those on duty.",
    )
    until = fields.Datetime(
        compute="_compute_duty", help="When somebody who is on leave is back."
    )
    may_switch = fields.Boolean(compute="_compute_may_switch")
    may_manage = fields.Boolean(compute="_compute_may_switch")

    _depends = {
        "crm.lead": ["active", "stage_id", "user_id", "whatsapp_opened_at"],
        "hr.employee": ["active", "user_id", "whatsapp_agent", "whatsapp_limit"],
        "whatsapp.assignment": ["employee_id"],
        "whatsapp.conversation": ["user_id", "waiting_since"],
    }

    @property
    def _table_query(self):
        # so that somebody who is switched off is found again
        # sudo: res.groups - salespeople need not read groups
        sellers = compat.users_of(self.env.ref(SALESPERSON).sudo())
        recently = fields.Datetime.now() - RECENT
        return SQL(ROWS, sellers=sellers.ids, recently=recently)

    # ------------------------------------------------------------- compute

    def _compute_duty(self):
        # sudo: hr.employee - of which the team sees no more than on and off
        employees = self.env["hr.employee"].sudo()
        for company, agents in self.grouped("company_id").items():
            gateways = self.env["mail.gateway"].search(
                [
                    ("gateway_type", "=", "whatsapp"),
                    ("company_id", "in", (company.id, False)),
                    ("whatsapp_only_working_hours", "=", True),
                ],
                limit=1,
            )
            # every company has one order of turns; the hours are those of its numbers
            members, hours = employees._whatsapp_pool(company, by_hours=bool(gateways))
            members = employees._whatsapp_committed(members, self.env.cr)
            roster = duty.Roster.of([member.agent for member in members], hours)
            places = {agent.id: n for n, agent in enumerate(roster.on_duty, 1)}
            off = {agent.id: why for agent, why in roster.off}
            absences = employees._whatsapp_absences(
                {(agent.user_id.id, company.id) for agent in agents}
            )
            for agent in agents:
                absence = absences.get((agent.user_id.id, company.id))
                agent.until = absence and absence.until
                agent.turn = places.get(agent.id, 0)
                agent.duty = off.get(agent.id, "on")

    @api.depends_context("uid")
    def _compute_may_switch(self):
        manages = any(map(self.env.user.has_group, MANAGERS))
        for agent in self:
            agent.may_manage = manages
            agent.may_switch = manages or agent.user_id == self.env.user

    # ------------------------------------------------------------- write

    # pylint: disable=method-required-super
    def write(self, vals):
        """Write the switch and the limit of the employees behind the rows.

        :raise AccessError: another's switch, or a limit, without being a manager
        """
        names = {"receives": "whatsapp_agent", "most": "whatsapp_limit"}
        if unknown := vals.keys() - names.keys():
            raise AccessError(
                self.env._("These cannot be changed here: %s", ", ".join(unknown))
            )
        needed = "may_manage" if "most" in vals else "may_switch"
        if not all(self.mapped(needed)):
            raise AccessError(
                self.env._(
                    "You can switch yourself on and off. What concerns your"
                    " colleagues, a sales manager changes."
                )
            )
        self.check_access("write")
        # sudo: hr.employee - see above
        self.employee_id.sudo().write(
            {names[name]: value for name, value in vals.items()}
        )
        self.env.flush_all()
        self.invalidate_model()
        self.env["whatsapp.assignment"]._whatsapp_cron()._trigger()
        return True
