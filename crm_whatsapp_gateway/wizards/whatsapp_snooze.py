# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models


class WhatsappSnooze(models.TransientModel):
    """Choose until when conversations are put aside."""

    _name = "whatsapp.snooze"
    _description = "Snooze WhatsApp conversations"

    channel_ids = fields.Many2many(
        "discuss.channel", string="Conversations", required=True, readonly=True
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

    @api.constrains("channel_ids")
    def _check_channel_ids(self):
        """Show nothing of a conversation that its user may not see."""
        # sudo: discuss.channel - the rules would leave out what is to be refused
        self.sudo().channel_ids._whatsapp_check_person()

    @api.depends("choice")
    def _compute_until(self):
        channels = self.env["discuss.channel"]
        for wizard in self:
            if wizard.choice and wizard.choice != "own":
                wizard.until = channels._whatsapp_snooze_end(wizard.choice)

    def action_snooze(self):
        """Put the conversations aside.

        :raise UserError: a time that is past
        """
        self.ensure_one()
        self.channel_ids._whatsapp_snooze(self.until)
        return {"type": "ir.actions.act_window_close"}
