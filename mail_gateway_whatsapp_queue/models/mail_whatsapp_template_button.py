# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from ..tools import reading, template, template_made, template_words

# Kinds that OCA does not know
MORE = ("copy_code", "flow", "catalog")


class MailWhatsappTemplateButton(models.Model):
    _inherit = "mail.whatsapp.template.button"

    button_type = fields.Selection(
        selection_add=[
            ("copy_code", "Copy code"),
            ("flow", "Open form"),
            ("catalog", "View catalog"),
        ],
        ondelete={kind: "cascade" for kind in MORE},
    )
    whatsapp_meaning = fields.Selection(
        [
            ("yes", "Yes: the customer accepts or confirms"),
            ("other", "Something else, such as a question"),
        ],
        string="What it means",
        compute="_compute_whatsapp_meaning",
        store=True,
        readonly=False,
        help="What follows on the document when the customer presses it.",
    )
    whatsapp_sample = fields.Char(
        string="Sample of the end of the link",
        help="What stands at the end of the link in the sample that Meta reviews, such"
        " as S00042.",
    )
    whatsapp_form = fields.Char(
        string="ID of the form",
        help="The WhatsApp Manager shows it below Flows. The form must be published.",
    )
    whatsapp_screen = fields.Char(
        string="First screen",
        help="Of the form; without it, the one that it begins by.",
    )

    @api.depends("name", "button_type")
    def _compute_whatsapp_meaning(self):
        for button in self:
            meaning = "yes" if template_words.agrees(button.name) else "other"
            button.whatsapp_meaning = button.button_type == "quick_reply" and meaning

    def _whatsapp_meaning_of(self, carried, text):
        """Return what the one of these buttons means that was pressed.

        The template may have been changed since: what the customer read decides.

        :param str carried: what it carries, see ``tools.template.button_payload``
        :param str text: of the button
        """
        replies = self.filtered(lambda button: button.button_type == "quick_reply")
        if read := replies.filtered(lambda button: button.name == text)[:1]:
            return read.whatsapp_meaning
        name, index = template.tapped_button(carried)
        is_ours = name and name == self.template_id.template_name
        pressed = self[index : index + 1] if is_ours else self.browse()
        return (pressed & replies).whatsapp_meaning

    def _whatsapp_link(self):
        """Return the link, with the variable at its end if it has one."""
        link = (self.website_url or "").strip()
        if self.url_type != "dynamic" or template.VARIABLE.search(link):
            return link
        return f"{link}{{{{1}}}}"

    def _whatsapp_made(self):
        """Return this as ``tools.template_made.Button``."""
        is_code = self.button_type == "copy_code"
        sample = self.template_id.whatsapp_code if is_code else self.whatsapp_sample
        return template_made.Button(
            kind=self.button_type or "",
            text=self.name or "",
            link=self._whatsapp_link() if self.button_type == "url" else "",
            sample=(sample or "").strip(),
            phone=(self.call_number or "").strip(),
            form=(self.whatsapp_form or "").strip(),
            screen=(self.whatsapp_screen or "").strip(),
        )

    @api.model
    def _whatsapp_more_described(self, button):
        """Return the values of what OCA does not read of a button."""
        if button.get("type") != "FLOW":
            return {}
        return {
            "whatsapp_form": reading.text(button.get("flow_id")),
            "whatsapp_screen": reading.text(button.get("navigate_screen")),
        }

    @api.model
    def _whatsapp_described(self, buttons):
        """Return Meta's buttons, each with a text: some have one by their kind only."""
        texts = {
            "COPY_CODE": self.env._("Copy code"),
            "CATALOG": self.env._("View catalog"),
        }
        return [
            {**button, "text": button.get("text") or texts[button["type"]]}
            if isinstance(button, dict) and button.get("type") in texts
            else button
            for button in buttons
        ]

    @api.model
    def _whatsapp_kind(self, of_meta):
        """Return our kind of a button that OCA does not import, or None.

        :param str of_meta: Meta's type
        """
        kind = template.BUTTONS.get(of_meta)
        return kind if kind in MORE else None

    def _whatsapp_shown(self, values, index):
        """Return what the customer reads on this button, with what it does.

        :param dict values: ``tools.template.Variable`` -> str
        :param int index: its place among all of the template
        """
        if self.button_type == "copy_code":
            code = values.get(template.Variable(template.CODE, template.CODE, index))
            return f"{self.name}: {code}" if code else self.name
        return self.name
