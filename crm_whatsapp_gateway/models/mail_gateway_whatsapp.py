# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import re
from dataclasses import asdict, replace
from datetime import UTC, timedelta

from markupsafe import Markup

from odoo import Command, fields, models
from odoo.exceptions import UserError

from .. import compat, pictures, worker
from ..tools import cloud_api, files, plain_text, reading, webhook
from ..tools import message as wa_message
from ..tools.errors import CloudApiError, from_webhook
from ..tools.identity import Identity
from ..tools.limits import limit
from ..tools.markup import to_html
from ..tools.referral import Referral
from .mail_gateway_whatsapp_kinds import NOTICES
from .mail_message import Received
from .whatsapp_webhook_event import NotYet

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
    _inherit = "mail.gateway.whatsapp"

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

    def _receive_update(self, gateway, update):
        """Hand OCA one message at a time, in the shape that it can read."""
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
            elif atom.kind == "message" and atom.identity:
                update = webhook.gateway_update(atom, self._received())
                super()._receive_update(gateway, update)
            elif atom.kind == "message":
                raise UserError(
                    self.env._("The message does not say who sent it; see its payload.")
                )
        return None

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

    def _get_channel_vals(self, gateway, token, update):
        """Leave the gateway's members out: the assigned salesperson comes in."""
        values = super()._get_channel_vals(gateway, token, update)
        person = self._person(update)
        colleagues = set(gateway.member_ids.partner_id.ids)
        values["channel_member_ids"] = [
            command
            for command in values["channel_member_ids"]
            if command[2].get("partner_id") not in colleagues
        ]
        # OCA takes the name as it came, of which nothing may be seen
        values["name"] = (person and person.label) or str(token)
        return values

    def _person(self, update):
        """Return who wrote the message of an update, or None."""
        messages = update.get("messages") or [{}]
        return Identity.of_message(messages[0], update.get("contacts") or []) or None

    def _get_author(self, gateway, update):
        """Replace OCA's search, which knows one spelling of a number.

        Also, it adds a row for each token of a partner, of which the database
        takes one only (UNIQUE on partner and gateway): a partner's second
        number would never arrive.
        """
        person = self._person(update)
        if not person:
            return False
        known = self._author_partner(gateway, person) or self._author_guest(
            gateway, person
        )
        if not known and not person.phone:
            # perhaps the person wrote under a number before
            chat = gateway._whatsapp_find_channel(person).sudo()
            if chat.whatsapp_phone:
                person = replace(chat._whatsapp_identity(), name=person.name)
                known = self._author_partner(gateway, person) or self._author_guest(
                    gateway, person
                )
        # sudo: the webhook user may read neither partners nor guests of others
        return known or self.env["mail.guest"].sudo().create(
            {
                "name": person.label,
                "gateway_id": gateway.id,
                "gateway_token": person.token,
            }
        )

    def _author_partner(self, gateway, person):
        """Return the contact that somebody of ours linked, else who has the number."""
        # sudo: res.partner.gateway.channel - the webhook user may be anybody
        links = self.env["res.partner.gateway.channel"].sudo()
        tokens = person.tokens
        link = links.search(
            [("gateway_id", "=", gateway.id), ("gateway_token", "in", tokens)],
            order="id",
            limit=1,
        )
        if link:
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
        return (
            self.env["mail.guest"]
            .sudo()
            .search(
                [
                    ("gateway_id", "=", gateway.id),
                    ("gateway_token", "in", person.tokens),
                ],
                order="id",
                limit=1,
            )
        )

    def _process_update(self, chat, message, value):
        """Add what OCA leaves out: the lead, every kind in words, the file."""
        messages = self.env["mail.message"].sudo()  # the webhook user may be anybody
        if messages._whatsapp_of(chat, message.get("id")):
            return
        if self._receive_reaction(chat, message, value):
            return
        rendered = wa_message.render(message, translate=self._phrase)
        speaks = self._speaks(chat, message)
        sent = webhook.moment(message.get("timestamp"))
        sent = sent.replace(tzinfo=None) if sent else fields.Datetime.now()
        before = chat.sudo().whatsapp_last_date
        chat.sudo()._whatsapp_note(
            rendered.text,
            sent,
            "customer",
            opens_window=speaks,
        )
        wished = speaks and chat.sudo()._whatsapp_heed(wa_message.said(message))
        if (
            speaks
            and not (wished and not chat.sudo().lead_id._whatsapp_is_open())
            and not chat.sudo()._whatsapp_lead_waits()
        ):
            # before the message is shown: so whoever gets the lead hears of it
            chat.sudo()._link_or_create_lead(
                rendered.text, Referral.of_message(message)
            )
        wamid = message.get("id")
        super()._process_update(
            chat.with_context(whatsapp_message_id=Received(wamid or "")),
            self._plain(message, rendered),
            value,
        )
        posted = messages._whatsapp_of(chat, wamid)
        self._complete(chat, posted, message, rendered)
        chat.sudo()._whatsapp_take_phone(wa_message.shared_phone(message))
        # what we send takes the conversation away from Meta's agent
        in_standby = value.get("field") == webhook.STANDBY
        if speaks and not wished and not in_standby:
            chat.sudo()._whatsapp_greet(sent, before)

    def _speaks(self, chat, message):
        """Tell whether the customer says something by a message: not by a reaction.

        An edit does if it is all that came of a message.
        """
        if not webhook.speaks(message):
            return False
        # sudo: mail.message - the webhook user may be anybody
        messages = self.env["mail.message"].sudo()
        return not messages._whatsapp_find(chat, wa_message.original_of(message))

    # ------------------------------------------------------------- lead, later

    def _leave_lead(self, gateway, event, error):
        """Show a message without waiting for its lead, which an event makes later.

        :param gateway: the number that received the message
        :param event: ``whatsapp.webhook.event`` of the message
        :param error: why the lead could not be made with it
        """
        for atom in webhook.split(event.payload or {}):
            if not (atom.creates_lead and atom.identity):
                continue
            update = webhook.gateway_update(atom, self._received())
            value = update["entry"][0]["changes"][0]["value"]
            [message] = value["messages"]
            chat = self._get_channel(
                gateway, message["from"], value, force_create=True
            ).sudo()  # the webhook user may be anybody
            messages = self.env["mail.message"].sudo()
            if messages._whatsapp_of(chat, message["id"]):
                continue  # shown before
            if not self._speaks(chat, message):
                continue
            if chat._whatsapp_lead_waits():
                continue  # for an earlier message, whose lead this is, too
            chat.whatsapp_no_lead_reason = self.env._(
                "The lead could not be made yet (%s). Odoo tries again.",
                type(error).__name__,
            )
            chat._whatsapp_join(gateway.member_ids)
            event.sudo().create(
                {
                    "gateway_id": gateway.id,
                    "company_id": event.company_id.id,
                    "key": f"lead:{chat.id}:{event.id}",
                    "kind": "lead",
                    "type": event.type,
                    "person": event.person,
                    "payload": {
                        "channel_id": chat.id,
                        "message": message,
                        "before": fields.Datetime.to_string(chat.whatsapp_last_date),
                        "in_standby": atom.field == webhook.STANDBY,
                    },
                    "occurred_at": event.occurred_at,
                }
            )

    def _receive_lead(self, job):
        """Make the lead of a message that is shown already, once.

        :param dict job: channel_id, message, before and in_standby, as written above
        """
        # sudo: discuss.channel - the webhook user may be anybody
        chat = self.env["discuss.channel"].sudo().browse(job["channel_id"]).exists()
        if not chat:
            return
        message = job["message"]
        rendered = wa_message.render(message, translate=self._phrase)
        chat.whatsapp_no_lead_reason = False  # nor does a message wait for it any more
        wished = chat._whatsapp_wish(wa_message.said(message))
        if wished and not chat.lead_id._whatsapp_is_open():
            return
        chat._link_or_create_lead(rendered.text, Referral.of_message(message))
        sent = webhook.moment(message.get("timestamp"))
        if sent and not wished and not job.get("in_standby"):
            before = fields.Datetime.to_datetime(job["before"])
            chat._whatsapp_greet(sent.replace(tzinfo=None), before)

    def _receive_merge(self, job, why):
        """Make one conversation of two that are with the same person, once.

        :param dict job: kept, merged, token and bsuid, see
            ``discuss.channel._whatsapp_merge_later``
        :param str why: they are one person, see there
        """
        # sudo: discuss.channel - the webhook user may be anybody
        chats = self.env["discuss.channel"].sudo().with_context(active_test=False)
        kept = chats.browse(job["kept"]).exists()
        merged = chats.browse(job["merged"]).exists()
        if kept and merged:
            person = Identity.of_token(job["token"])
            person = replace(person, bsuid=job["bsuid"] or person.bsuid)
            kept._whatsapp_merge(merged, person, why)

    def _complete(self, chat, posted, message, rendered):
        """Add to a message that was posted: what it quotes, its files, its cards."""
        if not posted:
            return
        if cards := wa_message.cards(message):
            posted.whatsapp_cards = cards
        if not posted.parent_id:
            posted.parent_id = posted._whatsapp_find(chat, rendered.quoted)
        for number, media in enumerate(rendered.files):
            self._queue_media(chat, posted, message, media, number)

    def _plain(self, message, rendered):
        """Return the message as text, the one kind that OCA shows completely."""
        names = ("id", "from", "timestamp")
        kept = {name: message[name] for name in names if name in message}
        if quoted := reading.text(reading.mapping(message.get("context")).get("id")):
            kept["context"] = {"id": quoted}
        text = rendered.text
        if rendered.forwarded:
            mark = self._phrase(wa_message.PHRASES["forwarded"])
            text = f"{mark}\n{text}"
        return {**kept, "type": "text", "text": {"body": text}}

    def _whatsapp_to_html(self, body):
        """Replace OCA's, whose time grows with the square of a text, or worse."""
        return Markup(to_html(reading.text(body, 2 * limit("text"))))

    def _phrase(self, source):
        """Translate a phrase of ``tools``.

        Into the user's language; for what customers sent, into the company's,
        which ``whatsapp.webhook.event`` puts into the context.
        """
        return self.env._(source)  # pylint: disable=translation-not-lazy

    # ------------------------------------------------------------- files

    def _queue_media(self, chat, posted, message, media, number=0):
        """Let a file follow its message, however often it must be tried.

        :param int number: which one of the files of the message
        """
        gateway = chat.gateway_id
        key = f"media:{message['id']}"
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

    def _receive_media(self, gateway, job):
        """Fetch a file and put it on its message.

        :param gateway: the number that received it
        :param dict job: message_id, channel_id and media, as written above
        """
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
            dictionary = self.env["whatsapp.error"]
            notifications._whatsapp_advance(
                status.get("status"),
                error and dictionary._advice(error),
                error and dictionary._of(error),
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
        """Record what is to be sent; it leaves after the commit.

        Odoo repeats a transaction after a serialization error, and no rollback
        recalls a message. What is wrong already now is said now.

        :raise UserError: closed window, file of a kind or size that WhatsApp
            does not take, empty message
        """
        rows = self.env["whatsapp.message.queue"].create_from_notification(record)
        rows._wake()

    def _html_to_whatsapp(self, body):
        """Replace OCA's, which turns each link into a footnote and joins lines."""
        return plain_text.from_html(body)

    def _send_payload(
        self, channel, body=False, media_id=False, media_type=False, media_name=False
    ):
        """Let WhatsApp show a preview of the first link of a text.

        :raise UserError: too long a text
        """
        payload = super()._send_payload(
            channel,
            body=body,
            media_id=media_id,
            media_type=media_type,
            media_name=media_name,
        )
        if payload and payload["type"] == "text":
            text = payload["text"]
            text["preview_url"] = plain_text.has_link(text["body"])
            try:
                cloud_api.check_text(text["body"])
            except cloud_api.NotSendable as error:
                raise self._refusal(error) from error
        return payload

    def _refusal(self, error):
        """Return the UserError that says why something cannot be sent.

        :param error: ``tools.cloud_api.NotSendable``
        """
        return UserError(self._phrase(error.source) % error.values)

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
        # sudo: ir.model, crm.lead - the template's author chose what is shown
        lead = channel.sudo().lead_id
        record = {"crm.lead": lead, "res.partner": lead.partner_id}.get(
            template.sudo().model_id.model
        )
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
        mimetype = cloud_api.sendable_type(attachment.mimetype, attachment.name)
        try:
            if mimetype != pictures.WEBP:
                return cloud_api.check_media(mimetype, attachment.file_size)
            if not attachment.raw:
                raise cloud_api.NotSendable("empty_file")
            if (kind := pictures.webp_kind(attachment.raw)) == "sticker":
                return kind
            # it is made once more when it is sent, so that nothing is kept twice
            size = len(pictures.webp_to_jpeg(attachment.raw))
            return cloud_api.check_media(pictures.JPEG, size)
        except cloud_api.NotSendable as error:
            reason = self._phrase(error.source) % error.values
            raise UserError(
                self.env._(
                    "%(name)s cannot be sent: %(reason)s",
                    name=attachment.name,
                    reason=reason,
                )
            ) from error

    def _recipient(self, channel):
        """Return 'to' or 'recipient': the id that Meta gave us, verbatim."""
        person = Identity.of_token(channel.gateway_channel_token)
        if not person:
            raise UserError(
                self.env._("%s has no WhatsApp number or user ID.", channel.name)
            )
        return person.recipient()
