# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models, tools
from odoo.exceptions import AccessError

GUARDED = "whatsapp.guarded"
MODULE = "mail_gateway_whatsapp_queue"


class WhatsappGuarded(models.AbstractModel):
    """Lets only the addon's methods write the addon's fields.

    A form that shows a field as readonly protects nothing. A person, which is whoever
    works without sudo, writes of our fields those that the model names, and no others:
    a field that is added is closed from the beginning. What makes a record one of
    WhatsApp, or another's, no person writes either.
    """

    _name = GUARDED
    _description = "Written by the methods of WhatsApp only"

    _whatsapp_modules = frozenset({MODULE})  # addons whose fields are ours
    _whatsapp_open = frozenset()  # our fields that a person may write
    _whatsapp_bonds = frozenset()  # fields of others that bind a record to WhatsApp

    @api.model
    @tools.ormcache()
    def _whatsapp_closed(self):
        """Return the names of our fields that no person writes."""
        first = {}  # field -> module that brought it; others may have extended it
        for base in reversed(type(self).mro()):
            for field in base.__dict__.get("_field_definitions", ()):
                first.setdefault(field.name, base._module)
        ours = {
            name for name, module in first.items() if module in self._whatsapp_modules
        }
        return frozenset(ours - self._whatsapp_open)

    def _whatsapp_bound(self):
        """Return those of these records that are of WhatsApp."""
        return self.browse()

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse our fields, and records of WhatsApp.

        :raise AccessError: a person makes what only our methods make
        """
        if self.env.su:
            return super().create(vals_list)
        closed = self._whatsapp_closed()
        for vals in vals_list:
            self._whatsapp_refuse(name for name in closed & vals.keys() if vals[name])
        # a default in the context is often meant for another model
        context = {
            key: value
            for key, value in self.env.context.items()
            if not (key.startswith("default_") and key[8:] in closed)
        }
        # pylint: disable=context-overridden
        records = super(WhatsappGuarded, self.with_context(context)).create(vals_list)
        records = records.with_env(self.env)
        if self._whatsapp_bonds and records._whatsapp_bound():
            self._whatsapp_refuse_bond()
        return records

    def write(self, vals):
        """Refuse our fields, and to bind a record to WhatsApp or to let it go.

        :raise AccessError: a person writes what only our methods write
        """
        if self.env.su:
            return super().write(vals)
        self._whatsapp_refuse(self._whatsapp_closed() & vals.keys())
        bonds = not self._whatsapp_bonds.isdisjoint(vals)
        if bonds and self._whatsapp_bound():
            self._whatsapp_refuse_bond()
        res = super().write(vals)
        if bonds and self._whatsapp_bound():
            self._whatsapp_refuse_bond()
        return res

    @api.model
    def _whatsapp_refuse(self, names):
        """Refuse fields, if there are any.

        :param names: iterable of names of fields
        :raise AccessError: there is one
        """
        if names := sorted(names):
            raise AccessError(
                self.env._(
                    "These fields of %(model)s are written by WhatsApp itself and"
                    " cannot be changed by hand: %(fields)s",
                    model=self._description,
                    fields=", ".join(names),
                )
            )

    @api.model
    def _whatsapp_refuse_bond(self):
        raise AccessError(
            self.env._(
                "A WhatsApp conversation cannot be made or changed by hand. Please open"
                " the chat from the contact, or the document."
            )
        )
