# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class HrEmployee(models.Model):
    _inherit = "hr.employee"

    def get_next_whatsapp_assignee(
        self, company=None, lead=None, gateway=None, team=None
    ):
        chosen = self.search([("job_title", "=", "Always me")], limit=1)
        return chosen or super().get_next_whatsapp_assignee(
            company, lead, gateway, team
        )
