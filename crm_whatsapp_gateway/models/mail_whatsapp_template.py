# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from ..tools import cloud_api, template
from .mail_gateway_whatsapp_kinds import TEMPLATE_STATES

CATEGORIES = ("authentication", "marketing", "utility")


class MailWhatsappTemplate(models.Model):
    _inherit = "mail.whatsapp.template"

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
            ("header", "Its header is a file or a place"),
            ("button", "It has a button of a kind that needs more than a link"),
            ("component", "It has a part that is not known here"),
        ],
        string="Why it cannot be sent from here",
        readonly=True,
        copy=False,
    )

    # ------------------------------------------------------------- from Meta

    @api.model
    def _prepare_values_to_import(self, gateway, json_data):
        """Take every template that Meta describes, also what OCA does not know.

        :param dict json_data: one of ``tools.cloud_api.CloudApi.templates``
        """
        category = str(json_data.get("category") or "").lower()
        state = TEMPLATE_STATES.get(json_data.get("status"))
        known = {
            **json_data,
            # OCA's selections; the true state follows
            "status": "DRAFT",
            "category": category if category in CATEGORIES else "utility",
            "components": [
                part
                for part in json_data.get("components") or []
                if isinstance(part, dict) and self._is_readable(part)
            ],
        }
        values = super()._prepare_values_to_import(gateway, known)
        values.setdefault("body", json_data.get("name"))
        score = json_data.get("quality_score")
        why = template.unsupported(json_data)
        return {
            **values,
            "state": state or "disabled",
            "is_supported": not why,
            "whatsapp_unsupported": why,
            "whatsapp_quality": score.get("score") if isinstance(score, dict) else None,
            "whatsapp_rejected_reason": (
                json_data.get("rejected_reason")
                if json_data.get("status") == "REJECTED"
                else None
            ),
        }

    @api.model
    def _is_readable(self, part):
        """Tell whether OCA can read a component without failing."""
        if part.get("type") == "HEADER":
            return part.get("format") == "TEXT" and bool(part.get("text"))
        if part.get("type") == "BUTTONS":
            return all("text" in button for button in part.get("buttons") or [])
        return part.get("type") in ("BODY", "FOOTER") and bool(part.get("text"))

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
        names = {
            (found.name, found.language)
            for found in self.search([("gateway_id", "=", gateway.id)])
        }
        languages = dict(self._fields["language"]._description_selection(self.env))
        new = changed = 0
        for each in described:
            uid = each.get("id")
            if not uid or not each.get("name") or not each.get("language"):
                continue
            found = known.pop(str(uid), self.browse())
            values = found._prepare_values_to_import(gateway, each)
            if values["language"] not in languages:
                continue  # younger than OCA's list
            if found:
                changed += 1
                found.write(values)
                continue
            if (values["name"], values["language"]) in names:
                values["name"] = each["name"]
            names.add((values["name"], values["language"]))
            new += 1
            self.create(values)
        for gone in known.values():
            gone.state = "deleted"
        return new, changed, len(known)

    # ------------------------------------------------------------- sending

    def _whatsapp_variables(self):
        """Return the places to be filled, as ``tools.template.Variable``."""
        self.ensure_one()
        urls = [
            button.website_url if button.button_type == "url" else None
            for button in self.button_ids
        ]
        return template.variables(self.header, self.body, urls)

    def _whatsapp_default(self, variable, record):
        """Return what a variable shows of a record by its field, or ''.

        :param variable: ``tools.template.Variable``
        :param record: a record of the template's model, perhaps none
        """
        # sudo: mail.whatsapp.template.variable - its author chose what is shown
        fields_of = self.sudo().variable_ids.filtered(
            lambda v: (
                v.line_type == variable.part
                and template.VARIABLE.fullmatch(v.name or "")
                and template.VARIABLE.fullmatch(v.name).group(1) == variable.name
            )
        )
        path = fields_of[:1].field_name
        if not path or not record:
            return ""
        value = fields_of[:1]._extract_value_from_field_path(record.sudo())
        return str(value or "").strip()

    def _whatsapp_record(self, lead):
        """Return the record of a lead that this template is about, perhaps none."""
        model = self.sudo().model_id.model
        return {"crm.lead": lead, "res.partner": lead.partner_id}.get(
            model, self.env["crm.lead"]
        )

    def _whatsapp_text(self, values):
        """Return the template as the customer will see it, as Markup.

        :param dict values: ``tools.template.Variable`` -> str
        """
        self.ensure_one()

        def part(kind):
            return {v.name: text for v, text in values.items() if v.part == kind}

        shown = Markup()
        if self.header:
            header = template.fill(self.header, part(template.HEADER))
            shown += Markup("<p><strong>%s</strong></p>") % header
        shown += Markup(plaintext2html(template.fill(self.body, part(template.BODY))))
        if self.footer:
            shown += Markup("<p><small>%s</small></p>") % self.footer
        if self.button_ids:
            names = " · ".join(self.button_ids.mapped("name"))
            shown += Markup("<p><em>[%s]</em></p>") % names
        return shown

    def _whatsapp_send(self, channel, values):
        """Send the template into a conversation.

        :param channel: ``discuss.channel``
        :param dict values: ``tools.template.Variable`` -> str
        :return: the new row of ``whatsapp.message.queue``
        :raise UserError: not approved, an empty variable, an opt-out
        """
        self.ensure_one()
        if self.state != "approved":
            raise UserError(
                self.env._(
                    "Meta has not approved the template %s. Please choose another one.",
                    self.name,
                )
            )
        if self.whatsapp_unsupported:
            reasons = dict(
                self._fields["whatsapp_unsupported"]._description_selection(self.env)
            )
            raise UserError(
                self.env._(
                    "The template %(name)s cannot be sent from here: %(reason)s.",
                    name=self.name,
                    reason=reasons[self.whatsapp_unsupported],
                )
            )
        try:
            components = template.components(values)
        except cloud_api.NotSendable as error:
            words = self.env["mail.gateway.whatsapp"]._phrase(error.source)
            raise UserError(words % error.values) from error
        return self.env["whatsapp.message.queue"]._post_template(
            channel, self, self._whatsapp_text(values), components
        )
