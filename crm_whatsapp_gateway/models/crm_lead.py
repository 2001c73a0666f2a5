# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

CANDIDATES = 20  # leads of one person that are compared


class CrmLead(models.Model):
    _inherit = "crm.lead"

    whatsapp_channel_ids = fields.One2many(
        "discuss.channel", "lead_id", string="WhatsApp conversations"
    )
    whatsapp_channel_count = fields.Integer(
        string="Conversations", compute="_compute_whatsapp_channel_count"
    )
    whatsapp_opened_at = fields.Datetime(
        string="Opened by WhatsApp",
        readonly=True,
        copy=False,
        help="When a WhatsApp message created this lead or was first linked to it.",
    )

    @api.depends("whatsapp_channel_ids")
    def _compute_whatsapp_channel_count(self):
        # sudo: discuss.channel - the number alone tells nothing
        counts = dict(
            self.env["discuss.channel"]
            .sudo()
            ._read_group([("lead_id", "in", self.ids)], ["lead_id"], ["__count"])
        )
        for lead in self:
            lead.whatsapp_channel_count = counts.get(lead._origin, 0)

    def write(self, vals):
        """Let a new owner into the conversations."""
        res = super().write(vals)
        if vals.get("user_id"):
            # sudo: discuss.channel - the new owner may not see them yet
            for channel in self.sudo().whatsapp_channel_ids:
                channel._whatsapp_join(channel.lead_id.user_id)
        return res

    # ------------------------------------------------------------- finding

    @api.model
    def _whatsapp_open(self, domain, company):
        """Return the open lead that fits best, the same one each time.

        Owned before unowned, then the one that changed last.

        :param list domain: who it is
        :param company: ``res.company`` whose leads count, besides shared ones
        """
        leads = self.search(
            [
                *domain,
                ("company_id", "in", (company.id, False)),
                ("active", "=", True),
                "|",
                ("stage_id", "=", False),
                ("stage_id.is_won", "=", False),
            ],
            order="id desc",
            limit=CANDIDATES,
        )
        return leads.sorted(
            lambda lead: (bool(lead.user_id), lead.write_date, lead.id)
        )[-1:]

    def _whatsapp_is_open(self):
        return self.active and not self.stage_id.is_won

    def _whatsapp_responsible(self):
        """Return who has to care: the salesperson, or who leads the team."""
        return (
            self.user_id
            or self.team_id.user_id
            or self.whatsapp_channel_ids.gateway_id.member_ids[:1]
            or self.env.user
        )

    # ------------------------------------------------------------- buttons

    def action_open_whatsapp(self):
        """Open the conversation over the lead; let one choose among several."""
        self.ensure_one()
        channels = self.whatsapp_channel_ids
        if not channels:
            raise UserError(
                self.env._("This lead has no WhatsApp conversation that you may read.")
            )
        if len(channels) == 1:
            return channels.action_open_whatsapp()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm_whatsapp_gateway.action_whatsapp_inbox"
        )
        return {**action, "domain": [("id", "in", channels.ids)]}
