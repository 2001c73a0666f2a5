# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from odoo import SUPERUSER_ID, models
from odoo.exceptions import AccessError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .. import compat
from ..concurrency import try_hold_until_end
from .hr_employee import SALESPERSON

_logger = logging.getLogger(__name__)

FEW = 20  # leads that are passed on while an administrator waits
RIGHTS = ("groups_id", "group_ids", "in_group_", "sel_groups_")
MANAGER = "sales_team.group_sale_salesman_all_leads"
GATEWAY_USER = "mail_gateway.gateway_user"
ADMINISTRATOR = "base.group_system"
# Who works with WhatsApp; the others see no conversation, whoever let them in
WORKS = (SALESPERSON, GATEWAY_USER, ADMINISTRATOR)

EVERYTHING = [(1, "=", 1)]
NOTHING = [(0, "=", 1)]
IN_GATEWAY = ("channel_type", "=", "gateway")
# Conversations that are none of WhatsApp. One whose number was removed is still one.
NOT_WHATSAPP = [
    "|",
    ("gateway_id", "any", [("gateway_type", "!=", "whatsapp")]),
    "&",
    ("gateway_id", "=", False),
    "|",
    ("channel_type", "!=", "gateway"),
    "&",
    ("whatsapp_phone", "=", False),
    ("whatsapp_bsuid", "=", False),
]


