# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).


def column_names(model):
    """Return the names of the fields that Odoo reads together when it reads one.

    For ``search_fetch``, which then needs no second query to read what it found.
    """
    return [
        field.name
        for field in model._fields.values()
        if field.store
        and field.column_type
        and field.prefetch is True
        and (model.env.su or not field.groups)
    ]
