# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

from ..columns import column_names
from ..queue.locks import automation_run

ALONG = "whatsapp.along"


class WhatsappAlong(models.AbstractModel):
    """Settings of which Odoo looks up the ids, and then reads the rows.

    In background work of ours they are read along: one query less for each message.
    """

    _name = ALONG
    _description = "Settings that WhatsApp reads along"

    @api.model
    def search_fetch(self, domain, field_names=None, *args, **kwargs):
        """Read the rows along where only ids are looked up, or one field."""
        if automation_run(self.env.cr) and len(field_names or ()) <= 1:
            field_names = column_names(self)
        return super().search_fetch(domain, field_names, *args, **kwargs)
