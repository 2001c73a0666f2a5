# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class WhatsappAssignment(models.Model):
    """A turn that was taken: which lead went to whom, and why.

    The turns are read from here. Rows are only ever added, so that parallel
    assignments never meet in one row.
    """

    _name = "whatsapp.assignment"
    _description = "WhatsApp lead assignment"
    _order = "id desc"
    _rec_name = "employee_id"

    employee_id = fields.Many2one(
        "hr.employee", required=True, readonly=True, ondelete="cascade"
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
