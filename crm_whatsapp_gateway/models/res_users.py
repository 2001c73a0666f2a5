# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from odoo import SUPERUSER_ID, api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.mail_gateway_whatsapp_queue.models.res_users import (
    ADMINISTRATOR,
    EVERYTHING,
    IN_GATEWAY,
    NOTHING,
    RIGHTS,
    any_of,
)
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import try_lock_until_commit

from .hr_employee import SALESPERSON

_logger = logging.getLogger(__name__)

FEW = 20  # leads that are passed on while an administrator waits
MANAGER = "sales_team.group_sale_salesman_all_leads"
# In the context of a view: say who is away, for the customers of this company (its id,
# or True for the current one)
ABSENCE = "whatsapp_absence"


# Conditions on a channel by columns of its conversation; others lead to the channel
COLUMNS = {
    "company_id": "company_id",
    "gateway_id": "gateway_id",
    "is_member": "is_member",
    "whatsapp_team_id": "team_id",
    "whatsapp_user_id": "user_id",
}


def _by_conversation(term):
    """Return a term of a domain of channels as one of ``whatsapp.conversation``."""
    if isinstance(term, str):  # an operator
        return term
    if term == IN_GATEWAY:  # all of them are
        return (1, "=", 1)
    path, operator, value = term
    field, dot, rest = path.partition(".")
    return (COLUMNS.get(field, f"channel_id.{field}") + dot + rest, operator, value)


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _whatsapp_groups(self):
        """Salespeople work with WhatsApp."""
        return (SALESPERSON, *super()._whatsapp_groups())

    def write(self, vals):
        """Recompute who takes turns; pass on the customers of who no longer sells."""
        rights = any(name.startswith(RIGHTS) for name in vals)
        if not rights and vals.keys().isdisjoint(("active", "company_ids")):
            return super().write(vals)
        worked = self.filtered(lambda user: user._whatsapp_works())
        before = {user: user.has_group(SALESPERSON) for user in self} if rights else {}
        res = super().write(vals)
        for user, sold in before.items():
            if user.has_group(SALESPERSON) != sold:
                user._whatsapp_compute_agents()
        worked._whatsapp_reassign_customers()
        return res

    @api.depends_context(ABSENCE, "company", "lang", "tz", "uid")
    def _compute_display_name(self):
        """Say beside a name that its owner is away, where colleagues are chosen."""
        res = super()._compute_display_name()
        company = self._whatsapp_absence_company()
        if company:
            away = self.env["hr.employee"]._whatsapp_absence_words(self, company)
            for user in self.filtered(lambda user: user.id in away):
                user.display_name = f"{user.display_name} ({away[user.id]})"
        return res

    @api.model
    def _whatsapp_absence_company(self):
        """Return for whose customers a view asks who is away; empty if it does not."""
        company_id = self.env.context.get(ABSENCE)
        if not company_id or not self.env.user._whatsapp_works():
            return self.env["res.company"]
        if company_id is True:
            return self.env.company
        return self.env.companies.filtered(lambda company: company.id == company_id)

    # ------------------------------------------------------------- who sees what

    def _whatsapp_writes_from(self, gateway):
        """Salespeople begin conversations from every number of their companies."""
        return super()._whatsapp_writes_from(gateway) or (
            self._whatsapp_works() and self.has_group(SALESPERSON)
        )

    def _whatsapp_parts(self):
        """Salespeople see their own conversations and what nobody has; managers all."""
        parts = super()._whatsapp_parts()
        if not parts or self.has_group(ADMINISTRATOR):
            return parts
        company = self._whatsapp_own_companies()
        if self.has_group(MANAGER):
            return [company]
        if self.has_group(SALESPERSON):
            parts.append([("whatsapp_user_id", "=", self.id), IN_GATEWAY, *company])
            parts.append([*self._whatsapp_unassigned(), *company])
        return parts

    def _whatsapp_batch_domain(self):
        """Managers see what everybody of their companies sends."""
        if self.has_group(MANAGER) and not self.has_group(ADMINISTRATOR):
            return self._whatsapp_own_companies() or EVERYTHING
        return super()._whatsapp_batch_domain()

    def _whatsapp_unassigned(self):
        """Return the domain of what nobody has and the whole team may take."""
        return [
            ("whatsapp_user_id", "=", False),
            IN_GATEWAY,
            ("gateway_id", "any", [("whatsapp_show_unassigned", "=", True)]),
            "|",
            "|",
            "|",
            ("whatsapp_team_id", "=", False),
            ("whatsapp_team_id.crm_team_member_ids", "=", False),
            ("whatsapp_team_id.crm_team_member_ids.user_id", "=", self.id),
            ("whatsapp_team_id.user_id", "=", self.id),
        ]

    def _whatsapp_inbox_domain(self, company_ids):
        """Return which ``whatsapp.conversation`` this user may see: as the channels.

        What is decided about channels, said by the columns of the conversation; and as
        the rules of Odoo and OCA have it, of the companies that are chosen, or those
        in which one takes part.

        :param company_ids: of the companies that the user has chosen
        :return: a plain domain
        """
        parts = self._whatsapp_parts()
        if [] in parts:
            return EVERYTHING
        return [
            "|",
            ("company_id", "in", [*company_ids, False]),
            ("is_member", "=", True),
            *any_of([list(map(_by_conversation, part)) for part in parts]),
        ]

    def _whatsapp_assignment_domain(self):
        """Return which ``whatsapp.assignment`` this user may see: the own ones, and
        those of leads and conversations that they may see.
        """
        if [] in self._whatsapp_parts():
            return EVERYTHING
        if not self._whatsapp_works():
            return NOTHING
        # as the rules of the CRM say, with the rights of the user
        rules = self.env["ir.rule"].with_user(self)
        leads = list(rules._compute_domain("crm.lead", "read") or [])
        return any_of(
            [
                [("user_id", "=", self.id)],
                [("lead_id", "any", leads or EVERYTHING)],
                self._whatsapp_domain_by("lead_id.whatsapp_channel_ids"),
            ]
        )

    # ------------------------------------------------------------- who takes turns

    def _whatsapp_compute_agents(self):
        """Let those take turns who may sell now, and no others."""
        # sudo: hr.employee - who gives rights need not read employees
        users = self.sudo().with_context(active_test=False)
        users.employee_ids._compute_whatsapp_agent()

    def _whatsapp_reassign_customers(self):
        """Pass on the customers who wait for these users, if nobody cares for them.

        A few at once; many, or those at whose messages somebody works now, by the cron.
        """
        # sudo: crm.lead - who takes rights away need not see any
        leads = self.env["crm.lead"].sudo()
        left = leads.browse(leads._whatsapp_left(self)) if self else leads
        if not left:
            return
        if len(left) > FEW or not try_lock_until_commit(
            self.env.cr,
            self.env.registry,
            left.whatsapp_channel_ids._whatsapp_lock_keys(),
        ):
            self.env["whatsapp.assignment"]._whatsapp_cron()._trigger()
            return
        for lead in left.with_user(SUPERUSER_ID):
            lang = lead._whatsapp_gateway()._whatsapp_lang()
            try:
                with self.env.cr.savepoint():
                    lead.with_context(lang=lang)._whatsapp_reassign_absent()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:  # the cron tries it again: see its log
                _logger.exception("lead %s could not be passed on", lead.id)
