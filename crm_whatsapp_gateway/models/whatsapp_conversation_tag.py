# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from random import randint

from odoo import api, fields, models
from odoo.exceptions import ValidationError

COLORS = 11  # of Odoo's; 0 is none


class WhatsappConversationTag(models.Model):
    """A label of conversations: salespeople make and choose them, managers keep order.

    A lead has tags of its own; these belong to what is talked about in the chat.
    """

    _name = "whatsapp.conversation.tag"
    _description = "WhatsApp label"
    _order = "name, id"

    name = fields.Char(required=True)
    color = fields.Integer(default=lambda self: randint(1, COLORS))

    @api.constrains("name")
    def _check_name(self):
        """Let no label be there twice, however its name is written.

        :raise ValidationError: it is there already, or has no name
        """
        for tag in self:
            if not tag.name.strip():
                raise ValidationError(self.env._("A label needs a name."))
            twin = self.search(
                [("name", "=ilike", _as_typed(tag.name)), ("id", "!=", tag.id)], limit=1
            )
            if twin:
                raise ValidationError(
                    self.env._("There is a label %s already.", twin.name)
                )

    @api.model
    def name_create(self, name):
        """Return the label of that name, which another one may have made meanwhile."""
        name = " ".join(name.split())
        there = self.search([("name", "=ilike", _as_typed(name))], limit=1)
        return (there.id, there.display_name) if there else super().name_create(name)


def _as_typed(name):
    """Return a name for =ilike, which takes % and _ for any characters."""
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
