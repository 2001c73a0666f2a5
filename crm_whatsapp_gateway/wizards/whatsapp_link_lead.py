# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.wizards.whatsapp_dialog import DIALOG


class WhatsappLinkLead(models.TransientModel):
    """Say to which lead a conversation belongs."""

    _name = "whatsapp.link.lead"
    _inherit = DIALOG
    _description = "Link a WhatsApp conversation with a lead"

    _whatsapp_about = ("channel_id", "lead_id")

    channel_id = fields.Many2one("discuss.channel", required=True, readonly=True)
    lead_id = fields.Many2one("crm.lead", required=True)

    @api.constrains("channel_id", "lead_id")
    def _check_channel_id(self):
        """Show nothing of what its user may not see."""
        self.channel_id._whatsapp_check_person()
        self.lead_id.with_user(self.env.uid).check_access("read")

    def action_link(self):
        """Link the conversation with the lead; both say who did it.

        :raise AccessError: the user may not change the one, or see the other
        :raise UserError: the lead is of another company
        """
        self.ensure_one()
        self.channel_id._whatsapp_link_by_hand(self.lead_id)
        return {"type": "ir.actions.act_window_close"}