def any_of(domains):
    """Return the domain of what one of these domains finds.

    :param domains: list of domains, of implicit 'and' too
    """
    if not domains:
        return NOTHING
    # explicit, so that each of them is one term
    terms = [compat.all_of(domain) for domain in domains]
    return ["|"] * (len(terms) - 1) + [leaf for term in terms for leaf in term]


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        """Let who becomes a salesperson take turns, and who no longer is one not.

        Who loses the right to see conversations takes part in none any more.
        """
        rights = any(name.startswith(RIGHTS) for name in vals)
        if not rights and vals.keys().isdisjoint(("active", "company_ids")):
            return super().write(vals)
        worked = self.filtered(lambda user: user._whatsapp_works())
        before = {user: user.has_group(SALESPERSON) for user in self} if rights else {}
        res = super().write(vals)
        for user, sold in before.items():
            if user.has_group(SALESPERSON) != sold:
                user._whatsapp_compute_agents()
        worked._whatsapp_leave_if_idle()
        worked._whatsapp_pass_on_customers()
        return res

    # ------------------------------------------------------------- who sees what

    def _whatsapp_works(self):
        """Tell whether this user works with WhatsApp at all."""
        self.ensure_one()
        return self._is_internal() and any(map(self.has_group, WORKS))

    def _whatsapp_check_works(self):
        """Refuse who does not work with WhatsApp, before anything is done for them.

        :raise AccessError: neither salesperson nor user of gateways
        """
        if not (self._is_superuser() or self._whatsapp_works()):
            raise AccessError(
                self.env._(
                    "Only salespeople and users of gateways work with WhatsApp. Please"
                    " ask an administrator for the right."
                )
            )

    def _whatsapp_conversation_domain(self):
        """Return which ``discuss.channel`` this user may see, as far as WhatsApp says.

        The one place where it is decided; the record rules of conversations and of
        all that belongs to them ask here. Other channels always pass.

        :return: a plain domain
        """
        parts = self._whatsapp_parts()
        if [] in parts:
            return EVERYTHING
        return any_of([*parts, NOT_WHATSAPP])

    def _whatsapp_domain_by(self, path, others=False):
        """Return which records this user may see by the conversation they belong to.

        :param str path: field that leads to ``discuss.channel``
        :param bool others: records of other channels, and of none, pass too
        :return: a plain domain
        """
        parts = self._whatsapp_parts()
        if [] in parts:
            return EVERYTHING
        # one subquery each, which PostgreSQL answers by an index: a single one with
        # 'or' would read all conversations
        domains = [[(path, "any", part)] for part in parts]
        if others:
            domains = [[(path, "=", False)], *domains, [(path, "any", NOT_WHATSAPP)]]
        return any_of(domains)

    def _whatsapp_parts(self):
        """Return the domains of the WhatsApp conversations that this user sees.

        :return: list of domains, any of which is enough; an empty one means all
        """
        self.ensure_one()
        if not self._whatsapp_works():
            return []
        if self.has_group(ADMINISTRATOR):
            return [[]]
        company = self._whatsapp_own_companies()
        if self.has_group(MANAGER):
            return [company]
        parts = [[IN_GATEWAY, ("is_member", "=", True), *company]]
        if self.has_group(SALESPERSON):
            parts.append([("whatsapp_user_id", "=", self.id), IN_GATEWAY, *company])
            parts.append([*self._whatsapp_unassigned(), *company])
        if self.has_group(GATEWAY_USER):
            number = [("member_ids", "in", self.ids)]
            parts.append([IN_GATEWAY, ("gateway_id", "any", number), *company])
        return parts

    def _whatsapp_own_companies(self):
        """Return the domain of what belongs to the companies of this user."""
        # sudo: res.company - how many there are tells nothing
        companies = self.sudo().company_ids
        if len(companies) == companies.search_count([]):
            return []
        return [("company_id", "in", [*companies.ids, False])]

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

    def _whatsapp_number_domain(self, path):
        """Return which records this user may see by the number they belong to.

        :param str path: of the type of ``mail.gateway``
        :return: a plain domain
        """
        works = self._whatsapp_works()
        return EVERYTHING if works else [(path, "!=", "whatsapp")]

    def _whatsapp_message_domain(self):
        """Return which ``mail.message`` this user may see, as far as WhatsApp says.

        Odoo shows a message to its author, and to whoever made the row, which of a
        stranger's message is the public user. For who works with WhatsApp the
        conversation decides, as Odoo has it.
        """
        if self._whatsapp_works():
            return EVERYTHING
        return [
            "|",
            ("gateway_type", "!=", "whatsapp"),
            ("model", "!=", "discuss.channel"),
        ]

    def _whatsapp_guest_domain(self):
        """Return which ``mail.guest`` this user may see: customers by conversation."""
        return any_of(
            [
                [("gateway_id", "=", False), ("gateway_token", "=", False)],
                [
                    ("gateway_id.gateway_type", "!=", "whatsapp"),
                    ("gateway_id", "!=", False),
                ],
                self._whatsapp_domain_by("channel_ids"),
            ]
        )

    # ------------------------------------------------------------- who leaves

    def _whatsapp_leave_if_idle(self):
        """Let those out of all conversations who no longer work with WhatsApp.

        Notices go to members, whatever the rules say.
        """
        idle = self.filtered(lambda user: not (user.active and user._whatsapp_works()))
        if not idle:
            return
        # sudo: discuss.channel.member - who takes rights away need not see any
        members = self.env["discuss.channel.member"].sudo()
        members.search(
            [
                ("partner_id", "in", idle.partner_id.ids),
                ("channel_id.channel_type", "=", "gateway"),
                ("channel_id", "not any", NOT_WHATSAPP),
            ]
        ).unlink()

    def _whatsapp_compute_agents(self):
        """Let those take turns who may sell now, and no others."""
        # sudo: hr.employee - who gives rights need not read employees
        users = self.sudo().with_context(active_test=False)
        users.employee_ids._compute_whatsapp_agent()

    def _whatsapp_pass_on_customers(self):
        """Pass on the customers who wait for these users, if nobody cares for them.

        A few at once; many, or those at whose messages somebody works now, by the cron.
        """
        # sudo: crm.lead - who takes rights away need not see any
        leads = self.env["crm.lead"].sudo()
        left = leads.browse(leads._whatsapp_left(self)) if self else leads
        if not left:
            return
        if len(left) > FEW or not try_hold_until_end(
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
                    lead.with_context(lang=lang)._whatsapp_pass_on_absent()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception:  # the cron tries it again: see its log
                _logger.exception("lead %s could not be passed on", lead.id)


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        """Let those out of the conversations who lose the right by a group, and those
        take turns who get it.
        """
        names = (compat.USERS, "users", "user_ids", "implied_ids", "implied_by_ids")
        if vals.keys().isdisjoint(names):
            return super().write(vals)
        worked = self._whatsapp_workers()
        sold = self._whatsapp_workers((SALESPERSON,))
        res = super().write(vals)
        sells = self._whatsapp_workers((SALESPERSON,))
        ((sold | sells) - (sold & sells))._whatsapp_compute_agents()
        (worked - self._whatsapp_workers())._whatsapp_leave_if_idle()
        (sold - sells)._whatsapp_pass_on_customers()
        return res

    def _whatsapp_workers(self, xmlids=WORKS):
        """Return the users who work with WhatsApp, or those of some groups of them."""
        users = self.env["res.users"]
        for xmlid in xmlids:
            # sudo: res.groups - who changes one group need not read the others
            if group := self.env.ref(xmlid, raise_if_not_found=False):
                users |= compat.users_of(group.sudo())
        return users.sudo(self.env.su).filtered(lambda user: not user.share)
