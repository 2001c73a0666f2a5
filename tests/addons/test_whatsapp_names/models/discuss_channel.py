# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class DiscussChannel(models.Model):
    _inherit = "discuss.channel"

    @api.model_create_multi
    def create(self, vals_list):
        channels = super().create(vals_list)
        for channel in channels.filtered("gateway_id"):
            channel.description = "created"
        return channels

    @api.model
    def _normalize_phone_number(self, number, country=None):
        found = super()._normalize_phone_number(number, country)
        return "+34600000000" if found and found.endswith("0001") else found

    def _find_existing_lead(self, leads=None):
        mine = self.env["crm.lead"].search([("name", "=", "Take me")], limit=1)
        return mine or super()._find_existing_lead(leads)

    def _create_lead_from_whatsapp(self, *args, **kwargs):
        lead = super()._create_lead_from_whatsapp(*args, **kwargs)
        lead.referred = "created by the override"
        return lead

    def _link_or_create_lead(self, *args, **kwargs):
        lead = super()._link_or_create_lead(*args, **kwargs)
        lead.function = "linked or created"
        return lead

    def _assign_to_commercial_user(self, *args, **kwargs):
        user = super()._assign_to_commercial_user(*args, **kwargs)
        self.lead_id.street = f"assigned to {user.login}"
        return user

    def _create_immediate_call_activity(self):
        activities = super()._create_immediate_call_activity()
        for activity in activities:
            activity.summary = "Call, says the override"
        return activities
