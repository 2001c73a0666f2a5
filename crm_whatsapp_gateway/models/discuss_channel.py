# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from babel.languages import get_official_languages
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import compat
from ..tools import identity as wa_identity
from ..tools import plain_text, webhook, window, wishes
from ..tools.identity import Identity
from .crm_lead import CANDIDATES
from .hr_employee import SALESPERSON, Choice
from .mail_gateway import CALL_ACTIVITY
from .mail_gateway_secrets import SECRETS
from .whatsapp_guarded import GUARDED

# How a customer's message came to its lead
FOUND, REOPENED, CREATED = "found", "reopened", "created"


class DiscussChannel(models.Model):
    _name = "discuss.channel"
    _inherit = ["discuss.channel", GUARDED]
    _whatsapp_open = frozenset({"whatsapp_opt_in_source", "whatsapp_opt_in_date"})
    _whatsapp_bonds = frozenset(
        {"channel_type", "company_id", "gateway_channel_token", "gateway_id"}
    )

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

    lead_id = fields.Many2one(
        "crm.lead",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
    )
    # The lead tracks these; related fields would inherit that, and say nothing of it.
    # Stored: the inbox is grouped by it.
    lead_stage_id = fields.Many2one(
        related="lead_id.stage_id", string="Stage", store=True, tracking=False
    )
    # Computed with the rights of the user: a related field, whatever its groups, is
    # grouped, sorted, searched and exported with the rights of the superuser.
    lead_campaign_id = fields.Many2one(
        "utm.campaign",
        string="Campaign",
        compute="_compute_lead_values",
        search="_search_lead_campaign_id",
    )
    lead_expected_revenue = fields.Monetary(
        string="Expected Revenue",
        compute="_compute_lead_values",
        currency_field="lead_currency_id",
    )
    lead_currency_id = fields.Many2one(
        "res.currency", string="Currency", compute="_compute_lead_values"
    )
    lead_activity_summary = fields.Char(
        string="Next activity", compute="_compute_lead_values"
    )
    lead_activity_date = fields.Date(
        string="Next activity on", compute="_compute_lead_values"
    )
    lead_activity_state = fields.Selection(
        [("overdue", "Overdue"), ("today", "Today"), ("planned", "Planned")],
        string="State of the next activity",
        compute="_compute_lead_values",
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
        related="lead_id.user_id",
        store=True,
        index="btree_not_null",
        tracking=False,
    )
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
    whatsapp_last_text = fields.Char(string="Last message", readonly=True, copy=False)
    whatsapp_last_date = fields.Datetime(
        string="Last message on", readonly=True, copy=False
    )
    whatsapp_last_author = fields.Selection(
        [("customer", "Customer"), ("us", "Us")],
        string="Last word",
        readonly=True,
        copy=False,
    )
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
    whatsapp_waiting_since = fields.Datetime(
        string="Waiting since", readonly=True, copy=False, index="btree_not_null"
    )
    whatsapp_unread = fields.Integer(
        string="Unread", compute="_compute_whatsapp_unread"
    )
    whatsapp_window_open = fields.Boolean(
        string="Free text possible", compute="_compute_whatsapp_window_open"
    )

    def init(self):
        """Keep one conversation per person and number of ours."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS discuss_channel_whatsapp_person_uniq
                ON discuss_channel (gateway_id, gateway_channel_token)
             WHERE channel_type = 'gateway';
            -- who may see it asks for what nobody has: few of many
            CREATE INDEX IF NOT EXISTS discuss_channel_whatsapp_nobodys_idx
                ON discuss_channel (gateway_id)
             WHERE channel_type = 'gateway' AND whatsapp_user_id IS NULL
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

    # ------------------------------------------------------------- compute

    @api.depends_context("uid")
    @api.depends(
        "lead_id.campaign_id",
        "lead_id.expected_revenue",
        "lead_id.company_currency",
        "lead_id.activity_ids.date_deadline",
        "lead_id.activity_ids.summary",
    )
    def _compute_lead_values(self):
        """Show of a lead what is not for everybody to who may read the lead."""
        # sudo: discuss.channel - the ids; what they say is read with one's own rights
        leads = self.env["crm.lead"].browse(self.sudo().lead_id.ids)
        # by id, since an intersection would read them one by one
        readable = {lead.id: lead for lead in leads._filtered_access("read")}
        for channel in self:
            lead = readable.get(channel.sudo().lead_id.id, leads.browse())
            channel.lead_campaign_id = lead.campaign_id
            channel.lead_expected_revenue = lead.expected_revenue
            channel.lead_currency_id = lead.company_currency
            channel.lead_activity_summary = lead.activity_summary
            channel.lead_activity_date = lead.activity_date_deadline
            channel.lead_activity_state = lead.activity_state

    @api.model
    def _search_lead_campaign_id(self, operator, value):
        leads = self.env["crm.lead"]
        if not leads.has_access("read"):
            return [(0, "=", 1)]
        found = leads.with_context(active_test=False)._search(
            [("campaign_id", operator, value)]
        )
        return [("lead_id", "in", found)]

    @api.depends_context("uid")
    def _compute_whatsapp_unread(self):
        # sudo: discuss.channel.member - the current user's own counters
        members = (
            self.env["discuss.channel.member"]
            .sudo()
            .search(
                [
                    ("channel_id", "in", self.ids),
                    ("partner_id", "=", self.env.user.partner_id.id),
                ]
            )
        )
        unread = {
            member.channel_id.id: member.message_unread_counter for member in members
        }
        for channel in self:
            channel.whatsapp_unread = unread.get(channel.id, 0)

    @api.depends("whatsapp_last_customer_date", "whatsapp_window_closed_at")
    def _compute_whatsapp_window_open(self):
        now = fields.Datetime.now()
        for channel in self:
            channel.whatsapp_window_open = window.is_open(
                channel.whatsapp_last_customer_date,
                now,
                channel.whatsapp_window_closed_at,
            )

    @api.depends("lead_id.team_id", "gateway_id.whatsapp_team_id")
    def _compute_whatsapp_team_id(self):
        for channel in self:
            channel.whatsapp_team_id = (
                channel.lead_id.team_id or channel.gateway_id.whatsapp_team_id
            )

    # ------------------------------------------------------------- create

    @api.model_create_multi
    def create(self, vals_list):
        """Link a new WhatsApp conversation with the open lead of its person.

        A lead is never created here: we may have written first.
        """
        channels = super().create(vals_list)
        for channel in channels.filtered(lambda channel: channel._is_whatsapp()):
            channel._whatsapp_learn_identity(
                Identity.of_token(channel.gateway_channel_token)
            )
            received = self.env.context.get("no_gateway_notification")
            if not channel.lead_id and not received:  # then the message decides
                # sudo: crm.lead - leads of colleagues are leads all the same
                channel.sudo()._whatsapp_link_open()
        return channels

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

    def _whatsapp_heed(self, text):
        """Keep the wish of a customer who writes one of the words of the gateway.

        :param str text: the customer's message
        :return: whether it was one; then it is no reason for a lead
        """
        wished = self._whatsapp_wish(text)
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

    def _whatsapp_wish(self, text):
        gateway = self.gateway_id
        return wishes.wish(
            text, gateway.whatsapp_stop_words, gateway.whatsapp_start_words
        )

    def action_ask_phone(self):
        """Ask a customer who hides the number for it; an answer is trusted."""
        self.ensure_one()
        self.check_access("read")
        # sudo: crm.lead - the customer's language, whoever asks
        customer = self.sudo().lead_id.lang_id.code or self.gateway_id._whatsapp_lang()
        text = self.with_context(lang=customer).env._(
            "May we have your phone number, so that we can call you?"
        )
        self.env["whatsapp.message.queue"]._post_interactive(
            self,
            text,
            {
                "type": "request_contact_info",
                "body": {"text": text},
                "action": {"name": "request_contact_info"},
            },
        )

    # ------------------------------------------------------------- the lead

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
        sure = set(self.lead_id.ids)
        if self.whatsapp_bsuid:
            # sudo: discuss.channel - the same person at other numbers of ours
            same = self.sudo().with_context(active_test=False)
            sure |= set(
                same.search(
                    [
                        ("whatsapp_bsuid", "=", self.whatsapp_bsuid),
                        ("lead_id", "!=", False),
                    ]
                ).lead_id.ids
            )
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

    def _whatsapp_latest(self):
        """Return that of these conversations in which the customer wrote last."""
        return self.sorted(
            lambda channel: (
                channel.whatsapp_last_customer_date or channel.create_date,
                channel.id,
            )
        )[-1:]

    def _whatsapp_company(self):
        return self.company_id or self.gateway_id.company_id or self.env.company

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
        # sudo: res.partner.gateway.channel, res.partner - whoever asks
        links = self.env["res.partner.gateway.channel"].sudo()
        link = links.search(
            [
                ("gateway_id", "=", self.gateway_id.id),
                ("gateway_token", "in", self._whatsapp_tokens()),
            ],
            order="id",
            limit=1,
        )
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

    def _whatsapp_tokens(self):
        """Return every ``gateway_token`` that this person may be known by."""
        person = Identity.of_token(self.gateway_channel_token)
        phone = (self.whatsapp_phone or "").lstrip("+")
        names = [*person.tokens, *Identity(phone=phone or None).tokens]
        return list(dict.fromkeys([*names, *filter(None, [self.whatsapp_bsuid])]))

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
        excluded = self.gateway_id.whatsapp_excluded_tag_ids
        if excluded:
            found = tags.search([("id", "child_of", excluded.ids)]) & tags
            if found:
                return self.env._(
                    "The contact has the tag %s, which makes no leads.", found[0].name
                )
        # sudo: phone.blacklist - whether the number is on it, for an inbound message
        blacklist = self.env["phone.blacklist"].sudo()
        listed = blacklist.search([("number", "in", phones)]) if phones else blacklist
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
        lead = self.env["crm.lead"].create(
            {
                **values,
                "user_id": choice.user.id,
                # as exact as the assignments: the beginning of the transaction
                "whatsapp_opened_at": self.env.cr.now(),
                "whatsapp_queued_at": not choice.user and fields.Datetime.now(),
            }
        )
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
        self._whatsapp_hand(choice)
        return lead

    def _whatsapp_preferred(self, previous, partner=None):
        """Return whose customer it is, and why; see ``hr.employee``.

        :param previous: ``crm.lead`` of the same person that is closed, perhaps none
        :param partner: the contact, if it is known; else that of the lead
        """
        partner = partner or self.lead_id.partner_id._whatsapp_by_number()
        company = self._whatsapp_company()
        candidates = [
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
        country = self.env["res.country"].search([("code", "=", region)], limit=1)
        language = self._whatsapp_language(country)
        if not partner:
            return {
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
        languages = self.env["res.lang"].search([("active", "=", True)])
        here = languages.filtered(
            lambda lang: country and lang.code.endswith(f"_{country.code}")
        )
        if here or not country:
            return here[:1]
        spoken = get_official_languages(country.code, de_facto=True)
        known = languages.filtered(lambda lang: lang.code.split("_")[0] in spoken)
        own = known.filtered(lambda lang: lang.code == self.gateway_id._whatsapp_lang())
        return own or known[:1]

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
            lead._whatsapp_pass_on_absent()
        if referral:
            lead._whatsapp_came_by(referral)
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
                or channel.whatsapp_last_text
                or ""
            )
        if not channel.lead_id._whatsapp_has_owner():
            channel._assign_to_commercial_user()
        # with its rights: it may be a colleague's by now
        return channel.action_open_lead()

    def action_create_leads(self):
        """Make leads of the chosen conversations that have none, and assign them.

        Those of people who never become leads by themselves are left out: of them
        somebody decides one by one.

        :return: action that tells what was done
        :raise AccessError: the user is no salesperson, or may not change one of them
        """
        if not self.env.user.has_group(SALESPERSON):
            raise AccessError(self.env._("Only salespeople make leads."))
        self.check_access("write")
        without = self.filtered(
            lambda channel: channel._is_whatsapp() and not channel.sudo().lead_id
        )
        # sudo: discuss.channel - as for a message, which anybody may cause
        refused = without.filtered(
            lambda channel: channel.sudo()._whatsapp_refusal(
                channel._whatsapp_partners()
            )
        )
        for channel in without - refused:
            channel.action_create_lead()
        words = [
            self.env._(
                "%(made)s conversations have a lead now, %(there)s had one.",
                made=len(without - refused),
                there=len(self - without),
            )
        ]
        if refused:
            words.append(
                self.env._(
                    "Left out, as they are no customers: %s.",
                    ", ".join(refused.mapped("name")),
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if refused else "success",
                "title": self.env._("Leads"),
                "message": " ".join(words),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _whatsapp_lock_keys(self):
        """Return the names under which the work on these people is locked."""
        keys = set()
        for channel in self:
            person = Identity.of_token(channel.gateway_channel_token)
            company = channel.gateway_id.company_id.id or 0
            names = [*person.keys]
            if channel.whatsapp_phone:
                names.append(f"phone:{channel.whatsapp_phone}")
            if channel.whatsapp_bsuid:
                names.append(f"bsuid:{channel.whatsapp_bsuid}")
            keys |= {f"whatsapp:{company}:{name}" for name in names}
        return sorted(keys)

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
                self._whatsapp_join(self.gateway_id.member_ids)
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
        self._whatsapp_join(lead.user_id)
        self._whatsapp_leave(old.user_id - lead.user_id)
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

    @api.model
    def _whatsapp_links(self, words, leads):
        links = Markup(", ").join(lead._get_html_link() for lead in leads)
        return Markup("<p>%s %s</p>") % (words, links)

    # ------------------------------------------------------------- assignment

    def _assign_to_commercial_user(self, returning=False):
        """Hand the lead to its salesperson: who has it, else whose turn it is.

        :param bool returning: the customer comes back to a lead that was closed:
            whoever had it gets it again if on duty
        :return: the salesperson, perhaps nobody
        """
        self.ensure_one()
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
            lead._whatsapp_give(choice.user)
        lead.write(
            {
                "whatsapp_opened_at": self.env.cr.now(),
                "whatsapp_queued_at": not choice.user and fields.Datetime.now(),
            }
        )
        self._whatsapp_hand(choice)
        return choice.user

    def _whatsapp_hand(self, choice):
        """Note who has the lead and why, and begin to wait for the first answer.

        :param choice: ``models.hr_employee.Choice``
        """
        if choice.nobody:
            self._whatsapp_join(self.gateway_id.member_ids)
        self.env["whatsapp.assignment"]._note(self.lead_id, choice)
        self.lead_id._whatsapp_start_clock()
        self._whatsapp_send_notices()

    def _whatsapp_send_notices(self):
        """Wake the mail queue, to which inbound work leaves its notices."""
        woken = self.env.cr.precommit.data
        if not woken.get("crm_whatsapp_gateway.notices"):
            woken["crm_whatsapp_gateway.notices"] = True
            # sudo: ir.cron - the webhook user may not read crons
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _whatsapp_join(self, users):
        """Let people in, silently."""
        if users:
            # sudo: discuss.channel.member - colleagues do not invite each other
            self.sudo().add_members(
                partner_ids=users.partner_id.ids, post_joined_message=False
            )

    def _whatsapp_leave(self, users):
        """Let people out whose conversation it is no longer."""
        if users:
            # sudo: discuss.channel - they may not see it any more
            channel = self.sudo()
            if not self.env.lang:  # a webhook or cron: Odoo's line would be English
                lang = channel.gateway_id._whatsapp_lang()
                channel = channel.with_context(lang=lang)
            for partner in users.partner_id & channel.channel_member_ids.partner_id:
                channel._action_unfollow(partner)

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
