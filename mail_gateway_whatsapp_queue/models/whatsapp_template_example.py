# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import Command, api, fields, models

from ..tools import template
from .mail_whatsapp_template_header import DOCUMENT

FALLBACK = "res.partner"  # where the model of an example is not installed


class WhatsappTemplateExample(models.Model):
    """A ready template for a usual case, which is submitted with one click.

    Shipped in ``data/whatsapp.template.example.csv``, a row for each language.
    """

    _name = "whatsapp.template.example"
    _description = "Ready WhatsApp template"
    _order = "sequence, language, id"
    _rec_name = "title"

    sequence = fields.Integer()
    key = fields.Char(required=True, help="The same in all languages.")
    title = fields.Char(required=True, translate=True)
    language = fields.Selection(
        lambda self: (
            self.env["mail.whatsapp.template"]
            ._fields["language"]
            ._description_selection(self.env)
        ),
        required=True,
    )
    name = fields.Char(required=True, string="Name of the template")
    category = fields.Selection(
        [("marketing", "Marketing"), ("utility", "Utility")], required=True
    )
    model = fields.Char(help="Whose fields fill it, if this model is installed.")
    header = fields.Selection([(DOCUMENT, "Document (PDF)")], string="Header file")
    report = fields.Char(help="External ID of the report that is printed into it.")
    body = fields.Text(required=True, string="Text")
    footer = fields.Char()
    buttons = fields.Text(help="Texts of the quick replies, one a line.")
    variables = fields.Text(
        help="For {{1}}, {{2}} and so on, one a line: sample = field."
    )

    def _whatsapp_here(self, gateway):
        """Return the template that exists already for this example, perhaps none.

        :param gateway: ``mail.gateway``
        """
        templates = self.env["mail.whatsapp.template"].with_context(active_test=False)
        return templates.search(
            [
                ("gateway_id", "=", gateway.id),
                ("language", "=", self.language),
                "|",
                ("name", "=", self.name),
                ("template_name", "=", self._whatsapp_technical_name()),
            ],
            limit=1,
        )

    def _whatsapp_technical_name(self):
        """Return the name by which Meta is going to know it."""
        draft = self.env["mail.whatsapp.template"].new({"name": self.name})
        return draft.template_name

    def _whatsapp_make(self, gateway):
        """Make the draft of a template of this example.

        :param gateway: ``mail.gateway``
        :return: the new ``mail.whatsapp.template``
        """
        self.ensure_one()
        is_installed = bool(self.model) and self.model in self.env
        model = self.model if is_installed else FALLBACK
        made = self.env["mail.whatsapp.template"].create(
            {
                "name": self.name,
                "gateway_id": gateway.id,
                "language": self.language,
                "category": self.category,
                "model_id": self.env["ir.model"]._get_id(model),
                "body": self.body,
                "footer": self.footer,
                "whatsapp_header": self.header,
                "whatsapp_report_id": self._whatsapp_report(model).id,
                "button_ids": [
                    Command.create({"sequence": place, "name": text})
                    for place, text in enumerate((self.buttons or "").splitlines())
                ],
            }
        )
        rows = {
            name: row
            for row in made.variable_ids
            for name in template.VARIABLE.findall(row.name)
        }
        for number, line in enumerate((self.variables or "").splitlines(), 1):
            sample, _sign, path = (part.strip() for part in line.partition("="))
            row = rows[str(number)]
            row.sample_value = sample
            if path and is_installed and self._whatsapp_has_path(path):
                row.field_name = path
        return made

    def _whatsapp_has_path(self, path):
        """Tell whether all fields of a path exist here."""
        model = self.env[self.model]
        for name in path.split("."):
            field = model._fields.get(name)
            if field is None:
                return False
            model = self.env[field.comodel_name] if field.relational else model
        return True

    @api.model
    def _whatsapp_report(self, model):
        """Return the report of an example that prints documents of a model, or none."""
        none = self.env["ir.actions.report"]
        report = self.report and self.env.ref(self.report, raise_if_not_found=False)
        return report if report and report.model == model else none
