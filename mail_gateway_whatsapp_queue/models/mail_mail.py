# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

from ..queue.locks import automation_run

MAIL_QUEUE = "mail.ir_cron_mail_scheduler_action"


class MailMail(models.Model):
    _inherit = "mail.mail"

    @api.model_create_multi
    def create(self, vals_list):
        """Wake the mail queue, to which background work of ours leaves its notices."""
        mails = super().create(vals_list)
        if mails and automation_run(self.env.cr):
            cron = self.env["ir.model.data"]._xmlid_to_res_id(MAIL_QUEUE)
            # sudo: ir.cron - the webhook user may not read crons
            self.env["ir.cron"].sudo().browse(cron)._trigger()
        return mails
