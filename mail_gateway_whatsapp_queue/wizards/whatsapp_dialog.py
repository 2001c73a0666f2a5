# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

DIALOG = "whatsapp.dialog"


class WhatsappDialog(models.AbstractModel):
    """A dialog about something tells nothing of it to who may not see it.

    Odoo fills in a dialog that is not stored yet with all rights: for names, and for
    related fields.
    """

    _name = DIALOG
    _description = "Dialog of WhatsApp"

    _whatsapp_about = ("channel_id",)  # fields with what a dialog is about

    def onchange(self, values, field_names, fields_spec):
        """Ask for the right to see what the dialog is about.

        :raise AccessError: the user has none
        """
        about = {
            name: value
            for name in self._whatsapp_about
            if (value := values.get(name, self.env.context.get(f"default_{name}")))
        }
        dialog = self.new(about)
        for name in about:
            dialog[name].with_user(self.env.uid).check_access("read")
        return super().onchange(values, field_names, fields_spec)
