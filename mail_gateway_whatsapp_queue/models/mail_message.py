# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import compat
from ..queue.locks import automation_run
from ..tools import identity as wa_identity
from .mail_gateway_whatsapp_kinds import META_AGENT
from .res_users import ADMINISTRATOR
from .whatsapp_guarded import GUARDED
from .whatsapp_lookup import LOOKUP
from .whatsapp_phones import CANDIDATES

FAILED = ("bounce", "exception")  # as Odoo's list of failures has it
DECISIONS = ("retry", "template", "edit", "leave", "cancel")
# What was said, by whom and when
SAID = frozenset(
    {
        "attachment_ids",
        "author_guest_id",
        "author_id",
        "body",
        "date",
        "email_from",
        "message_type",
        "model",
        "parent_id",
        "res_id",
        "subtype_id",
    }
)
NOW = timedelta(minutes=1)  # how exact the time is at which a person says something


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["mail.message", GUARDED, LOOKUP]
    _whatsapp_lookups = ("whatsapp_message_id",)

    whatsapp_message_id = fields.Char(
        string="WhatsApp ID",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Meta's id of a message that a customer sent.",
    )
    whatsapp_by_phone = fields.Boolean(
        string="Typed on the phone",
        readonly=True,
        copy=False,
        help="Sent by somebody of ours in the app on the phone.",
    )
    whatsapp_cards = fields.Json(
        string="Contact cards",
        readonly=True,
        copy=False,
        help="The people on the cards of this message; see tools.message.cards.",
    )

    def init(self):
        """Make the index by which the report finds the messages of a period."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS mail_message_whatsapp_date_idx
                ON mail_message (date)
             WHERE gateway_type = 'whatsapp' AND model = 'discuss.channel'
            """
        )
        return super().init()

    # ------------------------------------------------------------- who says what

    @api.model_create_multi
    def create(self, vals_list):
        """Let a person speak in the own name only, and now.

        :raise AccessError: it would be another's word, or of another time
        """
        messages = super().create(vals_list)
        if self._whatsapp_by_hand():
            messages._whatsapp_check_said()
        return messages

    def write(self, vals):
        """Let no person change what was said in a conversation.

        Who edits a message that did not arrive does so in the chat.

        :raise AccessError: it is a message of a conversation, or would be one
        """
        if SAID.isdisjoint(vals) or not self._whatsapp_by_hand():
            return super().write(vals)
        if self._whatsapp_in_conversations():
            self._whatsapp_refuse_said()
        res = super().write(vals)
        if self._whatsapp_in_conversations():
            self._whatsapp_refuse_said()
        return res

    def _whatsapp_by_hand(self):
        """Tell whether a person does this, and no code with all rights or of ours."""
        return not (self.env.su or automation_run(self.env.cr))

    def _whatsapp_in_conversations(self):
        """Return those of these messages that are of a WhatsApp conversation."""
        # sudo: mail.message, discuss.channel - what it is, whoever asks
        said = self.sudo().filtered(lambda message: message.model == "discuss.channel")
        channels = self.env["discuss.channel"].sudo().browse(said.mapped("res_id"))
        ours = channels.exists()._whatsapp_bound() if said else channels
        return said.filtered(lambda message: message.res_id in ours.ids)

    def _whatsapp_check_said(self):
        """Refuse messages that a person makes in the name of another.

        :raise AccessError: there is one
        """
        me, now = self.env.user.partner_id, fields.Datetime.now()
        for message in self._whatsapp_in_conversations():
            if (
                message.author_guest_id
                or message.author_id != me
                or abs(message.date - now) > NOW
            ):
                self._whatsapp_refuse_said()

    def _whatsapp_refuse_said(self):
        raise AccessError(
            self.env._(
                "In a WhatsApp conversation everybody speaks for themselves: what was"
                " said, by whom and when, cannot be made or changed by hand."
            )
        )

    @api.depends_context("uid")
    def _compute_display_name(self):
        """Tell the name of a conversation to who may see it.

        Whatever has a field for a message shows it with all rights.
        """
        res = super()._compute_display_name()
        said = self._whatsapp_in_conversations()
        channels = self.env["discuss.channel"].browse(said.mapped("res_id"))
        seen = channels.with_user(self.env.uid)._filtered_access("read")
        hidden = said.filtered(lambda message: message.res_id not in seen.ids)
        self.filtered(lambda message: message.id in hidden.ids).display_name = False
        return res

    @api.depends("gateway_message_id")
    @api.depends_context("uid")
    def _compute_gateway_thread_data(self):
        """Tell of which document a message is only to who may read that document."""
        # sudo: mail.message - whether it belongs to one
        linked = self.filtered(lambda message: message.sudo().gateway_message_id)
        hidden = linked.filtered(
            lambda message: (
                not message.sudo()
                .gateway_message_id.with_user(self.env.uid)
                .has_access("read")
            )
        )
        res = super(MailMessage, self - hidden)._compute_gateway_thread_data()
        hidden.gateway_thread_data = {}
        return res

    def _send_to_gateway_thread(self, gateway_channel_id):
        """Show the document's copy as waiting: OCA shows it as sent at once.

        :raise AccessError: whoever asks for it may not see message or conversation
        """
        # sudo: mail.gateway - of whom it is, before anything is done
        link = gateway_channel_id.sudo()
        if link.gateway_id.gateway_type == "whatsapp":
            self.with_user(self.env.uid).check_access("read")
            channel_id = link.gateway_id._get_channel_id(link.gateway_token)
            channel = self.env["discuss.channel"].browse(channel_id or [])
            channel._whatsapp_check_person()
            channel.with_user(self.env.uid)._whatsapp_take_part()
            # sudo: mail.notification - people may not make any by themselves
            self = self.sudo()
        res = super()._send_to_gateway_thread(gateway_channel_id)
        # sudo: mail.notification - who may send need not be able to write it
        self.sudo().notification_ids.filtered(
            lambda n: (
                n.gateway_type == "whatsapp"
                and n.notification_status == "sent"
                and not n.gateway_message_id
            )
        ).notification_status = "ready"
        return res

    def _whatsapp_of(self, channel, wamid):
        """Return the message of a conversation that has this id of Meta, or none."""
        found = self._whatsapp_find_by(whatsapp_message_id=[wamid])
        return found.filtered(
            lambda message: (
                (message.model, message.res_id) == (channel._name, channel.id)
            )
        )[:1]

    def _whatsapp_sent(self, gateway, wamid):
        """Tell whether we sent this message ourselves, by the Cloud API."""
        # sudo: whatsapp.message.queue - inbound: the webhook user may be anybody
        sent = self.env["whatsapp.message.queue"].sudo()
        return bool(wamid and sent._with_wamid(wamid, "gateway_id", gateway))

    def _whatsapp_find(self, channel, wamid):
        """Return the message of a conversation, the customer's or ours, or none."""
        if not wamid:
            return self.browse()
        found = self._whatsapp_of(channel, wamid)
        if not found:
            # sudo: whatsapp.message.queue - each part of ours has its own id
            sent = self.env["whatsapp.message.queue"].sudo()
            found = sent._with_wamid(wamid, "channel_id", channel).message_id
        return found.sudo(self.env.su)

    # ------------------------------------------------------------- web client

    def _to_store(self, store, *args, **kwargs):
        """Tell the web client who wrote in a conversation, and what holds cards."""
        res = super()._to_store(store, *args, **kwargs)
        for message in self.filtered(
            lambda m: m.gateway_type == "whatsapp" and m.model == "discuss.channel"
        ):
            values = {"whatsapp_ours": message._whatsapp_is_ours()}
            if message.whatsapp_cards:
                values["whatsapp_cards"] = True
            compat.store_values(store, message, values)
        return res

    def _whatsapp_is_ours(self):
        """Tell whether we wrote this message of a conversation, or the customer.

        We are whoever works here, or did, our automations, and Meta's agent.
        """
        # sudo: mail.message - who wrote it, for who reads it
        message = self.sudo()
        author = message.author_id
        if message.whatsapp_by_phone or (
            author and author == self.env.ref(META_AGENT, raise_if_not_found=False)
        ):
            return True
        if message.whatsapp_message_id or message.author_guest_id:
            return False
        users = author._whatsapp_users()
        return any(not user.share for user in users) or bool(
            message.notification_ids.gateway_channel_id
        )

    # ------------------------------------------------------------- contact cards

    def action_whatsapp_save_contact(self):
        """Open the first card that is no contact yet, to be looked at and saved.

        :return: action of a new contact; of the known ones if there is no new one
        """
        self.ensure_one()
        self.check_access("read")
        self._whatsapp_channel()._whatsapp_check_person()
        known = self.env["res.partner"]
        for card in self.whatsapp_cards or []:
            partner = self._whatsapp_known_contact(card)
            if not partner:
                return {
                    "type": "ir.actions.act_window",
                    "name": self.env._("New contact"),
                    "res_model": "res.partner",
                    "views": [(False, "form")],
                    "target": "new",
                    "context": self._whatsapp_contact_defaults(card),
                }
            known |= partner
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Known contacts"),
            "res_model": "res.partner",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", known.ids)],
        }

    def _whatsapp_phones(self, card):
        normalize = self.env["discuss.channel"]._normalize_phone_number
        return list(filter(None, map(normalize, card.get("phones", []))))

    def _whatsapp_known_contact(self, card):
        """Return the contact with a number or the e-mail address of a card."""
        spellings = [
            variant
            for phone in self._whatsapp_phones(card)
            for variant in wa_identity.variants(phone)
        ]
        email = (card.get("email") or "").strip().lower()
        partners = self.env["res.partner"]
        found = partners.browse(partners._whatsapp_ids_with(spellings)[:CANDIDATES])
        # of a number by SQL, which asks nobody's rights
        found = found._filtered_access("read").filtered("active")
        return found._whatsapp_by_number()[:1] or partners.search(
            [("email_normalized", "in", [email] if email else [])], limit=1
        )

    def _whatsapp_contact_defaults(self, card):
        phones = self._whatsapp_phones(card)
        region = wa_identity.region(phones[0]) if phones else None
        country = self.env["res.country"].search([("code", "=", region)], limit=1)
        shown = [wa_identity.display(phone) for phone in phones] or card.get("phones")
        values = {
            "name": card.get("name"),
            "company_name": card.get("company"),
            "function": card.get("function"),
            "phone": shown[0] if shown else None,
            "comment": ", ".join(shown[1:]) if shown else None,
            "country_id": country.id,
            **{
                name: card.get(name)
                for name in ("email", "website", "street", "zip", "city")
            },
        }
        return {f"default_{name}": value for name, value in values.items() if value}

    # ------------------------------------------------------------- deleting

    @api.ondelete(at_uninstall=False)
    def _whatsapp_keep_said(self):
        """Keep what customers said.

        :raise AccessError: no administrator deletes it
        """
        if self._whatsapp_by_hand() and not self.env.user.has_group(ADMINISTRATOR):
            # sudo: mail.message - whose it is
            if self.sudo().filtered("whatsapp_message_id"):
                raise AccessError(
                    self.env._("Only an administrator deletes a customer's message.")
                )

    def unlink(self):
        """Take back what was not sent yet, and let go of what was.

        PostgreSQL would forget message and notification one after the other, and, of a
        row that the same transaction wrote, look once more for the one that is gone.
        """
        self.check_access("unlink")
        # sudo: whatsapp.message.queue - whoever may delete the message
        rows = self.env["whatsapp.message.queue"].sudo()
        rows = rows.search([("message_id", "in", self.ids)])
        rows.write({"message_id": False, "notification_id": False})
        unsent = rows.filtered(lambda row: row.state not in ("sending", "sent"))
        unsent._withdraw_questions()
        unsent.write({"state": "canceled", "next_attempt_at": False})
        return super().unlink()

    # ------------------------------------------------------------- delivery

    def _whatsapp_rows(self):
        """Return what was to be sent of these messages, also of a lead's message."""
        # sudo: whatsapp.message.queue - whoever reads the message sees its ticks
        rows = self.env["whatsapp.message.queue"].sudo()
        return rows.search(
            [
                "|",
                ("message_id", "in", self.ids),
                ("message_id.gateway_message_id", "in", self.ids),
            ],
            order="id",
        )

    def _whatsapp_own_rows(self):
        """Return what was to be sent of messages, for who may see both.

        :raise AccessError: the user may not read a message, or its conversation
        """
        self.check_access("read")
        rows = self._whatsapp_rows()
        channels = rows.channel_id
        for message in self:
            channels |= message._whatsapp_channel()
        channels._whatsapp_check_person()
        return rows

    def whatsapp_delivery(self):
        """Tell the chat what became of a message, and what can be done.

        :return: dict of attempts (int), next_attempt (UTC text or False), reason (str)
            and decisions (list of ``DECISIONS``)
        :raise AccessError: the user may not read the message, or its conversation
        """
        self.ensure_one()
        rows = self._whatsapp_own_rows()
        trouble = rows.filtered(lambda row: row.state not in ("sent", "sending"))
        planned = [
            at
            for row in trouble
            if (at := row.next_attempt_at) and not row._waits_for()
        ]
        return {
            "attempts": max(trouble.mapped("attempts"), default=0),
            "next_attempt": fields.Datetime.to_string(min(planned))
            if planned
            else False,
            "reason": next(filter(None, (row._reason() for row in trouble)), ""),
            "decisions": [what for what in DECISIONS if rows._open_to(what)],
        }

    def action_whatsapp_decide(self, decision):
        """Send again, edit, give up or leave what was not sent of a message.

        :param str decision: one of ``DECISIONS``
        :return: an action, or False
        :raise AccessError: the user may not read the message, or its conversation
        :raise UserError: nothing can be decided so (any more)
        """
        self.ensure_one()
        if decision not in DECISIONS:
            raise UserError(self.env._("This cannot be decided: %s", decision))
        rows = self._whatsapp_own_rows()
        open_rows = rows._open_to(decision)
        if not open_rows:
            raise UserError(
                rows._why_not(decision)
                if rows
                else self.env._("Nothing of this message was to be sent.")
            )
        return getattr(open_rows, f"action_{decision}")() or False

    def action_whatsapp_dismiss(self):
        """Give up what failed of these messages, so that nobody is told of it any more.

        As Odoo's list of failures does with e-mails; it asks for all of a conversation.

        :raise AccessError: the user may not read a message, or its conversation
        """
        rows = self._whatsapp_own_rows()
        if failed := rows.filtered(lambda row: row.state == "failed"):
            failed.action_cancel()
        # sudo: mail.notification - of messages that the user reads; OCA's old ones
        # have no row
        self.sudo().notification_ids.filtered(
            lambda n: n.gateway_type == "whatsapp" and n.notification_status in FAILED
        )._whatsapp_show("canceled")

    # ------------------------------------------------------------- reactions

    def _message_reaction(self, content, action, partner, guest, store=None):
        """Show our reaction to the customer, too.

        :raise UserError: the 24 hours are over
        """
        received = self.env.context.get("no_gateway_notification")
        channel = self._whatsapp_channel() if partner and not received else None
        if channel:
            channel._whatsapp_check_person()
        wamid = channel and self._whatsapp_wamid(channel)
        if wamid:
            self.env["mail.gateway.whatsapp"]._check_allowed(channel)
        res = super()._message_reaction(content, action, partner, guest, store)
        if wamid:
            self._whatsapp_react(channel, wamid)
        return res

    def _whatsapp_channel(self):
        """Return the WhatsApp conversation of this message, or none."""
        channel = self.env["discuss.channel"]
        if self.model == channel._name and self.res_id:
            # sudo: discuss.channel - which it is; the callers ask for the right
            channel = channel.sudo().browse(self.res_id)
        return channel.filtered(lambda channel: channel._is_whatsapp())

    def _whatsapp_wamid(self, channel):
        """Return the id that Meta knows a message by, the customer's or ours."""
        if self.whatsapp_message_id:
            return self.whatsapp_message_id
        # sudo: whatsapp.message.queue - Meta's id goes to Meta, and not to the user
        rows = self.sudo()._whatsapp_rows().filtered("wamid")
        return rows.filtered(lambda row: row.channel_id == channel)[:1].wamid

    def _whatsapp_react(self, channel, wamid):
        """Send the last reaction of ours: for Meta the company has one at a time."""
        customer = channel._whatsapp_customer()
        ours = self.reaction_ids.filtered(
            lambda reaction: reaction.partner_id and reaction.partner_id != customer
        )
        self.env["whatsapp.message.queue"]._record_reaction(
            channel, wamid, ours.sorted("id")[-1:].content or ""
        )
