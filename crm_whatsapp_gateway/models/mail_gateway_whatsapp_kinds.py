# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from ..tools import message as wa_message
from ..tools import reading, webhook
from ..tools.identity import identity_change
from .mail_message import Received

# Meta's word for a template's state -> OCA's; what is missing keeps the state
TEMPLATE_STATES = {
    "APPROVED": "approved",
    "REINSTATED": "approved",
    "UNARCHIVED": "approved",
    "PENDING": "pending",
    "IN_APPEAL": "in_appeal",
    "REJECTED": "rejected",
    "PAUSED": "paused",
    "DISABLED": "disabled",
    "LIMIT_EXCEEDED": "limit_exceeded",
    "ARCHIVED": "archived",
    "PENDING_DELETION": "pending_deletion",
    "DELETED": "deleted",
}


# What Meta reports about account and number, for its administrator
NOTICES = (
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
)
# Of these he is told at once; the others just stand on the gateway
TOLD = ("account_alerts", "account_update", "security")


class MailGatewayWhatsapp(models.AbstractModel):
    """What Meta delivers besides messages to be read: applied where it belongs."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "mail.gateway.whatsapp"

    def _receive_reaction(self, chat, message, value):
        """Put a reaction on the message that it belongs to.

        :return: False if it is none, or its message is not known: then it is shown
            in words
        """
        reaction = wa_message.reaction_of(message)
        if not reaction:
            return False
        emoji, wamid = reaction
        # sudo: mail.message - the customer reacts, whoever works here
        target = self.env["mail.message"].sudo()
        target = target._whatsapp_find(chat, wamid)
        if not target:
            return False
        author = self._get_author(chat.gateway_id, value).sudo()
        is_guest = author._name == "mail.guest"
        guest = author if is_guest else author.env["mail.guest"]
        partner = author.env["res.partner"] if is_guest else author
        # a person has one reaction at a time
        for old in target.reaction_ids.filtered(
            lambda r: r.guest_id == guest and r.partner_id == partner
        ):
            if old.content != emoji:
                target._message_reaction(old.content, "remove", partner, guest)
        if emoji:
            target._message_reaction(emoji, "add", partner, guest)
        return True

    def _receive_system(self, gateway, atom):
        """Move a conversation to the new number or user id of its person."""
        change = identity_change(atom.content)
        old, new = change or (atom.identity, None)
        channel = gateway._whatsapp_find_channel(old).sudo()
        if not channel:
            return  # nobody whom we know
        if new and new.token:
            channel._whatsapp_move_identity(new)
        rendered = wa_message.render(atom.content, translate=self._phrase)
        channel._message_log(body=rendered.text)

    def _receive_echo(self, gateway, atom):
        """Show what staff typed on the phone: no lead, no activity, no window."""
        echo, wamid = {**atom.content, "id": atom.message_id}, atom.message_id
        # sudo: mail.message - see _process_update
        if self.env["mail.message"].sudo()._whatsapp_sent(gateway, wamid):
            return
        person = atom.identity
        channel, *others = gateway._whatsapp_find_channels(person).sudo() or [None]
        if not channel:
            channel = (
                gateway.env["discuss.channel"]
                .sudo()
                .create(
                    {
                        "name": person.label,
                        "channel_type": "gateway",
                        "gateway_id": gateway.id,
                        "gateway_channel_token": person.token,
                        "company_id": gateway.company_id.id,
                    }
                )
            )
        channel._whatsapp_learn_identity(person, others)
        if channel.env["mail.message"]._whatsapp_of(channel, wamid):
            return
        rendered = wa_message.render(echo, translate=self._phrase)
        received = channel.with_context(whatsapp_message_id=Received(wamid or ""))
        posted = received.message_post(
            body=self._whatsapp_to_html(rendered.text),
            author_id=gateway._whatsapp_worker().partner_id.id,
            date=(atom.timestamp or None) and atom.timestamp.replace(tzinfo=None),
            gateway_type="whatsapp",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self._complete(channel, posted, echo, rendered)
        channel._whatsapp_note_posted(posted, by_phone=True)

    def _receive_change(self, gateway, atom):
        """Apply a change of the account that the addon has something to update for."""
        if atom.type == "message_template_status_update":
            self._receive_template_status(gateway, atom.content)
        elif atom.type == "user_preferences":
            for preference in reading.mappings(atom.content.get("user_preferences")):
                self._receive_preference(gateway, preference)
        elif atom.type in NOTICES:
            self._receive_notice(gateway, atom)

    def _receive_notice(self, gateway, atom):
        """Show on the numbers of the account what Meta says about it."""
        # one app may serve several numbers; another app's must not be written to
        numbers = gateway | gateway._whatsapp_same_app().filtered(
            lambda number: number.whatsapp_account_id == (atom.account_id or "")
        )
        numbers = numbers.filtered(
            lambda number: number.whatsapp_account_id in (atom.account_id, False)
        )
        said = webhook.in_words(atom.content)
        values = {
            "whatsapp_notice": f"{atom.type}: {said}",
            "whatsapp_notice_at": (
                atom.timestamp.replace(tzinfo=None)
                if atom.timestamp
                else fields.Datetime.now()
            ),
        }
        limit = atom.content.get("max_daily_conversations_per_business")
        if limit:
            values["whatsapp_limit"] = webhook.in_words(limit)
        numbers.write(values)
        if atom.type in TOLD:
            for user in numbers._whatsapp_alerted():
                words = self.with_context(lang=user.lang).env
                # one of several numbers is enough to be told
                user.partner_id.message_notify(
                    partner_ids=user.partner_id.ids,
                    subject=words._("WhatsApp: Meta reports about your account"),
                    body=values["whatsapp_notice"],
                )
            self.env["discuss.channel"]._whatsapp_send_notices()

    def _receive_template_status(self, gateway, content):
        state = TEMPLATE_STATES.get(reading.text(content.get("event")))
        uid = reading.text(content.get("message_template_id"))
        if state and uid:
            # sudo: mail.whatsapp.template - Meta decides, not the webhook user
            self.env["mail.whatsapp.template"].sudo().search(
                [
                    ("template_uid", "=", uid),
                    (
                        "gateway_id.whatsapp_account_id",
                        "=",
                        gateway.whatsapp_account_id,
                    ),
                ]
            ).write({"state": state})

    def _receive_preference(self, gateway, preference):
        """Keep 'stop' and 'resume' of marketing messages."""
        person = self._person(
            {
                "messages": [
                    {
                        "from": preference.get("wa_id"),
                        "from_user_id": preference.get("user_id"),
                        "from_parent_user_id": preference.get("parent_user_id"),
                    }
                ]
            }
        )
        wish = preference.get("value")
        if person and wish in ("stop", "resume"):
            channel = gateway._whatsapp_find_channel(person).sudo()
            channel.whatsapp_opt_out = wish == "stop"
