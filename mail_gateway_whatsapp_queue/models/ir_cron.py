# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from ..queue.locks import remembered
from .whatsapp_exists import EXISTS


class IrCron(models.Model):
    _name = "ir.cron"
    _inherit = ["ir.cron", EXISTS]

    def _trigger(self, at=None):
        """Wake a cron once in one transaction of ours: each lead, for example, does."""
        if at:
            return super()._trigger(at)
        woken = remembered(self.env.cr, "woken")
        if self not in woken:
            woken[self] = super()._trigger()
        return woken[self]
