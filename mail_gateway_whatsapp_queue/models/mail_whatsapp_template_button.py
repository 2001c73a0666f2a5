# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from ..tools import template

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
