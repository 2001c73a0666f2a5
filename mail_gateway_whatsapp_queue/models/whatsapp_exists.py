# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from .. import compat
from ..queue.locks import automation_run, remembered

EXISTS = "whatsapp.exists"


class WhatsappExists(models.AbstractModel):
    """Records of which Odoo asks for each message, or lead, whether they are there.

    What was there stays there for a transaction, unless that deletes it. So in
    background work of ours it is asked once.
    """

    _name = EXISTS
    _description = "Records that stay while WhatsApp works"

    def exists(self):
        """Ask the database for what is not known yet."""
        known = remembered(self.env.cr, f"{self._name}.there")
        if automation_run(self.env.cr):
            # what was read was there
            read = [one.id for one in self if compat.is_cached(one, "create_uid")]
            known.update(dict.fromkeys(filter(None, read)))
        if self._ids and known.keys() >= set(self._ids):
            return self
        found = super().exists()
        known.update(dict.fromkeys(filter(None, found._ids)))
        return found
