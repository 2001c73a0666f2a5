# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from .hr_employee import SALESPERSON

RIGHTS = ("groups_id", "group_ids", "in_group_", "sel_groups_")


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        """Let who becomes a salesperson take turns, and who no longer is one not."""
        if not any(name.startswith(RIGHTS) for name in vals):
            return super().write(vals)
        before = {user: user.has_group(SALESPERSON) for user in self}
        res = super().write(vals)
        for user, sold in before.items():
            if user.has_group(SALESPERSON) != sold:
                # sudo: hr.employee - who gives rights need not read employees
                user.sudo().with_context(
                    active_test=False
                ).employee_ids._compute_whatsapp_agent()
        return res
