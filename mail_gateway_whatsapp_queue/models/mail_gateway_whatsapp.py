# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import re
from dataclasses import asdict, replace
from datetime import UTC, timedelta

from markupsafe import Markup

from odoo import Command, fields, models
from odoo.exceptions import UserError

from .. import compat, pictures
from ..queue import worker
from ..tools import cloud_api, files, payloads, plain_text, reading, webhook
from ..tools import message as wa_message
from ..tools.errors import CloudApiError, NotYet, from_webhook
from ..tools.identity import Identity
from ..tools.limits import limit
from ..tools.markup import to_html
from .mail_gateway_whatsapp_kinds import KINDS, NOTICES

# Kinds of events that lead to something, and fields of other changes that do
APPLIED = ("message", "status", "echo")
APPLIED_CHANGES = (
    "message_template_status_update",
    "template_category_update",
    "user_preferences",
    webhook.HANDOVERS,
    *NOTICES,
)
MEDIA_LIMIT = limit("file")
MEDIA_LIFE = timedelta(days=7)  # of a received file at Meta
# Reasons in the words of a file that people read when it does not come
MEDIA_REASONS = ("file_expired", "file_large", "file_inbound")
# What a message shows while a file of it waits
WAITS = re.compile(r'<p class="o-whatsapp-file">.*?</p>', re.DOTALL)
# How a stranger's file is stored: active types as text, no picture decoded, no word
# of it indexed. Odoo's own switches, and the last one of ours
AS_STRANGERS = {
    "attachments_mime_plainxml": True,
    "image_no_postprocess": True,
    "whatsapp_received": True,
}

_logger = logging.getLogger(__name__)


