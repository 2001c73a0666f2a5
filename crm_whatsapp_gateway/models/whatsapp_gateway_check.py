# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.tools import checks
from odoo.addons.mail_gateway_whatsapp_queue.tools.checks import Check
from odoo.addons.mail_gateway_whatsapp_queue.tools.setup import CheckResult

from ..tools import duty

OLDER = "crm_import_leads"


class WhatsappGatewayCheck(models.Model):
    """The checks that have to do with leads: who gets them, and who else makes them."""

    _inherit = "whatsapp.gateway.check"

    kind = fields.Selection(
        selection_add=[("older", "Older module"), ("salespeople", "Salespeople")],
        ondelete={"older": "cascade", "salespeople": "cascade"},
    )

    @api.model
    def _checks(self):
        older = Check("first", optional=True)
        salespeople = Check(
            "team",
            fields=(
                "whatsapp_employee_ids",
                "whatsapp_only_working_hours",
                "whatsapp_team_id",
            ),
        )
        found = checks.insert_after(super()._checks(), "copy", {"older": older})
        return checks.insert_after(found, "templates", {"salespeople": salespeople})

    @api.model
    def _kinds(self, gateway):
        kinds = super()._kinds(gateway)
        if not self._has_older():
            kinds.remove("older")
        return kinds

    @api.model
    def _has_older(self):
        # sudo: ir.module.module - what else is installed
        modules = self.env["ir.module.module"].sudo()
        return bool(
            modules.search_count([("name", "=", OLDER), ("state", "=", "installed")])
        )

    @api.model
    def _check_older(self, context):
        return CheckResult("older_installed")

    @api.model
    def _check_salespeople(self, context):
        company = context.gateway.company_id or self.env.company
        # sudo: hr.employee - administrators need not be of the personnel department
        employees = self.env["hr.employee"].sudo()
        members, hours = employees._whatsapp_pool(company, context.gateway)
        agents = [
            member.agent
            for member in members
            if member.in_pool and member.agent.receives
        ]
        roster = duty.Roster.of(agents, hours)
        names = [agent.name for agent in agents]
        if roster.on_duty:
            on = [agent.name for agent in roster.on_duty]
            return CheckResult("people_ok", {"on": on})
        if not agents:
            return CheckResult("people_nobody")
        if any(why == duty.HOURS for _agent, why in roster.off):
            return CheckResult("people_later", {"names": names})
        return CheckResult("people_away", {"names": names})

    def _fix_agents(self):
        return self.env["ir.actions.actions"]._for_xml_id(
            "crm_whatsapp_gateway.action_whatsapp_agent"
        )

    @api.model
    def _cron_modules(self):
        return [*super()._cron_modules(), "crm_whatsapp_gateway"]
