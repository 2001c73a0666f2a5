# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

LANGUAGES = ("es_MX", "es_ES", "en")  # of the examples that are shipped


class WhatsappTemplateLibrary(models.TransientModel):
    """Choose ready templates and submit them to Meta.

    What exists already is left alone and told; what Meta refuses stays as a draft that
    can be corrected. Done twice it is done once.
    """

    _name = "whatsapp.template.library"
    _description = "Ready WhatsApp templates"

    gateway_id = fields.Many2one(
        "mail.gateway",
        string="Number",
        required=True,
        domain=[("gateway_type", "=", "whatsapp")],
        default=lambda self: self._default_gateway(),
    )
    language = fields.Selection(
        lambda self: self._languages(),
        required=True,
        default=lambda self: self._default_language(),
    )
    example_ids = fields.Many2many(
        "whatsapp.template.example",
        string="Templates",
        compute="_compute_example_ids",
        store=True,
        readonly=False,
        domain="[('language', '=', language)]",
    )
    result = fields.Html(readonly=True, sanitize=False)

    def _default_gateway(self):
        numbers = self.env["mail.gateway"]
        return numbers.search([("gateway_type", "=", "whatsapp")], limit=1)

    @api.model
    def _languages(self):
        labels = self.env["mail.whatsapp.template"]._fields["language"]
        labels = dict(labels._description_selection(self.env))
        return [(code, labels[code]) for code in LANGUAGES]

    def _default_language(self):
        """Return the language of the company's customers, as far as it is there."""
        lang = self.env.company.partner_id.lang or ""
        same = [code for code in LANGUAGES if code.split("_")[0] == lang.split("_")[0]]
        return lang if lang in LANGUAGES else next(iter(same), LANGUAGES[0])

    @api.depends("language")
    def _compute_example_ids(self):
        """Choose all of a language: who wants less takes some out."""
        examples = self.env["whatsapp.template.example"]
        for each in self:
            found = examples.search([("language", "=", each.language)])
            each.example_ids = [Command.set(found.ids)]

    def action_submit(self):
        """Make the templates and submit them; the dialog tells what became of each.

        :raise AccessError: only who may change templates
        """
        self.ensure_one()
        self.env["mail.whatsapp.template"].check_access("create")
        if not self.gateway_id.whatsapp_account_id:
            raise UserError(
                self.env._("Please enter the WhatsApp Business account ID first.")
            )
        said = Markup()
        stopped = False
        for example in self.example_ids:
            words, icon = self.env._("not tried"), "minus text-muted"
            if not stopped:
                words, icon, stopped = self._submit(example)
            said += Markup('<li><i class="fa fa-%s"></i> <b>%s</b>: %s</li>') % (
                icon,
                example.title,
                words,
            )
        self.result = Markup('<ul class="list-unstyled">%s</ul>') % said
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "name": self.env._("Ready templates"),
        }

    def _submit(self, example):
        """Submit one; return what became of it, an icon, and whether Meta is away."""
        found = example._whatsapp_here(self.gateway_id)
        if found and (found.state != "draft" or found.template_uid):
            states = dict(found._fields["state"]._description_selection(self.env))
            state = states[found.state]
            words = self.env._("it is there already (%s)", state)
            return words, "minus text-muted", False
        made = found or example._whatsapp_make(self.gateway_id)
        try:
            with self.env.cr.savepoint():
                made.button_export_template()
        except UserError as error:
            words = self.env._("a draft, not submitted: %s", error.args[0])
            # not of this template: the others would fail as well
            is_away = getattr(error.__cause__, "kind", "permanent") != "permanent"
            return words, "exclamation-triangle text-warning", is_away
        states = dict(made._fields["state"]._description_selection(self.env))
        words = self.env._("submitted (%s)", states[made.state])
        return words, "check text-success", False

    def action_templates(self):
        """Open the templates of the number."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "mail_gateway_whatsapp_queue.action_whatsapp_templates"
        )
        return {
            **action,
            "domain": [("gateway_id", "=", self.gateway_id.id)],
            "target": "current",
        }
