# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from ..tools.template import FILES
from .res_users import any_of
from .whatsapp_guarded import GUARDED

AGAIN = timedelta(days=1)  # in which a document is not sent again with a template
TRIES = 3  # times that a document is begun: its process may have been killed


class WhatsappBatchLine(models.Model):
    """One document of a batch.

    'given' is written together with the message in the queue: whatever happens to the
    process, there is both or neither.
    """

    _name = "whatsapp.batch.line"
    _description = "Document sent by WhatsApp with others"
    _inherit = [GUARDED]
    _order = "batch_id desc, place, id"

    batch_id = fields.Many2one(
        "whatsapp.batch", required=True, readonly=True, ondelete="cascade", index=True
    )
    place = fields.Integer(readonly=True)
    res_model = fields.Char(related="batch_id.res_model", store=True)
    res_id = fields.Many2oneReference(
        string="Document ID", model_field="res_model", readonly=True, index=True
    )
    name = fields.Char(string="Document", readonly=True)
    contact = fields.Char(readonly=True)
    number = fields.Char(readonly=True)
    token = fields.Char(readonly=True, groups="base.group_system")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("given", "Given to the queue"),
            ("refused", "Not sent"),
            ("canceled", "Given up"),
        ],
        default="waiting",
        required=True,
        readonly=True,
    )
    row_id = fields.Many2one(
        "whatsapp.message.queue",
        string="Message",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    tries = fields.Integer(readonly=True)
    reason = fields.Text(readonly=True)
    outcome = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("queued", "On its way"),
            ("sent", "Sent"),
            ("delivered", "Delivered"),
            ("read", "Read"),
            ("uncertain", "Perhaps delivered"),
            ("failed", "Failed"),
            ("refused", "Not sent"),
            ("canceled", "Given up"),
        ],
        string="Result",
        compute="_compute_outcome",
        search="_search_outcome",
    )
    why = fields.Text(compute="_compute_outcome")

    def init(self):
        """Make the index of the work to do; no document is twice in a batch."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS whatsapp_batch_line_waiting_idx
                ON whatsapp_batch_line (place, id) WHERE state = 'waiting';
            CREATE UNIQUE INDEX IF NOT EXISTS whatsapp_batch_line_document_uniq
                ON whatsapp_batch_line (batch_id, res_id);
            """
        )
        return super().init()

    @api.depends("state", "reason", "row_id.state", "row_id.delivery")
    def _compute_outcome(self):
        for line in self:
            # sudo: whatsapp.message.queue - who sees the line sees what became of it,
            # whoever has the conversation now
            row = line.sudo().row_id
            line.outcome = line._outcome_of(row)
            is_trouble = line.outcome in ("failed", "uncertain", "queued")
            line.why = line.reason or (is_trouble and row.error_text) or False

    def _outcome_of(self, row):
        if self.state != "given":
            return self.state
        if not row:  # what was sent is removed after some time
            return "sent"
        if row.state in ("queued", "sending"):
            return "queued"
        if row.state != "sent":
            return row.state
        return {"delivered": "delivered", "read": "read", "played": "read"}.get(
            row.delivery, "sent"
        )

    @api.model
    def _search_outcome(self, operator, value):
        values = [value] if isinstance(value, str | bool) else list(value)
        states = {"waiting", "refused", "canceled"} & set(values)
        domains = [[("state", "in", sorted(states))]]
        rows = {
            "queued": [("state", "in", ("queued", "sending"))],
            "delivered": [("state", "=", "sent"), ("delivery", "=", "delivered")],
            "read": [("state", "=", "sent"), ("delivery", "in", ("read", "played"))],
            "uncertain": [("state", "=", "uncertain")],
            "failed": [("state", "=", "failed")],
            "canceled": [("state", "=", "canceled")],
            "sent": [("state", "=", "sent"), ("delivery", "in", (False, "sent"))],
        }
        # sudo: whatsapp.message.queue - as in _compute_outcome
        queue = self.env["whatsapp.message.queue"].sudo()
        for name in sorted(rows.keys() & set(values)):
            found = queue._search(rows[name])
            domains.append([("state", "=", "given"), ("row_id", "in", found)])
        if "sent" in values:
            domains.append([("state", "=", "given"), ("row_id", "=", False)])
        found = any_of(domains)
        return found if operator in ("=", "in") else ["!", *found]

    def action_open(self):
        """Open the document.

        :raise AccessError: the line is another's; the document says for itself
        """
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    # ------------------------------------------------------------- background work

    @api.model
    def _take_next(self):
        """Return the id of the line to work on next, 0 if there is none.

        Each batch in turn, so that a small one does not wait for a large one. What was
        begun several times in vain, as its process was killed, is not begun again.
        """
        while True:
            self.env.cr.execute(
                """
                SELECT id, tries FROM whatsapp_batch_line
                 WHERE state = 'waiting'
                 ORDER BY place, id
                 LIMIT 1
                   FOR NO KEY UPDATE SKIP LOCKED
                """
            )
            found = self.env.cr.fetchone()
            if not found:
                return 0
            line, tries = self.browse(found[0]), found[1] or 0
            if tries < TRIES:
                line.tries = tries + 1
                line.flush_recordset()
                return line.id
            line._refuse(
                self.env._(
                    "It could not be prepared, though it was tried several times. An"
                    " administrator finds the reason in the log of the server."
                )
            )
            line.flush_recordset()

    @api.model
    def _sent_lately(self, model, ids, template, states=("given",)):
        """Return the ids of documents that were sent with a template so lately.

        :param str model: of the documents
        :param states: of the lines; 'waiting' are going to be sent
        """
        lines = self.search(
            [
                ("res_model", "=", model),
                ("res_id", "in", ids),
                ("batch_id.template_id", "=", template.id),
                ("state", "in", states),
                ("create_date", ">", fields.Datetime.now() - AGAIN),
            ]
        )
        return {
            line.res_id for line in lines if line.outcome not in ("failed", "canceled")
        }

    def _refuse(self, reason):
        self.write({"state": "refused", "reason": reason})

    def _send(self):
        """Give one document to the queue, or say why not, in this transaction."""
        self.env.cr.execute(
            "SELECT 1 FROM whatsapp_batch_line WHERE id = %s AND state = 'waiting'"
            " FOR NO KEY UPDATE SKIP LOCKED",
            (self.id,),
        )
        if not self.env.cr.fetchone():
            return  # somebody gave it up meanwhile
        batch = self.batch_id
        user = batch.user_id
        own = self.env(user=user.id, su=False, context=batch.context or {})
        try:
            with self.env.cr.savepoint():
                if not user.active or user.id == SUPERUSER_ID:
                    raise UserError(own._("%s no longer works here.", user.name))
                rows = self._deliver(own)
                self.env.flush_all()
        except UserError as error:
            self._refuse(str(error.args[0]))
        else:
            self.write({"state": "given", "row_id": rows[:1].id, "reason": False})

    def _deliver(self, env):
        """Send the document with the rights of who sent it.

        :param env: environment of that user
        :return: rows of ``whatsapp.message.queue``
        :raise UserError: whatever one document cannot be sent for
        """
        batch = self.batch_id
        record = env[batch.res_model].browse(self.res_id).exists()
        if not record:
            raise UserError(env._("The document no longer exists."))
        record.check_access("read")
        found = [
            each
            for each in record._whatsapp_recipients()
            if each.person.token == self.token
        ]
        if not found:
            raise UserError(env._("The number of the document was changed meanwhile."))
        if not batch.template_id:
            raise UserError(env._("The template no longer exists."))
        # what was left out, and is tried again, may have been sent by others
        if self._sent_lately(batch.res_model, record.ids, batch.template_id):
            raise UserError(env._("It was sent with this template already."))
        gateway = batch.gateway_id.with_env(env)
        template = batch.template_id.with_env(env)
        if gateway not in record._whatsapp_gateways():
            raise UserError(
                env._(
                    "This document is not sent from the number %s.",
                    batch.gateway_id.name,
                )
            )
        values = record._whatsapp_values_for(template, gateway, found[0])
        # what was typed is for documents that say nothing by themselves
        own = {key: value for key, value in values.items() if value.strip()}
        values = {**values, **batch._values(), **own}
        if why := record._whatsapp_why_not_to(gateway, found[0], template, values):
            raise UserError(why)
        return record._whatsapp_send_record(
            gateway,
            found[0],
            template=template,
            values=values,
            header=self._header(template, record),
        )

    def _header(self, template, record):
        """Return what goes into the header of the template, or None: its own."""
        batch, kind = self.batch_id, template.whatsapp_header
        if kind in FILES and batch.file_id:
            return batch.file_id.with_env(template.env)
        if kind == "document" and batch.report:
            return batch.report.with_env(template.env)._whatsapp_print(record)
        return template._whatsapp_header_of(record)
