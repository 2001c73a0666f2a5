# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from ..tools.errors import CloudApiError

# What Meta reports of a message that it took
DELIVERY = [
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("read", "Read"),
    ("played", "Played"),
    ("failed", "Failed"),
]


class WhatsappMessageAttempt(models.Model):
    """One time that a message left, or should have left, and what came of it."""

    _name = "whatsapp.message.attempt"
    _description = "WhatsApp attempt to send"
    _order = "id desc"
    _rec_name = "date"

    row_id = fields.Many2one(
        "whatsapp.message.queue",
        string="Message",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    outcome = fields.Selection(
        [
            ("sent", "Accepted by Meta"),
            ("transient", "Refused for now"),
            ("throttled", "Too many messages"),
            ("auth", "The number may not send"),
            ("permanent", "Refused"),
            ("uncertain", "No answer"),
        ],
        required=True,
        readonly=True,
    )
    error_id = fields.Many2one(
        "whatsapp.error", string="Reason", readonly=True, ondelete="set null"
    )
    details = fields.Text(
        string="Meta's words", readonly=True, groups="base.group_system"
    )
    fault = fields.Selection(
        [
            ("connection", "No connection to Meta"),
            ("server", "Error of Meta's servers"),
            ("cut", "No answer"),
        ],
        string="Kind of failure at Meta",
        readonly=True,
        help="Nothing was wrong with the message itself. After an error of Meta's"
        " servers it may have arrived all the same.",
    )
    uuid = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="Comes back with each status of this copy of the message.",
    )
    wamid = fields.Char(string="WhatsApp ID", readonly=True, index="btree_not_null")
    delivery = fields.Selection(
        DELIVERY,
        readonly=True,
        help="What Meta reported of this copy, once another one took its place.",
    )

    @api.model
    def _note(self, row, outcome, entry, **more):
        """Keep what became of an attempt.

        :param row: ``whatsapp.message.queue``
        :param outcome: ``tools.cloud_api.Sent`` or ``CloudApiError``
        :param entry: ``whatsapp.error`` of the latter, or none
        :param more: further values
        """
        failed = isinstance(outcome, CloudApiError)
        return self.create(
            {
                "row_id": row.id,
                "outcome": (entry.kind or outcome.kind) if failed else "sent",
                "error_id": entry.id,
                "details": str(outcome) if failed else False,
                "fault": outcome.fault if failed else False,
                "uuid": row.uuid,
                "wamid": False if failed else outcome.message_id,
                **more,
            }
        )
