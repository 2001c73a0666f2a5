# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from dataclasses import replace

from markupsafe import Markup

from odoo import fields, models

from .. import merging
from ..queue.locks import TRY_LOCKS, channel_key
from ..tools import identity as wa_identity
from ..tools.errors import NotYet
from ..tools.identity import Identity

IDENTITY = "whatsapp.channel.identity"
# Why two conversations are with one person
BOTH_NAMES, NEW_NUMBER, SHARED_NUMBER = "both_names", "new_number", "shared_number"


class WhatsappChannelIdentity(models.AbstractModel):
    """Who a conversation is with: names that come later, numbers that change, and two
    conversations that turn out to be with one person. A part of ``discuss.channel``.

    Hooks of addons on top: ``_whatsapp_rename``, ``_whatsapp_phone_came``,
    ``_whatsapp_number_changed``, ``_whatsapp_merged_values``,
    ``_whatsapp_prepare_merge`` and ``_whatsapp_finish_merge``.
    """

    _name = IDENTITY
    _description = "Who a WhatsApp conversation is with"

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

    # ------------------------------------------------------------- what comes later

    def _whatsapp_learn_identity(self, person, others=()):
        """Keep every name of the person; unhide the conversation.

        :param person: ``tools.identity.Identity``
        :param others: further conversations that one of these names led to
        """
        self.ensure_one()
        known = {
            "whatsapp_phone": person.canonical
            and self._normalize_phone_number(person.canonical),
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
        self._whatsapp_log(body)

    def _whatsapp_is_nameless(self, name):
        """Tell whether a name that comes now is the first one, which nobody gave yet.

        :param str name: that WhatsApp tells
        """
        return name != self.name and (
            self.name in self._whatsapp_identity().placeholders
        )

    def _whatsapp_rename(self, name):
        """Write the name wherever the number, or a user id, stood for it. A hook.

        :param str name: that WhatsApp tells
        """
        placeholders = self._whatsapp_identity().placeholders
        self.name = name
        # sudo: mail.guest - the author of the messages so far
        guests = self.env["mail.guest"].sudo()
        guests.search(
            [
                ("gateway_id", "=", self.gateway_id.id),
                ("gateway_token", "in", self._whatsapp_tokens()),
            ]
        ).filtered(lambda guest: guest.name in placeholders).name = name

    def _whatsapp_phone_came(self, phone, given=False):
        """A number became known that was not known before. A hook.

        :param str phone: E.164
        :param bool given: the customer gave it when we asked for it
        """

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
        self._whatsapp_phone_came(phone, given=True)
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
        """Write the new number over the old one on the contact. A hook.

        :param str before: E.164 of the old number, or False
        :param str phone: E.164 of the new one
        """
        # sudo: res.partner - whose number it was
        contact = self._whatsapp_customer().sudo()
        contact._whatsapp_by_number()._whatsapp_replace_phone(
            wa_identity.variants(before or ""), phone
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
                "person": " ".join((self | other)._whatsapp_lock_names()),
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
        """Take another conversation of the same person into this one.

        :param merged: the other conversation, which is no more after this
        :param person: ``tools.identity.Identity`` under which Meta knows it now
        :param str why: BOTH_NAMES, NEW_NUMBER or SHARED_NUMBER
        :raise NotYet: a message of one of them is on its way to Meta
        """
        self.ensure_one()
        both = self | merged
        # before anything is written: a row that is being sent is known by this lock
        self.env.cr.execute(TRY_LOCKS, ([channel_key(one.id) for one in both],))
        if not all(taken for _key, taken in self.env.cr.fetchall()):
            raise NotYet("a message is on its way to Meta")
        known = self._whatsapp_prepare_merge(merged)
        person = both._whatsapp_keep_own(person)
        values = both._whatsapp_merged_values(person)
        tokens = list({token for one in both for token in one._whatsapp_tokens()})
        self._whatsapp_merge_guests(tokens, person.token)
        names = sorted(set(both.mapped("name")))
        self.env.flush_all()
        merging.move_references(self.env.cr, merged.id, self.id)
        self._whatsapp_take_jobs(merged)
        self.env.invalidate_all()
        merged.unlink()
        self.env.flush_all()  # two conversations cannot have one token
        self.write(values)
        self._whatsapp_follow(tokens, person.token)
        self._whatsapp_finish_merge(known)
        self._whatsapp_notify_merged(self._whatsapp_merge_words(names, why), known)
        # sudo: whatsapp.message.queue - a sender that met the lock passed them by
        rows = self.env["whatsapp.message.queue"].sudo()
        if waiting := rows.search(
            [("channel_id", "=", self.id), ("state", "=", "queued")], limit=1
        ):
            waiting._wake()

    def _whatsapp_keep_own(self, person):
        """Return as whom Meta knows the person of these conversations, who are one.

        A number that somebody else has by now is not theirs any more.

        :param person: ``tools.identity.Identity`` as it was when the merge was planned
        """
        found = self._whatsapp_find_by(gateway_channel_token=[person.token]) - self
        if self.gateway_id not in found.gateway_id:
            return person
        own = Identity.of_token(self._whatsapp_latest().gateway_channel_token)
        return replace(own, bsuid=own.bsuid or person.bsuid)

    def _whatsapp_prepare_merge(self, merged):
        """Decide, and write, what must be one before two conversations are. A hook.

        :param merged: the other conversation
        :return: dict of what :meth:`_whatsapp_finish_merge` has to know
        """
        return {}

    def _whatsapp_finish_merge(self, known):
        """Two conversations are one now. A hook.

        :param dict known: what :meth:`_whatsapp_prepare_merge` returned
        """

    def _whatsapp_take_jobs(self, merged):
        """Let files that are still to come, come to this conversation. A hook.

        :param merged: the conversation that is deleted after this
        """
        self.env.cr.execute(
            """
            UPDATE whatsapp_webhook_event
               SET payload = jsonb_set(payload, '{channel_id}', to_jsonb(%(kept)s))
             WHERE state IN ('pending', 'failed')
               AND kind = 'media'
               AND payload->>'channel_id' = %(merged)s
            """,
            {"kept": self.id, "merged": str(merged.id)},
        )

    def _whatsapp_merged_values(self, person):
        """Return what is written on the one that stays of these conversations. A hook.

        :param person: ``tools.identity.Identity`` under which Meta knows it now
        """
        latest = self._whatsapp_latest()
        placeholders = {
            name for one in self for name in one._whatsapp_identity().placeholders
        }
        names = [one.name for one in (latest | self) if one.name not in placeholders]

        def first(name):
            return next(filter(None, [latest[name], *self.mapped(name)]), False)

        return {
            "gateway_channel_token": person.token,
            "whatsapp_phone": person.canonical or first("whatsapp_phone"),
            "whatsapp_bsuid": person.bsuid or first("whatsapp_bsuid"),
            "whatsapp_username": first("whatsapp_username"),
            "name": names[0] if names else person.label,
            "active": True,
            "whatsapp_opt_out": any(self.mapped("whatsapp_opt_out")),
            "whatsapp_opt_in_source": first("whatsapp_opt_in_source"),
            "whatsapp_opt_in_date": first("whatsapp_opt_in_date"),
            "whatsapp_last_customer_date": max(
                filter(None, self.mapped("whatsapp_last_customer_date")), default=False
            ),
            "whatsapp_window_closed_at": latest.whatsapp_window_closed_at,
        }

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
        placeholders = {
            name for one in tokens for name in Identity.of_token(one).placeholders
        }
        names = [guest.name for guest in found if guest.name not in placeholders]
        named = {"name": names[0]} if names else {}
        for guest in found[1:]:
            self.env.flush_all()
            merging.move_guest(self.env.cr, guest.id, found[0].id)
            self.env.invalidate_all()
            guest.unlink()
        found[:1].write({"gateway_token": token, **named})

    def _whatsapp_merge_words(self, names, why):
        """Return a function that says, in the language of an environment, what was one.

        :param names: what the conversations were called
        :param str why: BOTH_NAMES, NEW_NUMBER or SHARED_NUMBER
        """

        def words(env):
            reason = {
                BOTH_NAMES: env._("a message came with both their names at WhatsApp"),
                NEW_NUMBER: env._("the customer changed the number"),
                SHARED_NUMBER: env._("the customer told us the number"),
            }[why]
            return Markup("<p>%s</p>") % env._(
                "Two WhatsApp conversations (%(names)s) were with one person, as"
                " %(reason)s. They are one now, with all their messages.",
                names=", ".join(names),
                reason=reason,
            )

        return words

    def _whatsapp_notify_merged(self, words, known):
        """Say that two conversations were with one person. A hook.

        :param words: see :meth:`_whatsapp_merge_words`
        :param dict known: what :meth:`_whatsapp_prepare_merge` returned
        """
        self._message_log(body=words(self.env))
