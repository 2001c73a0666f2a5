# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

import psycopg2
from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import compat
from ..tools import markup, payloads, template, template_made, template_words
from ..tools.errors import CloudApiError
from .mail_gateway_whatsapp_kinds import TEMPLATE_STATES
from .mail_whatsapp_template_header import HEADER
from .mail_whatsapp_template_made import MADE

_logger = logging.getLogger(__name__)

CATEGORIES = ("authentication", "marketing", "utility")
CATEGORY_CHANGED = "mail_gateway_whatsapp_queue.mail_activity_type_template"


class MailWhatsappTemplate(models.Model):
    _name = "mail.whatsapp.template"
    _inherit = ["mail.whatsapp.template", HEADER, MADE]
    _rec_names_search = ["name", "template_name", "body"]

    gateway_id = fields.Many2one(default=lambda self: self._whatsapp_only_number())
    whatsapp_quality = fields.Char(
        string="Quality",
        readonly=True,
        copy=False,
        help="What Meta thinks of it, after what customers do with it.",
    )
    whatsapp_rejected_reason = fields.Char(
        string="Why it was rejected", readonly=True, copy=False
    )
    whatsapp_unsupported = fields.Selection(
        [
            ("header", "Its header is of a kind that is not known here"),
            ("button", "It has a button of a kind that is not known here"),
            ("component", "It has a part that is not known here"),
            (
                "authentication",
                "It gives a code to sign in with, which only the program that checks"
                " the code can send",
            ),
            (
                "carousel",
                "It is a carousel: each of its cards needs a picture and values of its"
                " own",
            ),
            ("offer", "It is an offer with a time limit, which is set when it is sent"),
            ("products", "It shows products of the catalog that are chosen at sending"),
        ],
        string="Why it cannot be sent from here",
        readonly=True,
        copy=False,
    )

    whatsapp_code = fields.Char(
        string="Code to copy",
        help="What the button copies, unless who sends the template enters another"
        " one.",
    )
    whatsapp_has_code = fields.Boolean(compute="_compute_whatsapp_has_code")

    @api.model
    def _whatsapp_only_number(self):
        """Return the number of a new template, if there is one only."""
        numbers = self.env["mail.gateway"].search([("gateway_type", "=", "whatsapp")])
        return numbers if len(numbers) == 1 else numbers.browse()

    @api.depends("button_ids.button_type")
    def _compute_whatsapp_has_code(self):
        for each in self:
            each.whatsapp_has_code = "copy_code" in each.button_ids.mapped(
                "button_type"
            )

    @api.constrains("whatsapp_code")
    def _whatsapp_check_code(self):
        for each in self.filtered("whatsapp_code"):
            try:
                payloads.copy_code_button(0, each.whatsapp_code)
            except payloads.NotSendable as error:
                refusal = self.env["mail.gateway.whatsapp"]._refusal(error)
                raise ValidationError(refusal.args[0]) from error

    # ------------------------------------------------------------- names

    @api.depends("name", "template_name", "template_uid", "language", "header", "body")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """Tell apart the templates that have one name in several languages."""
        for each in self:
            name = each._whatsapp_readable_name()
            language = each._whatsapp_language()
            each.display_name = f"{name} · {language}" if name and language else name

    def _whatsapp_readable_name(self):
        """Return the name that a person gave it, else Meta's in readable form."""
        name, technical = self.name or "", self.template_name or ""
        imported = (
            technical,
            technical.replace("_", " ").title(),  # as OCA reads it
            f"{technical} ({self.template_uid})",
        )
        if name not in imported:
            return name
        text = f"{self.header or ''} {self.body or ''}"
        return template_words.readable(technical, self.language or "", text)

    def _whatsapp_language(self):
        """Return the language in the words of who reads."""
        languages = dict(self._fields["language"]._description_selection(self.env))
        return languages.get(self.language, "")

    def _whatsapp_installed_lang(self):
        """Return the installed language that is closest to the template's, or None."""
        company = self.company_id or self.env.company
        # sudo: res.partner - of several that are as close, the company's own
        first = company.sudo().partner_id.lang
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        installed.sort(key=lambda code: code != first)
        return template_words.closest(self.language or "", installed)

    def _whatsapp_is_foreign(self, lang):
        """Tell whether this is in another language than a customer's.

        :param str lang: code such as 'es_MX'; 'es' and 'es_ES' are the same language
        """
        return self.language.split("_")[0] != lang.split("_")[0]

    def _whatsapp_searched(self):
        """Return names and text as a person searches them: see ``folded``."""
        names = (self.name, self.template_name, self._whatsapp_readable_name())
        texts = (self.header, self.body, self.footer, self._whatsapp_language())
        return template_words.folded(" ".join(filter(None, (*names, *texts))))

    # ------------------------------------------------------------- named variables

    def _whatsapp_is_named(self):
        """Tell whether the variables have names: OCA knows numbers only."""
        names = template.VARIABLE.findall(f"{self.header or ''} {self.body or ''}")
        return not all(name.isdecimal() for name in names)

    @api.depends("header", "body")
    def _compute_variable_ids(self):
        """Keep a row for each named variable, so that a field can fill it."""
        named = self.filtered(lambda each: each._whatsapp_is_named())
        res = super(MailWhatsappTemplate, self - named)._compute_variable_ids()
        for each in named:
            texts = {template.HEADER: each.header, template.BODY: each.body}
            wanted = {
                (part, f"{{{{{name}}}}}"): None
                for part, text in texts.items()
                for name in template.VARIABLE.findall(text or "")
            }
            rows = each.variable_ids.filtered(
                lambda row: row.line_type != template.BUTTON
            )
            kept = rows.filtered(
                lambda row, wanted=wanted: (row.line_type, row.name) in wanted
            )
            known = {(row.line_type, row.name) for row in kept}
            each.variable_ids = [
                *(Command.unlink(row.id) for row in rows - kept),
                *(
                    Command.create({"line_type": part, "name": name})
                    for part, name in wanted
                    if (part, name) not in known
                ),
            ]
        return res

    @api.constrains("variable_ids")
    def _check_variables(self):
        numbered = self.filtered(lambda each: not each._whatsapp_is_named())
        return super(MailWhatsappTemplate, numbered)._check_variables()

    # ------------------------------------------------------------- from Meta

    @api.model
    def _prepare_values_to_import(self, gateway, json_data):
        """Take every template that Meta describes, also what OCA does not know.

        :param dict json_data: one of ``tools.cloud_api.CloudApi.templates``
        """
        category = self._whatsapp_category(json_data.get("category"))
        state = TEMPLATE_STATES.get(json_data.get("status"))
        known = {
            **json_data,
            # OCA's selections; the true state follows
            "status": "DRAFT",
            "category": category or self.category or "utility",
            "components": [
                part
                for part in self._whatsapp_components(json_data)
                if self._is_readable(part)
            ],
        }
        values = super()._prepare_values_to_import(gateway, known)
        values.setdefault("body", json_data.get("name"))
        # what Meta no longer mentions is gone
        values.setdefault("header", False)
        values.setdefault("footer", False)
        buttons = [
            button
            for part in known["components"]
            if part.get("type") == "BUTTONS"
            for button in part["buttons"]
        ]
        more = self._whatsapp_more_buttons(buttons)
        if more:
            values["button_ids"] = [*values.get("button_ids", []), *more]
        texts = {button["text"] for button in buttons}
        gone = self.button_ids.filtered(lambda button: button.name not in texts)
        if gone:
            values["button_ids"] = [
                *(Command.delete(button.id) for button in gone),
                *values.get("button_ids", []),
            ]
        score = json_data.get("quality_score")
        why = template.unsupported(json_data)
        return {
            **values,
            "state": state or "disabled",
            "is_supported": not why,
            "whatsapp_unsupported": why,
            "whatsapp_header": self._whatsapp_header_described(json_data),
            "whatsapp_quality": score.get("score") if isinstance(score, dict) else None,
            "whatsapp_meta_state": False,
            **self._whatsapp_reason_described(json_data),
        }

    def _whatsapp_reason_described(self, described):
        """Return the values of why Meta refused a template that it described."""
        if described.get("status") != "REJECTED":
            return {"whatsapp_rejected_reason": None, "whatsapp_rejected_details": None}
        # what it recommends came when it refused it
        return {"whatsapp_rejected_reason": described.get("rejected_reason")}

    @api.model
    def _whatsapp_components(self, described):
        """Return the parts of a template that Meta described, as far as they are any.

        :param dict described: one of ``tools.cloud_api.CloudApi.templates``
        """
        of_buttons = self.env["mail.whatsapp.template.button"]
        parts = described.get("components")
        return [
            {**part, "buttons": of_buttons._whatsapp_described(part["buttons"])}
            if isinstance(part.get("buttons"), list)
            else part
            for part in (parts if isinstance(parts, list) else [])
            if isinstance(part, dict)
        ]

    def _whatsapp_more_buttons(self, buttons):
        """Return the commands for the buttons that OCA does not import.

        :param list buttons: as Meta describes them
        """
        commands = []
        for index, button in enumerate(buttons):
            kind = self.button_ids._whatsapp_kind(button["type"])
            if not kind:
                continue
            text = button["text"]
            values = {"sequence": index, "name": text, "button_type": kind}
            values |= self.button_ids._whatsapp_more_described(button)
            known = self.button_ids.filtered(lambda own, text=text: own.name == text)
            commands.append(
                Command.update(known.id, values) if known else Command.create(values)
            )
        return commands

    @api.model
    def _whatsapp_header_described(self, described):
        """Return the kind of file or place in the header that Meta described."""
        for part in self._whatsapp_components(described):
            if part.get("type") == "HEADER":
                return template.HEADERS.get(part.get("format"), False)
        return False

    @api.model
    def _is_readable(self, part):
        """Tell whether OCA can read a component without failing."""
        if part.get("type") == "HEADER":
            return part.get("format") == "TEXT" and bool(part.get("text"))
        if part.get("type") == "BUTTONS":
            buttons = part.get("buttons")
            return bool(buttons) and all(
                isinstance(button, dict)
                and isinstance(button.get("text"), str)
                and isinstance(button.get("type"), str)
                for button in buttons
            )
        return part.get("type") in ("BODY", "FOOTER") and bool(part.get("text"))

    # ------------------------------------------------------------- to Meta

    def _prepare_values_to_export(self):
        """Tell Meta of variables with names, which OCA does not know."""
        values = super()._prepare_values_to_export()
        if template_made.is_named(self._whatsapp_made()):
            values["parameter_format"] = "NAMED"
        return values

    def _prepare_components_to_export(self):
        """Replace OCA's, which knows neither files, codes and forms nor names.

        :return: list of dicts as Meta takes them; a file's handle is still missing
        """
        return template_made.components(self._whatsapp_made())

    def button_export_template(self):
        """Replace OCA's, whose errors repeat what Meta answers: submit the template.

        A new one is made at Meta, one that Meta has is changed. Done twice it is done
        once.

        :raise AccessError: only who may change the template
        :raise UserError: no account, what Meta would refuse, or what it answers instead
        """
        self.ensure_one()
        self.check_access("write")
        if not self.gateway_id.whatsapp_account_id:
            raise UserError(
                self.env._("Please enter the WhatsApp Business account ID first.")
            )
        try:
            client = self.gateway_id._whatsapp_client()
        except CloudApiError as error:
            raise self.gateway_id._whatsapp_refused(error) from error
        self._whatsapp_check_made()
        self._whatsapp_submit(client)

    def button_back2draft(self):
        """Let templates be changed, as far as Meta allows it.

        :raise AccessError: only who may change the template
        :raise UserError: Meta reviews it, or stopped it
        """
        self.check_access("write")
        for each in self:
            each._whatsapp_open()
        return super().button_back2draft()

    def button_sync_template(self):
        """Replace OCA's, whose errors repeat Meta's answer: read the template again.

        :raise AccessError: only who may change the template
        :raise UserError: what Meta answers instead
        """
        self.ensure_one()
        self.check_access("write")
        gateway = self.gateway_id
        try:
            described = gateway._whatsapp_client().template(self.template_uid)
        except CloudApiError as error:
            raise gateway._whatsapp_refused(error) from error
        self._whatsapp_import_one(gateway, described)
        return {"type": "ir.actions.client", "tag": "reload"}

    def _whatsapp_import(self, gateway, described):
        """Write what Meta says about the templates of an account.

        :param gateway: ``mail.gateway`` of the account
        :param described: iterable of dicts, all of the account's templates
        :return: tuple of counts: new, changed, gone
        """
        known = {
            found.template_uid: found
            for found in self.with_context(active_test=False).search(
                [("gateway_id", "=", gateway.id), ("template_uid", "!=", False)]
            )
        }
        languages = dict(self._fields["language"]._description_selection(self.env))
        new = changed = 0
        for each in described:
            uid = each.get("id")
            if not uid or not each.get("name") or each.get("language") not in languages:
                continue  # a language may be younger than OCA's list
            found = known.pop(str(uid), self.browse())
            if found and found._whatsapp_is_being_changed():
                continue  # what somebody writes here is not lost
            try:
                with self.env.cr.savepoint():
                    found._whatsapp_import_one(gateway, each)
            except (UserError, psycopg2.IntegrityError) as error:
                _logger.warning("template %s was not read: %s", uid, error)
                continue
            changed += bool(found)
            new += not found
        known_still = self.browse().concat(*known.values())
        known_still.state = "deleted"
        return new, changed, len(known)

    def _whatsapp_import_one(self, gateway, described):
        """Write one template, a new one if this is empty."""
        values = self._prepare_values_to_import(gateway, described)
        if self:
            values.pop("name")  # which may have been changed here
            before = self.category
            self.write(values)
            self._whatsapp_take_samples(described)
            if self.category != before:
                self._whatsapp_notify_category(self.category)
            return
        taken = self.with_context(active_test=False).search_count(
            [
                ("gateway_id", "=", gateway.id),
                ("name", "=", values["name"]),
                ("language", "=", values["language"]),
            ]
        )
        if taken:
            values["name"] = f"{described['name']} ({described['id']})"
        self.create(values)._whatsapp_take_samples(described)

    # ------------------------------------------------------------- category

    @api.model
    def _whatsapp_category(self, said):
        """Return OCA's word for a category of Meta, or None if it has none.

        :param said: Meta's word; new kinds of marketing are marketing
        """
        category = str(said or "").lower()
        if category.startswith("marketing"):
            return "marketing"
        return category if category in CATEGORIES else None

    def _whatsapp_recategorize(self, category, impending=None):
        """Write the category that Meta gave these templates, and tell of it.

        :param str category: Meta's word for the category that they have
        :param str impending: for the one that they are going to have, if any
        """
        known = self._whatsapp_category(category)
        for each in self:
            if category and not known:
                each._whatsapp_notify_category(category)
            elif known and known != each.category:
                each.category = known
                each._whatsapp_notify_category(known)
            if impending and self._whatsapp_category(impending) != each.category:
                each._whatsapp_notify_category(impending, impending=True)

    def _whatsapp_notify_category(self, category, impending=False):
        """Tell the administrators of the number what another category means, once.

        :param str category: ours, or Meta's word
        :param bool impending: it is going to change
        """
        self.ensure_one()
        gateway = self.gateway_id
        kind = self.env.ref(CATEGORY_CHANGED)
        for user in gateway._whatsapp_alerted():
            if not gateway._whatsapp_may_be_notified(user):
                continue
            words = self.with_context(lang=user.lang)
            summary = words._whatsapp_category_words(category, impending)
            # sudo: mail.activity - those of others
            told = (
                self.env["mail.activity"]
                .sudo()
                .search(
                    [
                        ("res_model", "=", gateway._name),
                        ("res_id", "=", gateway.id),
                        ("activity_type_id", "=", kind.id),
                        ("user_id", "=", user.id),
                        ("summary", "=", summary),
                    ],
                    limit=1,
                )
            )
            if not told:
                gateway.sudo().activity_schedule(
                    CATEGORY_CHANGED,
                    summary=summary,
                    note=words._whatsapp_category_means(category),
                    user_id=user.id,
                )

    def _whatsapp_category_words(self, category, impending):
        labels = dict(self._fields["category"]._description_selection(self.env))
        values = {
            "name": self.name,
            "category": labels.get(self._whatsapp_category(category), category),
        }
        if impending:
            return self.env._(
                "The template %(name)s is going to be of the category %(category)s",
                **values,
            )
        return self.env._(
            "The template %(name)s is of the category %(category)s now", **values
        )

    def _whatsapp_category_means(self, category):
        known = self._whatsapp_category(category)
        if known == "marketing":
            return self.env._(
                "Meta charges it as marketing. It no longer goes to customers who asked"
                " for no marketing, not even what is waiting to be sent. If it is no"
                " marketing, ask Meta for a review in the WhatsApp Manager, or write a"
                " new template."
            )
        if known:
            return self.env._(
                "Meta charges it as this category from now on, and decides by it who"
                " may get it."
            )
        return self.env._(
            "Odoo does not know this category, so the template keeps the one that it"
            " has here. Please look in the WhatsApp Manager what it costs and to whom"
            " it may be sent."
        )

    # ------------------------------------------------------------- sending

    def _whatsapp_variables(self):
        """Return the places to be filled, as ``tools.template.Variable``."""
        self.ensure_one()
        urls = [
            button._whatsapp_link() if button.button_type == "url" else None
            for button in self.button_ids
        ]
        codes = [
            index
            for index, button in enumerate(self.button_ids)
            if button.button_type == "copy_code"
        ]
        return template.variables(self.header, self.body, urls, codes)

    def _whatsapp_default(self, variable, record):
        """Return what a variable shows of a record by its field, or ''.

        :param variable: ``tools.template.Variable``
        :param record: a record of the template's model, perhaps none
        """
        if variable.part == template.CODE:
            return self.whatsapp_code or ""
        # sudo: mail.whatsapp.template.variable - its author chose what is shown
        if variable.part == template.BUTTON:
            fields_of = self.sudo().button_ids[variable.index].variable_ids
        else:
            fields_of = self.sudo().variable_ids.filtered(
                lambda v: (
                    v.line_type == variable.part
                    and template.VARIABLE.findall(v.name or "") == [variable.name]
                )
            )
        row = fields_of[:1]
        if not record or not (row.field_name or row.whatsapp_expression):
            return ""
        # sudo: record - the callers ask for the right to read it, not for each field
        value = row._extract_value_from_field_path(record.sudo())
        return str(value or "").strip()

    def _whatsapp_words_around(self, variable):
        """Return the text in which a variable stands, as a blank to be filled.

        :param variable: ``tools.template.Variable``
        """
        if variable.part == template.CODE:
            return self.env._(
                "Code of “%s”, letters and digits", self.button_ids[variable.index].name
            )
        words = template_words.around(self._whatsapp_part(variable), variable.name)
        if variable.part == template.HEADER:
            return self.env._("Header: %s", words)
        if variable.part == template.BUTTON:
            button = self.button_ids[variable.index].name
            return self.env._(
                "Link of “%(button)s”: %(link)s", button=button, link=words
            )
        return words

    def _whatsapp_guess(self, variable, known):
        """Return what a variable without a field shows most likely, or ''.

        A person sees it before it is sent.

        :param variable: ``tools.template.Variable``
        :param dict known: kind of ``tools.template_words`` -> str
        """
        if variable.part in (template.BUTTON, template.CODE):
            return ""
        kind = template_words.guess(self._whatsapp_part(variable), variable.name)
        return known.get(kind) or ""

    def _whatsapp_part(self, variable):
        """Return the text in which a variable stands."""
        if variable.part == template.BUTTON:
            return self.button_ids[variable.index]._whatsapp_link()
        return self.header if variable.part == template.HEADER else self.body

    def _whatsapp_record(self, channel):
        """Return the record whose values this template shows, perhaps none.

        :param channel: ``discuss.channel``, with the rights to read what it is about
        """
        return channel._whatsapp_document(self.sudo().model_id.model)

    def _whatsapp_text(self, values, header=None):
        """Return the template as the customer will see it, as Markup.

        A file in the header is no text: the message shows it.

        :param dict values: ``tools.template.Variable`` -> str
        :param header: ``tools.template.Place``, else it is not looked at
        """
        self.ensure_one()
        shown = Markup()
        if isinstance(header, template.Place):
            shown += self._whatsapp_place_words(header)
        shown += self._whatsapp_words(values)
        if self.button_ids:
            names = " · ".join(self._whatsapp_button_words(values))
            shown += Markup("<p><em>[%s]</em></p>") % names
        return shown

    def _whatsapp_place_words(self, place):
        """Return a place as a link to its map, as Markup."""
        words = " · ".join(filter(None, (place.name, place.address)))
        return Markup(
            '<p>📍 <a href="%s" target="_blank" rel="noreferrer noopener">%s</a></p>'
        ) % (place.link, words)

    def _whatsapp_button_words(self, values):
        """Return what the customer reads on each button."""
        return [
            button._whatsapp_shown(values, index)
            for index, button in enumerate(self.button_ids)
        ]

    def _whatsapp_words(self, values):
        """Return header, text and footer with their values, as Markup.

        :param dict values: ``tools.template.Variable`` -> str
        """

        def part(kind):
            return {v.name: text for v, text in values.items() if v.part == kind}

        shown = Markup()
        if self.header:
            header = template.fill(self.header, part(template.HEADER))
            shown += Markup("<p><strong>%s</strong></p>") % header
        body = template.fill(self.body, part(template.BODY))
        # what is HTML in it was escaped
        shown += Markup(markup.to_html(body))
        if self.footer:
            shown += Markup("<p><small>%s</small></p>") % self.footer
        return shown

    def _whatsapp_preview(self, values, header=None, name=None):
        """Return what the customer will see, with what is still to be filled marked.

        :param dict values: ``tools.template.Variable`` -> str
        :param header: ``ir.attachment`` or ``tools.template.Place``, or none yet
        :param str name: of a file that is made when it is sent
        :return: Markup
        """
        self.ensure_one()
        words = template.VARIABLE.sub(
            lambda found: f"<mark>{found.group()}</mark>", self._whatsapp_words(values)
        )
        top = self._whatsapp_header_preview(header, name)
        shown = Markup('<div class="o_whatsapp_bubble">%s%s</div>') % (
            top,
            Markup(words),
        )
        icons = {
            "url": "fa-external-link",
            "phone_number": "fa-phone",
            "quick_reply": "fa-reply",
            "copy_code": "fa-clone",
            "flow": "fa-list-alt",
            "catalog": "fa-shopping-bag",
        }
        texts = self._whatsapp_button_words(values)
        for button, text in zip(self.button_ids, texts, strict=True):
            shown += Markup(
                '<div class="o_whatsapp_button"><i class="fa %s"></i> %s</div>'
            ) % (icons[button.button_type], text)
        return shown

    def _whatsapp_send(self, channel, values, header=None):
        """Send the template into a conversation, through the queue.

        The message in the chat shows the file, the text and the buttons; the file is
        uploaded when the message leaves. Both are committed with the caller, or not.

        :param channel: ``discuss.channel``
        :param dict values: ``tools.template.Variable`` -> str, for each of
            :meth:`_whatsapp_variables`
        :param header: one ``ir.attachment`` for the header, or a
            ``tools.template.Place``; None: the template's own, or the report of the
            document that the conversation is about, see :meth:`_whatsapp_header_of`.
            What was uploaded or printed for this becomes the message's, of another file
            it gets a copy
        :return: the new row of ``whatsapp.message.queue``
        :raise AccessError: the user may not read the file, or the document to print
        :raise UserError: not approved, an empty variable, no header or one that Meta
            would not take, an opt-out
        """
        self.ensure_one()
        self._whatsapp_check_sendable(channel)
        values = {**dict.fromkeys(self._whatsapp_variables(), ""), **values}
        kind, own = self._whatsapp_header_kind(), None
        if kind and not header:
            # sudo: discuss.channel - which document it is; who reads it is asked then
            record = self._whatsapp_record(channel.sudo())
            own = header = self._whatsapp_header_of(record)
        filled = self._whatsapp_check_header(header)
        attachment = self.env["ir.attachment"]
        if isinstance(filled, template.File):
            if header is not own:
                compat.check_files(header.with_env(self.env))
            attachment = header
        try:
            components = template.components(
                values,
                filled,
                self.button_ids.mapped("button_type"),
                self.template_name,
            )
        except payloads.NotSendable as error:
            raise self.env["mail.gateway.whatsapp"]._refusal(error) from error
        text = self._whatsapp_text(values, filled)
        return self.env["whatsapp.message.queue"]._post_template(
            channel, self, text, components, attachment
        )

    def _whatsapp_check_sendable(self, channel):
        """Refuse to send a template that cannot be sent from here.

        :raise UserError: of another number, not approved, or with parts that nothing
            fills here
        """
        if self.gateway_id != channel.gateway_id:
            raise UserError(
                self.env._(
                    "The template %(name)s belongs to another number than this"
                    " conversation.",
                    name=self.name,
                )
            )
        if self.state != "approved":
            raise UserError(
                self.env._(
                    "Meta has not approved the template %s. Please choose another one.",
                    self.name,
                )
            )
        if self.whatsapp_unsupported:
            raise UserError(
                self.env._(
                    "The template %(name)s cannot be sent from here: %(reason)s.",
                    name=self.name,
                    reason=self._whatsapp_why_not(),
                )
            )

    def _whatsapp_fills_itself(self):
        """Tell whether texts are all that OCA would have to fill."""
        needy = {"copy_code", "flow", "catalog"}
        return not self.whatsapp_header and needy.isdisjoint(
            self.button_ids.mapped("button_type")
        )

    def _whatsapp_why_not(self):
        """Return why the template cannot be sent from here, or ''."""
        reasons = dict(
            self._fields["whatsapp_unsupported"]._description_selection(self.env)
        )
        return reasons.get(self.whatsapp_unsupported, "")
