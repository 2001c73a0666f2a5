# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import re
from datetime import timedelta

from babel.languages import get_official_languages
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import clean_context

from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_whatsapp_kinds import (
    META_AGENT,
)
from odoo.addons.mail_gateway_whatsapp_queue.models.res_users import (
    ADMINISTRATOR,
    GATEWAY_USER,
)
from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_phones import CANDIDATES
from odoo.addons.mail_gateway_whatsapp_queue.tools import identity as wa_identity
from odoo.addons.mail_gateway_whatsapp_queue.tools import plain_text, template_words
from odoo.addons.mail_gateway_whatsapp_queue.tools.referral import Referral

from .discuss_channel_first import FIRST
from .discuss_channel_merge import MERGE
from .discuss_channel_team import TEAM
from .hr_employee import SALESPERSON, Choice
from .mail_gateway import CALL_ACTIVITY

# How a customer's message came to its lead
FOUND, REOPENED, CREATED = "found", "reopened", "created"
# What Odoo takes from the contact of a lead, if it has one
OF_CONTACT = (
    "partner_name",
    "function",
    "title",
    "email_from",
    "mobile",
    "website",
    "street",
    "street2",
    "zip",
    "city",
    "state_id",
)
INBOX_BUS = "crm_whatsapp_gateway/inbox"
# who works with WhatsApp; others read nothing of it with a channel of another kind
INBOX_GROUPS = ",".join((SALESPERSON, GATEWAY_USER, ADMINISTRATOR))


