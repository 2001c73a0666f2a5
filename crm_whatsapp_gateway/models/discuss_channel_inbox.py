# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from lxml.builder import E

from odoo import api, fields, models

from .. import compat
from ..tools import plain_text, window
from ..tools.conversation import OPEN, preview
from .hr_employee import SALESPERSON
from .mail_gateway_whatsapp_kinds import META_AGENT
from .mail_message import Received

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

    def message_post(self, **kwargs):
        """Let a received message bear Meta's id from the beginning."""
        wamid = self.env.context.get("whatsapp_message_id")
        if wamid and isinstance(wamid, Received):
            kwargs["whatsapp_message_id"] = wamid
        return super().message_post(**kwargs)

    def _get_message_create_valid_field_names(self):
        return super()._get_message_create_valid_field_names() | {"whatsapp_message_id"}

    def _message_post_after_hook(self, message, msg_vals):
        """Keep what the inbox shows, and wake the inboxes that are open."""
        res = super()._message_post_after_hook(message, msg_vals)
        received = self.env.context.get("no_gateway_notification")
        if message.message_type == "comment" and not received and self._is_whatsapp():
            # sudo: discuss.channel - who may post need not be able to write
            self.sudo()._whatsapp_note_posted(message)
        return res

    def _whatsapp_note_posted(self, message, by_phone=False):
        """Keep what we wrote as the last word; it is an answer if a person wrote it.

        :param message: one ``mail.message``
        :param bool by_phone: somebody typed it in the app on the phone
        """
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

    def _whatsapp_note_group(self, text, date, author):
        """Keep the last word of a group. It waits for no answer: none can be sent.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        """
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

    def _whatsapp_note(self, text, date, author, opens_window=False, automatic=False):
        """Keep the last word and whose turn it is, and wake the inboxes.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        :param bool opens_window: free text is possible for 24 hours from now
        :param bool automatic: no person wrote it, so that it is no answer
        """
        self.ensure_one()
        values = self._whatsapp_state_after(author, date, automatic)
        last = self.whatsapp_last_customer_date
        if opens_window and (not last or date > last):
            values["whatsapp_last_customer_date"] = date
            if self.whatsapp_window_closed_at:
                values["whatsapp_window_closed_at"] = False
        if not self.whatsapp_last_date or date >= self.whatsapp_last_date:
            values.update(
                whatsapp_last_text=preview(text),
                whatsapp_last_date=date,
                whatsapp_last_author=author,
            )
        if values:  # each write makes Discuss compare what everybody sees
            self.write(values)
        shown = {}
        if "whatsapp_last_customer_date" in values:
            # opens the text field of whoever has the chat before them
            shown.update(self._whatsapp_window_values())
        if "whatsapp_state" in values:
            shown.update(self._whatsapp_turn())
        if shown:
            self._bus_send(
                "mail.record/insert", {"discuss.channel": [{"id": self.id, **shown}]}
            )
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

    def _to_store(self, store, *args, **kwargs):
        """Tell the web client which lead belongs to the conversation."""
        res = super()._to_store(store, *args, **kwargs)
        for channel in self.filtered(lambda channel: channel._is_whatsapp()):
            compat.store_values(store, channel, channel._whatsapp_store_values())
        return res

    def _whatsapp_store_values(self):
        return {
            "whatsapp_lead": self._whatsapp_lead_summary(),
            **self._whatsapp_turn(),
            **self._whatsapp_window_values(),
        }

    def _whatsapp_window_values(self):
        """Return until when free text is possible, as the web client is told."""
        closes = window.closes_at(
            self.whatsapp_last_customer_date, self.whatsapp_window_closed_at
        )
        return {
            "whatsapp_window_closes": closes
            and fields.Datetime.to_string(closes)
            or False,
        }

    def _whatsapp_close_window(self, sent_at=None):
        """Believe Meta that free text is not possible, until the customer writes.

        :param sent_at: when the refused message left, UTC; default: now
        """
        last = self.whatsapp_last_customer_date
        if last and sent_at and last > sent_at or self.whatsapp_window_closed_at:
            return  # the customer has written since, or it is known
        # sudo: discuss.channel - whoever sends need not be able to write
        self.sudo().whatsapp_window_closed_at = fields.Datetime.now()
        self._bus_send(
            "mail.record/insert",
            {"discuss.channel": [{"id": self.id, **self._whatsapp_window_values()}]},
        )

    def action_open_whatsapp(self):
        """Open the conversation as a window over the current page."""
        self.ensure_one()
        self.check_access("read")
        if self.whatsapp_user_id == self.env.user and not self.is_member:
            self._whatsapp_join(self.env.user)
        return {
            "type": "ir.actions.client",
            "tag": "crm_whatsapp_gateway.open_chat",
            "params": {"channel_id": self.id},
        }

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
