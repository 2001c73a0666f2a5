# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class WhatsappAssignment(models.Model):
    """Which lead went to whom, and why: by a turn, or because it was theirs.

    The turns are read from here. Rows are only ever added, so that parallel
    assignments never meet in one row. The automation rule 'immediate call' watches
    this model: a rule that watches leads would cost every user of the CRM some
    twenty queries for each lead that is written.
    """

    _name = "whatsapp.assignment"
    _description = "WhatsApp lead assignment"
    _order = "id desc"
    _rec_name = "lead_id"

    employee_id = fields.Many2one(
        "hr.employee",
        string="Turn of",
        readonly=True,
        ondelete="cascade",
        help="Whose turn was taken; empty if the lead had its salesperson already.",
    )
    user_id = fields.Many2one(
        "res.users", string="Salesperson", readonly=True, ondelete="set null"
    )
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, ondelete="set null", index="btree_not_null"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    reason = fields.Char(readonly=True)

    def init(self):
        """Make the index that finds each employee's last turn."""
        self.env.cr.execute(
            "CREATE INDEX IF NOT EXISTS whatsapp_assignment_turn_idx"
            " ON whatsapp_assignment (employee_id, id)"
        )
        return super().init()

    @api.model
    def _note(self, company, lead, employee, reason):
        """Add a row; the rule 'immediate call' acts on it.

        :param company: ``res.company`` of the pool
        :param lead: ``crm.lead`` that is in its salesperson's hands, or None
        :param employee: ``hr.employee`` whose turn was taken, perhaps empty
        :param str reason: why this person
        """
        user = employee.user_id or (lead and lead.user_id)
        # sudo: whatsapp.assignment - nobody writes it by hand
        return self.sudo().create(
            {
                "company_id": company.id,
                "lead_id": lead.id if lead else False,
                "employee_id": employee.id,
                "user_id": user.id if user else False,
                "reason": reason,
            }
        )
