# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _index(self, bin_data, file_type, checksum=None):
        """Leave the words of strangers' files alone.

        Odoo holds a text several times in memory to find its words, and add-ons
        unpack documents for it, which may be many times as large inside.
        """
        if self.env.context.get("whatsapp_received"):
            return (file_type or "").split("/")[0] or False
        return super()._index(bin_data, file_type, checksum=checksum)
