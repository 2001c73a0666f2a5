# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event import (
    LATER_BACKOFF,
)
from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event import (
    WhatsappWebhookEvent as Base,
)


class WhatsappWebhookEvent(models.Model):
    """Leads that could not be made with their message are made by an event."""

    _inherit = "whatsapp.webhook.event"

    _backoffs = {**Base._backoffs, "lead": LATER_BACKOFF}
    _told_kinds = (*Base._told_kinds, "lead")
    _kinds_aside = (*Base._kinds_aside, "lead")

    kind = fields.Selection(
        selection_add=[("lead", "Lead")], ondelete={"lead": "cascade"}
    )

    @api.model
    def _jobs(self):
        return (*super()._jobs(), "lead")

    def _alert_words(self, words, is_store):
        """Tell that leads cannot be made."""
        if self.kind != "lead" or is_store:
            return super()._alert_words(words, is_store)
        return (
            words._("WhatsApp: leads cannot be made"),
            words._(
                "The messages of new customers are shown, but their lead"
                " could not be made for some minutes. Odoo goes on trying."
            ),
        )
