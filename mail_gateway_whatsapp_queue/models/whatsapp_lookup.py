# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models
from odoo.tools import SQL

from ..queue.locks import forget, remembered

LOOKUP = "whatsapp.lookup"


class WhatsappLookup(models.AbstractModel):
    """Finds records by what a person, or a message, is known by.

    In background work of ours what was found, or not, stays known: the persons of a
    transaction are looked up together, and each of them once.
    """

    _name = LOOKUP
    _description = "Records that WhatsApp looks up"
    _whatsapp_lookups = ()  # names of the fields

    @api.model
    def _whatsapp_known(self):
        """Return what was looked up: dict of field and value -> list of ids."""
        return remembered(self.env.cr, self._name)

    @api.model
    def _whatsapp_find_by(self, **wanted):
        """Return the records with any of these values, by id.

        All of them: archived ones, too, and those that the user may not see.

        :param wanted: name of a field -> its values
        """
        known = self._whatsapp_look_up_all({self._name: wanted})[self._name]
        found = {
            record_id
            for name in wanted
            for value in wanted[name]
            for record_id in known.get((name, value), ())
        }
        return self.browse(sorted(found))

    @api.model
    def _whatsapp_look_up_all(self, wanted):
        """Look up in several models, in one query, what is not known yet.

        :param dict wanted: name of a model -> name of a field -> values
        :return: dict of name of a model -> what is known, see :meth:`_whatsapp_known`
        """
        known = {name: self.env[name]._whatsapp_known() for name in wanted}
        queries = []
        for model_name, values_of in wanted.items():
            model = self.env[model_name]
            for name, values in values_of.items():
                keys = dict.fromkeys((name, value) for value in values if value)
                if new := [key for key in keys if key not in known[model_name]]:
                    model.flush_model([name])
                    known[model_name].update((key, []) for key in new)
                    queries.append(model._whatsapp_query(name, [key[1] for key in new]))
        rows = (
            self.env.execute_query(SQL(" UNION ALL ").join(queries)) if queries else ()
        )
        for model_name, name, value, record_id in rows:
            known[model_name][name, value].append(record_id)
        return known

    @api.model
    def _whatsapp_query(self, name, values):
        """Return the query that finds records: model, field, value and id."""
        return SQL(
            "SELECT %s, %s, %s, id FROM %s WHERE %s = ANY(%s)",
            self._name,
            name,
            SQL.identifier(name),
            SQL.identifier(self._table),
            SQL.identifier(name),
            values,
        )

    @api.model
    def _whatsapp_found(self):
        """Return all records that were found so far in this transaction of ours."""
        found = self._whatsapp_known().values()
        return self.browse(sorted({record_id for ids in found for record_id in ids}))

    def _whatsapp_together(self):
        """Return these records; what is read of them is read of all that were found."""
        return self.with_prefetch((self | self._whatsapp_found())._ids)

    def _whatsapp_keys(self, names=None):
        """Return what this record is found by: tuples of field and value.

        :param names: of fields; default: all by which it is found
        """
        return [(name, self[name]) for name in names or self._whatsapp_lookups]

    def _whatsapp_note(self, names=None, found=True):
        """Keep what is known in step with these records.

        :param names: of fields that they have now, or will have no more
        :param bool found: whether they are found by them from now on
        """
        known = self._whatsapp_known()
        for record in self.sudo() if known else ():
            for key in record._whatsapp_keys(names):
                ids = known.get(key, [])
                if record.id in ids:
                    ids.remove(record.id)
                if found:
                    ids.append(record.id)

    @api.model_create_multi
    def create(self, vals_list):
        """Let new records be found."""
        records = super().create(vals_list)
        records._whatsapp_note()
        return records

    def write(self, vals):
        """Let records be found by what they have now, and no more by what they had."""
        names = [name for name in self._whatsapp_lookups if name in vals]
        if not names:
            return super().write(vals)
        self._whatsapp_note(names, found=False)
        try:
            res = super().write(vals)
        except Exception:  # it has what it had, unless the transaction is lost
            forget(self.env.cr)
            raise
        self._whatsapp_note(names)
        return res
