# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from collections import defaultdict

from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from odoo.addons.mail_gateway_whatsapp_queue.tools import identity as wa_identity

from .hr_employee import SALESPERSON, Choice

TEAM = "whatsapp.channel.team"
LABELS = 100  # that the panel offers
NAMES = 20  # of customers that one notice tells


class WhatsappChannelTeam(models.AbstractModel):
    """The lead beside the chat, the colleagues in it, and notes among them. A part of
    ``discuss.channel``.
    """

    _name = TEAM
    _description = "A sales team in its WhatsApp conversations"

    # ------------------------------------------------------------- the lead

    def _whatsapp_lead_summary(self):
        """Return what everybody in the conversation sees of its lead, or False."""
        # sudo: crm.lead - its name is shown in a conversation that one may read
        lead = self.sudo().lead_id
        if not lead:
            return False
        return {
            "id": lead.id,
            "name": lead.name,
            "stage": lead.stage_id.name or "",
            "user": lead.user_id.name or "",
            "user_id": lead.user_id.id,
            "phone": lead.phone or "",
        }

    def whatsapp_panel(self):
        """Tell the chat about its lead, and what the user can do here.

        :return: False for who may not read the conversation (any more), else a dict
            of whatsapp_lead (what is shown of the lead), lead (see ``crm.lead``; False
            for who may not read it), no_lead_reason (str), phone and other_phone (str:
            of this chat, and that of the lead if it is another one), people (list of
            dict of id, name and away: why, if they are), owner_away (str, the same of
            the salesperson), can_hand_over and can_make_lead (bool), and what
            ``_whatsapp_panel_labels`` returns
        """
        self.ensure_one()
        if not self.has_access("read"):
            return False
        lead = self._whatsapp_own_lead()
        sells = self.env.user.has_group(SALESPERSON)
        # sudo: discuss.channel - names of colleagues, as the list of members shows
        people = self.sudo().channel_member_ids.partner_id.filtered(
            lambda partner: partner.active and not partner.partner_share
        )
        return {
            "whatsapp_lead": self._whatsapp_lead_summary(),
            "lead": lead.has_access("read") and lead._whatsapp_panel_values()
            if lead
            else False,
            "no_lead_reason": self.whatsapp_no_lead_reason or "",
            **self._whatsapp_panel_phones(lead),
            **self._whatsapp_panel_people(people),
            **self._whatsapp_panel_labels(),
            "can_invite": sells,
            "can_hand_over": sells and self._whatsapp_may_hand_over(),
            "can_make_lead": sells
            and not lead
            and not self._whatsapp_is_group()
            and self.has_access("write"),
        }

    def _whatsapp_panel_labels(self):
        """Return the labels of the conversation, and those that one can add.

        :return: dict of conversation (id of ``whatsapp.conversation``), tags (list of
            dict of id, name and color), labels (list of names) and can_label (bool)
        """
        # sudo: whatsapp.conversation - of a chat that the user reads
        chat = self.sudo().whatsapp_conversation_ids
        mine = chat.with_env(self.env)
        can_label = bool(mine) and mine.has_access("write")
        others = self.env["whatsapp.conversation.tag"]
        if can_label:
            others = others.search([("id", "not in", chat.tag_ids.ids)], limit=LABELS)
        return {
            "conversation": chat.id,
            "tags": [
                {"id": tag.id, "name": tag.name, "color": tag.color}
                for tag in chat.tag_ids
            ],
            "labels": others.mapped("name"),
            "can_label": can_label,
        }

    def _whatsapp_panel_people(self, people):
        """Tell who takes part, and who of them is away.

        :param people: ``res.partner`` of colleagues
        """
        # sudo: res.users - of colleagues whose names are shown
        channel = self.sudo()
        owner = channel.whatsapp_user_id
        users = people.sudo().user_ids
        away = self.env["hr.employee"]._whatsapp_absence_words(
            owner | users, channel._whatsapp_company()
        )
        return {
            "people": [
                {
                    "id": one.id,
                    "name": one.name,
                    "away": next(
                        (away[user.id] for user in one.user_ids if user.id in away), ""
                    ),
                }
                for one in people
            ],
            "owner_away": away.get(owner.id, ""),
        }

    def _whatsapp_panel_phones(self, lead):
        # sudo: discuss.channel - the lead's numbers, for who may read the lead
        other = lead.has_access("read") and self.sudo()._whatsapp_other_phone()
        return {
            "phone": wa_identity.display(self.whatsapp_phone or ""),
            "other_phone": wa_identity.display(other or ""),
        }

    def _whatsapp_choices(self):
        """Return what tells these conversations apart, the last one first.

        :return: list of dict of id, name, number (of ours), text and unread
        """
        return [
            {
                "id": channel.id,
                "name": channel.name,
                "number": channel.gateway_id.name,
                "text": channel.whatsapp_conversation_ids.last_text or "",
                "unread": channel.whatsapp_conversation_ids.unread,
            }
            for channel in reversed(self._whatsapp_by_last_message())
        ]

    def _whatsapp_own_lead(self):
        """Return the lead with the rights of the user, which may be none."""
        # sudo: discuss.channel - the id alone; with_user() takes the rights back
        return self.sudo().lead_id.with_user(self.env.user)

    def _whatsapp_contact_linked(self, partner):
        """Make it the customer of the lead, too, if that has none.

        :param partner: ``res.partner``
        """
        res = super()._whatsapp_contact_linked(partner)
        for channel in self:
            lead = channel._whatsapp_own_lead()
            if lead and lead.has_access("write") and not lead.partner_id:
                lead.partner_id = partner
        return res

    def action_whatsapp_link_lead(self):
        """Let one say to which lead the conversation belongs."""
        self.ensure_one()
        self.check_access("write")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "crm_whatsapp_gateway.action_whatsapp_link_lead"
        )
        context = {"default_channel_id": self.id, "dialog_size": "medium"}
        return {**action, "context": context}

    # ------------------------------------------------------------- who takes part

    def _whatsapp_remove_watchers(self, watchers):
        """Let those out who were in only because nobody had the conversation.

        :param watchers: ``res.users``; who wrote in it stays
        """
        # sudo: mail.message, discuss.channel.member - whether they wrote, not what
        channel = self.sudo()
        inside = watchers.partner_id & channel.channel_member_ids.partner_id
        if not inside:
            return
        wrote = (
            self.env["mail.message"]
            .sudo()
            ._read_group(
                [
                    ("model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("message_type", "=", "comment"),
                    ("author_id", "in", inside.ids),
                ],
                ["author_id"],
            )
        )
        stay = {author.id for (author,) in wrote}
        self._whatsapp_remove_members(
            watchers.filtered(lambda user: user.partner_id.id not in stay)
        )

    @api.model
    def _whatsapp_colleague_groups(self):
        """Conversations are given to salespeople, not to whoever else may see them."""
        return (SALESPERSON,)

    def _whatsapp_check_colleagues(self, users):
        """Refuse who could not work in this conversation.

        :raise UserError: no salesperson, or not of the company
        """
        for stranger in users - self._whatsapp_colleagues():
            # sudo: res.users, discuss.channel - names, of what the user named
            raise UserError(
                self.env._(
                    "%(user)s is no salesperson of %(company)s, and could not see the"
                    " conversation.",
                    user=stranger.sudo().name,
                    company=self.sudo()._whatsapp_company().name,
                )
            )

    def _whatsapp_invite(self, users, note=""):
        """Let colleagues in, who see the history; tell them, and say so in the chat.

        :param users: ``res.users``
        :param str note: what they should know; never sent to the customer
        :raise AccessError: it is a colleague's conversation
        :raise UserError: one of them could not work in it
        """
        self.ensure_one()
        self.check_access("read")
        if not users:
            raise UserError(self.env._("Please choose a colleague."))
        self._whatsapp_check_colleagues(users)
        self._whatsapp_add_members(users)
        # sudo: res.users - names of colleagues, who were checked
        names = ", ".join(users.sudo().mapped("name"))
        self._whatsapp_post_note(_with_note(self.env._("Invited: %s", names), note))
        me = self.env.user.name
        for user in users - self.env.user:
            # sudo: res.users - in the language of the colleague
            words = self.with_context(lang=user.sudo().lang).env
            line = words._(
                "%(me)s invites you to the conversation with %(customer)s.",
                me=me,
                customer=self.name,
            )
            # sudo: mail.message - it belongs to no record
            self.env["mail.thread"].sudo().message_notify(
                partner_ids=user.sudo().partner_id.ids,
                subject=words._("WhatsApp: %s", self.name),
                body=_with_note(line, note) + self._whatsapp_link_to(words),
            )

    # ------------------------------------------------------------- handing over

    def _whatsapp_may_hand_over(self):
        """Tell whether the user may give the conversation away.

        Salespeople may do so with what is theirs or nobody's, managers with all: as
        Odoo's rules say who may write the lead.
        """
        if not self.has_access("read"):
            return False
        lead = self._whatsapp_own_lead()
        return not lead or lead.has_access("write")

    def _whatsapp_hand_over(self, user, note=""):
        """Give the conversation and its lead to a colleague.

        All conversations of the lead go along. Without a lead the colleague takes
        part in place of the giver. The colleague is told, and so is who had it.

        :param user: ``res.users``
        :param str note: what the colleague should know; never sent to the customer
        :raise UserError: it is not the user's to give, is the colleague's already,
            or the colleague could not work in it
        """
        self.ensure_one()
        self._whatsapp_check_handing_over(user)
        # sudo: discuss.channel - who had it is told below
        owner = self.sudo().whatsapp_user_id
        self._whatsapp_give(user, note)
        self._whatsapp_notify_receiver(user, note)
        self._whatsapp_notify_owner_before(owner, user, note)

    def _whatsapp_hand_over_each(self, user, note=""):
        """Give a colleague those of these conversations that the user may give.

        The colleague is told once of all, and so is each salesperson who had some.

        :param user: ``res.users``
        :param str note: what the colleague should know; never sent to the customer
        :return: tuple of the conversations that were given, and a list of tuples of
            one that was not, and str, why
        """
        given, refused = self.browse(), []
        before = defaultdict(self.browse)
        for channel in self:
            if channel in given:  # went along with another one of its lead
                continue
            # sudo: discuss.channel - who had it is told below
            owner = channel.sudo().whatsapp_user_id
            along = channel | (channel.sudo().lead_id.whatsapp_channel_ids & self)
            try:
                channel._whatsapp_check_handing_over(user)
            except UserError as error:
                refused.append((channel, error.args[0]))
                continue
            channel._whatsapp_give(user, note)
            given |= along
            before[owner] |= along
        if len(given) == 1:
            given._whatsapp_notify_receiver(user, note)
        elif given:
            given._whatsapp_notify_of_many(
                user,
                lambda words, values: words._(
                    "%(giver)s hands %(count)s conversations over to you: %(names)s",
                    **values,
                ),
                note,
            )
        for owner, channels in before.items():
            channels._whatsapp_notify_owner_before(owner, user, note)
        return given, refused

    def _whatsapp_give(self, user, note):
        """Give the conversation, those of its lead, and the lead; tell nobody yet.

        :param user: ``res.users``; whoever calls has checked
        """
        giver, lead = self.env.user, self.sudo().lead_id
        # sudo: discuss.channel - the giver loses the rights on the way
        channels = lead.whatsapp_channel_ids or self.sudo()
        if lead:
            # the colleague is told below
            lead.with_context(mail_auto_subscribe_no_notify=True)._whatsapp_assign(user)
            line = self.env._("Handed over to %s", user.sudo().name)
            lead._message_log(body=_with_note(line, note))
        for channel in channels:
            channel._whatsapp_add_members(user)
            channel._whatsapp_remove_members(giver - user)
        # the last word of the chat, and new to the colleague; sudo: discuss.channel -
        # it is not the giver's any more
        self.sudo()._whatsapp_post_note(
            _with_note(self.env._("Handed over to %s", user.sudo().name), note)
        )
        self._whatsapp_note_giving(user, note)

    def _whatsapp_check_handing_over(self, user):
        if not self._whatsapp_may_hand_over():
            # sudo: discuss.channel - whom to ask; the name of a colleague, no more
            raise UserError(
                self.env._(
                    "You can hand over only what is yours or nobody's. %s has this"
                    " conversation.",
                    self.sudo().whatsapp_user_id.name or self.env._("A colleague"),
                )
            )
        if user == self.sudo().whatsapp_user_id:
            raise UserError(
                self.env._("%s has this conversation already.", user.sudo().name)
            )
        self._whatsapp_check_colleagues(user)

    def _whatsapp_note_giving(self, user, note):
        """Keep the change in the history of assignments."""
        reason = (
            self.env._(
                "Handed over by %(giver)s: %(note)s",
                giver=self.env.user.name,
                note=" ".join(note.split()),
            )
            if note
            else self.env._("Handed over by %s", self.env.user.name)
        )
        # sudo: discuss.channel - the giver may not see it any more, and was checked
        self.env["whatsapp.assignment"]._note(
            self.sudo().lead_id,
            Choice(user, self.env["hr.employee"], reason),
            company=self.sudo()._whatsapp_company(),
            giver=self.env.user,
        )

    def _whatsapp_notify_receiver(self, user, note):
        if user == self.env.user:
            return
        # sudo: res.users, crm.lead - the giver may not read the lead any more
        person, lead = user.sudo(), self.sudo().lead_id
        words = self.with_context(lang=person.lang).env
        line = words._(
            "%(giver)s hands the conversation with %(customer)s over to you.",
            giver=self.env.user.name,
            customer=self.sudo().name,
        )
        (lead or self.env["mail.thread"].sudo()).message_notify(
            partner_ids=person.partner_id.ids,
            subject=words._("WhatsApp: %s", self.sudo().name),
            body=_with_note(line, note) + self._whatsapp_link_to(words),
        )

    def _whatsapp_notify_owner_before(self, owner, user, note):
        """Tell who had these conversations that somebody else gave them away.

        :param owner: ``res.users``, perhaps none; the giver and who gets them know
        :param user: ``res.users`` who has them now
        """
        if not owner.active or owner in (self.env.user, user):
            return
        if len(self) > 1:
            self._whatsapp_notify_of_many(
                owner,
                lambda words, values: words._(
                    "%(giver)s hands %(count)s of your conversations over to"
                    " %(receiver)s: %(names)s",
                    # sudo: res.users - a colleague, who was checked
                    receiver=user.sudo().name,
                    **values,
                ),
                note,
            )
            return
        # sudo: res.users, discuss.channel - whoever had it may not see it any more
        person, channel = owner.sudo(), self.sudo()
        words = self.with_context(lang=person.lang).env
        line = words._(
            "%(giver)s hands your conversation with %(customer)s over to %(receiver)s.",
            giver=self.env.user.name,
            customer=channel.name,
            receiver=user.sudo().name,
        )
        self.env["mail.thread"].sudo().message_notify(
            partner_ids=person.partner_id.ids,
            subject=words._("WhatsApp: %s", channel.name),
            body=_with_note(line, note),
        )

    def _whatsapp_notify_of_many(self, user, say, note):
        """Tell somebody once of all these conversations; not who does it.

        :param user: ``res.users``, perhaps none
        :param say: function of an environment in the reader's language and a dict of
            giver, count and names; returns what is said
        """
        if not user.active or user == self.env.user:
            return
        # sudo: res.users, discuss.channel - the giver may not read them any more
        person, channels = user.sudo(), self.sudo()
        words = self.with_context(lang=person.lang).env
        names = ", ".join(channels[:NAMES].mapped("name"))
        values = {
            "giver": self.env.user.name,
            "count": len(channels),
            "names": names + (" ..." if len(channels) > NAMES else ""),
        }
        self.env["mail.thread"].sudo().message_notify(
            partner_ids=person.partner_id.ids,
            subject=words._("WhatsApp: %s conversations", len(channels)),
            body=_with_note(say(words, values), note),
        )


def _with_note(line, note):
    """Return a line and, below it, what somebody wrote, as Markup."""
    body = Markup("<p>%s</p>") % line
    return body + plaintext2html(note) if note else body
