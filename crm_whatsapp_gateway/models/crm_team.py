# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_along import ALONG
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import remembered


class CrmTeam(models.Model):
    _name = "crm.team"
    _inherit = ["crm.team", ALONG]

    @api.model
    def _get_default_team_id(self, user_id=False, domain=False):
        """Find the team of a salesperson once in work of ours that makes many leads."""
        known = remembered(self.env.cr, "teams")
        env, default = self.env, self.env.context.get("default_team_id")
        asked = (user_id, repr(domain), env.uid, env.su, env.companies, default)
        if asked not in known:
            known[asked] = super()._get_default_team_id(user_id, domain)
        return known[asked].with_env(env)