class DiscussChannel(models.Model):
    """A WhatsApp conversation and its lead: found or made, in whose hands, and why."""

    _name = "discuss.channel"
    # the parts come before what they extend
    _inherit = [FIRST, MERGE, TEAM, "discuss.channel"]

    lead_id = fields.Many2one(
        "crm.lead",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
    )
    whatsapp_team_id = fields.Many2one(
        "crm.team",
        string="Sales team",
        compute="_compute_whatsapp_team_id",
        store=True,
        index="btree_not_null",
        help="Whose members see the conversation while nobody has it.",
    )
    whatsapp_no_lead_reason = fields.Char(
        string="Why there is no lead", readonly=True, copy=False
    )
    whatsapp_user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        compute="_compute_whatsapp_user_id",
        store=True,
        index="btree_not_null",
        help="Of the lead; without one, who wrote to the customer first.",
    )
    # what the inbox knows of it; one at most
    whatsapp_conversation_ids = fields.One2many(
        "whatsapp.conversation",
        "channel_id",
        string="In the WhatsApp inbox",
        copy=False,
        context={"active_test": False},
        groups=INBOX_GROUPS,
    )

    def init(self):
        """Make the index of what nobody has."""
        self.env.cr.execute(
            """
            -- who may see it asks for what nobody has: few of many
            CREATE INDEX IF NOT EXISTS discuss_channel_whatsapp_nobodys_idx
                ON discuss_channel (gateway_id)
             WHERE channel_type = 'gateway' AND whatsapp_user_id IS NULL
            """
        )
        return super().init()

    # ------------------------------------------------------------- compute

    @api.depends("lead_id.team_id", "gateway_id.whatsapp_team_id")
    def _compute_whatsapp_team_id(self):
        for channel in self:
            channel.whatsapp_team_id = (
                channel.lead_id.team_id or channel.gateway_id.whatsapp_team_id
            )

    # ------------------------------------------------------------- create, write

    @api.model_create_multi
    def create(self, vals_list):
        """Link a new WhatsApp conversation with the open lead of its person.

        A lead is never created here: we may have written first. In the inbox it begins
        without anything to do.
        """
        channels = super().create(vals_list)
        received = self.env.context.get("no_gateway_notification")
        found = channels.filtered(lambda channel: channel._is_whatsapp())
        for channel in found:
            if not channel.lead_id and not received:  # then the message decides
                # sudo: crm.lead - leads of colleagues are leads all the same
                channel.sudo()._whatsapp_link_open()
        found._whatsapp_conversations()
        return channels

    def write(self, vals):
        """Show another lead to everybody who has the conversation open.

        :raise UserError: a person archives a conversation of WhatsApp
        """
        if not (self.env.su or vals.get("active", True)) and self._whatsapp_bound():
            raise UserError(
                self.env._(
                    "A WhatsApp conversation is not archived, since nobody would find"
                    " the customer any more. Please close it: it leaves the inbox,"
                    " stays under Closed, and comes back when the customer writes."
                )
            )
        res = super().write(vals)
        if "lead_id" in vals:
            self._whatsapp_refresh_chats()
        return res

    # ------------------------------------------------------------- inbox

    def _whatsapp_conversations(self):
        """Return the ``whatsapp.conversation`` of these, with the rights of sudo.

        What Odoo or OCA made without one gets it here.
        """
        # sudo: whatsapp.conversation - nobody makes one by hand
        channels = self.sudo()
        missing = channels.filtered(
            lambda one: not one.whatsapp_conversation_ids and one._is_whatsapp()
        )
        if missing:
            # a default in the context is meant for another model
            clean = clean_context(self.env.context)
            chats = channels.env["whatsapp.conversation"]
            chats = chats.with_context(clean)  # pylint: disable=context-overridden
            chats.create([{"channel_id": channel.id} for channel in missing])
        return channels.whatsapp_conversation_ids

    def _whatsapp_by_last_message(self):
        """Return these conversations, the one last in which something was said last."""

        def said_at(channel):
            # sudo: whatsapp.conversation - when it was, of what the caller has
            last = channel.sudo().whatsapp_conversation_ids.last_date
            return last or channel.create_date, channel.id

        return self.sorted(said_at)

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
            "whatsapp_phone": wa_identity.display(self.whatsapp_phone or ""),
            # sudo: whatsapp.conversation - of a channel that the user reads
            **self.sudo().whatsapp_conversation_ids._turn(),
        }

    def action_open_whatsapp(self):
        """Open the conversation; its salesperson takes part in it."""
        action = super().action_open_whatsapp()
        if self.whatsapp_user_id == self.env.user and not self.is_member:
            self._whatsapp_add_members(self.env.user)
        return action

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

    def action_unfollow(self):
        """Hide the own conversation until the customer writes again.

        Who left it would get no message of the own customer any more.
        """
        own = self.filtered(
            lambda channel: (
                channel._is_whatsapp() and channel.whatsapp_user_id == self.env.user
            )
        )
        for channel in own:
            channel.channel_pin(pinned=False)
        others = self - own
        return super(DiscussChannel, others).action_unfollow() if others else None

    # ------------------------------------------------------------- messages

    def _whatsapp_message_received(self, inbound):
        """Link or create the lead of what a customer says, before it is shown.

        So whoever gets the lead hears of the message.
        """
        res = super()._whatsapp_message_received(inbound)
        chat = self._whatsapp_conversations()
        inbound.last_date = chat.last_date
        chat._update_last_message(inbound.rendered.text, inbound.sent, "customer")
        if (
            inbound.speaks
            and not (inbound.opt and not self.lead_id._whatsapp_is_open())
            and not self._whatsapp_lead_waits()
        ):
            self._link_or_create_lead(
                inbound.rendered.text, Referral.of_message(inbound.content)
            )
        return res

    def _whatsapp_message_shown(self, inbound, message):
        """Greet who writes, unless Meta's agent has the conversation.

        What we send would take it from the agent.
        """
        res = super()._whatsapp_message_shown(inbound, message)
        if inbound.speaks and not inbound.opt and not inbound.in_standby:
            self._whatsapp_conversations()._greet(inbound.sent, inbound.last_date)
        return res

    def _whatsapp_message_sent(self, message, by_phone=False):
        """Keep what we wrote as the last word; a person's is an answer."""
        res = super()._whatsapp_message_sent(message, by_phone)
        self._whatsapp_conversations()._update_sent(message, by_phone)
        return res

    def _whatsapp_group_message(self, text, date, author):
        """Keep the last word of a group."""
        res = super()._whatsapp_group_message(text, date, author)
        self._whatsapp_conversations()._update_group(text, date, author)
        return res

    @api.model
    def _whatsapp_robots(self):
        """Return the ids of who wrote what no person did: OdooBot and Meta's agent."""
        find = self.env["ir.model.data"]._xmlid_to_res_id
        return set(filter(None, map(find, ("base.partner_root", META_AGENT))))

    def _whatsapp_responsible(self):
        """Return the salesperson of the lead."""
        return self.lead_id.user_id or super()._whatsapp_responsible()

    def _whatsapp_document(self, model):
        """Return the lead, or its contact."""
        found = {"crm.lead": self.lead_id, "res.partner": self.lead_id.partner_id}
        return found.get(model) or super()._whatsapp_document(model)

    def _whatsapp_known_values(self):
        """Prefer what the lead says, if the user may read it."""
        values = super()._whatsapp_known_values()
        lead = self.lead_id.with_user(self.env.uid)
        if not lead.has_access("read"):
            return values
        name = lead.contact_name
        found = {
            template_words.FIRST_NAME: template_words.first_name(name),
            template_words.FULL_NAME: template_words.first_name(name) and name,
            template_words.COMPANY: lead.partner_name,
            template_words.EMAIL: lead.email_from,
            template_words.CITY: lead.city,
        }
        return {**values, **{kind: value for kind, value in found.items() if value}}

    def _whatsapp_customer_lang(self):
        """Return the language of the lead, unless it was switched off."""
        lang = self.lead_id.lang_id.filtered("active").code
        return lang or super()._whatsapp_customer_lang()

    # ------------------------------------------------------------- who it is with

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

    def _whatsapp_log(self, body):
        """Keep it in the history of the lead, too."""
        res = super()._whatsapp_log(body)
        for lead in self.lead_id:
            lead._message_log(body=body)
        return res

    def _whatsapp_rename(self, name):
        """Write the name on the lead and its contact, where the number stood for it."""
        placeholders, before = self._whatsapp_identity().placeholders, self.name
        res = super()._whatsapp_rename(name)
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
        return res

    def _whatsapp_phone_came(self, phone, given=False):
        """Let the lead have the number."""
        res = super()._whatsapp_phone_came(phone, given)
        lead = self.lead_id
        if lead and not lead.phone and (given or not lead.partner_id):
            lead._whatsapp_keep_phone(phone)
        lead._whatsapp_refresh_calls()
        return res

    def _whatsapp_number_changed(self, before, phone):
        """Write the new number over the old one, on the lead and on its contact.

        A contact of the portal, and one of several with that number, is only named:
        somebody decides.
        """
        lead, old = self.lead_id, wa_identity.variants(before or "")
        if not lead:
            super()._whatsapp_number_changed(before, phone)
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

    # ------------------------------------------------------------- the lead

    @api.model
    def _whatsapp_links(self, words, leads):
        links = Markup(", ").join(lead._get_html_link() for lead in leads)
        return Markup("<p>%s %s</p>") % (words, links)

    def _find_existing_lead(self, leads=None):
        """Return the open lead of this person: that of the conversation, else one
        with the same WhatsApp user, number or contact; empty if there is none.

        :param leads: ``crm.lead``, all of the person, if they are known
        """
        self.ensure_one()
        if self.lead_id._whatsapp_is_open():
            return self.lead_id
        leads = self._whatsapp_leads_of_person() if leads is None else leads
        return leads._whatsapp_best_open()

    def _whatsapp_leads_of_person(self, partners=None):
        """Return the leads of this person: open ones, and those closed last.

        Within the company of the conversation, besides shared ones. A number that a
        visitor typed into a form counts on a lead: it stays our lead, and the visitor
        sees nothing of it. Not so one that Odoo copied from a contact of which it
        proves nothing: such a lead is another person's.

        :param partners: the contacts of the person, if they are known
        """
        self.ensure_one()
        leads = self.env["crm.lead"].with_context(active_test=False)
        company = self._whatsapp_company()
        phones = wa_identity.variants(self.whatsapp_phone or "")
        # sudo: discuss.channel - the same person at other numbers of ours
        same = self.sudo()._whatsapp_find_by(whatsapp_bsuid=[self.whatsapp_bsuid])
        sure = {*self.lead_id.ids, *same.lead_id.ids}
        # looked up before: one query over both tables could use no index
        partners = self._whatsapp_partners() if partners is None else partners
        found = leads.search(
            [
                "|",
                ("id", "in", sorted({*sure, *leads._whatsapp_ids_with(phones)})),
                ("partner_id", "in", partners.ids),
                ("company_id", "in", (company.id, False)),
            ],
            order="date_closed desc, id desc",  # the open ones first
            limit=CANDIDATES,
        )
        # sudo: res.partner - see _whatsapp_same_number
        others = found.partner_id.sudo() - partners
        others = (others - others._whatsapp_by_number()).filtered(
            lambda partner: partner._whatsapp_typed(phones)
        )
        return found.filtered(
            lambda lead: lead.id in sure or lead.partner_id not in others
        )

    def _whatsapp_refusal(self, partners):
        """Return why this person never becomes a lead, or an empty text.

        :param partners: the contacts of the person
        """
        if self._whatsapp_is_group():
            return self.env._("A group is no customer.")
        phones = wa_identity.variants(self.whatsapp_phone or "")
        # sudo: hr.employee, phone.blacklist - the webhook user may be anybody
        employees = self.env["hr.employee"].sudo()
        users = (
            partners.user_ids
            | employees.browse(employees._whatsapp_ids_with(phones)).user_id
        )
        users = users.filtered(lambda user: user.active and not user.share)
        if users:
            return self.env._("This is the number of your user %s.", users[0].name)
        tags = (partners | partners.commercial_partner_id).category_id
        if tags and (excluded := self.gateway_id.whatsapp_excluded_tag_ids):
            found = tags.search([("id", "child_of", excluded.ids)]) & tags
            if found:
                return self.env._(
                    "The contact has the tag %s, which makes no leads.", found[0].name
                )
        # sudo: phone.blacklist - whether the number is on it, for an inbound message
        blacklist = self.env["phone.blacklist"].sudo()
        listed = blacklist._whatsapp_find_by(number=phones).filtered("active")
        # in the portal anybody may list any number as their own
        if any(
            not (row.create_uid | row.write_uid).filtered("share") for row in listed
        ):
            return self.env._("The number is on the blacklist.")
        return ""

    def _create_lead_from_whatsapp(
        self, text="", referral=None, previous=None, partners=None
    ):
        """Create the lead with all that is known, linked, in the right hands.

        :param str text: the first message
        :param referral: ``tools.referral.Referral``: the ad that the customer came by
        :param previous: ``crm.lead`` of the same customer that is closed, or None
        :param partners: the contacts of the customer, if they are known
        :return: the lead
        """
        self.ensure_one()
        previous = previous or self.env["crm.lead"]
        known = self._whatsapp_partners() if partners is None else partners
        before = previous.partner_id.sudo()  # res.partner - see _whatsapp_same_number
        partner = (before & known or before._whatsapp_by_number() or known)[:1]
        values = self._whatsapp_lead_values(partner, text, referral, previous)
        company = self.env["res.company"].browse(values["company_id"])
        team = self.env["crm.team"].browse(values.get("team_id"))
        # sudo: hr.employee - the webhook user need not read employees
        choice = (
            self.env["hr.employee"]
            .sudo()
            ._whatsapp_choose(
                company,
                self.gateway_id,
                team,
                self._whatsapp_preferred(previous, partner),
            )
        )
        leads = self.env["crm.lead"].with_context(
            mail_auto_subscribe_no_notify=True,  # they are told after the commit
            mail_create_nolog=True,  # what is noted below says more
            mail_create_nosubscribe=True,
            whatsapp_without_email=not partner,
        )
        lead = leads.create(
            {
                **values,
                "user_id": choice.user.id,
                # as exact as the assignments: the beginning of the transaction
                "whatsapp_opened_at": self.env.cr.now(),
                "whatsapp_queued_at": not choice.user and fields.Datetime.now(),
            }
        ).with_env(self.env)
        reason = (
            self.env._("Created by the WhatsApp message of %s", self.name)
            if not previous
            else self.env._(
                "Created by the WhatsApp message of %s, whose last lead is closed",
                self.name,
            )
        )
        note = self.env._("%s: no open lead has this number or WhatsApp user.", reason)
        self._whatsapp_link_because(lead, reason, note, previous=previous)
        if not partner:
            lead._whatsapp_propose_contacts(self._whatsapp_same_number())
        self._assign_to_commercial_user(choice=choice)
        return lead

    def _whatsapp_preferred(self, previous, partner=None):
        """Return whose customer it is, and why; see ``hr.employee``.

        :param previous: ``crm.lead`` of the same person that is closed, perhaps none
        :param partner: the contact, if it is known; else that of the lead
        """
        partner = partner or self.lead_id.partner_id._whatsapp_by_number()
        company = self._whatsapp_company()
        candidates = [
            *self._whatsapp_prefer_starter(),
            (previous.user_id, self.env._("Had this customer before")),
            (
                partner.user_id or partner.commercial_partner_id.user_id,
                self.env._("Salesperson of the contact"),
            ),
        ]
        return [
            (user, words)
            for user, words in candidates
            if user and user.active and not user.share and company in user.company_ids
        ]

    def _whatsapp_lead_values(self, partner, text, referral, previous):
        gateway = self.gateway_id
        company = self._whatsapp_company()
        team = gateway.whatsapp_team_id or previous.team_id
        # sudo: utm.*, whatsapp.ad - the webhook user need not manage campaigns
        ads = self.env["whatsapp.ad"].sudo()
        values = {
            "name": self.env._("%s (WhatsApp)", partner.name or self.name),
            "type": self._whatsapp_lead_type(team, previous),
            "company_id": company.id,
            "whatsapp_gateway_id": gateway.id,
            # without one, that of the salesperson
            **({"team_id": team.id} if team else {}),
            "description": text
            and self.env["mail.gateway.whatsapp"]._whatsapp_to_html(text),
            "source_id": ads._utm("source", "WhatsApp").id,
            "medium_id": ads._utm("medium", "WhatsApp").id,
        }
        if referral:
            values.update(ads._attribution(referral, gateway.company_id))
            values["description"] = (values["description"] or Markup()) + self.env[
                "crm.lead"
            ]._whatsapp_ad_words(referral)
        number = self.whatsapp_phone and wa_identity.display(self.whatsapp_phone)
        region = wa_identity.region(self.whatsapp_phone or "")
        country = self.env["res.country"]._whatsapp_find_by(code=[region])
        language = self._whatsapp_language(country)
        if not partner:
            leads = self.env["crm.lead"]
            return {
                # Odoo would read the new lead to see what it lacks
                **{name: False for name in OF_CONTACT if name in leads},
                **values,
                "contact_name": self.name,
                "phone": number,
                "country_id": country.id,
                "lang_id": language.id,
            }
        values["partner_id"] = partner.id
        # what the contact lacks; a number given to the lead would replace the
        # contact's own
        if not partner.whatsapp_phones and not partner.phone:
            values["phone"] = number
        if not partner.country_id:
            values["country_id"] = country.id
        if not partner.lang:
            values["lang_id"] = language.id
        return values

    def _whatsapp_lead_type(self, team, previous):
        wanted = self.gateway_id.whatsapp_lead_type
        if previous:
            return "opportunity"
        if wanted in ("lead", "opportunity"):
            return wanted
        return "lead" if team.use_leads else "opportunity"

    def _whatsapp_language(self, country):
        """Return the installed language that is spoken where the number is from."""
        languages = self.env["res.lang"]
        installed = languages._get_active_by("code")
        spoken = country and get_official_languages(country.code, de_facto=True)
        own = self.gateway_id._whatsapp_lang()
        known = [code for code in installed if code.split("_")[0] in (spoken or ())]
        here = [code for code in installed if code.endswith(f"_{country.code}")]
        best = here or [code for code in known if code == own] or known
        return languages.browse(installed[code].id for code in best[:1])

    def _whatsapp_lead_waits(self):
        """Tell whether an event is to make the lead of an earlier message.

        Then no other message makes one: it would be of its words and its ad.
        """
        # sudo: whatsapp.webhook.event - for administrators only
        return bool(
            self.whatsapp_no_lead_reason
            and self.env["whatsapp.webhook.event"]
            .sudo()
            .search_count(
                [
                    ("gateway_id", "=", self.gateway_id.id),
                    ("state", "=", "pending"),
                    ("key", "=like", f"lead:{self.id}:%"),
                ],
                limit=1,
            )
        )

    def _link_or_create_lead(self, text="", referral=None):
        """Give the conversation the one open lead of its person.

        :param str text: the customer's message, for the description of a new lead
        :param referral: ``tools.referral.Referral`` of the message, or None
        :return: the lead; empty for people who never become one
        """
        self.ensure_one()
        lead, how = self.lead_id, FOUND
        if not lead._whatsapp_is_open():
            lead, how = self._whatsapp_find_or_create(text, referral)
        if not lead or how == CREATED:
            return lead
        comes_back = how == REOPENED
        if comes_back or not (lead.user_id and lead.whatsapp_opened_at):
            self._assign_to_commercial_user(returning=comes_back)
        else:
            lead._whatsapp_reassign_absent()
        if referral:
            lead._whatsapp_apply_referral(referral)
        return lead

    def action_create_lead(self):
        """Make a lead of a conversation that has none, whoever it is.

        Somebody decides so: of an internal user's number, or of a reaction only.
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: discuss.channel - as for a message, which anybody may cause
        channel = self.sudo()
        if channel._whatsapp_is_group():
            raise UserError(self.env._("A group is no customer, and gets no lead."))
        if not channel.lead_id and not channel._whatsapp_link_open():
            last = channel._whatsapp_last_received()
            channel._create_lead_from_whatsapp(
                plain_text.from_html(last.body, marks=False)
                or channel._whatsapp_conversations().last_text
                or ""
            )
        if not channel.lead_id._whatsapp_has_owner():
            channel._assign_to_commercial_user()
        # with its rights: it may be a colleague's by now
        return channel.action_open_lead()

    def _whatsapp_find_or_create(self, text, referral):
        """Return the lead of this person, and one of FOUND, REOPENED and CREATED."""
        partners = self._whatsapp_partners()
        leads = self._whatsapp_leads_of_person(partners)
        if lead := self._whatsapp_link_open(leads):
            return lead, FOUND
        closed = leads._whatsapp_last_closed()
        if refusal := self._whatsapp_refusal(partners):
            if self.whatsapp_no_lead_reason != refusal:
                self.whatsapp_no_lead_reason = refusal
                self._message_log(body=self.env._("No lead is made: %s", refusal))
                self._whatsapp_add_members(self.gateway_id.member_ids)
            return closed.browse(), FOUND
        if closed and self._whatsapp_still_counts(closed):
            if closed != self.lead_id:
                self._whatsapp_link(closed)
            if closed._whatsapp_is_won():
                return closed, FOUND
            closed._whatsapp_reopen()
            return closed, REOPENED
        lead = self._create_lead_from_whatsapp(text, referral, closed, partners)
        return lead, CREATED

    def _whatsapp_link_open(self, leads=None):
        """Link with the open lead of the person, if there is one.

        :param leads: those of the person, if they are known
        :return: the lead, or none
        """
        leads = self._whatsapp_leads_of_person() if leads is None else leads
        lead = self._find_existing_lead(leads)
        if lead:
            others = leads.filtered(lambda other: other._whatsapp_is_open()) - lead
            self._whatsapp_link(lead, others)
        return lead

    def _whatsapp_still_counts(self, closed):
        """Tell whether a closed lead is young enough to be gone on with."""
        gateway = self.gateway_id
        days = (
            gateway.whatsapp_won_days
            if closed._whatsapp_is_won()
            else gateway.whatsapp_reopen_days
        )
        age = fields.Datetime.now() - closed._whatsapp_closed_at()
        return age < timedelta(days=days)

    def _whatsapp_link(self, lead, others=None):
        """Link with a lead that was there, and say on it why.

        :param others: further open leads of the same person, or None
        """
        why = lead._whatsapp_matched_by(self)
        self._whatsapp_link_because(
            lead,
            self.env._("Matched by %s", why),
            self.env._("WhatsApp conversation linked: matched by %s.", why),
            others=others,
        )

    def _whatsapp_link_by_hand(self, lead):
        """Link with the lead that somebody chose.

        :raise AccessError: the user may not write the conversation, or read the lead
        :raise UserError: the lead is of another company
        """
        self.ensure_one()
        self.with_user(self.env.uid).check_access("write")
        lead.with_user(self.env.uid).check_access("read")
        # sudo: discuss.channel, crm.lead - the rights were checked
        channel, lead = self.sudo(), lead.sudo()
        if lead.company_id and lead.company_id != channel._whatsapp_company():
            raise UserError(
                self.env._("The lead %s belongs to another company.", lead.name)
            )
        channel._whatsapp_link_because(
            lead,
            self.env._("Linked by %s", self.env.user.name),
            self.env._("WhatsApp conversation linked by %s.", self.env.user.name),
        )

    def _whatsapp_link_because(self, lead, reason, note, others=None, previous=None):
        """Link with a lead; its old one, and the new one, say so.

        :param str reason: what the lead shows of it
        :param str note: what stands in its history
        :param others: further open leads of the same person, or None
        :param previous: the closed lead after which this one was made, or None
        """
        old = self.lead_id
        self.write({"lead_id": lead.id, "whatsapp_no_lead_reason": False})
        self._whatsapp_forget_starter()
        self._whatsapp_add_members(lead.user_id)
        self._whatsapp_remove_members(old.user_id - lead.user_id)
        lead.whatsapp_match_reason = reason
        body = Markup("<p>%s</p>") % note
        if previous:
            body += self._whatsapp_links(self.env._("The lead before:"), previous)
        if others:
            body += self._whatsapp_links(
                self.env._(
                    "Other open leads of the same person, perhaps to be merged:"
                ),
                others,
            )
        lead._message_log(body=body)
        if old and old != lead:
            old._message_log(
                body=self._whatsapp_links(
                    self.env._("The customer has written again; it goes on here:"), lead
                )
            )

    # ------------------------------------------------------------- assignment

    def _assign_to_commercial_user(self, returning=False, choice=None):
        """Hand the lead to its salesperson: who has it, else whose turn it is.

        :param bool returning: the customer comes back to a lead that was closed:
            whoever had it gets it again if on duty
        :param choice: ``models.hr_employee.Choice`` with which the lead was created:
            then it only remains to say so
        :return: the salesperson, perhaps nobody
        """
        self.ensure_one()
        if choice:
            self._whatsapp_after_assign(choice, is_new=True)
            return choice.user
        lead, old = self.lead_id, self.lead_id.user_id
        owned = lead._whatsapp_has_owner()
        already = self.env._("Was the salesperson of this lead already")
        choice = Choice(old, self.env["hr.employee"], already)
        if returning or not owned:
            previous = lead if returning else lead.browse()
            choice = lead._whatsapp_choose(self._whatsapp_preferred(previous))
        if owned and not choice.user:
            # nobody is on duty: then it is best where it was
            choice = choice._replace(user=old)
        if not choice.user and lead.whatsapp_queued_at:
            return choice.user  # it waits already, and that was said
        if choice.user and choice.user != old:
            lead._whatsapp_assign(choice.user)
        lead.write(
            {
                "whatsapp_opened_at": self.env.cr.now(),
                "whatsapp_queued_at": not choice.user and fields.Datetime.now(),
            }
        )
        self._whatsapp_after_assign(choice)
        return choice.user

    def _whatsapp_after_assign(self, choice, is_new=False):
        """Note who has the lead and why, and begin to wait for the first answer.

        :param choice: ``models.hr_employee.Choice``
        :param bool is_new: the lead was created with its salesperson, who does not
            know it yet
        """
        if choice.nobody:
            self._whatsapp_add_members(self.gateway_id.member_ids)
        tell = is_new and choice.user != self.env.user
        self.env["whatsapp.assignment"]._note(self.lead_id, choice, tell=tell)
        self.lead_id._whatsapp_start_clock()
        self._whatsapp_forget_starter()

    def _create_immediate_call_activity(self):
        """Ask the salesperson for a call now, unless a call is asked for.

        :return: the new activities
        """
        activities = self.env["mail.activity"]
        for lead in self.lead_id:
            gateway = lead._whatsapp_gateway()
            # sudo: mail.activity.type - the webhook user need not read it
            kind = gateway.sudo().whatsapp_activity_type_id or self.env.ref(
                CALL_ACTIVITY
            )
            if kind in lead.activity_ids.activity_type_id or lead._whatsapp_calls():
                continue
            responsible = lead._whatsapp_responsible()
            due = fields.Datetime.now() + timedelta(
                hours=gateway.whatsapp_activity_hours
            )
            compat.cache_model(self.env, lead._name)
            # the salesperson has the notice of the lead, and the message itself
            activities += lead.with_context(
                mail_activity_quick_update=True
            ).activity_schedule(
                activity_type_id=kind.id,
                date_deadline=fields.Datetime.context_timestamp(
                    lead.with_context(tz=responsible.tz), due
                ).date(),
                user_id=responsible.id,
                whatsapp_call=True,
                **lead._whatsapp_call_words(responsible.lang),
            )
        return activities
