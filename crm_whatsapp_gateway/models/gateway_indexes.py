# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Indexes that the tables of others lack.

Each message looks its person up in OCA's, each look at the inbox its members.
"""

from odoo import fields, models


class DiscussChannelMember(models.Model):
    # indexes stand together
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel.member"

    def init(self):
        """Make the index by which rules know what somebody takes part in."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS discuss_channel_member_partner_channel_idx
                ON discuss_channel_member (partner_id, channel_id)
            """
        )
        return super().init()


class MailGuest(models.Model):
    _inherit = "mail.guest"

    gateway_token = fields.Char(index="btree_not_null")


class ResPartnerGatewayChannel(models.Model):
    _inherit = "res.partner.gateway.channel"

    gateway_token = fields.Char(index="btree_not_null")
