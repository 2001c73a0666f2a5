# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""To whom a message about a record goes, and how, whatever the record is."""

import logging
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import plaintext2html

from .. import compat
from ..queue.locks import forget
from ..tools import identity as wa_identity
from ..tools import template_words
from ..tools.identity import Identity

_logger = logging.getLogger(__name__)

# Models that are no documents, though they have a contact or a number
NO_DOCUMENTS = (
    "base.",
    "bus.",
    "discuss.",
    "fetchmail.",
    "im_livechat.",
    "ir.",
    "mail.",
    "res.",
    "utm.",
    "whatsapp.",
)
DOCUMENTS = ("res.partner",)  # that are some, all the same


@dataclass(frozen=True)
class Recipient:
    """One number, or user id, of one person that a record is about.

    `partner` is the ``res.partner`` it was found on, perhaps none; `name` what a new
    conversation is called.
    """

    person: Identity
    name: str
    partner: Any


def _words_of(partner):
    """Return what is known of a contact, see ``_whatsapp_known_values``."""
    name = partner.name
    first = template_words.first_name(name)
    return {
        template_words.FIRST_NAME: name if partner.is_company else first,
        template_words.FULL_NAME: first and name,
        template_words.COMPANY: partner.commercial_company_name,
        template_words.EMAIL: partner.email,
        template_words.CITY: partner.city,
    }


