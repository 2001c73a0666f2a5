# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from .whatsapp_colleague import COLLEAGUE


class WhatsappInvite(models.TransientModel):
    _name = "whatsapp.invite"
    _inherit = COLLEAGUE
    _description = "Invite a colleague to a WhatsApp conversation"

    user_ids = fields.Many2many(
        "res.users", string="Colleagues", domain="[('id', 'in', colleague_ids)]"
    )

    def _out_of_question(self):
        # sudo: discuss.channel.member - who takes part is no secret in the chat
        return (
            self.env.user
            | self.channel_id.sudo().channel_member_ids.partner_id.user_ids
        )

    def action_invite(self):
        """Let the colleagues in, and tell them.

        :raise UserError: one of them could not see the conversation
        """
        self.ensure_one()
        self.channel_id._whatsapp_invite(self.user_ids, (self.note or "").strip())
        return {"type": "ir.actions.act_window_close"}
