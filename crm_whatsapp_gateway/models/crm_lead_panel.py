# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from odoo.addons.mail_gateway_whatsapp_queue.models.res_users import any_of

ACTIVITIES = 5  # that the panel shows
ORDERS = 3
PANEL = "whatsapp.lead.panel"


class WhatsappLeadPanel(models.AbstractModel):
    """What the panel beside the chat shows of its lead. A part of ``crm.lead``."""

    _name = PANEL
    _description = "Leads beside their WhatsApp chat"

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
            "orders": self._whatsapp_panel_orders(),
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

    def _whatsapp_panel_orders(self):
        """Return the last quotations and orders of the lead and its customer.

        Those that the user may read, if Odoo's sales are there at all.

        :return: list of dict of id, name, date, amount, currency (id), state (in words)
            and is_order (bool: it was confirmed)
        """
        if "sale.order" not in self.env:
            return []
        orders = self.env["sale.order"]
        if not orders.has_access("read"):
            return []
        found = orders.search(
            self._whatsapp_orders_domain(),
            order="date_order desc, id desc",
            limit=ORDERS,
        )
        states = dict(orders._fields["state"]._description_selection(self.env))
        return [
            {
                "id": order.id,
                "name": order.name,
                "date": fields.Date.to_string(
                    fields.Datetime.context_timestamp(self, order.date_order).date()
                ),
                "amount": order.amount_total,
                "currency": order.currency_id.id,
                "state": states[order.state],
                "is_order": order.state == "sale",
            }
            for order in found
        ]

    def _whatsapp_orders_domain(self):
        domains = []
        if "order_ids" in self._fields:  # of the module that links leads with sales
            domains.append([("opportunity_id", "=", self.id)])
        # sudo: res.partner - of which company the customer is
        customer = self.sudo().partner_id.commercial_partner_id
        if customer:
            domains.append([("partner_id", "child_of", customer.id)])
        return any_of(domains)

    def _whatsapp_can_quote(self):
        """Tell whether the module that makes quotations of leads is there."""
        return (
            self.type == "opportunity"
            and hasattr(self, "action_sale_quotations_new")
            and self.env["sale.order"].has_access("create")
        )
