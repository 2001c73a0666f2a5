# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from ..concurrency import hold_until_end

SALESPERSON = "sales_team.group_sale_salesman"

LAST_TURNS = """
    SELECT employee.id, (SELECT max(turn.id)
                           FROM whatsapp_assignment turn
                          WHERE turn.employee_id = employee.id)
      FROM hr_employee employee
     WHERE employee.id = ANY(%s)
"""


class HrEmployee(models.Model):
    _inherit = "hr.employee"

    whatsapp_agent = fields.Boolean(
        string="Receives WhatsApp leads",
        compute="_compute_whatsapp_agent",
        store=True,
        readonly=False,
        groups="hr.group_hr_user",
        help="Takes part in the fair turn of new WhatsApp leads. Set by itself for"
        " salespeople who are not administrators.",
    )

    @api.depends("user_id")
    def _compute_whatsapp_agent(self):
        for employee in self:
            user = employee.user_id
            employee.whatsapp_agent = bool(
                user
                and user.has_group(SALESPERSON)
                and not user.has_group("base.group_system")
            )

    @api.model
    def get_next_whatsapp_assignee(self, company=None, lead=None):
        """Take the next turn and return whose it is.

        Fair turn: the one who has been without a turn for the longest. Exact
        under parallel assignment: the pool is held until the transaction ends,
        and the turns are read after the lock was taken.

        :param company: ``res.company`` whose people take turns; default: current
        :param lead: ``crm.lead`` to hand over; it stays in its team
        :return: ``hr.employee``, empty if nobody is on duty
        """
        self.check_access("write")  # a turn is not for everybody to take
        company = company or self.env.company
        employee, reason = self._whatsapp_next(company)
        if employee and lead:
            values = {"user_id": employee.user_id.id}
            if lead.team_id:
                values["team_id"] = lead.team_id.id
            lead.write(values)
        if employee:
            self.env["whatsapp.assignment"]._note(company, lead, employee, reason)
        return employee

    @api.model
    def _whatsapp_next(self, company):
        """Return whose turn is next, and why. Nobody else can ask until the end of
        the transaction; the turn is taken by a row of ``whatsapp.assignment``.

        :return: tuple of ``hr.employee`` and str
        """
        pool = self._whatsapp_on_duty(company)
        if not pool:
            return pool, self.env._("Nobody is on duty")
        lock = hold_until_end(
            self.env.cr, self.env.registry, f"whatsapp:pool:{company.id}"
        )
        employee = min(pool, key=self._whatsapp_turn_order(pool, lock))
        reason = self.env._("Longest without a turn among %s on duty", len(pool))
        return employee, reason

    @api.model
    def _whatsapp_on_duty(self, company):
        """Return the employees who take turns in a company."""
        employees = self.sudo().search(
            [
                ("whatsapp_agent", "=", True),
                ("company_id", "=", company.id),
                ("user_id.active", "=", True),
                ("user_id.share", "=", False),
            ],
            order="id",
        )
        if "is_absent" in employees._fields:
            employees = employees.filtered(lambda employee: not employee.is_absent)
        return employees

    def _whatsapp_turn_order(self, pool, lock):
        """Return a sort key: last turn, then id.

        A turn of this transaction is seen by its own cursor only, a turn that
        was committed while we waited by that of the lock only.
        """
        self.env["whatsapp.assignment"].flush_model()
        last = dict.fromkeys(pool.ids, 0)
        for cursor in (self.env.cr, lock):
            cursor.execute(LAST_TURNS, (pool.ids,))
            for employee_id, turn in cursor.fetchall():
                last[employee_id] = max(last[employee_id], turn or 0)
        return lambda employee: (last[employee.id], employee.id)
