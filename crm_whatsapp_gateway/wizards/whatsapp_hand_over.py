# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from .whatsapp_colleague import COLLEAGUE

FEW = 12  # colleagues among whom one chooses faster by a click than by a search
SHOWN = 3  # refusals that are told one by one


class WhatsappHandOver(models.TransientModel):
    """Give one conversation away, or those that were chosen in the inbox."""

    _name = "whatsapp.hand.over"
    _inherit = COLLEAGUE
    _description = "Hand a WhatsApp conversation over"

    channel_id = fields.Many2one(required=False)
    conversation_ids = fields.Many2many(
        "whatsapp.conversation", string="Chosen conversations", readonly=True
    )
    chosen = fields.Integer(compute="_compute_conversations")
    user_id = fields.Many2one(
        "res.users",
        string="Colleague",
        required=True,
        domain="[('id', 'in', colleague_ids)]",
    )
    is_few = fields.Boolean(
        string="Few colleagues to choose from", compute="_compute_is_few"
    )
    conversations = fields.Integer(
        string="Conversations of the lead", compute="_compute_conversations"
    )

    @api.depends("colleague_ids")
    def _compute_is_few(self):
        for wizard in self:
            wizard.is_few = len(wizard.colleague_ids) <= FEW

    @api.constrains("conversation_ids")
    def _check_conversation_ids(self):
        """Show nothing of a conversation that its user may not see."""
        # sudo: whatsapp.conversation - the rules would leave out what is to be refused
        self.sudo().conversation_ids.channel_id._whatsapp_check_person()

    @api.depends("channel_id", "conversation_ids")
    def _compute_conversations(self):
        for wizard in self:
            # sudo: crm.lead - how many there are tells nothing
            lead = wizard.channel_id.sudo().lead_id
            wizard.conversations = len(lead.whatsapp_channel_ids)
            wizard.chosen = len(wizard.conversation_ids)

    @api.depends("conversation_ids")
    def _compute_colleague_ids(self):
        return super()._compute_colleague_ids()

    def _channels(self):
        return self.conversation_ids.channel_id or super()._channels()

    def _out_of_question(self):
        """Return who has them all already."""
        # sudo: discuss.channel - whose it is, of what the user may see
        owners = [channel.whatsapp_user_id for channel in self._channels().sudo()]
        first = owners[0] if owners else self.env["res.users"]
        return first if all(owner == first for owner in owners) else first.browse()

    def action_hand_over(self):
        """Give the conversation away, or each of those that were chosen.

        :raise UserError: none of them is the user's to give, or the colleague could
            not see it
        """
        self.ensure_one()
        note = (self.note or "").strip()
        if self.conversation_ids:
            return self._hand_over_each(note)
        self.channel_id._whatsapp_hand_over(self.user_id, note)
        if self.user_id == self.env.user:
            return {"type": "ir.actions.act_window_close"}
        # sudo: discuss.channel, res.users - the giver may not see them any more
        return self._close_chats(
            self.channel_id,
            self.env._(
                "%(colleague)s has the conversation with %(customer)s now.",
                colleague=self.user_id.sudo().name,
                customer=self.channel_id.sudo().name,
            ),
        )

    def _hand_over_each(self, note):
        """Give what may be given, and say how many and what was not."""
        channels = self._channels()
        given, refused = channels._whatsapp_hand_over_each(self.user_id, note)
        # sudo: discuss.channel - names of what the user chose
        whys = [f"{channel.sudo().name}: {why}" for channel, why in refused]
        if not given:
            raise UserError("\n".join(whys[:SHOWN]))
        # sudo: res.users - a colleague, who was checked
        words = [
            self.env._(
                "Handed over to %(colleague)s: %(count)s.",
                colleague=self.user_id.sudo().name,
                count=len(given),
            )
        ]
        if refused:
            words.append(self.env._("Not handed over: %s.", len(refused)))
            words += whys[:SHOWN]
        return self._close_chats(
            given if self.user_id != self.env.user else given.browse(),
            " ".join(words),
            "warning" if refused else "success",
        )

    def _close_chats(self, channels, message, kind="success"):
        """Return an action that closes what is open of them, and says something."""
        return {
            "type": "ir.actions.client",
            "tag": "crm_whatsapp_gateway.close_chat",
            "params": {
                "channel_ids": channels.ids,
                "message": message,
                "type": kind,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
