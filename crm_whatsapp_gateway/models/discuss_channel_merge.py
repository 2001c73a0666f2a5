# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from markupsafe import Markup

from odoo import SUPERUSER_ID, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .hr_employee import Choice

_logger = logging.getLogger(__name__)

MERGE = "whatsapp.channel.merge"


class WhatsappChannelMerge(models.AbstractModel):
    """What becomes of lead, owner and inbox when two conversations were with one
    person. A part of ``discuss.channel``.
    """

    _name = MERGE
    _description = "Two WhatsApp conversations with one person"

    def _whatsapp_prepare_merge(self, merged):
        """Make the leads one, and remember who had them."""
        known = super()._whatsapp_prepare_merge(merged)
        both = self | merged
        owners = both.whatsapp_user_id
        lead, rule = both._whatsapp_merge_leads()
        if self.lead_id != lead:
            self.lead_id = lead
        chats = both._whatsapp_conversations()
        return {
            **known,
            "owners": owners,
            "rule": rule,
            "inbox": chats._merged_values(),
        }

    def _whatsapp_merged_values(self, person):
        """Keep why there is no lead, unless there is one."""
        latest = self._whatsapp_latest()
        reasons = [
            latest.whatsapp_no_lead_reason,
            *self.mapped("whatsapp_no_lead_reason"),
        ]
        return {
            **super()._whatsapp_merged_values(person),
            "whatsapp_no_lead_reason": not self.lead_id
            and next(filter(None, reasons), False),
        }

    def _whatsapp_take_jobs(self, merged):
        """Let leads that are still to come, come to this conversation."""
        res = super()._whatsapp_take_jobs(merged)
        self.env.cr.execute(
            """
            UPDATE whatsapp_webhook_event
               SET payload = jsonb_set(payload, '{channel_id}', to_jsonb(%(kept)s)),
                   key = 'lead:' || %(kept)s || ':' || split_part(key, ':', 3)
             WHERE state IN ('pending', 'failed')
               AND kind = 'lead'
               AND payload->>'channel_id' = %(merged)s
            """,
            {"kept": self.id, "merged": str(merged.id)},
        )
        return res

    def _whatsapp_finish_merge(self, known):
        """Let its salesperson in, and others out; begin to wait for an answer."""
        res = super()._whatsapp_finish_merge(known)
        self._whatsapp_conversations().write(known["inbox"])
        lead = self.lead_id
        if lead._whatsapp_is_open() and not lead.whatsapp_answer_deadline:
            lead._whatsapp_start_clock()
        self._whatsapp_add_members(lead.user_id)
        self._whatsapp_remove_members(known["owners"] - lead.user_id)
        self._whatsapp_wake_inboxes()
        return res

    def _whatsapp_merge_leads(self):
        """Leave one open lead of those of these conversations, as Odoo merges leads.

        :return: tuple of the lead, perhaps none, and the words that say whose it is
        """
        leads = self.lead_id
        opened = leads.filtered(lambda lead: lead._whatsapp_is_open())
        if len(opened.company_id) > 1:  # somebody gave one to another company
            own = self[0]._whatsapp_company()
            opened = opened.filtered(
                lambda lead: lead.company_id in (own, own.browse())
            )
        if len(opened) < 2:
            return opened or leads._whatsapp_last_closed(), ""
        owner, rule = self._whatsapp_merged_owner(opened)
        team = opened.filtered(lambda lead: lead.user_id == owner).team_id[:1]
        try:
            with self.env.cr.savepoint():
                lead = opened.merge_opportunity(user_id=owner.id, team_id=team.id)
                lead._whatsapp_calls().filtered(
                    lambda call: owner and call.user_id != owner
                ).with_context(mail_activity_quick_update=True).user_id = owner
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            # what a rule of the customer's refuses keeps no conversation apart
            _logger.warning(
                "leads %s were not merged: %s", opened.ids, type(error).__name__
            )
            self.env.invalidate_all()
            best = opened._whatsapp_best_open()
            best._message_log(
                body=self._whatsapp_links(
                    self.env._(
                        "Other open leads of the same person, perhaps to be merged:"
                    ),
                    opened - best,
                )
            )
            return best, ""
        if owner and rule:
            # as if somebody had given it: who has it need not call once more
            self.env["whatsapp.assignment"]._note(
                lead,
                Choice(owner, self.env["hr.employee"], rule),
                giver=self.env["res.users"].browse(SUPERUSER_ID),
            )
        return lead, rule

    def _whatsapp_merged_owner(self, leads):
        """Return who gets the lead of a person who had several, and why.

        :param leads: the open leads of these conversations
        :return: tuple of ``res.users`` and words, both empty if there is no question
        """
        owners = leads.filtered(lambda lead: lead._whatsapp_has_owner()).user_id
        if len(owners) < 2:
            return owners, ""
        # sudo: whatsapp.answer - who answered, whoever works here
        answers = self.env["whatsapp.answer"].sudo()
        last = answers.search(
            [("channel_id", "in", self.ids), ("user_id", "in", owners.ids)],
            order="answered_at desc, id desc",
            limit=1,
        )
        if last:
            return last.user_id, self.env._(
                "Was the last to answer this customer, who had two conversations"
            )
        first = leads.filtered("user_id").sorted(
            lambda lead: (lead.whatsapp_opened_at or lead.create_date, lead.id)
        )[0]
        return first.user_id, self.env._(
            "Had this customer, who had two conversations, before the other salesperson"
        )

    def _whatsapp_notify_merged(self, words, known):
        """Say on the lead, too, that two conversations are one; tell who had them."""
        lead, owners, rule = self.lead_id, known["owners"], known["rule"]

        def lines(env):
            body = words(env)
            if lead.user_id and rule:
                body += Markup("<p>%s</p>") % env._(
                    "%(user)s has the customer. The rule: who answered last, else"
                    " who had the customer first.",
                    user=lead.user_id.name,
                )
            return body

        super()._whatsapp_notify_merged(lines, known)
        if not lead:
            return
        lead._message_log(body=lines(self.env))
        for user in owners | lead.user_id if len(owners) > 1 else owners.browse():
            env = self.with_context(lang=user.lang).env
            lead.message_notify(
                partner_ids=user.partner_id.ids,
                subject=env._("WhatsApp: two conversations are one: %s", self.name),
                body=lines(env),
            )
