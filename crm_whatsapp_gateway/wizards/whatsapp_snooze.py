# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class WhatsappSnooze(models.TransientModel):
    """Choose until when conversations are put aside."""

    _name = "whatsapp.snooze"
    _description = "Snooze WhatsApp conversations"

    conversation_ids = fields.Many2many(
        "whatsapp.conversation", string="Conversations", required=True, readonly=True
    )
    choice = fields.Selection(
        [
            ("hour", "In 1 hour"),
            ("hours", "In 4 hours"),
            ("tomorrow", "Tomorrow at 9:00"),
            ("monday", "Next Monday at 9:00"),
            ("own", "At another time"),
        ],
        string="Bring back",
        default="tomorrow",
        required=True,
    )
    until = fields.Datetime(
        string="On",
        compute="_compute_until",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )

    @api.constrains("conversation_ids")
    def _check_conversation_ids(self):
        """Show nothing of a conversation that its user may not see."""
        # sudo: whatsapp.conversation - the rules would leave out what is to be refused
        self.sudo().conversation_ids.channel_id._whatsapp_check_person()

    @api.depends("choice")
    def _compute_until(self):
        chats = self.env["whatsapp.conversation"]
        for wizard in self:
            if wizard.choice and wizard.choice != "own":
                wizard.until = chats._snooze_end(wizard.choice)

    def action_snooze(self):
        """Put the conversations aside.

        :raise UserError: a time that is past
        """
        self.ensure_one()
        self.conversation_ids._snooze(self.until)
        return {"type": "ir.actions.act_window_close"}
