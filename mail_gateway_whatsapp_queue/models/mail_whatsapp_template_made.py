# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import file_open

from .. import pictures
from ..tools import payloads, reading, template, template_made
from ..tools.errors import CloudApiError
from .mail_gateway_whatsapp_kinds import TEMPLATE_STATES
from .mail_whatsapp_template_header import DOCUMENT

MADE = "whatsapp.template.made"
# For the header of a document for which nobody chose a sample
SAMPLE_PAGE = "mail_gateway_whatsapp_queue/data/sample.pdf"
EXISTS, GONE = 2388024, 2593002  # Meta's subcodes
INVALID = 100


class WhatsappTemplateMade(models.AbstractModel):
    """A template that is made here: submitted to Meta, changed, deleted.

    A part of ``mail.whatsapp.template``. While somebody changes one that Meta has, it
    is a draft with an id: what Meta reports of it waits until it was submitted, or read
    again.
    """

    _name = MADE
    _description = "WhatsApp template that is made here"

    whatsapp_meta_state = fields.Char(
        string="State at Meta before it was changed", readonly=True, copy=False
    )
    whatsapp_rejected_details = fields.Char(
        string="What Meta says besides", readonly=True, copy=False
    )
    whatsapp_state_words = fields.Text(
        string="What this means", compute="_compute_whatsapp_state_words"
    )
    whatsapp_problem_name = fields.Text(
        string="Name: to be corrected", compute="_compute_whatsapp_problems"
    )
    whatsapp_problem_header = fields.Text(
        string="Header: to be corrected", compute="_compute_whatsapp_problems"
    )
    whatsapp_problem_body = fields.Text(
        string="Text: to be corrected", compute="_compute_whatsapp_problems"
    )
    whatsapp_problem_footer = fields.Text(
        string="Footer: to be corrected", compute="_compute_whatsapp_problems"
    )
    whatsapp_problem_buttons = fields.Text(
        string="Buttons: to be corrected", compute="_compute_whatsapp_problems"
    )

    whatsapp_try_id = fields.Many2oneReference(
        string="Try it on",
        model_field="model",
        store=False,
        help="A record: the preview shows what its customer would read.",
    )
    whatsapp_preview = fields.Html(
        string="Preview", compute="_compute_whatsapp_preview", sanitize=False
    )

    @api.constrains("model_id")
    def _whatsapp_check_expressions(self):
        for row in self.variable_ids.filtered("whatsapp_expression"):
            row._whatsapp_check_allowed()

    @api.depends(
        "whatsapp_try_id",
        "model_id",
        "header",
        "body",
        "footer",
        "language",
        "variable_ids.name",
        "variable_ids.field_name",
        "variable_ids.whatsapp_expression",
        "variable_ids.sample_value",
        "button_ids.name",
        "button_ids.button_type",
        "button_ids.url_type",
        "button_ids.website_url",
        "whatsapp_code",
        "whatsapp_header",
        "whatsapp_file_ids",
    )
    @api.depends_context("lang", "uid")
    def _compute_whatsapp_preview(self):
        for each in self:
            try:
                values = each._whatsapp_tried()
                # sudo: ir.attachment - of a template that its user may read
                file = each.sudo().whatsapp_file_ids[:1]
                shown = each._whatsapp_preview(values, file)
            except (UserError, KeyError) as error:
                shown = (
                    Markup('<div class="alert alert-warning">%s</div>')
                    % (error.args[0])
                )
            each.whatsapp_preview = shown

    def _whatsapp_tried(self):
        """Return the values of the variables: of the record to try, else the samples.

        :raise AccessError: the user may not read the record
        :raise UserError: an expression or a field fails for it
        """
        variables = self._whatsapp_variables()
        record = None
        # a record's values are for who chooses what customers are shown
        if self.whatsapp_try_id and self.model and self.has_access("write"):
            record = self.env[self.model].browse(self.whatsapp_try_id).exists()
        if record:
            record.check_access("read")
            return {each: self._whatsapp_default(each, record) for each in variables}
        samples = self._whatsapp_made().samples
        return {each: samples.get(each) or "" for each in variables}

    # ------------------------------------------------------------- what it means

    @api.depends(
        "state", "template_uid", "whatsapp_rejected_reason", "whatsapp_rejected_details"
    )
    @api.depends_context("lang")
    def _compute_whatsapp_state_words(self):
        say = self.env["mail.gateway.whatsapp"]._translate
        for each in self:
            words = template_made.STATES.get(each.state)
            if each.state == "draft" and each.template_uid:
                words = template_made.CHANGED
            said = [say(words) if words else ""]
            reason = each.whatsapp_rejected_reason
            if reason and reason != "NONE":
                known = template_made.REASONS.get(reason)
                other = template_made.OTHER_REASON
                said = [say(known) if known else say(other) % {"reason": reason}]
            said.insert(0, each.whatsapp_rejected_details)
            each.whatsapp_state_words = "\n".join(filter(None, said))

    @api.depends(
        "name",
        "template_name",
        "state",
        "category",
        "header",
        "body",
        "footer",
        "variable_ids.name",
        "variable_ids.line_type",
        "variable_ids.sample_value",
        "button_ids.name",
        "button_ids.sequence",
        "button_ids.button_type",
        "button_ids.url_type",
        "button_ids.website_url",
        "button_ids.call_number",
        "button_ids.whatsapp_sample",
        "button_ids.whatsapp_form",
        "whatsapp_code",
        "whatsapp_header",
        "whatsapp_file_ids",
        "whatsapp_sample_ids",
    )
    @api.depends_context("lang")
    def _compute_whatsapp_problems(self):
        """Say what Meta would refuse where it is typed, while it can be changed."""
        for each in self:
            problems = each._whatsapp_problems() if each.state == "draft" else []
            for part in template_made.PARTS:
                words = [say for where, say in problems if where == part]
                each[f"whatsapp_problem_{part}"] = "\n".join(words) or False

    def _whatsapp_problems(self):
        """Return what Meta would refuse: where it is typed, and in words."""
        say = self.env["mail.gateway.whatsapp"]._translate
        kinds = dict(
            self.button_ids._fields["button_type"]._description_selection(self.env)
        )
        found = []
        for problem in template_made.problems(self._whatsapp_made()):
            values = dict(problem.values)
            if "kind" in values:
                values["kind"] = kinds[values["kind"]]
            found.append((problem.part, say(problem.source) % values))
        return found

    def _whatsapp_made(self):
        """Return this as ``tools.template_made.Template``."""
        samples = {}
        for row in self.variable_ids:
            for name in template.VARIABLE.findall(row.name or ""):
                key = template.Variable(row.line_type, name)
                samples[key] = row.sample_value or ""
        kind = self._whatsapp_header_kind()
        return template_made.Template(
            name=self.template_name or "",
            category=self.category or "",
            body=self.body or "",
            header="" if kind else self.header or "",
            header_kind=kind,
            footer=self.footer or "",
            buttons=tuple(
                button._whatsapp_made() for button in self._whatsapp_sorted()
            ),
            samples=samples,
            sample_type=self._whatsapp_sample_type() if kind else None,
        )

    def _whatsapp_sorted(self):
        """Return the buttons in their order, also those of a form not yet saved."""
        return self.button_ids.sorted("sequence")

    # ------------------------------------------------------------- sample of a header

    def _whatsapp_sample_file(self):
        """Return the file that who reviews it sees, perhaps none."""
        # sudo: ir.attachment - of a template that its user may write
        mine = self.sudo()
        return (mine.whatsapp_sample_ids or mine.whatsapp_file_ids)[:1]

    def _whatsapp_sample_type(self):
        """Return the type of the sample as Meta gets it, or None."""
        file = self._whatsapp_sample_file()
        if not file:
            is_document = self.whatsapp_header == DOCUMENT
            return "application/pdf" if is_document else None
        kind = payloads.sendable_type(file.mimetype or "", file.name or "")
        return pictures.JPEG if kind == pictures.WEBP else kind

    def _whatsapp_sample(self):
        """Return name, bytes and type of the sample of the header."""
        file = self._whatsapp_sample_file()
        kind = self._whatsapp_sample_type()
        if not file:
            with file_open(SAMPLE_PAGE, "rb") as page:
                return "sample.pdf", page.read(), kind
        content = file.raw
        if (
            payloads.sendable_type(file.mimetype or "", file.name or "")
            == pictures.WEBP
        ):
            content = pictures.webp_to_jpeg(content)
        return file.name or "sample", content, kind

    # ------------------------------------------------------------- to Meta

    def _whatsapp_check_made(self):
        """Refuse what is no draft, and what Meta would refuse.

        :raise UserError: with all that is to be corrected
        """
        if self.state != "draft":
            raise UserError(
                self.env._("Meta has this template already. Press “Modify” first.")
            )
        labels = {
            "name": self.env._("Name"),
            "header": self.env._("Header"),
            "body": self.env._("Text"),
            "footer": self.env._("Footer"),
            "buttons": self.env._("Buttons"),
        }
        if problems := self._whatsapp_problems():
            raise UserError("\n".join(f"{labels[at]}: {say}" for at, say in problems))

    def _whatsapp_submit(self, client):
        """Give Meta the template, see :meth:`button_export_template`."""
        try:
            values = self._prepare_values_to_export()
            if self.whatsapp_header in template.FILES:
                handle = self._whatsapp_upload_sample(client)
                made = self._whatsapp_made()
                values["components"] = template_made.components(made, handle)
            if self.template_uid:
                uid, status = self.template_uid, self._whatsapp_edit(client, values)
            else:
                uid, status = self._whatsapp_create(client, values)
        except CloudApiError as error:
            raise self._whatsapp_not_taken(error) from error
        self.write(
            {
                "template_uid": uid,
                "state": TEMPLATE_STATES.get(status) or "pending",
                "is_supported": True,
                "whatsapp_unsupported": False,
                "whatsapp_rejected_reason": False,
                "whatsapp_rejected_details": False,
                "whatsapp_meta_state": False,
            }
        )

    def _whatsapp_upload_sample(self, client):
        """Give Meta the sample of the header; return its handle."""
        app_id = client.token_info().get("app_id")
        name, content, kind = self._whatsapp_sample()
        return client.upload_sample(str(app_id or ""), name, content, kind)

    def _whatsapp_edit(self, client, values):
        """Change what Meta has; return its state there, as far as it is known."""
        changed = {"components": values["components"]}
        if self.whatsapp_meta_state != "approved":
            changed["category"] = values["category"]
        client.edit_template(self.template_uid, changed)
        try:
            return client.template(self.template_uid, ("status",)).get("status")
        except CloudApiError:
            return None  # it was taken: what became of it follows

    def _whatsapp_create(self, client, values):
        """Make the template at Meta; return its id and its state.

        An answer that was lost, or a second click, finds what was made.
        """
        account = self.gateway_id.whatsapp_account_id
        try:
            return client.create_template(account, values)
        except CloudApiError as error:
            if error.kind != "uncertain" and error.subcode != EXISTS:
                raise
            found = client.find_template(account, values["name"], values["language"])
            if not found or not self._whatsapp_is_same(found, values):
                raise
            return found["id"], found.get("status")

    @api.model
    def _whatsapp_is_same(self, found, values):
        """Tell whether Meta has the very text that we gave it."""

        def body(parts):
            parts = reading.mappings(parts)
            return [p.get("text") for p in parts if p.get("type") == "BODY"]

        return bool(found.get("id")) and body(found.get("components")) == body(
            values["components"]
        )

    def _whatsapp_not_taken(self, error):
        """Return the UserError for what Meta answered about a template.

        :param error: ``tools.errors.CloudApiError``
        """
        gateway = self.gateway_id
        if error.code != INVALID or "/" in error.reason:
            return gateway._whatsapp_refused(error)
        values = {"error": gateway._whatsapp_without_secrets(error)}
        if self.template_uid and self.whatsapp_meta_state == "approved":
            return UserError(
                self.env._(
                    "Meta did not take the change. A template that is approved can be"
                    " changed once in 24 hours and 10 times in 30 days. Meta says:"
                    " %(error)s",
                    **values,
                )
            )
        return UserError(
            self.env._(
                "Meta did not take the template. Please correct it and submit it"
                " again. Meta says: %(error)s",
                **values,
            )
        )

    # ------------------------------------------------------------- change, delete

    def _whatsapp_open(self):
        """Prepare the change of a template, as far as Meta allows it.

        :raise UserError: Meta reviews it, or stopped it
        """
        self.ensure_one()
        if self.state == "deleted":
            self.template_uid = False  # a new one with the same text
        elif self.template_uid and self.state in template_made.CHANGEABLE:
            self.whatsapp_meta_state = self.state
        elif self.template_uid and self.state != "draft":
            states = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "Meta lets nobody change a template in this state: %(state)s.",
                    state=states[self.state],
                )
            )

    def action_whatsapp_delete(self):
        """Delete the template at Meta, in its language; here it stays as deleted.

        :raise AccessError: only who may delete the template
        :raise UserError: what Meta answers instead
        """
        self.ensure_one()
        self.check_access("unlink")
        gateway = self.gateway_id
        if self.template_uid:
            try:
                gateway._whatsapp_client().delete_template(
                    gateway.whatsapp_account_id, self.template_uid, self.template_name
                )
            except CloudApiError as error:
                if error.subcode != GONE:
                    raise self._whatsapp_not_taken(error) from error
        self.state = "deleted"

    # ------------------------------------------------------------- from Meta

    def _whatsapp_is_being_changed(self):
        """Tell whether somebody changes here what Meta has."""
        self.ensure_one()
        return self.state == "draft" and bool(self.template_uid)

    def _whatsapp_take_state(self, state, reason="", details=""):
        """Write the state that Meta reports, and why.

        :param str state: one of OCA's
        :param str reason: Meta's word for it
        :param str details: what it recommends
        """
        for each in self:
            if each._whatsapp_is_being_changed() and state != "deleted":
                each.whatsapp_meta_state = state
                continue
            is_bad = state not in ("approved", "pending")
            rejected = state == "rejected" and reason
            each.write(
                {
                    "state": state,
                    "whatsapp_rejected_reason": rejected or False,
                    "whatsapp_rejected_details": is_bad and details or False,
                }
            )

    def _whatsapp_take_samples(self, described):
        """Keep the samples that Meta has, so that the template can be changed here.

        :param dict described: one of ``tools.cloud_api.CloudApi.templates``
        """
        samples = template_made.samples(described)
        for row in self.variable_ids:
            for name in template.VARIABLE.findall(row.name or ""):
                sample = samples.get(template.Variable(row.line_type, name))
                if sample:
                    row.sample_value = sample
