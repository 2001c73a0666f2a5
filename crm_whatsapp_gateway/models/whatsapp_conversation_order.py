# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.mail_gateway_whatsapp_queue.tools import window

from .res_users_settings import CLOSING, NEWEST, WAITING

ORDER = "whatsapp.conversation.order"


class WhatsappConversationOrder(models.AbstractModel):
    """Who comes first in the inbox, as each user chose. A part of
    ``whatsapp.conversation``.
    """

    _name = ORDER
    _description = "Order of the WhatsApp inbox"

    inbox_order = fields.Boolean(
        string="Order of the inbox",
        store=False,
        help="Holds nothing: a list that is sorted by it has the order that its user"
        " chose for the inbox.",
    )

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Sort by the order that the user chose for the inbox."""
        if field_name != "inbox_order":
            return super()._order_field_to_sql(
                alias, field_name, direction, nulls, query
            )
        # sudo: res.users.settings - the user's own
        settings = self.env.user.sudo().res_users_settings_id
        order = settings.whatsapp_inbox_order or WAITING
        newest = SQL("%s DESC", self._field_to_sql(alias, "inbox_date", query))
        if order == NEWEST:
            return newest
        waiting = self._field_to_sql(alias, "waiting_since", query)
        if order == CLOSING:
            closing = self._closing_to_sql(alias, query)
            terms = (closing, waiting, newest)
        else:
            terms = (waiting, newest)
        return SQL(", ").join(terms)

    @api.model
    def _closing_to_sql(self, alias, query):
        """Return when the customer wrote last whose window closes while he waits.

        Nothing of whoever does not wait, or whose window has closed.
        """
        channels = self.env["discuss.channel"]
        channel = query.left_join(
            alias, "channel_id", channels._table, "id", "channel_id"
        )
        closed_until, __ = window.closing_soon(fields.Datetime.now())
        return SQL(
            """CASE WHEN %(waiting)s IS NOT NULL
                     AND %(closed_at)s IS NULL
                     AND %(last)s > %(closed_until)s
               THEN %(last)s END""",
            waiting=self._field_to_sql(alias, "waiting_since", query),
            closed_at=channels._field_to_sql(
                channel, "whatsapp_window_closed_at", query
            ),
            last=channels._field_to_sql(channel, "whatsapp_last_customer_date", query),
            closed_until=closed_until,
        )
