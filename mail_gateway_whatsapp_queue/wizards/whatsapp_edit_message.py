# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from .whatsapp_dialog import DIALOG


class WhatsappEditMessage(models.TransientModel):
    _name = "whatsapp.edit.message"
    _inherit = DIALOG
    _description = "Edit a WhatsApp message that was not sent"

    _whatsapp_about = ("row_id",)

    row_id = fields.Many2one("whatsapp.message.queue", required=True, readonly=True)
    reason = fields.Text(related="row_id.advice")
    body = fields.Text(string="Text", required=True)

    @api.constrains("row_id")
    def _check_row_id(self):
        """Show nothing of a message that its user may not see."""
        self.row_id.with_user(self.env.uid).check_access("read")

    def action_send(self):
        """Send the text in place of the one that did not arrive.

        :raise UserError: it arrived meanwhile, or the window has closed
        """
        self.ensure_one()
        self.row_id.check_access("read")
        if not self.body.strip():
            raise UserError(
                self.env._("There is nothing to send: the message is empty.")
            )
        # sudo: mail.message - another than its author may decide about it
        row = self.row_id.sudo()
        row.channel_id._message_update_content(
            row.message_id, body=plaintext2html(self.body), strict=False
        )
        return {"type": "ir.actions.act_window_close"}
