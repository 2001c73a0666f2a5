# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import Command, api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import plaintext2html

from .. import compat
from ..tools import identity as wa_identity
from ..tools.template import FILES, LOCATION
from .whatsapp_dialog import DIALOG

DOCUMENT = "document"
MOST = 1000  # documents that are sent at once
SHOWN = 50  # of those that are not sent, with the reason
# What the dialog finds by itself
FOUND = {"batch_id", "gateway_ids", "is_sent", "recipient_ids", "report_ids"}
CHIP = Markup(
    '<div class="o_whatsapp_header o_whatsapp_document"><i class="fa fa-%s"></i>'
    "<span>%s</span></div>"
)


class WhatsappSendDocument(models.TransientModel):
    """Send a document by WhatsApp: to whom, from which number, what.

    Made by :meth:`action_open_for`; begins no conversation and prints nothing before
    it sends. What is decided about a record is decided by its model: see the hooks in
    ``models/base.py``.
    """

    _name = "whatsapp.send.document"
    _inherit = DIALOG
    _description = "Send a document by WhatsApp"

    _whatsapp_about = ("recipient_id", "report_id", "gateway_id", "template_id")

    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_ids = fields.Json(string="Documents", required=True, readonly=True)
    document = fields.Char(compute="_compute_document")
    recipient_ids = fields.One2many(
        "whatsapp.send.document.recipient", "wizard_id", readonly=True
    )
    recipient_id = fields.Many2one(
        "whatsapp.send.document.recipient",
        string="To",
        domain="[('wizard_id', '=', id)]",
    )
    recipient_name = fields.Char(related="recipient_id.name")
    are_several = fields.Boolean(compute="_compute_are_several")
    gateway_ids = fields.Many2many("mail.gateway", compute="_compute_gateway_ids")
    gateway_id = fields.Many2one(
        "mail.gateway",
        string="From",
        compute="_compute_gateway_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', gateway_ids)]",
    )
    are_gateways = fields.Boolean(compute="_compute_gateway_ids")
    refusal = fields.Text(compute="_compute_refusal")
    is_window_open = fields.Boolean(compute="_compute_refusal")
    window_closes = fields.Datetime(compute="_compute_refusal")
    kind = fields.Selection(
        [("text", "Free text"), ("template", "Template")],
        string="What to send",
        compute="_compute_kind",
        store=True,
        readonly=False,
    )
    body = fields.Text(string="Message")
    report_ids = fields.One2many(
        "whatsapp.send.document.report", "wizard_id", readonly=True
    )
    report_id = fields.Many2one(
        "whatsapp.send.document.report",
        string="Printed document",
        domain="[('wizard_id', '=', id)]",
        help="The document is printed with it and goes along as a PDF.",
    )
    file_ids = fields.Many2many("ir.attachment", string="Files")
    template_id = fields.Many2one(
        "mail.whatsapp.template",
        compute="_compute_template_id",
        store=True,
        readonly=False,
        domain="[('gateway_id', '=', gateway_id), ('state', '=', 'approved'),"
        " ('is_supported', '=', True)]",
    )
    header = fields.Selection(related="template_id.whatsapp_header")
    header_source = fields.Char(compute="_compute_header_source")
    value_ids = fields.One2many(
        "whatsapp.send.document.value",
        "wizard_id",
        string="Variables",
        compute="_compute_value_ids",
        store=True,
        readonly=False,
    )
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    is_sent = fields.Boolean(readonly=True)
    # several documents
    is_many = fields.Boolean(compute="_compute_is_many")
    sendable = fields.Integer(string="Are sent", compute="_compute_refused")
    refused = fields.Html(
        string="Are not sent", compute="_compute_refused", sanitize=False
    )
    batch_id = fields.Many2one("whatsapp.batch", readonly=True)

    # ------------------------------------------------------------- opening

    @api.model
    def action_open_for(self, model, ids):
        """Open the dialog for documents.

        :param str model: name of their model
        :param list ids: of records
        :return: an action
        :raise AccessError: the user does not work with WhatsApp, or may not read one
        :raise UserError: they are no documents that are sent, or nobody can get them
        """
        self.env.user._whatsapp_check_works()
        wizard = self.create({"res_model": model, "res_ids": list(ids)})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send by WhatsApp"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "large"},
        }

    @api.model
    @tools.ormcache()
    def _document_models(self):
        """Return the names of the models whose records can be sent, sorted."""
        return sorted(
            name
            for name, records in self.env.items()
            if records._whatsapp_is_document()
        )

    @api.model_create_multi
    def create(self, vals_list):
        """Find to whom the documents can go.

        :raise AccessError: the user does not work with WhatsApp, or may not read one
        :raise UserError: there is nobody
        """
        self.env.user._whatsapp_check_works()
        wizards = super().create(
            [
                {k: v for k, v in vals.items() if k in ("res_model", "res_ids")}
                for vals in vals_list
            ]
        )
        for wizard, vals in zip(wizards, vals_list, strict=True):
            wizard._find_recipients()
            wizard._find_reports()
            more = {k: v for k, v in vals.items() if k not in ("res_model", "res_ids")}
            if more:
                wizard.write(more)
        return wizards

    def onchange(self, values, field_names, fields_spec):
        """Show nothing of what its user may not see, whatever the caller names.

        :raise AccessError: there is something of it
        """
        self.check_access("read")
        values = {key: val for key, val in values.items() if key not in FOUND}
        files = self.new({"file_ids": values.get("file_ids") or []}).file_ids._origin
        compat.check_files(files.with_user(self.env.uid))
        return super().onchange(values, field_names, fields_spec)

    @api.constrains("file_ids")
    def _check_file_ids(self):
        """Take no file that its user may not read."""
        compat.check_files(self.file_ids.with_user(self.env.uid))

    def _documents(self):
        """Return the records, which the user may read.

        :raise AccessError: the user may not read one of them
        :raise UserError: their model has no customers, or they are gone
        """
        records = self.env.get(self.res_model or "")
        if records is None or not records._whatsapp_is_document():
            raise UserError(
                self.env._("Documents of this kind are not sent by WhatsApp.")
            )
        ids = self.res_ids if isinstance(self.res_ids, list) else []
        ids = [one for one in dict.fromkeys(ids) if isinstance(one, int)]
        records = records.with_user(self.env.uid).browse(ids).exists()
        if not records:
            raise UserError(self.env._("The document no longer exists."))
        if not records.has_access("read"):
            raise AccessError(self.env._("You may not read this document."))
        return records

    def _find_recipients(self):
        """Keep to whom the document can go, and choose the most likely one."""
        records = self._documents()
        gateways = records[:1]._whatsapp_gateways()
        if not gateways:
            raise UserError(
                self.env._(
                    "This company has no WhatsApp number yet. Please ask an"
                    " administrator to set one up."
                )
            )
        if len(records) > 1:
            self._find_recipient_of_each(records, gateways)
            return
        record = records
        found = record._whatsapp_recipients()
        if not found:
            raise UserError(
                self.env._(
                    "%s has no phone number. Please enter one with its country code,"
                    " such as +52 55 1234 5678, in the contact.",
                    record.display_name,
                )
            )
        lines, ranks = self.env["whatsapp.send.document.recipient"], []
        for recipient in found:
            gateway = record._whatsapp_gateway_for(recipient.person, gateways)
            chat = record._whatsapp_chat_with(gateway, recipient)
            line = {"wizard_id": self.id, **lines._values_of(recipient, chat)}
            ranks.append((not chat.whatsapp_window_open, not chat.ids))
            lines |= lines.create(line)
        # several numbers of the first person: the one that is in use
        self.recipient_id = lines[self._best(found, ranks)]
        self.body = record._whatsapp_first_text()

    @api.model
    def _best(self, found, ranks):
        """Return the place of the most likely recipient: a number that is in use.

        :param list found: recipients of one document, of the first person first
        :param list ranks: what is less comes first
        """
        first = found[0].partner
        places = [
            place
            for place, recipient in enumerate(found)
            if recipient.partner == first and first or not place
        ]
        return min(places, key=lambda place: ranks[place])

    def _find_recipient_of_each(self, records, gateways):
        """Keep to whom each document goes, or that it goes to nobody."""
        if len(records) > MOST:
            raise UserError(
                self.env._(
                    "%(chosen)s documents are too many at once. Please choose %(most)s"
                    " at most.",
                    chosen=len(records),
                    most=MOST,
                )
            )
        values = []
        for record in records:
            line = {"wizard_id": self.id, "res_id": record.id}
            line["document"] = record.display_name
            if found := record._whatsapp_recipients():
                ranks = [
                    not any(each._whatsapp_look_up(one.person) for each in gateways)
                    for one in found
                ]
                best = found[self._best(found, ranks)]
                line["token"] = best.person.token
                line["name"] = best.name
            values.append(line)
        lines = self.env["whatsapp.send.document.recipient"].create(values)
        self.recipient_id = lines.filtered("token")[:1]

    def _find_reports(self):
        """Keep what the document can be printed with, and choose the first."""
        lines = self.env["whatsapp.send.document.report"]
        # sudo: ir.actions.report - names of what the user may print with
        for report in self._documents()[:1]._whatsapp_reports().sudo():
            lines |= lines.create(
                {"wizard_id": self.id, "report": report.id, "name": report.name}
            )
        self.report_id = lines[:1]

    # ------------------------------------------------------------- what is shown

    @api.depends("res_model", "res_ids")
    def _compute_document(self):
        for wizard in self:
            records = wizard._documents()
            wizard.document = (
                records.display_name
                if len(records) == 1
                else self.env._("%s documents", len(records))
            )

    @api.depends("res_ids")
    def _compute_is_many(self):
        for wizard in self:
            wizard.is_many = len(wizard._documents()) > 1

    @api.depends("recipient_ids")
    def _compute_are_several(self):
        for wizard in self:
            wizard.are_several = len(wizard.recipient_ids) > 1 and not wizard.is_many

    @api.depends("res_model", "res_ids")
    def _compute_gateway_ids(self):
        for wizard in self:
            gateways = wizard._documents()[:1]._whatsapp_gateways()
            wizard.gateway_ids = gateways
            wizard.are_gateways = len(gateways) > 1

    @api.depends("recipient_id")
    def _compute_gateway_id(self):
        for wizard in self:
            found, record = wizard._recipient(), wizard._record()
            gateways = record._whatsapp_gateways()
            if not found:
                wizard.gateway_id = gateways[:1]
                continue
            wizard.gateway_id = record._whatsapp_gateway_for(found.person, gateways)

    @api.depends("recipient_id", "gateway_id")
    def _compute_refusal(self):
        for wizard in self:
            if wizard.is_many:
                wizard.refusal = wizard.is_window_open = False
                wizard.window_closes = False
                continue
            chat, found = wizard._chat(), wizard._recipient()
            why = chat._whatsapp_not_mine() if chat.ids else ""
            if found and wizard.gateway_id and not chat.ids:
                try:
                    wizard.gateway_id._whatsapp_check_writer()
                except AccessError as error:
                    why = str(error.args[0])
            why = wizard._documents()[:1]._whatsapp_not_ready() or why
            wizard.refusal = why or (chat and chat._whatsapp_why_off()) or False
            is_open = bool(chat.ids and not why and chat.whatsapp_window_open)
            wizard.is_window_open = is_open
            wizard.window_closes = is_open and chat.whatsapp_window_closes

    @api.depends("is_window_open")
    def _compute_kind(self):
        for wizard in self:
            wizard.kind = "text" if wizard.is_window_open else "template"

    @api.depends("gateway_id", "recipient_id")
    def _compute_template_id(self):
        """Choose the template that the user would, if it can be told."""
        for wizard in self:
            templates = wizard.template_id.browse()
            for choice in wizard._choices():
                template = templates.browse(choice["id"])
                is_ours = template.sudo().model_id.model == wizard.res_model
                is_possible = not choice["why_not"] and not choice["is_foreign"]
                if is_possible and is_ours and template.whatsapp_header == DOCUMENT:
                    templates = template
                    break
            wizard.template_id = templates

    @api.depends("template_id", "report_id")
    def _compute_header_source(self):
        for wizard in self:
            template = wizard.template_id
            source = template._whatsapp_header_source() if template else None
            if template.whatsapp_header == DOCUMENT and wizard.report_id:
                source = "report"
            wizard.header_source = source

    @api.onchange("template_id")
    def _onchange_template_id(self):
        """Print with the report that the template was made for."""
        # sudo: mail.whatsapp.template - which report that is
        report = self.template_id.sudo().whatsapp_report_id
        fitting = self.report_ids.filtered(lambda line: line.report.id == report.id)
        if report and fitting:
            self.report_id = fitting[:1]._origin

    @api.depends("template_id", "recipient_id", "gateway_id")
    def _compute_value_ids(self):
        for wizard in self:
            found, template = wizard._recipient(), wizard.template_id
            values = {}
            if found and template:
                values = wizard._record()._whatsapp_values_for(
                    template, wizard.gateway_id, found
                )
            if wizard.is_many:  # what each document says by itself is not asked for
                values = {key: value for key, value in values.items() if not value}
            wizard.value_ids = [Command.clear()] + [
                Command.create(
                    {
                        "part": variable.part,
                        "name": variable.name,
                        "index": variable.index,
                        "value": value,
                    }
                )
                for variable, value in values.items()
            ]

    @api.depends(
        *("kind", "template_id", "value_ids.value", "body", "file_ids", "report_id"),
        "header_source",
    )
    def _compute_preview(self):
        for wizard in self:
            is_template = wizard.kind == "template"
            if is_template and not wizard.template_id:
                wizard.preview = False
            else:
                look = wizard._template_preview if is_template else wizard._text_preview
                wizard.preview = look()

    @api.depends("template_id", "gateway_id", "is_many")
    def _compute_refused(self):
        """Say before anything is sent what is not, and why."""
        for wizard in self:
            if not wizard.is_many:
                wizard.refused, wizard.sendable = False, 0
                continue
            looked = wizard._look()
            why_nots = [(line, why) for line, _found, why in looked if why]
            wizard.sendable = len(looked) - len(why_nots)
            rows = Markup().join(
                Markup("<tr><td>%s</td><td>%s</td></tr>") % (line.document, why)
                for line, why in why_nots[:SHOWN]
            )
            more = len(why_nots) - SHOWN
            shown = Markup(
                '<p><strong>%s</strong></p><table class="table table-sm">%s</table>%s'
            ) % (
                self.env._("Are not sent: %s", len(why_nots)),
                rows,
                self.env._("And %s more.", more) if more > 0 else "",
            )
            wizard.refused = shown if why_nots else False

    def _look(self):
        """Return what can be sent: list of (line, recipient or None, why not or '')."""
        template, gateway = self.template_id, self.gateway_id
        typed = {line._variable() for line in self.value_ids}
        records = {record.id: record for record in self._documents()}
        known = self._sent_already()
        looked = []
        for line in self.recipient_ids:
            record = records.get(line.res_id)
            found = record and line._recipient_of(record)
            if not record:
                why = self.env._("It no longer exists.")
            elif not found:
                why = self.env._("There is no phone number.")
            elif line.res_id in known:
                why = self.env._("It was sent with this template already.")
            elif not (template and gateway):
                why = ""
            elif gateway not in record._whatsapp_gateways():
                why = self.env._("It is of another company than the number.")
            else:
                values = record._whatsapp_values_for(template, gateway, found)
                values = {k: v for k, v in values.items() if k not in typed}
                why = record._whatsapp_why_not_to(gateway, found, template, values)
            looked.append((line, found, why))
        return looked

    def _sent_already(self):
        """Return the ids of documents that were sent so lately, or wait to be."""
        # sudo: whatsapp.batch.line - whoever sent them
        lines = self.env["whatsapp.batch.line"].sudo()
        return lines._sent_lately(
            self.res_model,
            self._documents().ids,
            self.template_id,
            ("waiting", "given"),
        )

    def _text_preview(self):
        names = [("file-pdf-o", self._report_name())] if self.report_id else []
        names += [("paperclip", file.name) for file in self.file_ids]
        text = (self.body or "").strip()
        if not (names or text):
            return False
        shown = Markup().join(CHIP % (icon, name) for icon, name in names)
        body = Markup("%s") % plaintext2html(text) if text else Markup()
        return Markup('<div class="o_whatsapp_bubble">%s%s</div>') % (shown, body)

    def _template_preview(self):
        template, name = self.template_id, None
        chosen = self.file_ids._origin[-1:] if self.header in FILES else None
        if not chosen and self.header_source == "report":
            name = self._report_name()
        elif not chosen and self.header_source in ("file", "place"):
            chosen = template._whatsapp_header_of()
        values = self._values()
        if self.is_many and (found := self._recipient()):
            record, gateway = self._record(), self.gateway_id
            values = record._whatsapp_values_for(template, gateway, found) | values
        return template._whatsapp_preview(values, chosen, name)

    def _report_name(self):
        """Return what the file will be called; without a choice, the template's."""
        record = self._record()
        if self.report_id:
            # sudo: the report - for administrators only; the user chose among own ones
            report = self.report_id.sudo().report.with_env(self.env)
            return report._whatsapp_file_name(record)
        return self.template_id._whatsapp_report_name(record)

    # ------------------------------------------------------------- choices

    def _record(self):
        """Return the document that is looked at: of several, the first that can go."""
        records = self._documents()
        chosen = records.filtered(lambda one: one.id == self.recipient_id.res_id)
        return (chosen or records)[:1]

    def _recipient(self):
        """Return the recipient that was chosen, if the document still has it."""
        return self.recipient_id._recipient_of(self._record())

    def _chat(self):
        """Return the conversation, perhaps one that is not begun, with all rights."""
        found = self._recipient()
        if not found or not self.gateway_id:
            return self.env["discuss.channel"].sudo()
        return self._record()._whatsapp_chat_with(self.gateway_id, found)

    def _values(self):
        return {line._variable(): line.value or "" for line in self.value_ids}

    @api.model
    def choices(self, recipient_id, gateway_id, query=""):
        """Return the templates for a recipient, the most likely ones first.

        :param int recipient_id: of the ``whatsapp.send.document.recipient``
        :param int gateway_id: of the ``mail.gateway``
        :param str query: words of the name or the text, in any order
        :return: list of dicts, see ``choices`` of ``whatsapp.send.template``
        :raise AccessError: the user may not send templates, or it is another's dialog
        """
        self.env.user._whatsapp_check_works()
        self.check_access("create")
        line = self.env["whatsapp.send.document.recipient"].browse(recipient_id)
        line.check_access("read")
        gateway = self.env["mail.gateway"].browse(gateway_id)
        gateway.check_access("read")
        return line.wizard_id._choices(line, gateway, query)

    def _choices(self, line=None, gateway=None, query=""):
        line, gateway = line or self.recipient_id, gateway or self.gateway_id
        if not (line and gateway):
            return []
        record, lang = self._record(), ""
        chat = self.env["discuss.channel"]
        if found := line._recipient_of(record):
            lang = record._whatsapp_lang_for(gateway, found)
            chat = record._whatsapp_chat_with(gateway, found)
        dialog = self.env["whatsapp.send.template"]
        # those of other documents would show values of none
        about = {False, self.res_model, "res.partner"}
        templates = dialog._templates(gateway).filtered(
            # sudo: ir.model - what the template is about
            lambda each: (
                (model := each.sudo().model_id.model) in about
                or (chat.ids and chat._whatsapp_document(model))
            )
        )
        return dialog._choices(templates, lang, query, model=self.res_model)

    # ------------------------------------------------------------- sending

    def action_send(self):
        """Send the document; its history shows what becomes of it.

        :raise AccessError: the user may not read or print it, or a file
        :raise UserError: nobody to send to, nothing to send, a colleague's
            conversation, and whatever Meta would refuse for certain
        """
        self.ensure_one()
        self.env.user._whatsapp_check_works()
        self.check_access("write")
        if self.is_sent:  # a second click
            return {"type": "ir.actions.act_window_close"}
        if self.is_many:
            return self._send_many()
        record, found = self._record(), self._recipient()
        if not found:
            raise UserError(
                self.env._(
                    "Please choose to whom the document is sent: its number was changed"
                    " meanwhile."
                )
            )
        if self.gateway_id not in record._whatsapp_gateways():
            raise UserError(self.env._("Please choose the number to send from."))
        self.is_sent = True
        if self.kind == "template":
            if not self.template_id:
                raise UserError(self.env._("Please choose a template."))
            record._whatsapp_send_record(
                self.gateway_id,
                found,
                template=self.template_id,
                values=self._values(),
                header=self._header(record),
            )
        else:
            files = self.file_ids
            if self.report_id:
                files = self._print(record) | files
            record._whatsapp_send_record(
                self.gateway_id, found, text=self.body or "", files=files
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("On its way to %s.", found.name),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _send_many(self):
        """Keep what is to be sent; a cron works on it, in the name of the user.

        :raise UserError: no template, a value that is missing, nothing can be sent
        """
        template, values = self.template_id, self._values()
        if not template:
            raise UserError(self.env._("Please choose a template."))
        template._whatsapp_check_sendable(self)  # which has a number, as a conversation
        missing = [
            template._whatsapp_words_around(variable)
            for variable, value in values.items()
            if not value.strip()
        ]
        if missing:
            raise UserError(self.env._("Please fill in: %s", "; ".join(missing)))
        if self.header in FILES and not (self.file_ids or self.header_source):
            template._whatsapp_check_header(None)
        looked = self._look()
        if all(why for _line, _found, why in looked):
            raise UserError(self.env._("None of these documents can be sent."))
        # sudo: whatsapp.batch - made by methods only; the line's rights are those of
        # the user
        batch = self.env["whatsapp.batch"].sudo().create(self._batch_values(values))
        if self.header in FILES and self.file_ids:
            file = self.file_ids[-1:]
            template._whatsapp_check_header(file)
            compat.check_files(file.with_user(self.env.uid))
            batch.file_id = file.sudo().copy(
                {"res_model": batch._name, "res_id": batch.id}
            )
        lines = batch.line_ids.sudo()
        lines.create(
            [
                {
                    "batch_id": batch.id,
                    "place": place,
                    "res_id": line.res_id,
                    "name": line.document,
                    "contact": line.name,
                    "number": found and wa_identity.display(f"+{found.person.phone}"),
                    "token": line.token,
                    "state": "refused" if why else "waiting",
                    "reason": why,
                }
                for place, (line, found, why) in enumerate(looked)
            ]
        )
        self.write({"is_sent": True, "batch_id": batch.id})
        batch._whatsapp_cron()._trigger()
        return {
            "type": "ir.actions.act_window",
            "name": batch.name,
            "res_model": batch._name,
            "res_id": batch.id,
            "views": [(False, "form")],
        }

    def _batch_values(self, values):
        context = {
            "lang": self.env.lang,
            "tz": self.env.context.get("tz"),
            "allowed_company_ids": self.env.companies.ids,
        }
        is_printed = self.header_source == "report" and self.report_id
        return {
            "name": f"{self.template_id._whatsapp_readable_name()} · {self.document}",
            "res_model": self.res_model,
            "user_id": self.env.uid,
            "gateway_id": self.gateway_id.id,
            "template_id": self.template_id.id,
            # sudo: the report - see _report_name
            "report": is_printed and self.report_id.sudo().report.id,
            "values": [
                [variable.part, variable.name, variable.index, value]
                for variable, value in values.items()
            ],
            "context": context,
        }

    def _print(self, record):
        """Print the record with what was chosen, else with the template's report."""
        # sudo: the report - see _report_name
        report = self.report_id.sudo().report
        report = report or self.template_id.sudo().whatsapp_report_id
        return report.with_env(self.env)._whatsapp_print(record)

    def _header(self, record):
        """Return what goes into the header of the template, or None: its own.

        :raise UserError: it shows a place that only a person knows
        """
        if self.header in FILES and self.file_ids:
            return self.file_ids[-1:]
        if self.header_source == "report":
            return self._print(record)
        if self.header == LOCATION and not self.header_source:
            raise UserError(
                self.env._(
                    "This template shows a place, which is chosen in the dialog “Send a"
                    " template” of the conversation."
                )
            )
        return self.template_id._whatsapp_header_of(record)


class WhatsappSendDocumentRecipient(models.TransientModel):
    _name = "whatsapp.send.document.recipient"
    _description = "To whom a document can be sent by WhatsApp"
    _order = "id"

    wizard_id = fields.Many2one(
        "whatsapp.send.document", required=True, readonly=True, ondelete="cascade"
    )
    name = fields.Char(readonly=True)
    token = fields.Char(readonly=True)
    res_id = fields.Integer(readonly=True)
    document = fields.Char(readonly=True)

    def _recipient_of(self, record):
        """Return the recipient of this line, if the record still has it, else None."""
        if not self.token:
            return None
        found = record._whatsapp_recipients()
        return next((each for each in found if each.person.token == self.token), None)

    @api.model
    def _values_of(self, recipient, chat):
        """Return the values of a line.

        :param recipient: see ``_whatsapp_recipients``
        :param chat: ``discuss.channel`` with the person, perhaps not begun
        """
        number = wa_identity.display(f"+{recipient.person.phone}")
        number = number if recipient.person.phone else self.env._("without a number")
        words = [recipient.name, number]
        if chat.ids and chat._whatsapp_not_mine():
            words.append(self.env._("a colleague's conversation"))
        elif chat.ids and chat.whatsapp_window_open:
            words.append(self.env._("conversation open"))
        elif chat.ids:
            words.append(self.env._("has a conversation"))
        else:
            words.append(self.env._("no conversation yet"))
        return {"name": " · ".join(words), "token": recipient.person.token}


class WhatsappSendDocumentReport(models.TransientModel):
    """What a document can be printed with: only administrators read reports."""

    _name = "whatsapp.send.document.report"
    _description = "What a document that is sent by WhatsApp is printed with"
    _order = "id"

    wizard_id = fields.Many2one(
        "whatsapp.send.document", required=True, readonly=True, ondelete="cascade"
    )
    name = fields.Char(readonly=True)
    report = fields.Many2one("ir.actions.report", readonly=True, ondelete="cascade")
