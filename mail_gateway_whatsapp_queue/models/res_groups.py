# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from .. import compat

USERS = (compat.USERS, "users", "user_ids", "implied_ids", "implied_by_ids")


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        """Let those out of the conversations who lose the right by a group."""
        if vals.keys().isdisjoint(USERS):
            return super().write(vals)
        worked = self._whatsapp_users_of(self.env["res.users"]._whatsapp_groups())
        res = super().write(vals)
        works = self._whatsapp_users_of(self.env["res.users"]._whatsapp_groups())
        (worked - works)._whatsapp_leave_conversations()
        return res

    def _whatsapp_users_of(self, xmlids):
        """Return the internal users of some groups.

        :param xmlids: iterable of XML ids
        """
        users = self.env["res.users"]
        for xmlid in xmlids:
            # sudo: res.groups - who changes one group need not read the others
            if group := self.env.ref(xmlid, raise_if_not_found=False):
                users |= compat.users_of(group.sudo())
        return users.sudo(self.env.su).filtered(lambda user: not user.share)
