# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Indexes that OCA's tables lack: each message looks its person up in them."""

from odoo import fields, models


class MailGuest(models.Model):
    _inherit = "mail.guest"

    gateway_token = fields.Char(index="btree_not_null")


class ResPartnerGatewayChannel(models.Model):
    _inherit = "res.partner.gateway.channel"

    gateway_token = fields.Char(index="btree_not_null")
