# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from odoo.addons.mail_gateway_whatsapp_queue.models.res_groups import USERS

from .hr_employee import SALESPERSON


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        """Recompute who takes turns; pass on the customers of who no longer sells."""
        if vals.keys().isdisjoint(USERS):
            return super().write(vals)
        sold = self._whatsapp_users_of((SALESPERSON,))
        res = super().write(vals)
        sells = self._whatsapp_users_of((SALESPERSON,))
        ((sold | sells) - (sold & sells))._whatsapp_compute_agents()
        (sold - sells)._whatsapp_reassign_customers()
        return res
