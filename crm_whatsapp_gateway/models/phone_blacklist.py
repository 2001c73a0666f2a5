# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_lookup import LOOKUP


class PhoneBlacklist(models.Model):
    _name = "phone.blacklist"
    _inherit = ["phone.blacklist", LOOKUP]
    _whatsapp_lookups = ("number",)
