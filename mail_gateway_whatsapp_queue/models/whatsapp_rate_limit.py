# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class WhatsappRateLimit(models.Model):
    """How fast a number sends now; written by ``rate_limit`` only, by SQL.

    A table of its own: it changes with each message, and whoever reads or writes the
    gateway must not meet that. Times are seconds of the database's clock.
    """

    _name = "whatsapp.rate.limit"
    _description = "WhatsApp rate of a number"
    _log_access = False
    _rec_name = "number"

    number = fields.Char(string="Phone number ID", required=True, readonly=True)
    last_turn = fields.Float(readonly=True, help="When the last message may leave.")
    learned_rate = fields.Float(
        readonly=True, help="Messages a second, since Meta refused more."
    )
    reduced_at = fields.Float(readonly=True)

    def init(self):
        """Make the index by which a number is found, once."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS whatsapp_rate_limit_number_uniq
                ON whatsapp_rate_limit (number)
            """
        )
        return super().init()
