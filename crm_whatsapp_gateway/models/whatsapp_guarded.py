# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_guarded import MODULE


class WhatsappGuarded(models.AbstractModel):
    """Guards the fields that this addon adds, as those of the base."""

    _inherit = "whatsapp.guarded"

    _whatsapp_modules = frozenset({MODULE, "crm_whatsapp_gateway"})
