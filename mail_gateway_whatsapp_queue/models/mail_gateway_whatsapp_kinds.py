# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import fields, models

from ..tools import message as wa_message
from ..tools import reading, webhook
from ..tools.identity import identity_change

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


KINDS = "whatsapp.gateway.kinds"
# Who says what Meta's own agent says
META_AGENT = "mail_gateway_whatsapp_queue.partner_meta_agent"
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


class WhatsappGatewayKinds(models.AbstractModel):
    """What Meta delivers besides customers' messages: applied where it belongs.

    A part of ``mail.gateway.whatsapp``.
    """

    _name = KINDS
    _description = "WhatsApp deliveries besides messages"

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
        rendered = wa_message.render(atom.content, translate=self._translate)
        channel._message_log(body=rendered.text)

    def _receive_echo(self, gateway, atom):
        """Show what staff typed on the phone: no lead, no activity, no window.

        The same of what Meta's agent said, which is nobody's answer.
        """
        echo, wamid = {**atom.content, "id": atom.message_id}, atom.message_id
        # sudo: mail.message - see _process_update
        if self.env["mail.message"].sudo()._whatsapp_sent(gateway, wamid):
            return
        channel = self._echo_channel(gateway, atom)
        if channel.env["mail.message"]._whatsapp_of(channel, wamid):
            return
        side = wa_message.AGENT if atom.by_agent else wa_message.PHONE
        author = gateway._whatsapp_worker().partner_id
        if atom.by_agent:
            author = self.env.ref(META_AGENT, raise_if_not_found=False) or author
        inbound = self._read_message(channel, echo, atom.value, side)
        posted = self._post_received(
            channel, author, inbound, by_phone=not atom.by_agent
        )
        if atom.group:
            channel._whatsapp_group_message(inbound.rendered.text, posted.date, "us")
        elif inbound.speaks:  # an edit of what was shown is no answer
            channel._whatsapp_message_sent(posted, by_phone=not atom.by_agent)

    def _echo_channel(self, gateway, atom):
        """Return the conversation in which we wrote, perhaps a new one."""
        if atom.group:
            return self._group_channel(gateway, atom)
        person = atom.identity
        # sudo: discuss.channel - the webhook user may be anybody
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
        return channel

    # ------------------------------------------------------------- groups

    def _group_channel(self, gateway, atom):
        """Return the conversation of a group, perhaps a new one."""
        # sudo: discuss.channel - the webhook user may be anybody
        channels = gateway.env["discuss.channel"].sudo()
        channel = channels.with_context(active_test=False).search(
            [
                ("gateway_id", "=", gateway.id),
                ("gateway_channel_token", "=", atom.group),
            ],
            limit=1,
        )
        subject = webhook.group_subject(atom.content)
        if not channel:
            name = subject or atom.group.removeprefix(webhook.GROUP)[-8:]
            channel = channels.create(
                self._get_group_vals(gateway, atom, self.env._("Group %s", name))
            )
            channel._whatsapp_add_members(gateway.member_ids)
        elif subject and channel.name != (name := self.env._("Group %s", subject)):
            channel.name = name
        if not channel.active:
            channel.active = True
        return channel

    def _get_group_vals(self, gateway, atom, name):
        """Return the values of the conversation of a group. A hook.

        :param str name: what it is called
        """
        return {
            "name": name,
            "channel_type": "gateway",
            "gateway_id": gateway.id,
            "gateway_channel_token": atom.group,
            "company_id": gateway.company_id.id,
        }

    def _receive_group_message(self, gateway, atom):
        """Show what somebody wrote in a group: nobody's lead, and nobody's turn."""
        channel = self._group_channel(gateway, atom)
        message = {**atom.content, "id": atom.message_id}
        value = {**atom.value, "messages": [message]}
        messages = channel.env["mail.message"]
        if messages._whatsapp_of(channel, atom.message_id):
            return
        if atom.identity and self._receive_reaction(channel, message, value):
            return
        inbound = self._read_message(channel, message, value)
        author = self._get_author(gateway, value)
        posted = self._post_received(channel, author, inbound)
        channel._whatsapp_group_message(inbound.rendered.text, posted.date, "customer")

    def _receive_change(self, gateway, atom):
        """Apply a change of the account that the addon has something to update for."""
        if atom.type == "message_template_status_update":
            self._receive_template_status(gateway, atom.content)
        elif atom.type == "template_category_update":
            self._receive_template_category(gateway, atom)
        elif atom.type == "user_preferences":
            for preference in reading.mappings(atom.content.get("user_preferences")):
                self._receive_preference(gateway, preference)
        elif atom.type == webhook.HANDOVERS:
            self._receive_handover(gateway, atom)
        elif atom.type in NOTICES:
            self._receive_notice(gateway, atom)

    def _receive_handover(self, gateway, atom):
        """Say in a conversation whether Meta's agent or we have it now."""
        change = webhook.handover(atom.content)
        if not change or not atom.identity:
            return  # the event keeps what came
        # sudo: discuss.channel - the webhook user may be anybody
        channel = gateway._whatsapp_find_channel(atom.identity).sudo()
        if not channel:
            return
        if change.ours is None:
            line = self.env._(
                "Meta reports about who answers in this conversation: %s", change.kind
            )
        elif change.ours:
            line = self.env._(
                "Meta's agent gave this conversation to us. It waits for you."
            )
        else:
            line = self.env._("Meta's agent answers in this conversation now.")
        body = Markup("<p>%s</p>") % line
        if change.summary:
            body += self._whatsapp_to_html(change.summary)
        channel._message_log(body=body)

    def _receive_notice(self, gateway, atom):
        """Show on the numbers of the account what Meta says about it."""
        numbers = self._numbers_of_account(gateway, atom)
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

    def _numbers_of_account(self, gateway, atom):
        """Return the numbers that a change of an account concerns."""
        # one app may serve several numbers; another app's must not be written to
        return (gateway | gateway._whatsapp_same_app()).filtered(
            lambda number: (
                number.whatsapp_account_id == atom.account_id
                or number == gateway
                and not number.whatsapp_account_id
            )
        )

    def _receive_template_category(self, gateway, atom):
        """Apply a category that Meta gave a template: it decides who may get it."""
        content = atom.content

        def read(name):
            """Older and newer deliveries name the template differently."""
            keys = (f"message_template_{name}", f"template_{name}", name)
            return next(filter(None, (reading.text(content.get(k)) for k in keys)), "")

        # sudo: mail.whatsapp.template - Meta decides, not the webhook user
        templates = self.env["mail.whatsapp.template"].sudo()
        numbers = self._numbers_of_account(gateway, atom)
        here = [("gateway_id", "in", numbers.ids)]
        templates = templates.with_context(active_test=False)
        uid, name = read("id"), read("name")
        found = templates.browse()
        if uid:
            found = templates.search([*here, ("template_uid", "=", uid)])
        if not found and name:
            found = templates.search([*here, ("template_name", "=", name)])
            if language := read("language").replace("-", "_"):
                found = found.filtered(lambda one: one.language == language)
        found._whatsapp_recategorize(
            reading.text(content.get("new_category")),
            reading.text(content.get("correct_category")),
        )

    def _receive_template_status(self, gateway, content):
        state = TEMPLATE_STATES.get(reading.text(content.get("event")))
        uid = reading.text(content.get("message_template_id"))
        if not (state and uid):
            return
        rejection = reading.mapping(content.get("rejection_info"))
        other = reading.mapping(content.get("other_info"))
        details = (rejection.get("recommendation"), other.get("description"))
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
        )._whatsapp_take_state(
            state,
            reading.text(content.get("reason")).upper(),
            " ".join(filter(None, map(reading.text, details))),
        )

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
