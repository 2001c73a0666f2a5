# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.tools import SQL

DOCUMENT = "whatsapp.document"
# What the notification of a document says -> what lists show of it
STATES = {
    "ready": "waiting",
    "process": "waiting",
    "pending": "waiting",
    "sent": "sent",
    "whatsapp_delivered": "delivered",
    "whatsapp_read": "read",
    "exception": "failed",
    "bounce": "failed",
}


class WhatsappDocument(models.AbstractModel):
    """A kind of document that is sent to customers every day.

    Lists show, and find, what became of the last message that it was sent with. Any
    other document shows it in its history only.
    """

    _name = DOCUMENT
    _description = "Document that is sent by WhatsApp"

    whatsapp_state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("read", "Read"),
            ("failed", "Failed"),
        ],
        string="By WhatsApp",
        compute="_compute_whatsapp_state",
        search="_search_whatsapp_state",
        help="What became of the last message that the document was sent with.",
    )
    whatsapp_portal_path = fields.Char(
        string="End of the link to the portal",
        compute="_compute_whatsapp_portal_path",
        help="For a template whose button opens the document: its link is the address"
        " of this Odoo, a slash, and this.",
    )

    def _whatsapp_last_sent(self, ids=None):
        """Return id -> status of the last message, of all that were sent.

        :param ids: only of these
        """
        self.env["mail.notification"].flush_model(["notification_status"])
        only = SQL("AND message.res_id = ANY(%s)", ids) if ids is not None else SQL()
        query = SQL(
            "SELECT DISTINCT ON (message.res_id)"
            "       message.res_id, status.notification_status"
            "  FROM mail_message message"
            "  JOIN mail_notification status ON status.mail_message_id = message.id"
            " WHERE message.model = %s %s"
            "   AND status.gateway_type = 'whatsapp'"
            "   AND status.gateway_channel_id IS NOT NULL"
            " ORDER BY message.res_id, message.id DESC, status.id DESC",
            self._name,
            only,
        )
        return dict(self.env.execute_query(query))

    def _compute_whatsapp_state(self):
        found = self._whatsapp_last_sent(self.ids) if self.ids else {}
        for document in self:
            document.whatsapp_state = STATES.get(found.get(document._origin.id), False)

    @api.model
    def _search_whatsapp_state(self, operator, value):
        # one, or several in whatever kind of list the series has
        values = set(value) if operator in ("in", "not in") else {value}
        state_of = {
            document_id: STATES.get(status, False)
            for document_id, status in self._whatsapp_last_sent().items()
        }
        if False in values:  # also those that were never sent: all but the others
            ids = [one for one, state in state_of.items() if state not in values]
        else:
            ids = [one for one, state in state_of.items() if state in values]
        inside = (operator in ("=", "in")) == (False not in values)
        return [("id", "in" if inside else "not in", ids)]

    def _compute_whatsapp_portal_path(self):
        for document in self:
            # sudo: the document - the link is for its customer
            has_portal = hasattr(document, "get_portal_url") and document.id
            path = document.sudo().get_portal_url() if has_portal else ""
            document.whatsapp_portal_path = path.lstrip("/")

    def action_whatsapp_send(self):
        """Open the dialog that sends these documents.

        :raise AccessError: the user does not work with WhatsApp, or may not read one
        """
        dialog = self.env["whatsapp.send.document"]
        return dialog.action_open_for(self._name, self.ids)

    @api.model
    def _whatsapp_who_works(self, *users):
        """Return the first of these users who still works here, none if nobody does.

        :param users: several ``res.users``, each perhaps empty
        """
        # sudo: res.users - whoever works now
        return next((user for user in users if user.sudo().active), users[0].browse())

    def _whatsapp_wake(self, record, user, summary, note):
        """Ask somebody to look at what a customer answered, once until it is done.

        :param record: with activities; the document, or its lead
        :param user: ``res.users`` who cares for it, perhaps none: then nobody is asked
        :param str summary: what is to be done
        :param str note: what the customer answered
        """
        # sudo: mail.activity, the record - its customer answered, whoever works now
        record = record.sudo()
        if not user or not user.active or not record:
            return
        known = record.activity_ids.filtered(
            lambda activity: activity.user_id == user and activity.summary == summary
        )
        if known:
            known[:1].note = note
            return
        today = fields.Date.context_today(record.with_context(tz=user.tz))
        record.activity_schedule(
            "mail.mail_activity_data_todo",
            today,
            summary=summary,
            note=note,
            user_id=user.id,
        )
