# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from .whatsapp_lookup import LOOKUP


class MailGuest(models.Model):
    _name = "mail.guest"
    _inherit = ["mail.guest", LOOKUP]
    _whatsapp_lookups = ("gateway_token",)

    # each message looks its author up
    gateway_token = fields.Char(index="btree_not_null")

    @api.depends_context("uid")
    def _compute_display_name(self):
        """Tell the name of a customer to who may see the conversation.

        Whatever has a field for a guest shows it with all rights.
        """
        res = super()._compute_display_name()
        # sudo: mail.guest - whose customer it is
        ours = self.sudo().filtered(lambda g: g.gateway_id.gateway_type == "whatsapp")
        seen = ours.with_user(self.env.uid)._filtered_access("read")
        hidden = set(ours.ids) - set(seen.ids)
        self.filtered(lambda guest: guest.id in hidden).display_name = False
        return res
