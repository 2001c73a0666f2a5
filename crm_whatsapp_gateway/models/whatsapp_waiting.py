# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models
from odoo.tools import SQL

from .whatsapp_attention import WAITING

READ = ["late", "user_id", "waiting_since"]
NOBODY = -1  # id of the row of what nobody has
ROWS = """
    SELECT COALESCE(chat.user_id, %(nobody)s) AS id,
           chat.user_id,
           count(*) AS waiting,
           count(*) FILTER (WHERE chat.late) AS late,
           min(chat.waiting_since) AS since
      FROM whatsapp_conversation chat
     WHERE chat.id IN %(seen)s
     GROUP BY chat.user_id
"""


class WhatsappWaiting(models.Model):
    """Who has how many customers waiting now, and since when: a row per salesperson.

    What counts are the conversations that the reader may see, as in the inbox.
    """

    _name = "whatsapp.waiting"
    _description = "WhatsApp customers waiting now"
    _auto = False
    _order = "since, id"
    _rec_name = "user_id"

    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        readonly=True,
        help="Empty: nobody has these conversations.",
    )
    waiting = fields.Integer(string="Customers waiting", readonly=True)
    late = fields.Integer(
        string="Of these late",
        readonly=True,
        help="After the target of the number, in working time.",
    )
    since = fields.Datetime(
        string="Longest wait",
        readonly=True,
        help="By the clock: nights, Sundays and holidays count.",
    )

    _depends = {"whatsapp.conversation": READ}

    @property
    def _table_query(self):
        chats = self.env["whatsapp.conversation"]
        return SQL(ROWS, nobody=NOBODY, seen=chats._search(WAITING).subselect())

    def action_open(self):
        """Open the conversations that a row counts."""
        return self.env["whatsapp.conversation"]._open_inbox(
            self.user_id.display_name or self.env._("Nobody's"),
            [*WAITING, ("user_id", "=", self.user_id.id)],
        )