class MailGatewayWhatsapp(models.AbstractModel):
    _name = "mail.gateway.whatsapp"
    _inherit = ["mail.gateway.whatsapp", KINDS]

    # ------------------------------------------------------------- inbound

    def _event_rows(self, known, delivery):
        """Turn a delivery into rows of ``whatsapp.webhook.event``.

        :param dict known: the answer of ``mail.gateway._whatsapp_webhook``
        :param dict delivery: body of the webhook
        :return: list of dicts for ``whatsapp.webhook.event._store``
        """
        return [self._event_row(known, atom) for atom in webhook.split(delivery)]

    def _event_row(self, known, atom):
        target = known["gateways"].get(atom.phone_number_id)
        if not target and not atom.phone_number_id:
            # account changes name no number: they belong to the address
            target = {"gateway_id": known["id"], "company_id": None}
        row = {
            "gateway_id": None,
            "company_id": None,
            **(target or {}),
            "key": atom.key,
            "kind": atom.kind,
            "type": atom.type,
            "payload": atom.update(),
            "occurred_at": atom.timestamp and atom.timestamp.replace(tzinfo=None),
            "state": "pending",
            "error": None,
        }
        keys = atom.keys or (f"gateway:{known['id']}",)
        row["person"] = " ".join(f"{row['company_id'] or 0}:{key}" for key in keys)
        if not target:
            row["state"] = "ignored"
            lang = self.env["mail.gateway"].browse(known["id"])._whatsapp_lang()
            row["error"] = self.with_context(lang=lang).env._(
                "No gateway has the phone number ID %s.", atom.phone_number_id
            )
        elif atom.kind not in APPLIED and atom.type not in APPLIED_CHANGES:
            row["state"] = "ignored"
        return row

    def _look_up_together(self, atoms):
        """Look up together what these messages will ask for, one by one.

        :param atoms: list of ``tools.webhook.InboundEvent``
        """
        wanted = self._wanted_together(atoms)
        self.env["whatsapp.lookup"]._whatsapp_look_up_all(wanted)

    def _wanted_together(self, atoms):
        """Return what these messages will ask for. A hook.

        :param atoms: list of ``tools.webhook.InboundEvent``
        :return: dict of name of a model -> name of a field -> values
        """
        people = [atom.identity for atom in atoms]
        phones = [phone for one in people for phone in one.phones]
        tokens = [token for one in people for token in one.tokens]
        return {
            "discuss.channel": {
                "gateway_channel_token": tokens,
                "whatsapp_bsuid": [one.bsuid for one in people],
                "whatsapp_phone": phones,
            },
            "mail.guest": {"gateway_token": tokens},
            "mail.message": {"whatsapp_message_id": [a.message_id for a in atoms]},
            "res.partner": {"whatsapp_phones": phones},
            "res.partner.gateway.channel": {"gateway_token": tokens},
        }

    def _begin_together(self, gateway, atoms):
        """Begin together the conversations of those who write for the first time.

        Each is found when its message is worked on, in this transaction.

        :param gateway: ``mail.gateway`` that received them
        :param atoms: list of ``tools.webhook.InboundEvent``, in order, each the first
            of its person
        :return: those of them whose conversations were begun
        """
        new = [
            atom
            for atom in atoms
            if atom.kind == "message"
            and atom.type != "system"
            and not atom.group
            and not gateway._whatsapp_find_channels(atom.identity)
        ]
        # sudo: mail.guest - the webhook user may be anybody
        self.env["mail.guest"].sudo().create(
            [
                self._guest_vals(gateway, atom.identity)
                for atom in new
                if not self._known_author(gateway, atom.identity)
            ]
        )
        values = []
        for atom in new:
            message, value = webhook.message_and_value(atom, self._received())
            values.append(self._get_channel_vals(gateway, message["from"], value))
        for channel in gateway.env["discuss.channel"].create(values):
            # as OCA does with a single one
            channel._broadcast(channel.channel_member_ids.partner_id.ids)
        return new

    def _receive_update(self, gateway, update):
        """Replace OCA's, which reads one kind of message from people with a number.

        Each message, status or other change goes its own way, once.
        """
        for atom in webhook.split(update or {}):
            if atom.kind == "status":
                self._receive_status(gateway, atom.content)
            elif atom.kind == "echo":
                self._receive_echo(gateway, atom)
            elif atom.kind == "change":
                self._receive_change(gateway, atom)
            elif atom.type == "system" and atom.identity:
                self._receive_system(gateway, atom)
            elif atom.kind == "message" and atom.group:
                self._receive_group_message(gateway, atom)
            elif atom.kind == "message":
                self._receive_message(gateway, atom)

    def _receive_message(self, gateway, atom):
        """Find the conversation of a customer's message, and show the message there.

        :raise UserError: the message does not say who sent it
        """
        if not atom.identity:
            raise UserError(
                self.env._("The message does not say who sent it; see its payload.")
            )
        message, value = webhook.message_and_value(atom, self._received())
        chat = self._get_channel(gateway, message["from"], value, force_create=True)
        self._process_update(chat, message, value)

    def _received(self):
        """Return the moment that stands in for a timestamp that Meta left out."""
        return fields.Datetime.now().replace(tzinfo=UTC)

    def _get_channel(self, gateway, token, update, force_create=False):
        """Find the conversation by every name of the person, also archived."""
        person = self._person(update) or Identity.of_token(str(token))
        found = gateway._whatsapp_find_channels(person)
        channel = found[:1] or super()._get_channel(
            gateway, token, update, force_create=force_create
        )
        if channel:
            channel.sudo()._whatsapp_learn_identity(person, found[1:].sudo())
        return channel

    def _person(self, update):
        """Return who wrote the message of an update, or None."""
        messages = update.get("messages") or [{}]
        return Identity.of_message(messages[0], update.get("contacts") or []) or None

    def _get_channel_vals(self, gateway, token, update):
        """Take the name that can be read: OCA takes it as it came.

        A colleague who writes from the own phone is in OCA's list of members twice,
        which the database refuses.
        """
        person = self._person(update)
        values = super()._get_channel_vals(gateway, token, update)
        members = {}
        for command in values["channel_member_ids"]:
            member = command[2]
            key = (member.get("partner_id") or False, member.get("guest_id") or False)
            members[key] = command
        return {
            **values,
            "channel_member_ids": list(members.values()),
            "group_public_id": False,  # as Odoo computes it
            "whatsapp_bsuid": person and person.bsuid,
            "whatsapp_username": person and person.username,
            "name": (person and person.label) or str(token),
        }

    def _get_author(self, gateway, update):
        """Replace OCA's search, which knows one spelling of a number.

        Also, it adds a row for each token of a partner, of which the database
        takes one only (UNIQUE on partner and gateway): a partner's second
        number would never arrive.
        """
        person = self._person(update)
        if not person:
            return False
        known = self._known_author(gateway, person)
        if not known and not person.phone:
            # perhaps the person wrote under a number before
            chat = gateway._whatsapp_find_channel(person).sudo()
            if chat.whatsapp_phone:
                person = replace(chat._whatsapp_identity(), name=person.name)
                known = self._known_author(gateway, person)
        # sudo: mail.guest - the webhook user may be anybody
        guests = self.env["mail.guest"].sudo()
        return known or guests.create(self._guest_vals(gateway, person))

    def _known_author(self, gateway, person):
        """Return the contact, or else the guest, of a person who is known, or none."""
        return self._author_partner(gateway, person) or self._author_guest(
            gateway, person
        )

    def _guest_vals(self, gateway, person):
        """Return the values of the guest in whose name a person's messages are."""
        return {
            "name": person.label,
            "gateway_id": gateway.id,
            "gateway_token": person.token,
        }

    def _author_partner(self, gateway, person):
        """Return the contact that somebody of ours linked, else who has the number."""
        # sudo: res.partner.gateway.channel - the webhook user may be anybody
        links = self.env["res.partner.gateway.channel"].sudo()
        if link := links._whatsapp_link_of(gateway, person.tokens):
            return link.partner_id
        partner = self._partner_by_phone(gateway, person)
        if partner and not links.search_count(
            [("gateway_id", "=", gateway.id), ("partner_id", "=", partner.id)]
        ):
            links.create(
                {
                    "partner_id": partner.id,
                    "gateway_id": gateway.id,
                    "gateway_token": person.token,
                }
            )
        return partner

    def _partner_by_phone(self, gateway, person):
        """Return the partner with this number: a person before a company.

        See ``res.partner._whatsapp_by_number`` for whose number proves something.
        """
        if not person.canonical:
            return self.env["res.partner"]
        # sudo: res.partner - the webhook user may not read contacts of others
        partners = self.env["res.partner"].sudo()
        # a number has few contacts; in SQL, all users of the portal would be read
        found = partners.browse(partners._whatsapp_ids_with(person.phones))
        return found._whatsapp_of_company(gateway.company_id)._whatsapp_by_number()[:1]

    def _author_guest(self, gateway, person):
        # sudo: mail.guest - the webhook user may not read those of others
        guests = self.env["mail.guest"].sudo()
        found = guests._whatsapp_find_by(gateway_token=person.tokens)
        return found.filtered(lambda guest: guest.gateway_id == gateway)[:1]

    def _process_update(self, chat, message, value):
        """Show a customer's message, every kind in words; then what follows from it.

        Replaces OCA's, which reads texts, files and places.

        :param chat: ``discuss.channel``
        :param dict message: Meta's message
        :param dict value: of the change that it came in
        """
        # sudo: discuss.channel - the webhook user may be anybody
        channel = chat.sudo()._whatsapp_together()
        if channel.env["mail.message"]._whatsapp_of(channel, message.get("id")):
            return
        if self._receive_reaction(channel, message, value):
            return
        inbound = self._read_message(channel, message, value)
        channel._whatsapp_message_received(inbound)
        author = self._get_author(channel.gateway_id, value)
        posted = self._post_received(channel, author, inbound)
        self._post_process_message(posted, channel)
        self._show_on_document(posted, inbound)
        channel._whatsapp_message_shown(inbound, posted)

    def _read_message(self, channel, message, value, side=wa_message.CUSTOMER):
        """Read a message once, as ``tools.message.InboundMessage``.

        :param str side: who wrote it, see ``tools.message``
        """
        inbound = wa_message.read(message, value, self._translate, side)
        inbound.sent = inbound.sent or fields.Datetime.now()
        if inbound.speaks and inbound.original:
            # an edit says something if it is all that came of a message
            messages = channel.env["mail.message"]
            inbound.speaks = not messages._whatsapp_find(channel, inbound.original)
        return inbound

    def _post_received(self, channel, author, inbound, by_phone=False):
        """Show a message in its conversation: what it quotes, its files, its cards.

        :param channel: ``discuss.channel``, with all rights
        :param author: ``res.partner`` or ``mail.guest`` who wrote it
        :param inbound: ``tools.message.InboundMessage``
        :param bool by_phone: somebody of ours typed it in the app on the phone
        :return: ``mail.message``
        """
        author, writer = author or self.env["res.partner"], channel
        if author._name == "mail.guest":
            public = self.env["ir.model.data"]._xmlid_to_res_id("base.public_user")
            writer = channel.with_user(public).with_context(guest=author).sudo()
            if author in channel.channel_member_ids.guest_id:
                compat.cache_values(writer, {"is_member": True})
        posted = writer.message_post(
            body=self._whatsapp_to_html(inbound.text),
            author_id=author._name == "res.partner" and author.id,
            date=inbound.sent,
            gateway_type="whatsapp",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            whatsapp_message_id=inbound.wamid or False,
            whatsapp_by_phone=by_phone,
            # nobody gets it by e-mail
            reply_to=False,
            record_alias_domain_id=False,
        ).with_env(channel.env)
        if inbound.cards:
            posted.whatsapp_cards = inbound.cards
        quoted = posted._whatsapp_find(channel, inbound.rendered.quoted)
        if quoted and not posted.parent_id:
            posted.parent_id = quoted
        for number, media in enumerate(inbound.rendered.files):
            self._queue_media(channel, posted, inbound.wamid, media, number)
        return posted

    def _post_process_message(self, message, channel):
        """Look for nothing that the customer has read now where nothing was sent."""
        if channel._whatsapp_has_begun():
            return None
        return super()._post_process_message(message, channel)

    def _show_on_document(self, posted, inbound):
        """Show the answer to a document's message on the document, as OCA does.

        :param posted: ``mail.message`` in the conversation
        :param inbound: ``tools.message.InboundMessage`` that it shows
        """
        original = posted.parent_id.gateway_message_id
        if original.model not in self.env:
            return
        # sudo: the document - its customer answers; the webhook user may be anybody
        documents = self.env[original.model].sudo()
        document = documents.browse(original.res_id).exists()
        if not document:
            return
        posted.gateway_message_id = document.message_post(
            body=posted.body,
            author_id=not posted.author_guest_id and posted.author_id.id,
            date=posted.date,
            gateway_type="whatsapp",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self._post_process_reply(posted.parent_id)
        compat.bus_send_values(
            posted, {"gateway_thread_data": posted.gateway_thread_data}
        )
        document._whatsapp_answered(posted, self._meaning_of(posted, inbound))

    def _meaning_of(self, posted, inbound):
        """Return what the button of a template means that was pressed, or None."""
        if not inbound.button:
            return None
        # sudo: whatsapp.message.queue - inbound: the webhook user may be anybody
        rows = self.env["whatsapp.message.queue"].sudo()
        channel = self.env["discuss.channel"].sudo().browse(posted.res_id)
        row = rows._with_wamid(inbound.rendered.quoted, "channel_id", channel)
        return row.template_id.button_ids._whatsapp_meaning_of(
            inbound.button, inbound.said
        )

    def _postpone_rest(self, gateway, event, error):
        """Let a message be shown without what else it leads to, which follows. A hook.

        :param gateway: the number that received the message
        :param event: ``whatsapp.webhook.event`` of the message
        :param error: why it could not be worked on
        :return: whether there is something that can follow later
        """
        return False

    def _receive_merge(self, gateway, event):
        """Make one conversation of two that are with the same person, once.

        :param event: ``whatsapp.webhook.event`` whose type says why they are; with
            kept, merged, token and bsuid, see ``discuss.channel._whatsapp_merge_later``
        """
        job = event.payload
        # sudo: discuss.channel - the webhook user may be anybody
        chats = self.env["discuss.channel"].sudo().with_context(active_test=False)
        kept = chats.browse(job["kept"]).exists()
        merged = chats.browse(job["merged"]).exists()
        if kept and merged:
            person = Identity.of_token(job["token"])
            person = replace(person, bsuid=job["bsuid"] or person.bsuid)
            kept._whatsapp_merge(merged, person, event.type)

    def _whatsapp_to_html(self, body):
        """Replace OCA's, whose time grows with the square of a text, or worse."""
        return Markup(to_html(reading.text(body, 2 * limit("text"))))

    def _translate(self, source):
        """Translate a phrase of ``tools``.

        Into the user's language; for what customers sent, into the company's,
        which ``whatsapp.webhook.event`` puts into the context.
        """
        return self.env._(source)  # pylint: disable=translation-not-lazy

    # ------------------------------------------------------------- files

    def _queue_media(self, chat, posted, wamid, media, number=0):
        """Let a file follow its message, however often it must be tried.

        :param str wamid: Meta's id of the message
        :param int number: which one of the files of the message
        """
        gateway = chat.gateway_id
        key = f"media:{wamid}"
        # sudo: whatsapp.webhook.event - written by the webhook user, for administrators
        event = self.env["whatsapp.webhook.event"].sudo()
        event.create(
            {
                "gateway_id": gateway.id,
                "company_id": gateway.company_id.id,
                "key": f"{key}:{number}" if number else key,
                "kind": "media",
                "type": media.kind,
                "person": key,  # the files of one message come one after the other
                "payload": {
                    "message_id": posted.id,
                    "channel_id": chat.id,
                    "media": {**asdict(media), "sent": None},
                },
                "occurred_at": posted.date,
            }
        )
        dbname = self.env.cr.dbname
        self.env.cr.postcommit.add(lambda: worker.wake(dbname, "media"))
        event._whatsapp_cron()._trigger()

    def _receive_media(self, gateway, event):
        """Fetch a file and put it on its message.

        :param gateway: the number that received it
        :param event: ``whatsapp.webhook.event`` with message_id, channel_id and media,
            as written above
        """
        job = event.payload
        # sudo: mail.message, discuss.channel - the webhook user may be anybody
        posted = self.env["mail.message"].sudo().browse(job["message_id"]).exists()
        # where it is now: two conversations may have become one
        chat = self.env["discuss.channel"].sudo().browse(posted.res_id).exists()
        if not posted or not chat:
            return
        media = wa_message.Media(**{**job["media"], "sent": posted.date})
        try:
            media, content, is_whole = self._download(gateway, media)
        except CloudApiError as error:
            is_over = posted.date + MEDIA_LIFE <= fields.Datetime.now()
            gone = isinstance(error, cloud_api.MediaGone) and is_over
            if error.kind != "permanent" and not gone:
                raise
            self._give_up_media(chat, posted, error)
            return
        # sudo: ir.attachment - a file of the message, which the webhook user posts
        attachments = self.env["ir.attachment"].sudo().with_context(**AS_STRANGERS)
        attachment = attachments._whatsapp_store(
            {
                "name": media.name,
                "raw": content,
                "mimetype": files.media_type(media.mime_type, media.name, content),
                "res_model": "discuss.channel",
                "res_id": chat.id,
            }
        )
        if media.voice:
            # sudo: discuss.voice.metadata - see above
            self.env["discuss.voice.metadata"].sudo().create(
                {"attachment_id": attachment.id}
            )
        posted.attachment_ids = [Command.link(attachment.id)]
        self._note_media(chat, posted, "")
        if not is_whole:
            self._add_media_words(
                chat,
                posted,
                self.env._(
                    "%s is not the file that WhatsApp announced: its checksum differs."
                    " Open it with care, or ask for it again.",
                    media.name,
                ),
            )
        compat.bus_send_attachments(chat, posted)

    def _give_up_media(self, chat, posted, error):
        """Say where the file was expected that it will not come.

        :param error: the exception; why is told in the words of a file
        """
        reason = getattr(error, "reason", None)
        if reason not in MEDIA_REASONS:
            reason = "file_inbound"
        self._note_media(chat, posted, "")
        advice = self.env["whatsapp.error"]._advice(
            CloudApiError("permanent", reason=reason)
        )
        self._add_media_words(chat, posted, advice)

    def _add_media_words(self, chat, posted, words):
        posted.body += Markup("<p><em>%s</em></p>") % words
        compat.bus_send_body(chat, posted)

    def _note_media(self, chat, posted, words):
        """Show what a file waits for, in place of what was shown before.

        :param str words: empty when it waits no longer
        """
        # what is taken out of a Markup leaves one
        body = Markup(WAITS.sub("", posted.body or ""))
        if words:
            body += Markup('<p class="o-whatsapp-file"><em>%s</em></p>') % words
        if body != posted.body:
            posted.body = body
            compat.bus_send_body(chat, posted)

    def _download(self, gateway, media):
        """Fetch a file, and once more if it is not the one that Meta announced.

        :return: tuple of the Media with what Meta says of it now, its content, and
            whether it is the announced one as far as that can be told
        :raise CloudApiError: of kind 'permanent' if no repetition helps
        """
        client = gateway._whatsapp_client()
        for _time in range(2):
            url, sha256 = media.url, media.sha256
            content = None  # at most one of them is held
            if media.id:  # the address of a delivery lives five minutes only
                info = client.media_info(media.id, gateway.whatsapp_from_phone)
                url, sha256 = info.url, info.sha256 or sha256
                media = replace(media, mime_type=media.mime_type or info.mime_type)
            content = client.download(url, MEDIA_LIMIT)
            if files.is_whole(content, sha256) is not False:
                return media, content, True
        _logger.warning("file %s has another hash than Meta says", media.id)
        return media, content, False

    # ------------------------------------------------------------- statuses

    def _receive_status(self, gateway, status):
        """Apply what Meta reports about a message of ours, upwards only.

        :raise NotYet: the message is not known, perhaps not committed yet
        """
        # sudo: whatsapp.message.queue, mail.notification - Meta reports, whoever sent
        rows = self.env["whatsapp.message.queue"].sudo()
        row = rows._by_status(gateway, status)
        notifications = (
            row._notifications()
            if row
            else self.env["mail.notification"]
            .sudo()
            .search(
                [
                    ("gateway_message_id", "=", status.get("id")),
                    ("gateway_channel_id.gateway_id", "=", gateway.id),
                ]
            )
        )
        if not row and not notifications:
            if self._is_echo(gateway, status.get("id")):
                return  # typed on the phone, or by Meta's agent: no ticks here
            raise NotYet(f"no message of ours is known as {status.get('id')}")
        error = None
        if status.get("status") == "failed":
            secrets = gateway._whatsapp_secrets()
            error = from_webhook(status.get("errors") or [], secrets)
        if row:
            row.channel_id._whatsapp_learn_missing(Identity.of_status(status))
            row._apply_status(status, error)
        else:
            catalogue = self.env["whatsapp.error"]
            notifications._whatsapp_advance(
                status.get("status"),
                error and catalogue._advice(error),
                error and catalogue._for_error(error),
            )

    def _is_echo(self, gateway, wamid):
        """Tell whether a message was sent with this number, and not by Odoo."""
        # sudo: mail.message - see above
        found = (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("whatsapp_message_id", "=", wamid),
                    ("model", "=", "discuss.channel"),
                ],
                limit=1,
            )
            if wamid
            else None
        )
        channel = found and self.env["discuss.channel"].sudo().browse(found.res_id)
        return bool(channel) and channel.gateway_id == gateway

    def _process_update_status(self, chat_id, status_info):
        """Replace OCA's, which knows only 'failed' and one shape of its error."""
        # sudo: discuss.channel - see above
        chat = self.env["discuss.channel"].sudo().browse(chat_id)
        self._receive_status(chat.gateway_id, status_info)

    # ------------------------------------------------------------- outbound

    def _send(
        self,
        gateway,
        record,
        auto_commit=False,
        raise_exception=False,
        parse_mode=False,
    ):
        """Record what is to be sent, see ``mail.notification.send_gateway``."""
        record.send_gateway()

    def _html_to_whatsapp(self, body):
        """Replace OCA's, which turns each link into a footnote and joins lines."""
        return plain_text.from_html(body)

    def _send_payload(
        self, channel, body=False, media_id=False, media_type=False, media_name=False
    ):
        """Build what is sent by ``tools.payloads``, as everywhere.

        OCA's own fills the template that is named in the context.

        :param body: HTML of a text; of a file its caption, as it is read
        :raise UserError: no number or user id, or nothing that Meta would take
        """
        person = self._recipient(channel)
        try:
            if media_id:
                return payloads.media_payload(
                    *(person, media_type, media_id, body or None, media_name)
                )
            if not self.env.context.get("whatsapp_template_id"):
                text = self._html_to_whatsapp(body)
                return payloads.text_payload(
                    person, text, preview=plain_text.has_link(text)
                )
        except payloads.NotSendable as error:
            raise self._refusal(error) from error
        template = self.env["mail.whatsapp.template"].browse(
            self.env.context["whatsapp_template_id"]
        )
        if not template._whatsapp_fills_itself():
            raise UserError(
                self.env._(
                    "The template %s has a header, a code or a form that is filled in"
                    " the dialog “Send a template” of the conversation only.",
                    template.name,
                )
            )
        filled = super()._send_payload(channel, body=body)["template"]
        return payloads.template_payload(
            person,
            filled["name"],
            filled["language"]["code"],
            filled.get("components") or (),
        )

    def _change_text(self, payload, body):
        """Return a message of ours with another text or caption.

        :param dict payload: see ``tools.payloads``
        :param body: HTML
        :raise UserError: nothing that Meta would take
        """
        text = self._html_to_whatsapp(body or "")
        try:
            return payloads.with_text(payload, text, plain_text.has_link(text))
        except payloads.NotSendable as error:
            raise self._refusal(error) from error

    def _refusal(self, error):
        """Return the UserError that says why something cannot be sent.

        :param error: ``tools.payloads.NotSendable``
        """
        return UserError(self._translate(error.source) % error.values)

    def _check_allowed(self, channel, template=None):
        """Refuse free text outside of the 24 hours after the customer's last word.

        :param template: ``mail.whatsapp.template`` to be sent; default: OCA's in the
            context
        :raise UserError: closed window, marketing that the customer stopped, or a
            number of which nothing leaves
        """
        channel._whatsapp_check_on()
        template = template or self.env["mail.whatsapp.template"].browse(
            self.env.context.get("whatsapp_template_id") or []
        )
        if template.category == "marketing" and channel.whatsapp_opt_out:
            raise UserError(
                self.env._(
                    "This customer asked for no more marketing messages. You can"
                    " answer when the customer writes, or call."
                )
            )
        if not template and not channel.whatsapp_window_open:
            raise UserError(self._window_words(channel))

    def _window_words(self, channel):
        """Return why a customer gets no free text, and what can be sent instead."""
        if channel.whatsapp_window_closed_at:
            return self.env._(
                "Meta delivers no free text to this customer until the customer writes"
                " again, though less than 24 hours may have passed. Please send a"
                " template."
            )
        return self.env._(
            "The last message of this customer is more than 24 hours old, so WhatsApp"
            " delivers only templates. Please send a template."
        )

    def _template_document(self, channel):
        """Return the id of the record whose values a template shows, or False.

        OCA asks the context for it, and fails without.

        :raise UserError: the conversation has no record of the template's model
        """
        template = self.env["mail.whatsapp.template"].browse(
            self.env.context.get("whatsapp_template_id") or []
        )
        given = self.env.context.get("res_id") or self.env.context.get("default_res_id")
        if not template or given:
            return given or False
        # sudo: ir.model, discuss.channel - the template's author chose what is shown
        record = channel.sudo()._whatsapp_document(template.sudo().model_id.model)
        if not record:
            raise UserError(
                self.env._(
                    "The template %s shows values of a document, and this conversation"
                    " has none of that kind. Please choose another template.",
                    template.name,
                )
            )
        return record.id

    def _check_attachment(self, attachment):
        """Return Meta's kind of a file.

        :raise UserError: WhatsApp takes no such file
        """
        mimetype = payloads.sendable_type(attachment.mimetype, attachment.name)
        try:
            if mimetype != pictures.WEBP:
                return payloads.check_media(mimetype, attachment.file_size)
            if not attachment.raw:
                raise payloads.NotSendable("empty_file")
            if (kind := pictures.webp_kind(attachment.raw)) == "sticker":
                return kind
            # it is made once more when it is sent, so that nothing is kept twice
            size = len(pictures.webp_to_jpeg(attachment.raw))
            return payloads.check_media(pictures.JPEG, size)
        except payloads.NotSendable as error:
            reason = self._translate(error.source) % error.values
            raise UserError(
                self.env._(
                    "%(name)s cannot be sent: %(reason)s",
                    name=attachment.name,
                    reason=reason,
                )
            ) from error

    def _recipient(self, channel):
        """Return who is written to, as ``tools.identity.Identity``: as Meta named them.

        :raise UserError: nobody whom Meta would know
        """
        person = Identity.of_token(channel.gateway_channel_token)
        if not person:
            raise UserError(
                self.env._("%s has no WhatsApp number or user ID.", channel.name)
            )
        return person
