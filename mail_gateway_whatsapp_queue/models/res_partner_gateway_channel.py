# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class ResPartnerGatewayChannel(models.Model):
    _inherit = "res.partner.gateway.channel"

    # each message looks its author up
    gateway_token = fields.Char(index="btree_not_null")
