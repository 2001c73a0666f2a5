# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import fields, models

ACTIVITIES = 5  # that the panel shows
# What the chat shows of its lead to everybody in it
SUMMARY = {"name", "phone", "stage_id", "user_id"}
CLOSING = {"active", "stage_id"}  # of a lead that is won or lost


class CrmLead(models.Model):
    """What the chat shows of its lead, and the chat over the lead."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "crm.lead"

    def write(self, vals):
        """Show the change in the conversations of the lead; unpin what is finished."""
        opened = self.browse()
        if CLOSING & vals.keys():
            opened = self.filtered(lambda lead: lead._whatsapp_is_open())
        res = super().write(vals)
        closed = opened.filtered(lambda lead: not lead._whatsapp_is_open())
        # sudo: discuss.channel - it is out of the lists of colleagues, too
        closed.sudo().whatsapp_channel_ids._whatsapp_unpin()
        if SUMMARY & vals.keys():
            # sudo: discuss.channel - colleagues have them open, too
            self.sudo().whatsapp_channel_ids._whatsapp_refresh_chats()
        return res

    # ------------------------------------------------------------- notices

    def _message_auto_subscribe_notify(self, partner_ids, template):
        """Tell who gets a customer of WhatsApp in our words, with the chat at hand."""
        # sudo: discuss.channel - whoever assigns the lead
        ours = self.filtered(lambda lead: lead.sudo().whatsapp_channel_ids)
        if not self.env.context.get("mail_auto_subscribe_no_notify"):
            for lead in ours:
                lead._whatsapp_notify_owner(partner_ids)
        return super(CrmLead, self - ours)._message_auto_subscribe_notify(
            partner_ids, template
        )

    def _whatsapp_notify_owner(self, partner_ids):
        """Tell somebody that the customer is theirs, and what the customer said.

        :param partner_ids: list of ids of ``res.partner``, all of this language
        """
        # sudo: discuss.channel - whoever assigns the lead
        channel = self.sudo()._whatsapp_latest_channel()
        text = channel.whatsapp_last_text
        self.message_notify(
            partner_ids=partner_ids,
            subject=self.env._("WhatsApp: %s is your customer now", channel.name),
            body=(Markup("<p>%s</p>") % text if text else Markup())
            + channel._whatsapp_link_to(self.env),
            model_description=self.env["ir.model"]._get(self._name).display_name,
            email_layout_xmlid="mail.mail_notification_layout",
        )

    # ------------------------------------------------------------- panel

    def _whatsapp_panel_values(self):
        """Return what the panel beside the chat shows to this user, as a dict."""
        self.ensure_one()
        writes = self.has_access("write")
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "user": self.user_id.name or "",
            "phone": self.phone or "",
            "call": self._whatsapp_first_phone(),
            "revenue": self.expected_revenue,
            "currency": self.company_currency.id,
            "stage_id": self.stage_id.id,
            "stage": self.stage_id.name or "",
            "stages": self._whatsapp_stages() if writes else [],
            "is_open": self._whatsapp_is_open(),
            "is_won": self._whatsapp_is_won(),
            "activities": self._whatsapp_panel_activities(),
            "match_reason": self.whatsapp_match_reason or "",
            "assign_reason": self.whatsapp_assign_reason or "",
            "can_write": writes,
            "can_quote": writes and self._whatsapp_can_quote(),
        }

    def _whatsapp_stages(self):
        """Return the stages to choose from, as the form of the lead offers them."""
        if self.type == "lead" or not self.active:
            return []
        stages = self.env["crm.stage"]
        # of one team on 18.0, of several on 19.0
        teams = "team_ids" if "team_ids" in stages._fields else "team_id"
        found = stages.search(
            ["|", (teams, "=", False), (teams, "in", self.team_id.ids)]
        )
        return [{"id": stage.id, "name": stage.name} for stage in found | self.stage_id]

    def _whatsapp_panel_activities(self):
        activities = self.activity_ids.sorted(lambda one: (one.date_deadline, one.id))
        return [
            {
                "id": activity.id,
                "name": activity.summary or activity.activity_type_id.name or "",
                "icon": activity.icon or "fa-tasks",
                "date": fields.Date.to_string(activity.date_deadline),
                "state": activity.state,
                "user": activity.user_id.name or "",
                "is_call": activity.whatsapp_call,
                # a file is asked for in the lead
                "can_be_done": activity.can_write
                and activity.activity_type_id.category != "upload_file",
            }
            for activity in activities[:ACTIVITIES]
        ]

    def _whatsapp_can_quote(self):
        """Tell whether the module that makes quotations of leads is there."""
        return (
            self.type == "opportunity"
            and hasattr(self, "action_sale_quotations_new")
            and self.env["sale.order"].has_access("create")
        )
