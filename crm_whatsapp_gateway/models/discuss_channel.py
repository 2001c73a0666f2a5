# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import UTC, datetime

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import html2plaintext

from .. import compat
from ..tools import identity as wa_identity
from ..tools import window
from ..tools.identity import Identity
from .hr_employee import SALESPERSON

CALL_ACTIVITY = "mail.mail_activity_data_call"
PREVIEW = 200  # characters of the last message in the inbox
INBOX_BUS = "crm_whatsapp_gateway/inbox"


class DiscussChannel(models.Model):
    _inherit = "discuss.channel"

    # OCA's plain related field shows the API token to every reader
    gateway_token = fields.Char(groups="base.group_system")
    gateway_id = fields.Many2one(index="btree_not_null")

    lead_id = fields.Many2one(
        "crm.lead",
        index="btree_not_null",
        ondelete="set null",
        copy=False,
    )
    lead_stage_id = fields.Many2one(related="lead_id.stage_id", string="Stage")
    whatsapp_user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        related="lead_id.user_id",
        store=True,
        index="btree_not_null",
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
    whatsapp_last_text = fields.Char(string="Last message", readonly=True, copy=False)
    whatsapp_last_date = fields.Datetime(
        string="Last message on", readonly=True, copy=False, index="btree_not_null"
    )
    whatsapp_last_author = fields.Selection(
        [("customer", "Customer"), ("us", "Us")],
        string="Last word",
        readonly=True,
        copy=False,
    )
    whatsapp_last_customer_date = fields.Datetime(
        string="Customer's last message on", readonly=True, copy=False
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
             WHERE channel_type = 'gateway'
            """
        )
        return super().init()

    @api.model
    def _search(self, domain, offset=0, limit=None, order=None, **kwargs):
        """Let nobody find out the API token by searching for it."""
        compat.refuse_secrets(self, domain, order, {"gateway_token"})
        return super()._search(domain, offset, limit, order, **kwargs)

    # ------------------------------------------------------------- compute

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

    @api.depends("whatsapp_last_customer_date")
    def _compute_whatsapp_window_open(self):
        now = datetime.now(UTC)
        for channel in self:
            last = channel.whatsapp_last_customer_date
            channel.whatsapp_window_open = window.is_open(
                last and last.replace(tzinfo=UTC), now
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
                lead, why = channel.sudo()._find_existing_lead()
                if lead:
                    channel.sudo()._whatsapp_link(lead, why)
        return channels

    def _is_whatsapp(self):
        return (
            self.channel_type == "gateway"
            and self.gateway_id.gateway_type == "whatsapp"
            and bool(self.gateway_channel_token)
        )

    def _whatsapp_learn_identity(self, person):
        """Keep every name of the person; unhide the conversation.

        :param person: ``tools.identity.Identity``
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
        if person.phone and person.phone != self.gateway_channel_token:
            # the id under which Meta knows the person now
            values["gateway_channel_token"] = person.phone
        if not self.active:
            values["active"] = True
        if values:
            self.write(values)

    def _whatsapp_move_identity(self, person):
        """Follow a person to a new number or user id; lead and history stay.

        :param person: the new ``tools.identity.Identity``
        """
        self.ensure_one()
        token = person.token
        if not person.phone and self.whatsapp_phone:
            token = self.gateway_channel_token  # the number stays as it was
        taken = self.gateway_id._whatsapp_find_channel(person) - self
        if taken:
            # a conversation with the new name exists: its messages go there
            return
        values = {"gateway_channel_token": token}
        if person.canonical:
            values["whatsapp_phone"] = person.canonical
        if person.bsuid:
            values["whatsapp_bsuid"] = person.bsuid
        self.write(values)
        self.channel_member_ids.guest_id.gateway_token = token
        lead = self.lead_id
        if person.canonical and lead and not lead.partner_id:
            lead.phone = wa_identity.display(person.canonical)

    def _whatsapp_take_phone(self, number):
        """Keep the number that the customer gave when we asked for it.

        :param str number: as Meta sent it, or None
        """
        phone = number and self._normalize_phone_number("+" + number.lstrip("+"))
        if not phone or self.whatsapp_phone:
            return
        self.whatsapp_phone = phone
        lead = self.lead_id
        if lead and not lead.phone:
            lead.phone = wa_identity.display(phone)

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

    def _find_existing_lead(self):
        """Find the open lead of this person.

        :return: tuple of the lead (perhaps empty) and the words that say why
        """
        self.ensure_one()
        leads = self.env["crm.lead"]
        company = self.company_id or self.gateway_id.company_id
        if self.whatsapp_bsuid:
            found = leads._whatsapp_open(
                [("whatsapp_channel_ids.whatsapp_bsuid", "=", self.whatsapp_bsuid)],
                company,
            )
            if found:
                return found, self.env._(
                    "the same WhatsApp user (%s)", self.whatsapp_bsuid
                )
        if self.whatsapp_phone:
            phones = wa_identity.variants(self.whatsapp_phone)
            # looked up before: one query over both tables could use no index
            partners = self.env["res.partner"].search(
                [("phone_sanitized", "in", phones)]
            )
            found = leads._whatsapp_open(
                [
                    "|",
                    ("phone_sanitized", "in", phones),
                    ("partner_id", "in", partners.ids),
                ],
                company,
            )
            if found:
                return found, self.env._(
                    "the same number (%(here)s = %(there)s)",
                    here=wa_identity.display(self.whatsapp_phone),
                    there=found.phone or found.partner_id.phone,
                )
        return leads, ""

    def _create_lead_from_whatsapp(self, text=""):
        """Create the lead with all that is known, linked, in the right hands.

        :param str text: the first message
        :return: the lead
        """
        self.ensure_one()
        partner = self.channel_member_ids.partner_id.filtered("partner_share")[:1]
        if not partner and self.whatsapp_phone:
            partner = self.env["mail.gateway.whatsapp"]._partner_by_phone(
                self.gateway_id, Identity.of_token(self.whatsapp_phone)
            )
        values = self._whatsapp_lead_values(partner, text)
        company = self.env["res.company"].browse(values["company_id"])
        # sudo: hr.employee - the webhook user need not read employees
        employees = self.env["hr.employee"].sudo()
        employee, reason = employees._whatsapp_next(company)
        lead = self.env["crm.lead"].create(
            {
                **values,
                "user_id": employee.user_id.id,
                "whatsapp_opened_at": fields.Datetime.now(),
            }
        )
        self._whatsapp_link(lead, "")
        self._whatsapp_join(lead.user_id or self.gateway_id.member_ids)
        self.env["whatsapp.assignment"]._note(company, lead, employee, reason)
        self._whatsapp_send_notices()
        return lead

    def _whatsapp_lead_values(self, partner, text):
        gateway = self.gateway_id
        company = self.company_id or gateway.company_id or self.env.company
        region = wa_identity.region(self.whatsapp_phone or "")
        country = self.env["res.country"].search([("code", "=", region)], limit=1)
        team = gateway.whatsapp_team_id
        values = {
            "name": self.env._("%s (WhatsApp)", self.name),
            "type": "lead" if team.use_leads else "opportunity",
            "company_id": company.id,
            # without one, that of the salesperson
            **({"team_id": team.id} if team else {}),
            "description": text and Markup("<p>%s</p>") % text,
            "phone": self.whatsapp_phone and wa_identity.display(self.whatsapp_phone),
            "country_id": country.id,
            "lang_id": self._whatsapp_language(country).id,
            "source_id": self.env.ref("crm_whatsapp_gateway.utm_source_whatsapp").id,
            "medium_id": self.env.ref("crm_whatsapp_gateway.utm_medium_whatsapp").id,
        }
        if partner:
            values["partner_id"] = partner.id
        else:
            values["contact_name"] = self.name
        return values

    def _whatsapp_language(self, country):
        """Return the installed language that is spoken where the number is from."""
        languages = self.env["res.lang"].search([("active", "=", True)])
        spoken = languages.filtered(
            lambda lang: country and lang.code.endswith(f"_{country.code}")
        )
        return spoken[:1]

    def _link_or_create_lead(self, text=""):
        """Give the conversation the one open lead of its person.

        :param str text: the customer's message, for the description of a new lead
        :return: the lead
        """
        self.ensure_one()
        lead = self.lead_id
        if not lead or not lead._whatsapp_is_open():
            lead, why = self._find_existing_lead()
            if not lead:
                return self._create_lead_from_whatsapp(text)
            self._whatsapp_link(lead, why)
        if not lead.user_id or not lead.whatsapp_opened_at:
            self._assign_to_commercial_user()
        if not lead.whatsapp_opened_at:
            lead.whatsapp_opened_at = fields.Datetime.now()
        return lead

    def _whatsapp_link(self, lead, why):
        """Link with a lead, and say on it why.

        :param str why: why this existing lead, or empty for a new one
        """
        self.lead_id = lead
        if why:
            note = self.env._("WhatsApp conversation linked: %s.", why)
        else:
            note = self.env._(
                "Created by the WhatsApp message of %s: no open lead has this number"
                " or WhatsApp user.",
                self.name,
            )
        lead._message_log(body=note)

    def _assign_to_commercial_user(self):
        """Hand the lead to the next salesperson, unless it has one.

        :return: the salesperson, perhaps nobody
        """
        self.ensure_one()
        lead = self.lead_id
        company = lead.company_id or self.env.company
        employee = self.env["hr.employee"]
        if not lead.user_id:
            # sudo: as for a new lead
            employee = employee.sudo().get_next_whatsapp_assignee(company, lead)
        if employee:
            self._whatsapp_send_notices()
            return lead.user_id
        self._whatsapp_join(lead.user_id or self.gateway_id.member_ids)
        if not lead.whatsapp_opened_at:
            reason = (
                self.env._("Was the salesperson of this lead already")
                if lead.user_id
                else self.env._("Nobody is on duty")
            )
            self.env["whatsapp.assignment"]._note(company, lead, employee, reason)
        return lead.user_id

    def _whatsapp_send_notices(self):
        """Wake the mail queue, to which inbound work leaves its notices."""
        woken = self.env.cr.precommit.data
        if not woken.get("crm_whatsapp_gateway.notices"):
            woken["crm_whatsapp_gateway.notices"] = True
            # sudo: ir.cron - the webhook user may not read crons
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _whatsapp_join(self, users):
        """Let people in, silently."""
        # sudo: discuss.channel.member - colleagues do not invite each other
        self.sudo().add_members(
            partner_ids=users.partner_id.ids, post_joined_message=False
        )

    def _create_immediate_call_activity(self):
        """Ask the salesperson for a call now, unless a call is asked for.

        :return: the new activities
        """
        activities = self.env["mail.activity"]
        call = self.env.ref(CALL_ACTIVITY)
        for lead in self.lead_id:
            if call in lead.activity_ids.activity_type_id:
                continue
            responsible = lead._whatsapp_responsible()
            words = self.with_context(lang=responsible.lang).env
            # the salesperson has the notice of the lead, and the message itself
            activities += lead.with_context(
                mail_activity_quick_update=True
            ).activity_schedule(
                CALL_ACTIVITY,
                date_deadline=fields.Date.context_today(
                    lead.with_context(tz=lead.user_id.tz)
                ),
                summary=words._("Call now: WhatsApp message"),
                note=words._("The customer has just written by WhatsApp."),
                user_id=responsible.id,
            )
        return activities

    # ------------------------------------------------------------- inbox

    def message_post(self, **kwargs):
        """Let a received message bear Meta's id from the beginning."""
        if wamid := self.env.context.get("whatsapp_message_id"):
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

    def _whatsapp_note_posted(self, message):
        """Keep what we wrote as the last word.

        :param message: one ``mail.message``
        """
        self._whatsapp_note(
            html2plaintext(message.body or "").strip()
            or ", ".join(message.attachment_ids.mapped("name")),
            message.date,
            "us",
        )

    def _whatsapp_note(self, text, date, author, opens_window=False):
        """Keep the last word, and wake the inboxes.

        :param str text: what was written
        :param date: when, UTC
        :param str author: 'customer' or 'us'
        :param bool opens_window: free text is possible for 24 hours from now
        """
        self.ensure_one()
        values = {}
        last = self.whatsapp_last_customer_date
        if opens_window and (not last or date > last):
            values["whatsapp_last_customer_date"] = date
        if not self.whatsapp_last_date or date >= self.whatsapp_last_date:
            values.update(
                whatsapp_last_text=" ".join(text.split())[:PREVIEW],
                whatsapp_last_date=date,
                whatsapp_last_author=author,
            )
            if author == "us":
                values["whatsapp_waiting_since"] = False
            elif not self.whatsapp_waiting_since:
                values["whatsapp_waiting_since"] = date
        if values:  # each write makes Discuss compare what everybody sees
            self.write(values)
        group = self.env["ir.model.data"]._xmlid_to_res_id(SALESPERSON)
        self.env["bus.bus"]._sendone(
            self.env["res.groups"].browse(group), INBOX_BUS, {"id": self.id}
        )

    def _to_store(self, store, *args, **kwargs):
        """Tell the web client which lead belongs to the conversation."""
        res = super()._to_store(store, *args, **kwargs)
        for channel in self.filtered(lambda channel: channel._is_whatsapp()):
            compat.store_values(store, channel, channel._whatsapp_store_values())
        return res

    def _whatsapp_store_values(self):
        # sudo: crm.lead - its name is shown in a conversation that one may read
        lead = self.sudo().lead_id
        closes = window.closes_at(
            self.whatsapp_last_customer_date
            and self.whatsapp_last_customer_date.replace(tzinfo=UTC)
        )
        return {
            "whatsapp_lead": {
                "id": lead.id,
                "name": lead.name,
                "stage": lead.stage_id.name,
                "user": lead.user_id.name or "",
                "phone": lead.phone or "",
            }
            if lead
            else False,
            "whatsapp_window_closes": fields.Datetime.to_string(
                closes.replace(tzinfo=None)
            )
            if closes
            else False,
        }

    def action_open_whatsapp(self):
        """Open the conversation as a window over the current page."""
        self.ensure_one()
        self.check_access("read")
        if not self.is_member:
            # typing asks for a member: whoever opens in order to answer joins
            self._whatsapp_join(self.env.user)
        return {
            "type": "ir.actions.client",
            "tag": "crm_whatsapp_gateway.open_chat",
            "params": {"channel_id": self.id},
        }

    def action_open_lead(self):
        """Open the lead of the conversation."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "views": [(False, "form")],
        }
