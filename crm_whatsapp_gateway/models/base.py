# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class Base(models.AbstractModel):
    _inherit = "base"

    def _whatsapp_lead(self):
        """Return the ``crm.lead`` that this record belongs to, perhaps none. A hook.

        Quotations and meetings have it in the field ``opportunity_id``.
        """
        leads = self.env["crm.lead"]
        if self._name == leads._name:
            return self
        field = self._fields.get("opportunity_id")
        is_lead = field is not None and field.comodel_name == leads._name
        return self.opportunity_id if is_lead else leads

    def _whatsapp_sent_from(self, rows):
        """Link the conversation with the lead of the record, if it has none yet."""
        res = super()._whatsapp_sent_from(rows)
        # sudo: crm.lead - of a document that the user sends
        lead, channel = self._whatsapp_lead().sudo(), rows.channel_id
        if lead._whatsapp_is_open() and not channel.lead_id:
            name = self.display_name
            channel._whatsapp_link_because(
                lead,
                self.env._("%s was sent by WhatsApp", name),
                self.env._("WhatsApp conversation linked: %s was sent.", name),
            )
        return res

    def _whatsapp_shows(self, rows):
        """The lead of the conversation shows it."""
        return self == rows.lead_id or super()._whatsapp_shows(rows)
