# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from ..tools.identity import Identity
from .whatsapp_lookup import LOOKUP


class ResPartnerGatewayChannel(models.Model):
    """Which contact a customer is: what is shown, and sent, of whom depends on it."""

    _name = "res.partner.gateway.channel"
    _inherit = ["res.partner.gateway.channel", LOOKUP]
    _whatsapp_lookups = ("gateway_token",)

    # each message looks its author up
    gateway_token = fields.Char(index="btree_not_null")

    @api.model_create_multi
    def create(self, vals_list):
        """Let a person say it of the own customers and contacts only.

        :raise AccessError: another's conversation, number or contact
        """
        links = super().create(vals_list)
        links._whatsapp_check_person()
        return links

    def write(self, vals):
        """Ask for the right to what it was, and to what it is going to be.

        :raise AccessError: another's conversation, number or contact
        """
        self._whatsapp_check_person()
        res = super().write(vals)
        self._whatsapp_check_person()
        return res

    def unlink(self):
        """Ask for the right to what is forgotten.

        :raise AccessError: another's conversation, number or contact
        """
        self._whatsapp_check_person()
        return super().unlink()

    @api.model
    def _whatsapp_link_of(self, gateway, tokens):
        """Return the link by which somebody said which contact a person is, or none.

        :param gateway: ``mail.gateway`` at which the person writes
        :param tokens: under which the person may be known there
        """
        # sudo: res.partner.gateway.channel - whoever asks
        found = self.sudo()._whatsapp_find_by(gateway_token=tokens)
        return found.filtered(lambda link: link.gateway_id == gateway)[:1]

    def _whatsapp_check_person(self):
        """Refuse who has nothing to do with the customer, or may not edit the contact.

        :raise AccessError: another's conversation, number or contact
        """
        if self.env.su:
            return
        # sudo: res.partner.gateway.channel - whose it is, before the right is asked
        for link in self.sudo():
            gateway = link.gateway_id.with_user(self.env.uid)
            if link.gateway_id.gateway_type != "whatsapp":
                continue
            person = Identity.of_token(link.gateway_token or "")
            channel = gateway._whatsapp_look_up(person, link.gateway_token)[:1]
            if channel:
                channel._whatsapp_check_person()
            else:
                gateway._whatsapp_check_writer()
            link.partner_id.with_user(self.env.uid).check_access("write")
