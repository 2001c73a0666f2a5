# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class WhatsappMessageQueue(models.Model):
    _inherit = "whatsapp.message.queue"

    def _alert_records(self):
        return [*super()._alert_records(), self.env.ref("base.main_partner")]


class ResUsers(models.Model):
    _inherit = "res.users"

    def _whatsapp_groups(self):
        return (*super()._whatsapp_groups(), "base.group_partner_manager")
