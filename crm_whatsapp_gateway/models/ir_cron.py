# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

ENRICHMENT = "crm_iap_enrich.ir_cron_lead_enrichment"


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _trigger(self, at=None):
        """Wake no enrichment of leads for one without an e-mail address.

        Odoo knows nothing of it, and would lock all leads of the hour.
        """
        if self.env.context.get("whatsapp_without_email"):
            if self.id == self.env["ir.model.data"]._xmlid_to_res_id(ENRICHMENT):
                return self.env["ir.cron.trigger"]
        return super()._trigger(at)
