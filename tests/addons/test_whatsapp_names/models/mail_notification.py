# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class MailNotification(models.Model):
    _inherit = "mail.notification"

    def send_gateway(self, *args, **kwargs):
        res = super().send_gateway(*args, **kwargs)
        self.sudo().failure_reason = "caught by the override"
        return res
