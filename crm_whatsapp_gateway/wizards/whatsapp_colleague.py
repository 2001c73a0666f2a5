# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.wizards.whatsapp_dialog import DIALOG

COLLEAGUE = "whatsapp.colleague"


class WhatsappColleague(models.AbstractModel):
    """What the dialogs that bring a colleague into a conversation have in common."""

    _name = COLLEAGUE
    _inherit = DIALOG
    _description = "Bring a colleague into a WhatsApp conversation"

    channel_id = fields.Many2one("discuss.channel", required=True, readonly=True)
    colleague_ids = fields.Many2many(
        "res.users",
        string="Colleagues to choose from",
        compute="_compute_colleague_ids",
    )
    company_id = fields.Many2one("res.company", compute="_compute_colleague_ids")
    note = fields.Text()

    @api.constrains("channel_id")
    def _check_channel_id(self):
        """Show nothing of a conversation that its user may not see."""
        self.channel_id._whatsapp_check_person()

    @api.depends("channel_id")
    def _compute_colleague_ids(self):
        for wizard in self:
            channels = wizard._channels()
            # sudo: discuss.channel - the company is that of what was checked
            first = channels[:1].sudo()
            wizard.company_id = first and first._whatsapp_company()
            wizard.colleague_ids = (
                channels._whatsapp_colleagues() - wizard._out_of_question()
                if channels
                else False
            )

    def _channels(self):
        """Return the ``discuss.channel`` that the dialog is about."""
        return self.channel_id

    def _out_of_question(self):
        """Return the users whom it makes no sense to choose."""
        return self.env["res.users"]
