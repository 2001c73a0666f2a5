# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models

from ..columns import column_names
from ..compat import any_of
from ..queue.locks import remembered

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
        known = self._whatsapp_known()
        keys = [(name, value) for name in wanted for value in wanted[name] if value]
        if new := [key for key in dict.fromkeys(keys) if key not in known]:
            values = {}
            for name, value in new:
                values.setdefault(name, []).append(value)
            # sudo: whatsapp.lookup - what is known is known to all of the transaction
            records = self.sudo().with_context(active_test=False)
            found = records.search_fetch(
                any_of([(name, "in", values[name])] for name in values),
                column_names(records),
                order="id",
            )
            known.update((key, []) for key in new)
            for record in found:
                for name in values:
                    if (name, record[name]) in known:
                        known[name, record[name]].append(record.id)
        return self.browse(sorted({one for key in keys for one in known[key]}))

    def _whatsapp_together(self):
        """Return these records; what is read of them is read of all that are known."""
        known = self._whatsapp_known().values()
        others = [record_id for found in known for record_id in found]
        return self.with_prefetch(tuple(dict.fromkeys([*self.ids, *others])))

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
        res = super().write(vals)
        self._whatsapp_note(names)
        return res

    def unlink(self):
        """Let nobody find what is gone."""
        self._whatsapp_note(found=False)
        return super().unlink()
