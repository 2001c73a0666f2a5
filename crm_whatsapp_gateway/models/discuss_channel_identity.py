# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import re

from markupsafe import Markup

from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .. import merging
from ..concurrency import TRY_LOCKS
from ..outbound import lock_key
from ..tools import identity as wa_identity
from ..tools.conversation import ANSWERED, CLOSED, OPEN, SNOOZED
from ..tools.identity import Identity
from .hr_employee import Choice
from .whatsapp_webhook_event import NotYet

_logger = logging.getLogger(__name__)

# Why two conversations are with one person
BOTH_NAMES, NEW_NUMBER, SHARED_NUMBER = "both_names", "new_number", "shared_number"
# The merged conversation gets the first of these states that either one has
STATES = (OPEN, ANSWERED, SNOOZED, CLOSED)


class DiscussChannel(models.Model):
    """Who a conversation is with: names that come later, numbers that change, and two
    conversations that turn out to be with one person.
    """

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel"

    def _whatsapp_identity(self):
        """Return all that is known of who this conversation is with."""
        self.ensure_one()
        person = Identity.of_token(self.gateway_channel_token)
        phone = person.phone or (self.whatsapp_phone or "").lstrip("+") or None
        return Identity(
            phone=phone,
            bsuid=self.whatsapp_bsuid or person.bsuid,
            parent_bsuid=person.parent_bsuid,
            username=self.whatsapp_username or None,
        )

    def _whatsapp_other_phone(self):
        """Return the lead's number in E.164 if it is another one than this chat's.

        :return: '' if the lead and its contact have this one, or none
        """
        lead = self.lead_id
        # sudo: res.partner - who reads the lead reads the number of its contact
        known = (lead.whatsapp_phones, lead.partner_id.sudo().whatsapp_phones)
        phones = " ".join(filter(None, known)).split()
        here = wa_identity.variants(self.whatsapp_phone or "")
        return "" if not phones or not here or set(phones) & set(here) else phones[0]

    def action_whatsapp_other_number(self):
        """Open the conversation with the number that the lead has now.

        It begins with the first message; this one stays as it is.

        :raise AccessError: the user may not read the lead
        :raise UserError: the lead has no other number
        """
        self.ensure_one()
        self.check_access("read")
        lead = self._whatsapp_own_lead()
        lead.check_access("read")
        # sudo: discuss.channel - the lead's numbers, which the user may read
        if not self.sudo()._whatsapp_other_phone():
            raise UserError(
                self.env._("The lead has no other number than that of this chat.")
            )
        channel = lead._whatsapp_first_conversation(self.gateway_id)
        return channel.action_open_whatsapp()

    # ------------------------------------------------------------- what comes later

    def _whatsapp_learn_identity(self, person, others=()):
        """Keep every name of the person; unhide the conversation.

        :param person: ``tools.identity.Identity``
        :param others: further conversations that one of these names led to
        """
        self.ensure_one()
        known = {
            "whatsapp_phone": person.canonical,
            "whatsapp_bsuid": person.bsuid,
            "whatsapp_username": person.username,
        }
        values = {
            name: value
            for name, value in known.items()
            if value and self[name] != value
        }
        tokens = self._whatsapp_tokens()
        taken = any(other.gateway_channel_token == person.phone for other in others)
        if person.phone and person.phone != self.gateway_channel_token and not taken:
            # the id under which Meta knows the person now
            values["gateway_channel_token"] = person.phone
        if not self.active:
            values["active"] = True
        if self.whatsapp_bsuid and "whatsapp_bsuid" in values:
            self._whatsapp_note_new_user()
        # without a name OCA is given what stands for it, perhaps a user id only
        is_name = person.phone or person.name not in person.placeholders
        if person.name and is_name and self._whatsapp_is_nameless(person.name):
            self._whatsapp_rename(person.name)
        if values:
            self.write(values)
        if "gateway_channel_token" in values:
            self._whatsapp_follow(tokens, person.phone)
        if "whatsapp_phone" in values:
            self._whatsapp_phone_came(person.canonical)
        for other in others:
            self._whatsapp_merge_later(other, person, BOTH_NAMES)

    def _whatsapp_learn_missing(self, person):
        """Keep the user id or the number that a status tells, if it is not known yet.

        A status may be about a message to an old number: it replaces nothing.

        :param person: ``tools.identity.Identity`` of a status
        """
        self.ensure_one()
        known = self._whatsapp_identity()
        if not set(known.keys) & set(person.keys):
            return
        missing = Identity(
            phone=None if known.phone else person.phone,
            bsuid=None if known.bsuid else person.bsuid,
        )
        if missing:
            # sudo: discuss.channel - Meta says who it is
            others = self.gateway_id._whatsapp_find_channels(missing).sudo() - self
            self._whatsapp_learn_identity(missing, others)

    def _whatsapp_lose_number(self, bsuid):
        """Let those keep their user id alone whose number somebody else has now.

        :param str bsuid: of who has the number, or None
        :return: those of these conversations
        """
        strangers = self.filtered(
            lambda one: bsuid and one.whatsapp_bsuid not in (False, bsuid)
        )
        for channel in strangers:
            tokens = channel._whatsapp_tokens()
            channel.write(
                {
                    "gateway_channel_token": channel.whatsapp_bsuid,
                    "whatsapp_phone": False,
                }
            )
            channel._whatsapp_follow(tokens, channel.whatsapp_bsuid)
            channel._whatsapp_note_new_user()
        strangers.flush_recordset()  # two conversations cannot have one token
        return strangers

    def _whatsapp_note_new_user(self):
        """Say that a number has another WhatsApp user: it may have a new owner.

        Who keeps a number keeps the user id; a change that Meta tells of comes as a
        message of its own.
        """
        body = self.env._(
            "WhatsApp knows the person behind this number as a new user: the number may"
            " have a new owner. Please make sure who it is before you go on."
        )
        for record in (self, *self.lead_id):
            record._message_log(body=body)

    def _whatsapp_is_nameless(self, name):
        """Tell whether a name that comes now is the first one, which nobody gave yet.

        :param str name: that WhatsApp tells
        """
        return name != self.name and (
            self.name in self._whatsapp_identity().placeholders
        )

    def _whatsapp_rename(self, name):
        """Write the name wherever the number, or a user id, stood for it.

        :param str name: that WhatsApp tells
        """
        placeholders = self._whatsapp_identity().placeholders
        before = self.name
        self.name = name
        # sudo: mail.guest - the author of the messages so far
        guests = self.env["mail.guest"].sudo()
        guests.search(
            [
                ("gateway_id", "=", self.gateway_id.id),
                ("gateway_token", "in", self._whatsapp_tokens()),
            ]
        ).filtered(lambda guest: guest.name in placeholders).name = name
        lead = self.lead_id
        values = {}
        if lead.contact_name in placeholders:
            values["contact_name"] = name
        if lead.name and before in lead.name:
            # as a word of its own
            pattern = rf"(?<!\w){re.escape(before)}(?!\w)"
            values["name"] = re.sub(pattern, lambda _found: name, lead.name)
        lead._whatsapp_keep(values)
        if lead.partner_id.name in placeholders:
            lead.partner_id._whatsapp_keep({"name": name})

    def _whatsapp_phone_came(self, phone):
        """Let the lead have a number that was not known before.

        :param str phone: E.164
        """
        lead = self.lead_id
        if lead and not (lead.phone or lead.partner_id):
            lead._whatsapp_keep_phone(phone)
        lead._whatsapp_refresh_calls()

    def _whatsapp_take_phone(self, number):
        """Keep the number that the customer gave when we asked for it.

        :param str number: as Meta sent it, or None
        """
        phone = number and self._normalize_phone_number("+" + number.lstrip("+"))
        if not phone or self.whatsapp_phone:
            return
        person = Identity(phone=phone.lstrip("+"))
        # sudo: discuss.channel - Meta says who it is
        others = self.gateway_id._whatsapp_find_channels(person).sudo() - self
        self.whatsapp_phone = phone
        lead = self.lead_id
        if lead and not lead.phone:
            lead._whatsapp_keep_phone(phone)
        lead._whatsapp_refresh_calls()
        # who has another user id is somebody else, who had this number before
        for other in others.filtered(
            lambda one: one.whatsapp_bsuid in (False, self.whatsapp_bsuid)
        ):
            named = Identity.of_token(other.gateway_channel_token)
            self._whatsapp_merge_later(other, named or person, SHARED_NUMBER)

    # ------------------------------------------------------------- what changes

    def _whatsapp_move_identity(self, person):
        """Follow a person to a new number or user id; lead and history stay.

        :param person: the new ``tools.identity.Identity``
        """
        self.ensure_one()
        before = self.whatsapp_phone
        # sudo: discuss.channel - Meta says who it is
        others = self.gateway_id._whatsapp_find_channels(person).sudo() - self
        others -= others._whatsapp_lose_number(person.bsuid)
        if person.canonical and person.canonical != before:
            self._whatsapp_number_changed(before, person.canonical)
        if others:
            # the person has written under the new name already
            for other in others:
                self._whatsapp_merge_later(other, person, NEW_NUMBER)
            return
        token = person.token
        if not person.phone and before:
            token = self.gateway_channel_token  # the number stays as it was
        tokens = self._whatsapp_tokens()
        values = {"gateway_channel_token": token}
        if person.canonical:
            values["whatsapp_phone"] = person.canonical
        if person.bsuid:
            values["whatsapp_bsuid"] = person.bsuid
        if person.canonical and self.name in self._whatsapp_identity().placeholders:
            values["name"] = person.label
        self.write(values)
        self._whatsapp_follow(tokens, token)

    def _whatsapp_follow(self, tokens, token):
        """Let the author of the messages, and what waits to be sent, follow a person.

        :param tokens: under which the person was known
        :param str token: under which it is known now
        """
        for model in ("mail.guest", "res.partner.gateway.channel"):
            # sudo: mail.guest, res.partner.gateway.channel - Meta says who it is
            known = self.env[model].sudo()
            known.search(
                [
                    ("gateway_id", "=", self.gateway_id.id),
                    ("gateway_token", "in", tokens),
                ]
            ).gateway_token = token
        # sudo: whatsapp.message.queue - what nobody has received is still to be sent
        rows = self.env["whatsapp.message.queue"].sudo()
        rows.search(
            [("channel_id", "=", self.id), ("state", "in", ("queued", "failed"))]
        )._whatsapp_readdress(Identity.of_token(token).recipient())

    def _whatsapp_number_changed(self, before, phone):
        """Write the new number over the old one, on the lead and on its contact.

        A contact of the portal, and one of several with that number, is only named:
        somebody decides.

        :param str before: E.164 of the old number, or False
        :param str phone: E.164 of the new one
        """
        lead, old = self.lead_id, wa_identity.variants(before or "")
        if not lead:
            return
        shown = wa_identity.display(phone)
        contact = lead.partner_id.sudo()  # res.partner - whose number it was
        follows = contact & (contact._whatsapp_by_number() | self._whatsapp_customer())
        changed = [
            record._whatsapp_replace_phone(old, phone)
            # Odoo writes the number of a lead on its contact, too
            for record in (follows, lead if follows == contact else lead.browse())
        ]
        if not any(changed) and not (lead.phone or contact):
            lead._whatsapp_keep_phone(phone)
        lead._message_log(
            body=self.env._(
                "The customer changed the WhatsApp number: %(old)s is %(new)s now. Lead"
                " and contact follow where the old one stood.",
                old=wa_identity.display(before) if before else self.env._("unknown"),
                new=shown,
            )
        )
        others = self._whatsapp_same_number() - follows
        if others:
            lead._message_log(
                body=self._whatsapp_links(
                    self.env._(
                        "These contacts still have the old number; please correct it"
                        " where it is this person:"
                    ),
                    others,
                )
            )

    # ------------------------------------------------------------- one person

    def _whatsapp_merge_later(self, other, person, why):
        """Plan the merge as an event, so that the current message does not wait for it.

        :param other: the other conversation with the same person
        :param person: ``tools.identity.Identity`` under which Meta knows it now
        :param str why: BOTH_NAMES, NEW_NUMBER or SHARED_NUMBER
        """
        kept, merged = (self | other).sorted("id")
        known = (self | other)._whatsapp_latest()._whatsapp_identity()
        names = [
            key.removeprefix("whatsapp:")
            for key in (self | other)._whatsapp_lock_keys()
        ]
        phones = [one.phone for one in (person, known)]
        phones += [one._whatsapp_identity().phone for one in kept | merged]
        key = f"merge:{kept.id}:{merged.id}"
        # sudo: whatsapp.webhook.event - nobody makes one by hand
        events = self.env["whatsapp.webhook.event"].sudo()
        if events.search_count(
            [
                ("gateway_id", "=", self.gateway_id.id),
                ("key", "=", key),
                ("state", "=", "pending"),
            ],
            limit=1,
        ):
            return
        events.search(
            [("gateway_id", "=", self.gateway_id.id), ("key", "=", key)]
        ).unlink()  # one that was given up
        events.create(
            {
                "gateway_id": self.gateway_id.id,
                "company_id": self.gateway_id.company_id.id,
                "key": key,
                "kind": "merge",
                "type": why,
                "person": " ".join(names),
                "payload": {
                    "kept": kept.id,
                    "merged": merged.id,
                    "token": next(filter(None, phones), person.token),
                    "bsuid": person.bsuid or known.bsuid,
                },
                "occurred_at": fields.Datetime.now(),
            }
        )

    def _whatsapp_merge(self, merged, person, why):
        """Take another conversation of the same person into this one, and its lead.

        :param merged: the other conversation, which is no more after this
        :param person: ``tools.identity.Identity`` under which Meta knows it now
        :param str why: BOTH_NAMES, NEW_NUMBER or SHARED_NUMBER
        :raise NotYet: a message of one of them is on its way to Meta
        """
        self.ensure_one()
        both = self | merged
        # before anything is written: a row that is being sent is known by this lock
        self.env.cr.execute(TRY_LOCKS, ([lock_key(one.id) for one in both],))
        if not all(taken for _key, taken in self.env.cr.fetchall()):
            raise NotYet("a message is on its way to Meta")
        owners = both.whatsapp_user_id
        lead, rule = both._whatsapp_merge_leads()
        values = both._whatsapp_merged_values(person)
        tokens = list({token for one in both for token in one._whatsapp_tokens()})
        self._whatsapp_merge_guests(tokens, person.token)
        if self.lead_id != lead:
            self.lead_id = lead
        names = sorted(set(both.mapped("name")))
        self.env.flush_all()
        merging.move_references(self.env.cr, merged.id, self.id)
        self._whatsapp_take_jobs(merged)
        self.env.invalidate_all()
        merged.unlink()
        self.env.flush_all()  # two conversations cannot have one token
        self.write(values)
        self._whatsapp_follow(tokens, person.token)
        if lead._whatsapp_is_open() and not lead.whatsapp_answer_deadline:
            lead._whatsapp_start_clock()
        self._whatsapp_join(lead.user_id)
        self._whatsapp_leave(owners - lead.user_id)
        self._whatsapp_tell_merged(names, why, rule, owners)
        # sudo: whatsapp.message.queue - a sender that met the lock passed them by
        rows = self.env["whatsapp.message.queue"].sudo()
        if waiting := rows.search(
            [("channel_id", "=", self.id), ("state", "=", "queued")], limit=1
        ):
            waiting._wake()
        self._whatsapp_wake_inboxes()

    def _whatsapp_take_jobs(self, merged):
        """Let files and leads that are still to come, come to this conversation.

        :param merged: the conversation that is deleted after this
        """
        self.env.cr.execute(
            """
            UPDATE whatsapp_webhook_event
               SET payload = jsonb_set(payload, '{channel_id}', to_jsonb(%(kept)s)),
                   key = CASE WHEN kind = 'lead'
                              THEN 'lead:' || %(kept)s || ':' || split_part(key, ':', 3)
                              ELSE key END
             WHERE state IN ('pending', 'failed')
               AND kind IN ('lead', 'media')
               AND payload->>'channel_id' = %(merged)s
            """,
            {"kept": self.id, "merged": str(merged.id)},
        )

    def _whatsapp_merged_values(self, person):
        """Return what is written on the one that stays of these conversations.

        :param person: ``tools.identity.Identity`` under which Meta knows it now
        """
        last = self.sorted(lambda one: one.whatsapp_last_date or one.create_date)[-1]
        latest = self._whatsapp_latest()
        waits = list(filter(None, self.mapped("whatsapp_waiting_since")))
        snoozed = list(filter(None, self.mapped("whatsapp_snoozed_until")))
        states = self.mapped("whatsapp_state")
        state = next((one for one in STATES if one in states), ANSWERED)
        placeholders = {
            name for one in self for name in one._whatsapp_identity().placeholders
        }
        names = [one.name for one in (latest | self) if one.name not in placeholders]

        def newest(name):
            return max(filter(None, self.mapped(name)), default=False)

        def first(name):
            return next(filter(None, [latest[name], *self.mapped(name)]), False)

        values = {
            "gateway_channel_token": person.token,
            "whatsapp_phone": person.canonical or first("whatsapp_phone"),
            "whatsapp_bsuid": person.bsuid or first("whatsapp_bsuid"),
            "whatsapp_username": first("whatsapp_username"),
            "name": names[0] if names else person.label,
            "active": True,
            "whatsapp_opt_out": any(self.mapped("whatsapp_opt_out")),
            "whatsapp_opt_in_source": first("whatsapp_opt_in_source"),
            "whatsapp_opt_in_date": first("whatsapp_opt_in_date"),
            "whatsapp_last_text": last.whatsapp_last_text,
            "whatsapp_last_date": last.whatsapp_last_date,
            "whatsapp_last_author": last.whatsapp_last_author,
            "whatsapp_last_customer_date": newest("whatsapp_last_customer_date"),
            "whatsapp_inbox_date": newest("whatsapp_inbox_date"),
            "whatsapp_welcomed_at": newest("whatsapp_welcomed_at"),
            "whatsapp_away_at": newest("whatsapp_away_at"),
            "whatsapp_no_lead_reason": first("whatsapp_no_lead_reason")
            if not self.lead_id
            else False,
            "whatsapp_window_closed_at": latest.whatsapp_window_closed_at,
            "whatsapp_state": state,
            "whatsapp_snoozed_until": state == SNOOZED and min(snoozed),
        }
        since = min(waits, default=False)
        if since != self.sorted("id")[0].whatsapp_waiting_since:
            values["whatsapp_waiting_since"] = since
        return values

    def _whatsapp_merge_guests(self, tokens, token):
        """Leave one guest of all that stand for the person at this number.

        :param tokens: under which the person was known
        :param str token: under which it is known now
        """
        # sudo: mail.guest - Meta says who it is
        guests = self.env["mail.guest"].sudo()
        found = guests.search(
            [("gateway_id", "=", self.gateway_id.id), ("gateway_token", "in", tokens)],
            order="id",
        )
        for guest in found[1:]:
            self.env.flush_all()
            merging.move_guest(self.env.cr, guest.id, found[0].id)
            self.env.invalidate_all()
            guest.unlink()
        found[:1].gateway_token = token

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

    def _whatsapp_tell_merged(self, names, why, rule, owners):
        """Say in conversation and lead that two were one person, and to whom it was.

        :param names: what the conversations were called
        :param str why: BOTH_NAMES, NEW_NUMBER or SHARED_NUMBER
        :param str rule: why the salesperson is the one who has it, or ''
        :param owners: ``res.users`` who had one of the conversations
        """
        lead = self.lead_id

        def words(env):
            reason = {
                BOTH_NAMES: env._("a message came with both their names at WhatsApp"),
                NEW_NUMBER: env._("the customer changed the number"),
                SHARED_NUMBER: env._("the customer told us the number"),
            }[why]
            lines = [
                env._(
                    "Two WhatsApp conversations (%(names)s) were with one person, as"
                    " %(reason)s. They are one now, with all their messages.",
                    names=", ".join(names),
                    reason=reason,
                )
            ]
            if lead.user_id and rule:
                lines.append(
                    env._(
                        "%(user)s has the customer. The rule: who answered last, else"
                        " who had the customer first.",
                        user=lead.user_id.name,
                    )
                )
            return Markup("").join(Markup("<p>%s</p>") % line for line in lines)

        body = words(self.env)
        self._message_log(body=body)
        if not lead:
            return
        lead._message_log(body=body)
        for user in owners | lead.user_id if len(owners) > 1 else owners.browse():
            env = self.with_context(lang=user.lang).env
            lead.message_notify(
                partner_ids=user.partner_id.ids,
                subject=env._("WhatsApp: two conversations are one: %s", self.name),
                body=words(env),
            )
        self._whatsapp_send_notices()