class Base(models.AbstractModel):
    _inherit = "base"

    def unlink(self):
        """Remember nothing in work of ours: the database deletes others along."""
        res = super().unlink()
        forget(self.env.cr)
        return res

    @api.model
    def _whatsapp_number_names(self):
        """Return the names of the fields that hold phone numbers."""
        return [
            name for name in self._phone_get_number_fields() if name in self._fields
        ]

    def _whatsapp_customers(self):
        """Return the contacts that a message about this record may go to. A hook.

        :return: ``res.partner``, never one of ours: of a meeting its guests, not who
            organizes it
        """
        self.ensure_one()
        found = self._mail_get_partners()[self.id]
        return found if self._name == "res.partner" else found._whatsapp_outside()

    def _whatsapp_recipients(self, customers=None):
        """Return to whom a message about this record may go, the most likely first.

        The numbers of the record itself, then those of its customers, then the
        conversations of customers who never told their number.

        :param customers: ``res.partner`` to take in place of the record's
        :return: list of :class:`Recipient`, each person once
        """
        self.ensure_one()
        own = {} if customers is not None else self._whatsapp_own_numbers()
        customers = self._whatsapp_customers() if customers is None else customers
        # sudo: res.partner - numbers and conversations of the customers of a record
        # that the caller reads
        known = [customer.sudo() for customer in customers]
        found = {}
        for phone in own:
            partner = next(
                (one for one in known if phone in one._whatsapp_e164()), None
            )
            name = (partner or self).display_name
            partner = (partner or customers.sudo().browse()).with_env(self.env)
            found[phone] = Recipient(Identity.of_token(phone), name, partner)
        for partner in known:
            shown = partner.display_name, partner.with_env(self.env)
            for phone in partner._whatsapp_e164():
                person = Identity.of_token(phone)
                found.setdefault(phone, Recipient(person, *shown))
            for token in partner.gateway_channel_ids.mapped("gateway_token"):
                person = Identity.of_token(token)
                if person and not person.phone:
                    found.setdefault(token, Recipient(person, *shown))
        return list(found.values())

    def _whatsapp_own_numbers(self):
        """Return the numbers in the fields of this record, in E.164, each once."""
        names = self._whatsapp_number_names()
        if not names:
            return []
        company = self._whatsapp_company_of() or self.env.company
        country = self._phone_get_country().get(self.id) or company.country_id
        found = {}
        for name in names:
            found |= dict.fromkeys(wa_identity.numbers(self[name], country.code))
        return list(found)

    # ------------------------------------------------------------- hooks

    @api.model
    def _whatsapp_is_document(self):
        """Tell whether records of this model are sent to customers. A hook.

        Those with a contact or a number, and with a history that shows what became of
        what was sent.
        """
        if self._abstract or self._transient or not self._auto:
            return False
        if self._name.startswith(NO_DOCUMENTS) and self._name not in DOCUMENTS:
            return False
        return hasattr(self, "_message_log") and bool(
            self._name in DOCUMENTS
            or self._mail_get_partner_fields()
            or self._whatsapp_number_names()
        )

    def _whatsapp_company_of(self):
        """Return the ``res.company`` that this record belongs to, perhaps none."""
        self.ensure_one()
        return (
            self["company_id"]
            if "company_id" in self._fields
            and self._fields["company_id"].comodel_name == "res.company"
            else self.env["res.company"]
        )

    def _whatsapp_gateways(self):
        """Return the numbers that this record may be sent from. A hook.

        Those of its company, and those of no company.

        :return: ``mail.gateway`` that the user may read
        """
        companies = self._whatsapp_company_of() or self.env.companies
        return self.env["mail.gateway"].search(
            [
                ("gateway_type", "=", "whatsapp"),
                ("company_id", "in", [*companies.ids, False]),
            ],
            order="id",
        )

    def _whatsapp_gateway_for(self, person, gateways):
        """Return the number that this record is sent from to a person. A hook.

        The one that the person was last in touch with, else that of the company of the
        record, else the first.

        :param person: ``tools.identity.Identity``
        :param gateways: ``mail.gateway`` to choose from
        :return: one of them, or none if there is none
        """
        channels = self.env["discuss.channel"].sudo()
        for gateway in gateways:
            # sudo: discuss.channel - with which number the person is in touch
            channels |= gateway._whatsapp_look_up(person)[:1].sudo()
        last = channels.sorted(
            lambda channel: (
                bool(channel.whatsapp_last_customer_date),
                channel.whatsapp_last_customer_date or channel.create_date,
            )
        )[-1:]
        known = last.gateway_id.with_env(self.env) & gateways
        company = self._whatsapp_company_of() or self.env.company
        own = gateways.filtered(lambda gateway: gateway.company_id == company)
        return (known or own or gateways)[:1]

    def _whatsapp_reports(self):
        """Return what this record can be printed with, the most likely first. A hook.

        :return: ``ir.actions.report`` of which the user may print each
        """
        # sudo: ir.actions.report - for administrators only; whether the user may print
        # with each is asked for
        found = (
            self.env["ir.actions.report"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("report_type", "=", "qweb-pdf"),
                    ("binding_model_id.model", "=", self._name),
                ],
                order="id",
            )
        )
        return found.with_env(self.env).filtered(
            lambda report: report._whatsapp_may_print()
        )

    def _whatsapp_not_ready(self):
        """Return why this record cannot be sent to anybody yet, or ''. A hook."""
        return ""

    def _whatsapp_check_ready(self):
        """Refuse to send what is not ready for customers.

        :raise UserError: with the reason
        """
        if why := self._whatsapp_not_ready():
            raise UserError(why)

    def _whatsapp_first_text(self):
        """Return what stands in the text before anybody writes. A hook."""
        return ""

    def _whatsapp_sent_from(self, rows):
        """Something about this record was given to the queue for a customer. A hook.

        Called once for each message, in the transaction in which it is queued, with the
        rights of who sends it: an addon marks a quotation as sent, or links the lead.

        :param rows: ``whatsapp.message.queue`` of the message, with all rights: one, or
            several files; ``rows.channel_id`` is the conversation
        """

    def _whatsapp_answered(self, message, meaning):
        """The customer answered in WhatsApp to a message about this record. A hook.

        Called once for each answer; the history of the record shows it already.

        :param message: ``mail.message`` in the conversation
        :param meaning: of the button of the template that was pressed, 'yes' or
            'other'; None: the answer was typed
        """

    # ------------------------------------------------------------- to whom, what

    def _whatsapp_chat_with(self, gateway, recipient):
        """Return the conversation with a recipient, or one that is not begun yet.

        :return: ``discuss.channel`` with all rights, to look at
        """
        # sudo: discuss.channel - it may be a colleague's, which is said
        found = gateway._whatsapp_look_up(recipient.person)[:1].sudo()
        return found or found.new(
            gateway._whatsapp_conversation_vals(recipient.person, recipient.name, self)
        )

    def _whatsapp_lang_for(self, gateway, recipient):
        """Return the code of the language in which a recipient is written to."""
        chat = self._whatsapp_chat_with(gateway, recipient)
        # sudo: res.partner - the customer's language, whoever asks
        lang = recipient.partner.sudo().lang if not chat.ids else None
        return lang or chat._whatsapp_customer_lang() or ""

    def _whatsapp_values_for(self, template, gateway, recipient):
        """Return what the variables of a template show of this record.

        :param template: ``mail.whatsapp.template``
        :return: dict, ``tools.template.Variable`` -> str, '' if nothing is known
        """
        chat = self._whatsapp_chat_with(gateway, recipient)
        partner = recipient.partner.with_user(self.env.uid)
        partner = partner if partner.has_access("read") else partner.browse()
        known = chat._whatsapp_known_values()
        if partner:
            words = _words_of(partner)
            known |= {kind: word for kind, word in words.items() if word}
        # sudo: ir.model - what the template is about
        model, about = template.sudo().model_id.model, None
        if model == self._name:
            about = self
        elif model == partner._name:
            about = partner
        elif chat.ids:
            about = template._whatsapp_record(chat).with_user(self.env.uid)
            about = about if about.has_access("read") else None
        return {
            variable: template._whatsapp_default(variable, about)
            or template._whatsapp_guess(variable, known)
            or ""
            for variable in template._whatsapp_variables()
        }

    def _whatsapp_why_not_to(self, gateway, recipient, template=None, values=None):
        """Return why this record cannot be sent to somebody, or '', before it is.

        :param template: ``mail.whatsapp.template``, or None: a text
        :param dict values: of the template
        """
        chat = self._whatsapp_chat_with(gateway, recipient)
        try:
            self._whatsapp_check_ready()
            if chat.ids:
                chat._whatsapp_check_mine()
            else:
                gateway._whatsapp_check_writer()
            self.env["mail.gateway.whatsapp"]._check_allowed(chat, template)
        except UserError as error:
            return str(error.args[0])
        empty = [
            template._whatsapp_words_around(variable)
            for variable, value in (values or {}).items()
            if not (value or "").strip()
        ]
        if empty:
            return self.env._("Nothing is known for: %s", "; ".join(empty))
        return ""

    # ------------------------------------------------------------- sending

    def _whatsapp_send_record(
        self,
        gateway,
        recipient,
        *,
        template=None,
        values=None,
        header=None,
        text="",
        files=None,
    ):
        """Send a customer something about this record, through the queue.

        The history of the record shows it, and what becomes of it.

        :param gateway: ``mail.gateway`` to send from
        :param recipient: one of :meth:`_whatsapp_recipients`
        :param template: ``mail.whatsapp.template``, or None: a text
        :param dict values: of the template, see its ``_whatsapp_send``
        :param header: of the template, likewise
        :param str text: what is sent without a template
        :param files: ``ir.attachment`` that go with the text
        :return: the rows of ``whatsapp.message.queue``, with all rights
        :raise AccessError: the user does not work with WhatsApp, may read neither the
            record nor a file, or begins no conversations from this number
        :raise UserError: it is a colleague's conversation, the window is closed, a
            variable is empty, the customer opted out ...
        """
        self.ensure_one()
        self.env.user._whatsapp_check_works()
        self.check_access("read")
        self._whatsapp_check_ready()
        channel = gateway._whatsapp_conversation_of_user(
            recipient.person, recipient.name, self
        )
        # sudo: whatsapp.message.queue - who may send shows what becomes of it
        queue = self.env["whatsapp.message.queue"].sudo()
        if template:
            rows = template._whatsapp_send(channel, values or {}, header).sudo()
        else:
            files = files or self.env["ir.attachment"]
            compat.check_files(files.with_user(self.env.uid))
            own = [file._whatsapp_for_message(channel).id for file in files]
            message = channel.message_post(
                body=plaintext2html(text.strip()) if text.strip() else "",
                attachment_ids=own,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
            rows = queue.search([("message_id", "=", message.id)], order="id")
        self._whatsapp_show_sent(rows)
        self._whatsapp_sent_from(rows)
        return rows

    # ------------------------------------------------------------- automatically

    def _whatsapp_send_automatically(self, template, customers=None, gateway=None):
        """Send a template about this record because an administrator decided so.

        Each customer gets one message, however many numbers there are. What cannot be
        sent is said in the history of the record, and stops nothing else.

        :param template: ``mail.whatsapp.template``
        :param customers: ``res.partner`` to take in place of the record's
        :param gateway: ``mail.gateway`` to send from, the template's if none
        :return: the rows of ``whatsapp.message.queue``, with all rights
        """
        self.ensure_one()
        channels, refused = self._whatsapp_conversations(
            gateway or template.gateway_id, customers
        )
        # sudo: whatsapp.message.queue - see _whatsapp_send_record
        rows = self.env["whatsapp.message.queue"].sudo()
        for channel in channels:
            try:
                with self.env.cr.savepoint():
                    rows |= self._whatsapp_send_template(template, channel)
            except UserError as error:
                refused.append(error.args[0])
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:  # the transaction is repeated
                raise
            except Exception:  # such as of a report: it is no customer's fault
                _logger.exception("template %s could not be sent", template.id)
                refused.append(
                    self.env._(
                        "there was an error. An administrator finds it in the log of"
                        " the server."
                    )
                )
        for reason in refused if hasattr(self, "_message_log") else ():
            self._message_log(
                body=self.env._(
                    "The WhatsApp template %(name)s was not sent: %(reason)s",
                    name=template.name,
                    reason=reason,
                )
            )
        return rows

    def _whatsapp_conversations(self, gateway, customers=None):
        """Return the conversations with those whom this record is about. A hook.

        :param gateway: ``mail.gateway`` that they are with
        :param customers: ``res.partner`` to take in place of the record's
        :return: tuple of list of ``discuss.channel``, new ones where there are none,
            and list of reasons why somebody gets nothing
        """
        recipients = self._whatsapp_recipients(customers)
        if customers is None and any(not each.partner for each in recipients):
            recipients = recipients[:1]  # the record says itself whose number it is
            customers = recipients[0].partner
        elif customers is None:
            customers = self._whatsapp_customers()
        chosen = {}
        for each in recipients:
            chosen.setdefault(each.partner, each)
        channels = [
            gateway._whatsapp_conversation(each.person, each.name, self)
            for each in chosen.values()
        ]
        refused = [
            self.env._("%s has no phone number.", customer.display_name)
            for customer in customers
            if customer not in chosen
        ]
        if not chosen and not refused:
            refused = [self.env._("there is no phone number.")]
        return list(dict.fromkeys(channels)), refused

    def _whatsapp_send_template(self, template, channel):
        """Send a template with the values of this record, see the method above.

        :raise UserError: an empty variable, an opt-out, nothing for the header ...
        """
        self._whatsapp_check_ready()
        values = {
            variable: template._whatsapp_default(variable, self)
            for variable in template._whatsapp_variables()
        }
        # sudo: the record, discuss.channel - an administrator decided that this is
        # sent, whoever makes the change that it is sent for
        header = template.sudo()._whatsapp_header_of(self.sudo())
        rows = template._whatsapp_send(channel.sudo(), values, header).sudo()
        if not self._whatsapp_shows(rows):
            self._whatsapp_show_sent(rows)
        self._whatsapp_sent_from(rows)
        return rows

    # ------------------------------------------------------------- what is shown

    def _whatsapp_shows(self, rows):
        """Tell whether this record shows these messages anyway. A hook.

        :param rows: ``whatsapp.message.queue``, with all rights
        """
        return False

    def _whatsapp_show_sent(self, rows):
        """Show what is sent in the history of this record, with its state.

        :param rows: ``whatsapp.message.queue``, with all rights
        """
        message = rows.message_id
        if not message or not hasattr(self, "_message_log"):
            return
        channel = rows.channel_id
        name, number = channel.name, wa_identity.display(channel.whatsapp_phone or "")
        if number and number != name:
            name = f"{name} ({number})"
        body = Markup('<p>%s</p><div class="border-start ps-2">%s</div>') % (
            self.env._("Sent by WhatsApp to %s", name),
            message.body,
        )
        # sudo: the record, mail.message, mail.notification - who may read the record
        # may send it; that it was sent is shown on it
        note = self.sudo()._message_log(
            body=body,
            author_id=self.env.user.partner_id.id,
            attachment_ids=self._whatsapp_own_copies(message.attachment_ids).ids,
        )
        note.sudo().gateway_type = "whatsapp"
        message.sudo().gateway_message_id = note.id
        status = rows.notification_id[:1].notification_status or "ready"
        self.env["mail.notification"].sudo().create(
            {
                "mail_message_id": note.id,
                "gateway_channel_id": channel.id,
                "notification_type": "gateway",
                "gateway_type": "whatsapp",
                "notification_status": status,
                "whatsapp_status_date": fields.Datetime.now(),
            }
        )

    def _whatsapp_own_copies(self, files):
        """Return the files of this record with the same content, new ones if need be.

        Those of a conversation are not for who sees the record, nor the other way.

        :param files: ``ir.attachment``
        """
        # sudo: ir.attachment - see _whatsapp_show_sent
        files = files.sudo()
        own = files.browse()
        for file in files:
            mine = {"res_model": self._name, "res_id": self.id, "name": file.name}
            known = files.search(
                [
                    *((name, "=", value) for name, value in mine.items()),
                    ("checksum", "=", file.checksum),
                ],
                limit=1,
            )
            own |= known or files.create(
                {**mine, "raw": file.raw, "mimetype": file.mimetype}
            )
        return own
