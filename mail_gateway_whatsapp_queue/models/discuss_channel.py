# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import compat
from ..queue import receipts
from ..queue.locks import person_keys, remembered
from ..tools import identity as wa_identity
from ..tools import payloads, template_words, webhook, window, wishes
from ..tools.identity import Identity
from .discuss_channel_identity import IDENTITY
from .mail_gateway_secrets import SECRETS
from .whatsapp_guarded import GUARDED
from .whatsapp_lookup import LOOKUP

SHOWN = ("attachment_ids", "partner_ids")  # of a message; most have none
LISTED = 50  # conversations that Discuss and the systray load at once


class DiscussChannel(models.Model):
    """A WhatsApp conversation: who it is with, and when free text is possible.

    An addon on top fills the hooks: ``_whatsapp_message_received``,
    ``_whatsapp_message_shown``, ``_whatsapp_message_sent``, ``_whatsapp_why_off``,
    ``_whatsapp_responsible``, ``_whatsapp_document``, ``_whatsapp_known_values`` and
    those of ``whatsapp.channel.identity``.
    """

    _name = "discuss.channel"
    _inherit = ["discuss.channel", GUARDED, IDENTITY, LOOKUP]
    _whatsapp_open = frozenset({"whatsapp_opt_in_source", "whatsapp_opt_in_date"})
    _whatsapp_bonds = frozenset(
        {"channel_type", "company_id", "gateway_channel_token", "gateway_id"}
    )

    _whatsapp_lookups = ("gateway_channel_token", "whatsapp_bsuid", "whatsapp_phone")

    # OCA's related field leads to the API token, and is grouped by as superuser: it
    # leads nowhere
    gateway_token = fields.Char(
        related=None,
        compute="_compute_gateway_token",
        search="_search_gateway_token",
        store=False,
        groups=SECRETS,
    )
    gateway_id = fields.Many2one(index="btree_not_null")
    # each message looks its conversation up
    gateway_channel_token = fields.Char(index="btree_not_null")

    whatsapp_phone = fields.Char(
        string="WhatsApp number",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="E.164, the same for all spellings. The person is always answered "
        "to the id that Meta gave.",
    )
    whatsapp_bsuid = fields.Char(
        string="WhatsApp user ID",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Meta's id of this person for your business; there may be no number.",
    )
    whatsapp_username = fields.Char(
        string="WhatsApp username", readonly=True, copy=False
    )
    whatsapp_opt_out = fields.Boolean(
        string="No marketing",
        readonly=True,
        copy=False,
        help="The customer asked WhatsApp for no more marketing messages of yours.",
    )
    whatsapp_opt_in_source = fields.Char(
        string="Opt-in by",
        copy=False,
        help="Where the customer agreed to be written to, such as a form.",
    )
    whatsapp_opt_in_date = fields.Date(string="Opt-in on", copy=False)
    whatsapp_last_customer_date = fields.Datetime(
        string="Customer's last message on",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    whatsapp_window_closed_at = fields.Datetime(
        string="No free text since",
        readonly=True,
        copy=False,
        help="Meta refused free text, although the customer's last message is not"
        " 24 hours old. It is possible again when the customer writes.",
    )
    whatsapp_window_open = fields.Boolean(
        string="Free text possible", compute="_compute_whatsapp_window_open"
    )
    whatsapp_window_closes = fields.Datetime(
        string="Free text until", compute="_compute_whatsapp_window_closes"
    )

    def init(self):
        """Keep one conversation per person and number of ours."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS discuss_channel_whatsapp_person_uniq
                ON discuss_channel (gateway_id, gateway_channel_token)
             WHERE channel_type = 'gateway'
            """
        )
        return super().init()

    def _compute_gateway_token(self):
        self.gateway_token = False

    @api.model
    def _search_gateway_token(self, operator, value):
        raise AccessError(self.env._("Nobody searches by the token of a number."))

    @api.model
    def _search_is_member(self, operator, operand):
        """Find them without reading them: a salesperson takes part in thousands.

        Odoo reads each of them whole, to leave out the archived ones, and then names
        them all in the query.
        """
        partner, guest = self.env["res.partner"]._get_current_persona()
        # of nobody (the public user) there are no ids, and so no conversations
        who = (
            ("guest_id", "in", guest.ids)
            if guest
            else ("partner_id", "in", partner.ids)
        )
        # sudo: discuss.channel.member - the rule of which decides by this search
        members = self.env["discuss.channel.member"].sudo()._search([who])
        is_in = "in" if compat.is_true(operator, operand) else "not in"
        return [("id", is_in, members.subselect("channel_id"))]

    @api.depends("whatsapp_last_customer_date", "whatsapp_window_closed_at")
    def _compute_whatsapp_window_open(self):
        now = fields.Datetime.now()
        for channel in self:
            channel.whatsapp_window_open = window.is_open(
                channel.whatsapp_last_customer_date,
                now,
                channel.whatsapp_window_closed_at,
            )

    @api.depends("whatsapp_last_customer_date", "whatsapp_window_closed_at")
    def _compute_whatsapp_window_closes(self):
        for channel in self:
            channel.whatsapp_window_closes = (
                window.closes_at(
                    channel.whatsapp_last_customer_date,
                    channel.whatsapp_window_closed_at,
                )
                or False
            )

    @api.model_create_multi
    def create(self, vals_list):
        """Keep who a new WhatsApp conversation is with."""
        quiet = self
        if all(vals.get("channel_type") == "gateway" for vals in vals_list):
            # no group of users takes part, who would have to be told
            quiet = self.with_context(whatsapp_quiet=True)
        channels = super(DiscussChannel, quiet).create(vals_list).with_env(self.env)
        begun = remembered(self.env.cr, "begun")
        begun.update(dict.fromkeys(channels.ids))
        for channel in channels.filtered(lambda channel: channel._is_whatsapp()):
            channel._whatsapp_learn_identity(
                Identity.of_token(channel.gateway_channel_token)
            )
        return channels

    def write(self, vals):
        """Let Odoo compare nothing that it shows where only fields of ours change."""
        quiet = self
        if vals.keys() <= self._whatsapp_closed():
            quiet = self.with_context(whatsapp_quiet=True, mail_notrack=True)
        res = super(DiscussChannel, quiet).write(vals)
        if "gateway_channel_token" in vals:
            # it is unique: whoever has the old one next finds it free
            self.flush_recordset(["gateway_channel_token"])
        return res

    def _channel_basic_info(self):  # of 18.0
        return {} if self._whatsapp_is_quiet() else super()._channel_basic_info()

    def _sync_field_names(self):  # of 19.0
        return {} if self._whatsapp_is_quiet() else super()._sync_field_names()

    def _to_store_defaults(self, target):  # of 19.0, as is that of the members
        if self.env.context.get("whatsapp_untold"):
            return ["channel_type", "name"]
        return super()._to_store_defaults(target)

    def _whatsapp_is_quiet(self):
        return bool(self.env.context.get("whatsapp_quiet"))

    def _whatsapp_has_begun(self):
        """Tell whether these began in this transaction: nobody sees them yet."""
        return remembered(self.env.cr, "begun").keys() >= set(self._ids)

    @api.depends("channel_member_ids")
    def _compute_member_count(self):
        """Count the members of what has begun just now, who are known."""
        if not self._whatsapp_has_begun():
            return super()._compute_member_count()
        for channel in self:
            channel.member_count = len(channel.channel_member_ids)
        return None

    def _is_whatsapp(self):
        return (
            self.channel_type == "gateway"
            and self.gateway_id.gateway_type == "whatsapp"
            and bool(self.gateway_channel_token)
        )

    def _whatsapp_is_group(self):
        """Tell whether this is the conversation of a group of WhatsApp."""
        return self._is_whatsapp() and self.gateway_channel_token.startswith(
            webhook.GROUP
        )

    def _whatsapp_is_orphan(self):
        """Tell whether this was a conversation of ours, and its number is gone."""
        return (
            self.channel_type == "gateway"
            and not self.gateway_id
            and bool(self.whatsapp_phone or self.whatsapp_bsuid)
        )

    def _whatsapp_bound(self):
        """Return the conversations of WhatsApp, also those without their number."""
        return self.filtered(
            # sudo: mail.gateway - who sees no number must not make one's conversation
            lambda channel: (
                channel.sudo().gateway_id.gateway_type == "whatsapp"
                or channel.channel_type == "gateway"
                and not channel.gateway_id
                and (channel.whatsapp_phone or channel.whatsapp_bsuid)
            )
        )

    def _whatsapp_check_person(self):
        """Refuse who may not see these conversations, however the call came here.

        :raise AccessError: whoever works now may not read them
        """
        # the caller's sudo says what code may do, not who asked for it
        self.with_user(self.env.uid).check_access("read")

    def _whatsapp_not_mine(self):
        """Return why the user does not write here, or '': it is a colleague's."""
        self.ensure_one()
        if self.with_user(self.env.uid).has_access("read"):
            return ""
        # sudo: discuss.channel - whom to ask; the name of a colleague, no more
        return self.env._(
            "%s has a conversation with this number. Please ask for it.",
            self.sudo()._whatsapp_responsible()[:1].name or self.env._("A colleague"),
        )

    def _whatsapp_check_mine(self):
        """Refuse who may not see these conversations, and say whom to ask.

        :raise UserError: one of them is a colleague's
        """
        for channel in self:
            if why := channel._whatsapp_not_mine():
                raise UserError(why)

    def _whatsapp_company(self):
        return self.company_id or self.gateway_id.company_id or self.env.company

    def _whatsapp_latest(self):
        """Return that of these conversations in which the customer wrote last."""
        return self.sorted(
            lambda channel: (
                channel.whatsapp_last_customer_date or channel.create_date,
                channel.id,
            )
        )[-1:]

    def _whatsapp_lock_names(self):
        """Return what the people of these conversations are known by, sorted.

        As ``whatsapp.webhook.event`` has it in its field of names.
        """
        names = set()
        for channel in self:
            person = Identity.of_token(channel.gateway_channel_token)
            known = [*person.keys]
            if channel.whatsapp_phone:
                known.append(f"phone:{channel.whatsapp_phone}")
            if channel.whatsapp_bsuid:
                known.append(f"bsuid:{channel.whatsapp_bsuid}")
            company = channel.gateway_id.company_id.id or 0
            names |= {f"{company}:{name}" for name in known}
        return sorted(names)

    def _whatsapp_lock_keys(self):
        """Return the keys under which the work on these people is locked."""
        return person_keys(self._whatsapp_lock_names())

    # ------------------------------------------------------------- hooks

    def _whatsapp_message_received(self, inbound):
        """A customer wrote. Called before the message is shown in the conversation.

        :param inbound: ``tools.message.InboundMessage``; what it set on ``inbound``
            is known to :meth:`_whatsapp_message_shown`
        """
        self.ensure_one()
        if inbound.speaks:
            self._whatsapp_open_window(inbound.sent)
            inbound.opt = self._handle_opt_keyword(inbound.said)

    def _whatsapp_message_shown(self, inbound, message):
        """A customer's message is shown in the conversation now.

        :param inbound: ``tools.message.InboundMessage``
        :param message: ``mail.message``
        """
        self._whatsapp_take_phone(inbound.shared_phone)

    def _whatsapp_group_message(self, text, date, author):
        """Something was written in the conversation of a group.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        """

    def _whatsapp_message_sent(self, message, by_phone=False):
        """We wrote to the customer: in the chat, automatically, or on the phone.

        :param message: ``mail.message``
        :param bool by_phone: somebody typed it in the app on the phone
        """

    def _whatsapp_why_off(self):
        """Return why nothing can be sent here, or an empty text. A hook."""
        self.ensure_one()
        if self._whatsapp_is_orphan():
            return self.env._(
                "The WhatsApp number of this conversation was deleted, so nothing can"
                " be sent. When an administrator sets the number up again, the"
                " conversation goes on with the next message of the customer, or when"
                " you write from the lead."
            )
        if self._whatsapp_is_group():
            return self.env._(
                "This is a group on WhatsApp. Odoo cannot write in groups: please"
                " answer on the phone, or write to the person alone."
            )
        return self.gateway_id._whatsapp_why_off() if self._is_whatsapp() else ""

    def _whatsapp_check_on(self):
        """Refuse to send where nothing leaves.

        :raise UserError: with the reason and the way out
        """
        for channel in self:
            if why := channel._whatsapp_why_off():
                raise UserError(why)

    def _whatsapp_responsible(self):
        """Return the ``res.users`` who care for this conversation, perhaps nobody."""
        return self.env["res.users"]

    def _whatsapp_document(self, model):
        """Return the record of a model that this conversation is about, perhaps none.

        :param str model: of a template, whose values are shown to the customer
        """
        partner = self._whatsapp_customer()
        return partner if model == "res.partner" else partner.browse()

    def _whatsapp_known_values(self):
        """Return what is known of the customer and of us, to fill a template. A hook.

        Of the customer's contact only to who may read it.

        :return: dict, kind of ``tools.template_words`` -> str, or False
        """
        partner = self._whatsapp_customer().with_user(self.env.uid)
        partner = partner if partner.has_access("read") else partner.browse()
        name = partner.name or self.name
        return {
            template_words.FIRST_NAME: (
                name if partner.is_company else template_words.first_name(name)
            ),
            template_words.FULL_NAME: template_words.first_name(name) and name,
            template_words.COMPANY: partner.commercial_company_name,
            template_words.PHONE: wa_identity.display(self.whatsapp_phone or ""),
            template_words.EMAIL: partner.email,
            template_words.CITY: partner.city,
            template_words.SELLER: self.env.user.name,
            template_words.OUR_COMPANY: self._whatsapp_company().name,
        }

    def _whatsapp_customer_lang(self):
        """Return the code of the language in which the customer is written to."""
        partner = self._whatsapp_customer()
        return partner.lang or self.gateway_id._whatsapp_lang()

    def _whatsapp_log(self, body):
        """Keep something in the history of the conversation, and of what it is about.

        :param body: str or Markup
        """
        self._message_log(body=body)

    # ------------------------------------------------------------- customer

    @api.model
    def _normalize_phone_number(self, number, country=None):
        """Return any spelling of a number as E.164.

        :param str number: as people type it, or as Meta sends it
        :param country: ``res.country`` of numbers without country code; default:
            that of the company
        :return: str such as '+525512345678', or False if it is no phone number
        """
        country = country or self.env.company.country_id
        return wa_identity.normalize(number, country.code or None) or False

    def _whatsapp_same_number(self):
        """Return the contacts with the number of this person."""
        # sudo: res.partner - those whom the webhook user may not read count, too
        partners = self.env["res.partner"].sudo()
        company = self._whatsapp_company()
        phones = wa_identity.variants(self.whatsapp_phone or "")
        known = partners.browse(partners._whatsapp_ids_with(phones))
        return known._whatsapp_of_company(company)

    def _whatsapp_partners(self):
        """Return the contacts of this person, the one who writes first.

        See ``res.partner._whatsapp_by_number`` for whose number proves something.
        """
        return (
            self._whatsapp_customer()
            | self._whatsapp_same_number()._whatsapp_by_number()
        )

    def _whatsapp_customer(self):
        """Return the contact that this conversation is with, perhaps none.

        Whom somebody of ours linked, else who takes part and is nobody's user, nor
        was: colleagues take part, and may have left.
        """
        links = self.env["res.partner.gateway.channel"]
        link = links._whatsapp_link_of(self.gateway_id, self._whatsapp_tokens())
        # sudo: discuss.channel.member - whoever asks
        members = self.sudo().channel_member_ids.partner_id
        return (
            link.partner_id.filtered("active")
            or members.filtered(
                lambda partner: (
                    partner.active
                    and partner.partner_share
                    and not partner._whatsapp_users()
                )
            )[:1]
        )

    def action_whatsapp_contact(self):
        """Open the contact of this customer; without one, make or choose it.

        :raise AccessError: the user may not see the conversation
        :raise UserError: nobody has written in it, so there is nobody to link
        """
        self.ensure_one()
        self._whatsapp_check_person()
        # with the user's rights, whatever the caller's
        partner = self._whatsapp_customer().with_env(self.with_user(self.env.uid).env)
        if partner:
            return partner.get_formview_action()
        # sudo: discuss.channel.member - the customer, of a conversation that one sees
        guest = self.sudo().channel_member_ids.guest_id[:1]
        if not guest or self._whatsapp_is_group():
            raise UserError(self.env._("There is nobody here who could be a contact."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Contact of %s", self.name),
            "res_model": "mail.guest.manage",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_guest_id": guest.id, "dialog_size": "medium"},
        }

    def _whatsapp_contact_values(self):
        """Return what is known of the customer, for a new contact."""
        region = wa_identity.region(self.whatsapp_phone or "")
        country = self.env["res.country"].search([("code", "=", region)], limit=1)
        return {
            "name": self.name,
            "phone": self.whatsapp_phone and wa_identity.display(self.whatsapp_phone),
            "country_id": country.id,
        }

    def _whatsapp_contact_linked(self, partner):
        """Somebody said which contact the customer is. A hook.

        :param partner: ``res.partner``
        """

    def _whatsapp_tokens(self):
        """Return every ``gateway_token`` that this person may be known by."""
        person = Identity.of_token(self.gateway_channel_token)
        phone = (self.whatsapp_phone or "").lstrip("+")
        names = [*person.tokens, *Identity(phone=phone or None).tokens]
        return list(dict.fromkeys([*names, *filter(None, [self.whatsapp_bsuid])]))

    def _handle_opt_keyword(self, text):
        """Keep the wish of a customer who writes one of the words of the gateway.

        :param str text: the customer's message
        :return: whether it was one; then it is no reason for a lead
        """
        wished = self._opt_keyword(text)
        if not wished:
            return False
        stops = wished == wishes.STOP
        if self.whatsapp_opt_out != stops:
            self.whatsapp_opt_out = stops
            self._message_log(
                body=self.env._("The customer wants no more marketing messages.")
                if stops
                else self.env._("The customer wants marketing messages again.")
            )
        return True

    def _opt_keyword(self, text):
        gateway = self.gateway_id
        return wishes.wish(
            text, gateway.whatsapp_stop_words, gateway.whatsapp_start_words
        )

    def action_ask_phone(self):
        """Ask a customer who hides the number for it; an answer is trusted."""
        self.ensure_one()
        self.check_access("read")
        # sudo: discuss.channel - the customer's language, whoever asks
        lang = self.sudo()._whatsapp_customer_lang()
        text = self.with_context(lang=lang).env._(
            "May we have your phone number, so that we can call you?"
        )
        self.env["whatsapp.message.queue"]._post_interactive(
            self,
            "request_contact_info",
            text,
            {"name": "request_contact_info"},
        )

    # ------------------------------------------------------------- window

    def _whatsapp_open_window(self, date):
        """Let free text be possible for 24 hours.

        :param date: when the customer wrote, UTC
        """
        last = self.whatsapp_last_customer_date
        if last and date <= last:
            return
        values = {"whatsapp_last_customer_date": date}
        if self.whatsapp_window_closed_at:
            values["whatsapp_window_closed_at"] = False
        self.write(values)
        # opens the text field of whoever has the chat before them
        self._whatsapp_send_to_chats(self._whatsapp_window_values())

    def _whatsapp_close_window(self, sent_at=None):
        """Believe Meta that free text is not possible, until the customer writes.

        :param sent_at: when the refused message left, UTC; default: now
        """
        last = self.whatsapp_last_customer_date
        if last and sent_at and last > sent_at or self.whatsapp_window_closed_at:
            return  # the customer has written since, or it is known
        # sudo: discuss.channel - whoever sends need not be able to write
        self.sudo().whatsapp_window_closed_at = fields.Datetime.now()
        self._whatsapp_send_to_chats(self._whatsapp_window_values())

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

    # ------------------------------------------------------------- members

    def _find_or_create_member_for_self(self):
        """Let in whoever types: Odoo refuses those who are no members."""
        if self._is_whatsapp():
            self._whatsapp_take_part()
        return super()._find_or_create_member_for_self()

    def _find_or_create_persona_for_channel(self, *args, **kwargs):
        """Let nobody in by the link of an invitation: an address gives no right.

        :raise AccessError: whoever opens it may not see the conversation
        """
        if self._whatsapp_bound():
            self._whatsapp_check_person()
        return super()._find_or_create_persona_for_channel(*args, **kwargs)

    def _whatsapp_take_part(self):
        """Let in whoever writes. Looking alone fills nobody's sidebar.

        :raise AccessError: it is a colleague's conversation
        """
        user = self.env.user
        writes = user.active and user._is_internal() and not self.env.su
        if writes and not self.is_member:
            self.check_access("read")
            self._whatsapp_add_members(user)

    def _whatsapp_add_members(self, users):
        """Let people in, silently."""
        if users:
            # sudo: discuss.channel.member - colleagues do not invite each other
            channel = self.sudo()
            if channel._whatsapp_has_begun():
                # who comes in fetches all of it; there is nobody else to be told
                channel = channel.with_context(whatsapp_untold=True)
            channel.add_members(
                partner_ids=users.partner_id.ids, post_joined_message=False
            )

    def _whatsapp_remove_members(self, users):
        """Let people out whose conversation it is no longer."""
        if users:
            # sudo: discuss.channel - they may not see it any more
            channel = self.sudo()
            if not self.env.lang:  # a webhook or cron: Odoo's line would be English
                lang = channel.gateway_id._whatsapp_lang()
                channel = channel.with_context(lang=lang)
            for partner in users.partner_id & channel.channel_member_ids.partner_id:
                channel._action_unfollow(partner)

    def _whatsapp_unpin(self):
        """Take conversations out of everybody's list until somebody writes again."""
        now = fields.Datetime.now()
        # sudo: discuss.channel.member - those of colleagues, too
        for member in self.sudo().channel_member_ids.filtered("partner_id"):
            if not member.is_pinned:
                continue
            channel = member.channel_id
            seconds = filter(None, (member.last_interest_dt, channel.last_interest_dt))
            # Odoo lists what was of interest in the same second
            member.unpin_dt = max([now, *(at + timedelta(seconds=1) for at in seconds)])
            member._bus_send(
                "mail.record/insert",
                {"discuss.channel": [{"id": channel.id, "is_pinned": False}]},
            )

    @api.model
    def _get_channels_as_member(self):
        """Load the latest conversations of WhatsApp: a salesperson has thousands.

        The web client draws each; the others are opened from elsewhere.
        """
        channels = super()._get_channels_as_member()
        self.env["discuss.channel"].flush_model(["channel_type", "last_interest_dt"])
        self.env.cr.execute(
            """
            SELECT channel.id
              FROM discuss_channel channel
              JOIN mail_gateway gateway ON gateway.id = channel.gateway_id
             WHERE channel.id = ANY(%s)
               AND channel.channel_type = 'gateway'
               AND gateway.gateway_type = 'whatsapp'
             ORDER BY channel.last_interest_dt DESC NULLS LAST, channel.id DESC
            OFFSET %s
            """,
            (channels.ids, LISTED),
        )
        left_out = {row[0] for row in self.env.cr.fetchall()}
        return channels.filtered(lambda channel: channel.id not in left_out)

    def _notify_get_recipients(self, message, msg_vals, **kwargs):
        """Push no customer's words to members who may not see the conversation.

        Odoo looks for the members with a search over five tables, whether or not one of
        them has a device to which anything could be pushed.
        """
        named = kwargs.get("gateway_notifications") or (
            msg_vals["partner_ids"]
            if msg_vals and "partner_ids" in msg_vals
            else message.partner_ids
        )
        if not named and self._is_whatsapp() and not self._whatsapp_has_devices():
            return []
        found = super()._notify_get_recipients(message, msg_vals, **kwargs)
        if not self._is_whatsapp():
            return found
        # sudo: res.users - whoever posts need not read the rights of colleagues
        partners = self.env["res.partner"].sudo()
        pushed = partners.browse(
            one["id"] for one in found if one["notif"] == "web_push"
        )
        lost = pushed.filtered(
            lambda partner: not any(user._whatsapp_works() for user in partner.user_ids)
        )
        return [
            one
            for one in found
            if one["notif"] != "web_push" or one["id"] not in lost.ids
        ]

    def _whatsapp_has_devices(self):
        """Tell whether anything can be pushed to a member, asking once for each."""
        # sudo: discuss.channel.member, mail.push.device - whoever posts
        partners = self.sudo().channel_member_ids.partner_id
        known = remembered(self.env.cr, "devices")
        new = [partner_id for partner_id in partners.ids if partner_id not in known]
        if new:
            devices = self.env["mail.push.device"].sudo()
            with_one = devices.search([("partner_id", "in", new)]).partner_id.ids
            known.update((partner_id, partner_id in with_one) for partner_id in new)
        return any(known[partner_id] for partner_id in partners.ids)

    # ------------------------------------------------------------- messages

    def message_post(self, **kwargs):
        """Send no note among colleagues, and nothing that would reach nobody.

        OCA sends whatever is no notification.

        :raise AccessError: whoever posts may not see the conversation
        :raise UserError: nothing leaves this conversation
        """
        received = self.env.context.get("no_gateway_notification")
        is_ours = kwargs.get("message_type") == "comment" and not received
        if not self._is_whatsapp():
            if is_ours and self._whatsapp_is_orphan():
                if not self._whatsapp_is_note(kwargs):
                    self._whatsapp_check_on()
            return super().message_post(**kwargs)
        if not self.env.su:
            self._whatsapp_check_person()
        if self._whatsapp_is_note(kwargs):
            params = self._whatsapp_note_params(kwargs)
            params["partner_ids"] = self._whatsapp_invite_mentioned(
                params["partner_ids"]
            )
            return super(
                DiscussChannel, self.with_context(no_gateway_notification=True)
            ).message_post(**params)
        if is_ours:
            self._whatsapp_take_part()
        return super().message_post(**kwargs)

    def _get_message_create_valid_field_names(self):
        return super()._get_message_create_valid_field_names() | {
            "whatsapp_message_id",
            "whatsapp_by_phone",
        }

    def _message_post_after_hook(self, message, msg_vals):
        # the web client is told of it, and Odoo would read it again
        nothing = {name: () for name in SHOWN if not msg_vals.get(name)}
        compat.cache_values(message, {"res_id": self.id, **nothing})
        res = super()._message_post_after_hook(message, msg_vals)
        received = self.env.context.get("no_gateway_notification")
        if message.message_type == "comment" and not received and self._is_whatsapp():
            # sudo: discuss.channel - who may post need not be able to write
            self.sudo()._whatsapp_message_sent(message)
        return res

    def _whatsapp_is_note(self, params):
        """Tell whether a message is meant for colleagues only.

        A document's message that somebody sends by OCA's button is meant for the
        customer, whatever its kind.

        :param dict params: of ``message_post``
        """
        xmlid, subtype = params.get("subtype_xmlid"), params.get("subtype_id")
        if xmlid == "mail.mt_comment" or params.get("gateway_message_id"):
            return False
        if xmlid:
            subtype = self.env["ir.model.data"]._xmlid_to_res_id(xmlid)
        # sudo: mail.message.subtype - guests post, too
        subtypes = self.env["mail.message.subtype"].sudo()
        return bool(subtype) and subtypes.browse(subtype).internal

    def _whatsapp_note_params(self, params):
        """Return the parameters of a note without whatever reaches customers.

        :param dict params: of ``message_post``
        """
        partners = self.env["res.partner"].browse(params.get("partner_ids") or [])
        if "everyone" in (params.get("special_mentions") or []):
            # sudo: discuss.channel.member - who takes part is no secret here
            partners |= self.sudo().channel_member_ids.partner_id
        return {
            **{
                name: value
                for name, value in params.items()
                if name not in ("gateway_notifications", "special_mentions")
            },
            "partner_ids": partners.filtered(lambda one: not one.partner_share).ids,
        }

    def _whatsapp_colleagues(self):
        """Return who can work in one of these conversations."""
        # sudo: res.groups, res.users, res.company - people need not read groups
        companies = self.env["res.company"].sudo()
        for channel in self.sudo():
            companies |= channel._whatsapp_company()
        users = self.env["res.users"].sudo()
        for xmlid in self._whatsapp_colleague_groups():
            users |= compat.users_of(self.env.ref(xmlid).sudo())
        return users.filtered(
            lambda user: user.active and not user.share and companies & user.company_ids
        )

    @api.model
    def _whatsapp_colleague_groups(self):
        """Return XML ids of the groups whose users work in conversations. A hook."""
        return self.env["res.users"]._whatsapp_groups()

    def _whatsapp_invite_mentioned(self, partner_ids):
        """Let those colleagues in whom a note names, so that they see it.

        :param partner_ids: ids of ``res.partner``
        :return: ids of those who take part; the others could not see the note
        """
        if not partner_ids:
            return []
        # sudo: res.users, discuss.channel - ids of colleagues, and who takes part
        channel = self.sudo()
        named = channel._whatsapp_colleagues().filtered(
            lambda user: user.partner_id.id in partner_ids
        )
        outside = named.partner_id - channel.channel_member_ids.partner_id
        self._whatsapp_add_members(
            named.filtered(lambda user: user.partner_id in outside)
        )
        inside = channel.channel_member_ids.partner_id
        return [one for one in partner_ids if one in inside.ids]

    def _whatsapp_post_note(self, body):
        """Post what colleagues read in the chat, and the customer never.

        :param body: Markup
        """
        return self.message_post(
            body=body, message_type="comment", subtype_xmlid="mail.mt_note"
        )

    def _message_update_content(self, message, body=None, **kwargs):
        """Send an edited message again if it did not arrive; else refuse.

        :raise AccessError: it is a colleague's conversation
        :raise UserError: the customer has the message as it was sent
        """
        if self._is_whatsapp():
            self._whatsapp_check_person()
        edited = body is not None and self._is_whatsapp()
        rows = edited and message._whatsapp_rows()
        if edited and not rows and message.notification_ids.gateway_channel_id:
            self._whatsapp_refuse_edit()  # rows of old messages are removed
        if not rows:
            return super()._message_update_content(message, body=body, **kwargs)
        text = rows.filtered(lambda row: payloads.text_of(row.payload) is not None)[-1:]
        files = set(kwargs.get("attachment_ids") or ())
        added = files - set(message.attachment_ids.ids)
        removed = not body and not files
        unsent = all(row._is_unsent() for row in rows)
        if not unsent and (removed or added or not text or not text._is_unsent()):
            self._whatsapp_refuse_edit()
        if not (removed or text or added or rows.attachment_id):
            raise UserError(
                self.env._(
                    "What leaves is a template or a question, whose text cannot be"
                    " changed here. Give the message up by a click on its mark, and"
                    " write another one."
                )
            )
        res = super()._message_update_content(message, body=body, **kwargs)
        if removed:
            if waiting := rows.filtered(lambda row: row.state != "canceled"):
                waiting.action_cancel()
        elif unsent and (added or rows.attachment_id):
            rows._rebuild()
        else:
            service = self.env["mail.gateway.whatsapp"]
            text._change_text(service._get_message_body(text.notification_id))
        return res

    def _whatsapp_refuse_edit(self):
        raise UserError(
            self.env._(
                "The customer has this message as it was sent: WhatsApp cannot change"
                " it any more, nor take it back. Please write another one."
            )
        )

    def _whatsapp_last_received(self, until=None):
        """Return the customer's last message that Meta has an id of, or none.

        :param int until: id of the last message that counts
        """
        domain = [
            ("model", "=", self._name),
            ("res_id", "=", self.id),
            ("whatsapp_message_id", "!=", False),
            ("author_guest_id", "!=", False),
        ]
        partner = self._whatsapp_customer()
        if partner:
            domain[-1:] = [
                "|",
                ("author_guest_id", "!=", False),
                ("author_id", "=", partner.id),
            ]
        if until:
            domain.append(("id", "<=", until))
        # sudo: mail.message - whoever reads the conversation sees it
        messages = self.env["mail.message"].sudo()
        return messages.search(domain, order="id desc", limit=1)

    def _whatsapp_receipt(self, message, typing=False):
        """Have Meta told, after the commit, that we read up to a message.

        :param message: ``mail.message`` of the customer
        :param bool typing: besides, somebody types
        """
        job = (
            self.env.cr.dbname,
            self.gateway_id.id,
            self.id,
            message.whatsapp_message_id,
            typing,
        )
        self.env.cr.postcommit.add(lambda: receipts.later(*job))

    # ------------------------------------------------------------- chat

    def _to_store(self, store, *args, **kwargs):
        """Tell the web client what it shows of WhatsApp conversations."""
        res = super()._to_store(store, *args, **kwargs)
        for channel in self:
            if channel._is_whatsapp():
                compat.store_values(store, channel, channel._whatsapp_store_values())
            elif channel._whatsapp_is_orphan():
                values = channel._whatsapp_window_values()
                values["whatsapp_off"] = channel._whatsapp_why_off()
                compat.store_values(store, channel, values)
        return res

    def _whatsapp_store_values(self):
        """Return what the chat shows, as a dict of attributes of its thread."""
        return {
            "whatsapp_off": self._whatsapp_why_off(),
            **self._whatsapp_window_values(),
        }

    def whatsapp_known(self):
        """Tell a chat that is open what it shows now.

        :return: False for who may not read the conversation (any more), else a dict
            of attributes of the thread, see ``_whatsapp_store_values``
        """
        self.ensure_one()
        return self.has_access("read") and self._whatsapp_store_values()

    def _whatsapp_refresh_chats(self):
        """Have chats that are open read anew what they show.

        It depends on the reader's language and rights, so it is not sent along.
        """
        for channel in self:
            if channel._is_whatsapp():
                channel._whatsapp_send_to_chats({"whatsapp_stale": True})

    def _whatsapp_send_to_chats(self, values):
        """Show values wherever the conversation is open.

        :param dict values: attributes of the thread, for everybody who reads it
        """
        if self._whatsapp_has_begun():
            return  # it is open nowhere yet
        self._bus_send(
            "mail.record/insert", {"discuss.channel": [{"id": self.id, **values}]}
        )

    def action_open_whatsapp(self):
        """Open the conversation as a window over the current page.

        :raise AccessError: the user may not read it
        """
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.client",
            "tag": "mail_gateway_whatsapp_queue.open_chat",
            "params": {"channel_id": self.id},
        }

    def _whatsapp_link_to(self, words):
        """Return a link that opens the conversation.

        :param words: environment in the language of the reader
        """
        return Markup(
            '<p><a href="/odoo/discuss?active_id=discuss.channel_%s">%s</a></p>'
        ) % (
            self.id,
            words._("Open the conversation"),
        )
