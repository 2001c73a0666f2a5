# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from .whatsapp_colleague import COLLEAGUE

FEW = 12  # colleagues among whom one chooses faster by a click than by a search


class WhatsappHandOver(models.TransientModel):
    _name = "whatsapp.hand.over"
    _inherit = COLLEAGUE
    _description = "Hand a WhatsApp conversation over"

    user_id = fields.Many2one(
        "res.users",
        string="Colleague",
        required=True,
        domain="[('id', 'in', colleague_ids)]",
    )
    is_few = fields.Boolean(
        string="Few colleagues to choose from", compute="_compute_is_few"
    )
    conversations = fields.Integer(
        string="Conversations of the lead", compute="_compute_conversations"
    )

    @api.depends("colleague_ids")
    def _compute_is_few(self):
        for wizard in self:
            wizard.is_few = len(wizard.colleague_ids) <= FEW

    @api.depends("channel_id")
    def _compute_conversations(self):
        for wizard in self:
            # sudo: crm.lead - how many there are tells nothing
            lead = wizard.channel_id.sudo().lead_id
            wizard.conversations = len(lead.whatsapp_channel_ids)

    def _out_of_question(self):
        return self.channel_id.sudo().whatsapp_user_id

    def action_hand_over(self):
        """Give the conversation away, and close it here.

        :raise UserError: it is not the user's to give, or the colleague could not
            see it
        """
        self.ensure_one()
        self.channel_id._whatsapp_hand_over(self.user_id, (self.note or "").strip())
        close = {"type": "ir.actions.act_window_close"}
        if self.user_id == self.env.user:
            return close
        # sudo: discuss.channel, res.users - the giver may not see them any more
        return {
            "type": "ir.actions.client",
            "tag": "crm_whatsapp_gateway.close_chat",
            "params": {
                "channel_id": self.channel_id.id,
                "message": self.env._(
                    "%(colleague)s has the conversation with %(customer)s now.",
                    colleague=self.user_id.sudo().name,
                    customer=self.channel_id.sudo().name,
                ),
                "next": close,
            },
        }
