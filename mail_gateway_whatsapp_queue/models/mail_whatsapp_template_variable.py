# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date, format_time, formatLang, html2plaintext
from odoo.tools.rendering_tools import parse_inline_template

from ..tools import expression, template

EDITORS = "mail.group_mail_template_editor"

# Models of which a customer is shown nothing but names
SEALED = ("ir.config_parameter", "ir.mail_server", "mail.gateway", "res.users.apikeys")
# Groups of administrators: what is for them alone is for no customer
ADMINISTRATORS = {".", "base.group_system", "base.group_erp_manager"}
# Types of fields that may hold records of any model
WITH_RECORDS = ("reference", "properties")
# Types of fields whose values are written as the customer reads them
FORMATTED = ("boolean", "date", "datetime", "float", "html", "monetary", "selection")


class MailWhatsappTemplateVariable(models.Model):
    _inherit = "mail.whatsapp.template.variable"

    whatsapp_expression = fields.Char(
        string="Expression",
        help="In place of a field, for who may edit mail templates: {{"
        " object.partner_id.name.split(' ')[0] }} shows the first name. What it shows"
        " of a record stands below “Preview”.",
    )

    @api.constrains("name")
    def _check_name(self):
        """Let named variables pass, and those of links, which OCA calls as the button.

        OCA makes the row of a link and refuses it then.
        """
        numbered = self.filtered(
            lambda row: (
                row.line_type != template.BUTTON
                and not template.VARIABLE.fullmatch(row.name or "")
            )
        )
        return super(MailWhatsappTemplateVariable, numbered)._check_name()

    @api.constrains("field_name")
    def _check_field_name(self):
        """Say in clear words which fields no customer is shown."""
        filled = self.filtered("field_name")
        for variable in filled:
            if not variable._whatsapp_is_shown(self.env[variable.model]):
                raise ValidationError(variable._whatsapp_not_shown())
        # without a field a person fills it when the template is sent
        return super(MailWhatsappTemplateVariable, filled)._check_field_name()

    def _extract_value_from_field_path(self, record):
        """Show values as customers read them, and nothing that is for administrators.

        :raise UserError: the path leads to what is for administrators, whoever wrote it
        """
        if self.whatsapp_expression:
            return self._whatsapp_evaluate(record)
        if self.field_name and not self._whatsapp_is_shown(record):
            raise UserError(self._whatsapp_not_shown())
        record = record.with_context(lang=self.template_id._whatsapp_installed_lang())
        field, holder = self._whatsapp_last_field(record)
        if field is None or field.type not in FORMATTED:
            return super()._extract_value_from_field_path(record)
        path = self.field_name.split(".")[:-1]
        holders = record.mapped(".".join(path)) if path else record
        zone = self._whatsapp_zone(holders[:1]) or self._whatsapp_zone(record[:1])
        values = (self._whatsapp_formatted(each, field, zone) for each in holders)
        return " ".join(filter(None, values))

    # ------------------------------------------------------------- expressions

    @api.model_create_multi
    def create(self, vals_list):
        """Let only who may edit mail templates write an expression."""
        self._whatsapp_check_editor(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        """Let only who may edit mail templates write an expression."""
        self._whatsapp_check_editor([vals])
        return super().write(vals)

    @api.model
    def _whatsapp_check_editor(self, vals_list):
        """Refuse expressions of who may not edit mail templates.

        :raise AccessError: there is one
        """
        if not any(vals.get("whatsapp_expression") for vals in vals_list):
            return
        if not (self.env.su or self.env.user.has_group(EDITORS)):
            raise AccessError(
                self.env._("Only who may edit mail templates writes expressions.")
            )

    @api.constrains("whatsapp_expression")
    def _whatsapp_check_expression(self):
        """It only shows values."""
        for row in self.filtered("whatsapp_expression"):
            row._whatsapp_check_allowed()

    def _whatsapp_check_allowed(self):
        """Refuse an expression that does more than to show values.

        :raise ValidationError: with what it may not do
        """
        for _text, code, _default in parse_inline_template(self.whatsapp_expression):
            if not code:
                continue
            try:
                expression.check(code, self.model, self._whatsapp_field_of)
            except expression.NotAllowed as error:
                say = self.env["mail.gateway.whatsapp"]._translate
                raise ValidationError(say(error.source) % error.values) from error

    def _whatsapp_field_of(self, model, name):
        """Return the model that a field leads to, see ``tools.expression.check``."""
        records = self.env[model]
        field = records._fields.get(name)
        if field is None:
            raise expression.NotAllowed("field", name)
        if field.type in WITH_RECORDS or not self._whatsapp_is_shown(records, name):
            raise expression.NotAllowed("hidden", name)
        return field.comodel_name if field.relational else expression.VALUE

    def _whatsapp_evaluate(self, record):
        """Return what the expression shows of a record, in the customer's language.

        :raise UserError: it may not be used, or fails for this record
        """
        self._whatsapp_check_allowed()
        if not record:
            return ""
        lang = self.template_id._whatsapp_installed_lang()
        # sudo: mail.render.mixin - only values are shown, see _whatsapp_check_allowed
        renderer = self.env["mail.render.mixin"].sudo().with_context(lang=lang)
        text = self.whatsapp_expression
        shown = renderer._render_template_inline_template(
            text, record._name, record[:1].ids
        )
        return shown.get(record[:1].id) or ""

    # ------------------------------------------------------------- as one reads it

    def _whatsapp_last_field(self, model):
        """Return the field at the end of the path, and its model; None if no such."""
        field = None
        for name in (self.field_name or "").split("."):
            if field is not None:
                if not field.relational:
                    return None, model
                model = model.env[field.comodel_name]
            field = model._fields.get(name)
            if field is None:
                return None, model
        return field, model

    def _whatsapp_zone(self, record):
        """Return the time zone in which a customer reads the times of a record, or ''.

        :param record: one record, or none
        """
        if not record:
            return ""
        zone = record["event_tz"] if "event_tz" in record._fields else None
        person = record if record._name == "res.partner" else None
        if person is None and "partner_id" in record._fields:
            person = record["partner_id"]
        is_person = person is not None and person._name == "res.partner"
        return zone or (is_person and person[:1].tz) or ""

    @api.model
    def _whatsapp_formatted(self, record, field, zone=""):
        """Return the value of a field as its customer reads it, or ''.

        :param record: one record, in the customer's language
        :param field: of one of the types FORMATTED
        :param str zone: time zone; '': the user's
        """
        env, value = record.env, record[field.name]
        if field.type == "boolean":
            return env._("Yes") if value else env._("No")
        if field.type == "monetary":
            currency = record[field.get_currency_field(record)]
            return formatLang(env, value, currency_obj=currency or None)
        if field.type == "float":
            digits = field.get_digits(env)
            return formatLang(env, value, digits=digits[1] if digits else 2)
        if not value:
            return ""
        if field.type == "selection":
            return field.convert_to_export(value, record)
        if field.type == "html":
            return html2plaintext(value)
        if field.type == "date":
            return format_date(env, value)
        zone = zone or env.user.tz or "UTC"
        day = fields.Datetime.context_timestamp(record.with_context(tz=zone), value)
        time = format_time(env, value, tz=zone, time_format="short")
        return f"{format_date(env, day.date())} {time}"

    def _whatsapp_not_shown(self):
        return self.env._(
            "The field %s is not shown to customers: it is for administrators only."
            " Please choose another one.",
            self.field_name,
        )

    def _whatsapp_is_shown(self, model, path=None):
        """Tell whether the field may be shown to a customer, and all on the way to it.

        What does not exist is refused elsewhere.

        :param model: any recordset of the template's model
        :param str path: of fields; None: the variable's own
        """
        for name in (path or self.field_name).split("."):
            field = model._fields.get(name)
            if field is None:
                return True
            groups = set((field.groups or "").replace(" ", "").split(","))
            if groups & ADMINISTRATORS or "password" in name:
                return False
            if model._name in SEALED and name not in ("name", "display_name"):
                return False
            # a related field goes further than its name says
            if field.related and not self._whatsapp_is_shown(model, field.related):
                return False
            if not field.relational:
                break
            model = model.env[field.comodel_name]
        return True
