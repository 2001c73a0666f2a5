# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.addons.crm_whatsapp_gateway.hooks import carry_over


def migrate(cr, version):
    """Move the state of the inbox from channels to conversations.

    Odoo removes the old columns afterwards, with their fields.
    """
    carry_over(cr)
