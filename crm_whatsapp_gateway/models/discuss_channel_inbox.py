# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from lxml.builder import E

from odoo import api, models

from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_whatsapp_kinds import (
    META_AGENT,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools import plain_text

from ..tools.conversation import OPEN, preview
from .hr_employee import SALESPERSON

CHOICES = 12  # numbers, and teams, that are filters of their own
INBOX_BUS = "crm_whatsapp_gateway/inbox"


class DiscussChannel(models.Model):
    """What the inbox and the chat show of a conversation, and what they open."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel"

    # ------------------------------------------------------------- search view

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if view_type != "search":
            return key
        choices = self._whatsapp_filter_choices()
        return (*key, *(choice for group in choices for choice in group))

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Offer each number and each team as a filter of the inbox."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "search":
            for mark in arch.xpath("//separator[@name='whatsapp_choices']"):
                for group in self._whatsapp_filter_choices():
                    for field, record_id, label in group:
                        mark.addprevious(
                            E.filter(
                                name=f"{field}_{record_id}",
                                string=label,
                                domain=f"[('{field}', '=', {record_id})]",
                            )
                        )
                    mark.addprevious(E.separator())
        return arch, view

    @api.model
    def _whatsapp_filter_choices(self):
        """Return the numbers and the teams among which one can choose.

        :return: list of lists of (field, id, label); a single one is no choice
        """
        if not self.env.user.has_group(SALESPERSON):
            return []  # the inbox is theirs
        gateways = self.env["mail.gateway"].search(
            [
                ("gateway_type", "=", "whatsapp"),
                ("company_id", "in", [*self.env.companies.ids, False]),
            ],
            order="name",
            limit=CHOICES,
        )
        teams = self.env["crm.team"].search([], limit=CHOICES)
        return [
            [(field, record.id, f"{label}: {record.name}") for record in records]
            for field, label, records in (
                ("gateway_id", self.env._("Number"), gateways),
                ("whatsapp_team_id", self.env._("Team"), teams),
            )
            if len(records) > 1
        ]

    # ------------------------------------------------------------- messages

    def _whatsapp_message_sent(self, message, by_phone=False):
        """Keep what we wrote as the last word; it is an answer if a person wrote it.

        :param message: one ``mail.message``
        :param bool by_phone: somebody typed it in the app on the phone
        """
        super()._whatsapp_message_sent(message, by_phone)
        automatic = not by_phone and message.author_id.id in self._whatsapp_robots()
        wait, ours = self._whatsapp_wait(), self.whatsapp_state == OPEN
        if automatic and wait.since:
            return  # what the customer said stays the last word: a person has to answer
        self._whatsapp_note(
            plain_text.from_html(message.body, marks=False)
            or ", ".join(message.attachment_ids.mapped("name")),
            message.date,
            "us",
            automatic=automatic,
        )
        if wait.since and wait.since <= message.date and not automatic:
            users = message.author_id.user_ids.filtered(
                lambda user: user.active and user.has_group(SALESPERSON)
            )
            self.lead_id._whatsapp_answered(users[:1] if not by_phone else None)
            self._whatsapp_record_answer(wait, message, by_phone)
        if ours and not automatic:
            self.lead_id._whatsapp_end_reminders()

    @api.model
    def _whatsapp_robots(self):
        """Return the ids of who wrote what no person did: OdooBot and Meta's agent."""
        find = self.env["ir.model.data"]._xmlid_to_res_id
        return set(filter(None, map(find, ("base.partner_root", META_AGENT))))

    def _whatsapp_group_message(self, text, date, author):
        """Keep the last word of a group. It waits for no answer: none can be sent.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        """
        res = super()._whatsapp_group_message(text, date, author)
        if not self.whatsapp_last_date or date >= self.whatsapp_last_date:
            self.write(
                {
                    "whatsapp_last_text": preview(text),
                    "whatsapp_last_date": date,
                    "whatsapp_last_author": author,
                    "whatsapp_inbox_date": date,
                }
            )
        self._whatsapp_wake_inboxes()
        return res

    def _whatsapp_note(self, text, date, author, automatic=False):
        """Keep the last word and whose turn it is, and wake the inboxes.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        :param bool automatic: no person wrote it, so that it is no answer
        """
        self.ensure_one()
        values = self._whatsapp_state_after(author, date, automatic)
        if not self.whatsapp_last_date or date >= self.whatsapp_last_date:
            values.update(
                whatsapp_last_text=preview(text),
                whatsapp_last_date=date,
                whatsapp_last_author=author,
            )
        if values:  # each write makes Discuss compare what everybody sees
            self.write(values)
        if "whatsapp_state" in values:
            self._whatsapp_send_to_chats(self._whatsapp_turn())
        self._whatsapp_wake_inboxes()

    def _whatsapp_wake_inboxes(self):
        """Have the inboxes that are open look at these conversations again.

        Tells ids only: which conversations, and whose they are.
        """
        if not self:
            return
        group = self.env["ir.model.data"]._xmlid_to_res_id(SALESPERSON)
        # sudo: discuss.channel - whose it is, as an id, for whoever causes the change
        self.env["bus.bus"]._sendone(
            self.env["res.groups"].browse(group),
            INBOX_BUS,
            [
                {"id": channel.id, "user": channel.sudo().whatsapp_user_id.id}
                for channel in self
            ],
        )

    def _whatsapp_store_values(self):
        """Tell the chat which lead it belongs to, and whose turn it is."""
        return {
            **super()._whatsapp_store_values(),
            "whatsapp_lead": self._whatsapp_lead_summary(),
            **self._whatsapp_turn(),
        }

    def action_open_whatsapp(self):
        """Open the conversation; its salesperson takes part in it."""
        action = super().action_open_whatsapp()
        if self.whatsapp_user_id == self.env.user and not self.is_member:
            self._whatsapp_add_members(self.env.user)
        return action

    def action_whatsapp_details(self):
        """Open the form of the conversation."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (
                    self.env.ref("crm_whatsapp_gateway.discuss_channel_view_form").id,
                    "form",
                )
            ],
        }

    def action_open_lead(self):
        """Open the lead of the conversation."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "views": [(False, "form")],
        }
