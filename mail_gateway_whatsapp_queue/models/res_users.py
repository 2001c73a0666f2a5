# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models
from odoo.exceptions import AccessError

from .. import compat

RIGHTS = ("groups_id", "group_ids", "in_group_", "sel_groups_")
GATEWAY_USER = "mail_gateway.gateway_user"
ADMINISTRATOR = "base.group_system"

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

    @api.model
    def _whatsapp_groups(self):
        """Return the XML ids of the groups that work with WhatsApp. A hook.

        All others see no conversation, whoever let them in.
        """
        return (GATEWAY_USER, ADMINISTRATOR)

    def write(self, vals):
        """Let those out of all conversations who lose the right to see them."""
        rights = any(name.startswith(RIGHTS) for name in vals)
        if not rights and vals.keys().isdisjoint(("active", "company_ids")):
            return super().write(vals)
        worked = self.filtered(lambda user: user._whatsapp_works())
        res = super().write(vals)
        worked._whatsapp_leave_conversations()
        return res

    # ------------------------------------------------------------- who sees what

    def _whatsapp_works(self):
        """Tell whether this user works with WhatsApp at all."""
        self.ensure_one()
        return self._is_internal() and any(map(self.has_group, self._whatsapp_groups()))

    def _whatsapp_check_works(self):
        """Refuse who does not work with WhatsApp, before anything is done for them.

        :raise AccessError: the user has none of the groups that do
        """
        if not (self._is_superuser() or self._whatsapp_works()):
            raise AccessError(
                self.env._(
                    "You have no right to work with WhatsApp. Please ask an"
                    " administrator for it."
                )
            )

    def _whatsapp_writes_from(self, gateway):
        """Tell whether this user begins conversations from a number. A hook.

        :param gateway: one ``mail.gateway``
        """
        # sudo: mail.gateway - who its members are
        return self._whatsapp_works() and (
            self.has_group(ADMINISTRATOR) or self in gateway.sudo().member_ids
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
        """Return the domains of the WhatsApp conversations that this user sees. A hook.

        :return: list of domains, any of which is enough; an empty one means all
        """
        self.ensure_one()
        if not self._whatsapp_works():
            return []
        if self.has_group(ADMINISTRATOR):
            return [[]]
        company = self._whatsapp_own_companies()
        parts = [[IN_GATEWAY, ("is_member", "=", True), *company]]
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

    def _whatsapp_number_domain(self, path):
        """Return which records this user may see by the number they belong to.

        :param str path: of the type of ``mail.gateway``
        :return: a plain domain
        """
        works = self._whatsapp_works()
        return EVERYTHING if works else [(path, "!=", "whatsapp")]

    def _whatsapp_batch_domain(self):
        """Return which ``whatsapp.batch`` this user may see: the own ones. A hook."""
        if not self._whatsapp_works():
            return NOTHING
        if self.has_group(ADMINISTRATOR):
            return EVERYTHING
        return [("user_id", "=", self.id)]

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

    def _whatsapp_leave_conversations(self):
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
