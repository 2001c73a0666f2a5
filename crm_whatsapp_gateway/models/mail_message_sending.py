# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models
from odoo.exceptions import UserError

DECISIONS = ("retry", "template", "edit", "leave", "cancel")


class MailMessage(models.Model):
    """What was sent of a message, what people do about it, and our reactions."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "mail.message"

    def unlink(self):
        """Take back what was not sent yet, and let go of what was.

        PostgreSQL would forget message and notification one after the other, and, of a
        row that the same transaction wrote, look once more for the one that is gone.
        """
        self.check_access("unlink")
        # sudo: whatsapp.message.queue - whoever may delete the message
        rows = self.env["whatsapp.message.queue"].sudo()
        rows = rows.search([("message_id", "in", self.ids)])
        rows.write({"message_id": False, "notification_id": False})
        unsent = rows.filtered(lambda row: row.state not in ("sending", "sent"))
        unsent._withdraw_questions()
        unsent.write({"state": "canceled", "next_attempt_at": False})
        return super().unlink()

    # ------------------------------------------------------------- delivery

    def _whatsapp_rows(self):
        """Return what was to be sent of these messages, also of a lead's message."""
        # sudo: whatsapp.message.queue - whoever reads the message sees its ticks
        rows = self.env["whatsapp.message.queue"].sudo()
        return rows.search(
            [
                "|",
                ("message_id", "in", self.ids),
                ("message_id.gateway_message_id", "in", self.ids),
            ],
            order="id",
        )

    def _whatsapp_own_rows(self):
        """Return what was to be sent of this message, for who may see both.

        :raise AccessError: the user may not read the message, or its conversation
        """
        self.check_access("read")
        rows = self._whatsapp_rows()
        (rows.channel_id | self._whatsapp_channel())._whatsapp_check_person()
        return rows

    def whatsapp_delivery(self):
        """Tell the chat what became of a message, and what can be done.

        :return: dict of attempts (int), next_attempt (UTC text or False), reason (str)
            and decisions (list of ``DECISIONS``)
        :raise AccessError: the user may not read the message, or its conversation
        """
        self.ensure_one()
        rows = self._whatsapp_own_rows()
        trouble = rows.filtered(lambda row: row.state not in ("sent", "sending"))
        planned = [
            at
            for row in trouble
            if (at := row.next_attempt_at) and not row._waits_for()
        ]
        return {
            "attempts": max(trouble.mapped("attempts"), default=0),
            "next_attempt": fields.Datetime.to_string(min(planned))
            if planned
            else False,
            "reason": next(filter(None, (row._reason() for row in trouble)), ""),
            "decisions": [what for what in DECISIONS if rows._open_to(what)],
        }

    def action_whatsapp_decide(self, decision):
        """Send again, edit, give up or leave what was not sent of a message.

        :param str decision: one of ``DECISIONS``
        :return: an action, or False
        :raise AccessError: the user may not read the message, or its conversation
        :raise UserError: nothing can be decided so (any more)
        """
        self.ensure_one()
        if decision not in DECISIONS:
            raise UserError(self.env._("This cannot be decided: %s", decision))
        rows = self._whatsapp_own_rows()
        open_rows = rows._open_to(decision)
        if not open_rows:
            raise UserError(
                rows._why_not(decision)
                if rows
                else self.env._("Nothing of this message was to be sent.")
            )
        return getattr(open_rows, f"action_{decision}")() or False

    # ------------------------------------------------------------- reactions

    def _message_reaction(self, content, action, partner, guest, store=None):
        """Show our reaction to the customer, too.

        :raise UserError: the 24 hours are over
        """
        received = self.env.context.get("no_gateway_notification")
        channel = self._whatsapp_channel() if partner and not received else None
        if channel:
            channel._whatsapp_check_person()
        wamid = channel and self._whatsapp_wamid(channel)
        if wamid:
            self.env["mail.gateway.whatsapp"]._check_allowed(channel)
        res = super()._message_reaction(content, action, partner, guest, store)
        if wamid:
            self._whatsapp_react(channel, wamid)
        return res

    def _whatsapp_channel(self):
        """Return the WhatsApp conversation of this message, or none."""
        channel = self.env["discuss.channel"]
        if self.model == channel._name and self.res_id:
            # sudo: discuss.channel - which it is; the callers ask for the right
            channel = channel.sudo().browse(self.res_id)
        return channel.filtered(lambda channel: channel._is_whatsapp())

    def _whatsapp_wamid(self, channel):
        """Return the id that Meta knows a message by, the customer's or ours."""
        if self.whatsapp_message_id:
            return self.whatsapp_message_id
        # sudo: whatsapp.message.queue - Meta's id goes to Meta, and not to the user
        rows = self.sudo()._whatsapp_rows().filtered("wamid")
        return rows.filtered(lambda row: row.channel_id == channel)[:1].wamid

    def _whatsapp_react(self, channel, wamid):
        """Send the last reaction of ours: for Meta the company has one at a time."""
        customer = channel._whatsapp_customer()
        ours = self.reaction_ids.filtered(
            lambda reaction: reaction.partner_id and reaction.partner_id != customer
        )
        self.env["whatsapp.message.queue"]._record_reaction(
            channel, wamid, ours.sorted("id")[-1:].content or ""
        )
