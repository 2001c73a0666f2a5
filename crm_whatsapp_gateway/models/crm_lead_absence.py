# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from typing import NamedTuple

from odoo import api, fields, models

from ..tools import duty

ABSENCE = "whatsapp.lead.absence"
# Leads whose customer waits for an answer, with their salesperson, the oldest first
WAITING = """
    SELECT lead.id,
           lead.user_id,
           COALESCE(lead.company_id, max(gateway.company_id), %(company)s),
           min(chat.waiting_since) AS since,
           bool_and(gateway.whatsapp_absence_rule = 'stay'),
           min(COALESCE(gateway.whatsapp_absence_minutes, 0))
      FROM whatsapp_conversation chat
      JOIN crm_lead lead ON lead.id = chat.lead_id
      JOIN mail_gateway gateway ON gateway.id = chat.gateway_id
      LEFT JOIN crm_stage stage ON stage.id = lead.stage_id
     WHERE chat.waiting_since IS NOT NULL
       AND lead.active
       AND stage.is_won IS NOT TRUE
       AND lead.user_id IS NOT NULL
       AND (%(users)s::integer[] IS NULL OR lead.user_id = ANY(%(users)s))
       AND (%(leads)s::integer[] IS NULL OR lead.id = ANY(%(leads)s))
  GROUP BY lead.id
  ORDER BY since, lead.id
"""


class Left(NamedTuple):
    """A lead whose customer waits for somebody who is away."""

    lead_id: int
    absence: duty.Absence
    passes_on: bool


class WhatsappLeadAbsence(models.AbstractModel):
    """What becomes of customers whose salesperson is away while they wait. A part of
    ``crm.lead``.
    """

    _name = ABSENCE
    _description = "Leads whose salesperson is away"

    def _whatsapp_left_rows(self, users=None):
        """Return the leads whose customer waits for somebody who is away.

        :param users: ``res.users`` whose leads are looked at; None: all
        :return: list of :class:`Left`: of these leads, if they are any
        """
        for model in ("crm.lead", "crm.stage", "whatsapp.conversation", "mail.gateway"):
            self.env[model].flush_model()
        self.env.cr.execute(
            WAITING,
            {
                "company": self.env.company.id,
                "users": None if users is None else users.ids,
                "leads": self.ids or None,
            },
        )
        rows, now = self.env.cr.fetchall(), fields.Datetime.now()
        absences = self.env["hr.employee"]._whatsapp_absences(
            {row[1:3] for row in rows}
        )
        return [
            Left(lead_id, absence, absence.passes_on(since, now, stays, minutes))
            for lead_id, user_id, company_id, since, stays, minutes in rows
            if (absence := absences.get((user_id, company_id)))
            and absence.concerns(since)
        ]

    @api.model
    def _whatsapp_left(self, users=None):
        """Return the ids of the leads that are to be passed on, the oldest first."""
        return [row.lead_id for row in self._whatsapp_left_rows(users) if row.passes_on]

    @api.model
    def _whatsapp_left_by(self, limit=None):
        """Return the leads that are to be passed on as their salesperson is away."""
        return self.browse(self._whatsapp_left()[:limit])

    def _whatsapp_owner_queue(self):
        """Return what says who could get a lead whose salesperson is away."""
        return (*self._whatsapp_queue(), self.user_id.id)

    def _whatsapp_absence(self):
        """Return why the salesperson cannot care now, see ``duty.Absence``, or None."""
        if not self.user_id:
            return None
        pair = self.user_id.id, self._whatsapp_company().id
        # sudo: hr.employee - see _whatsapp_choose
        return self.env["hr.employee"].sudo()._whatsapp_absences({pair}).get(pair)

    def _whatsapp_reassign_absent(self):
        """Give a lead whose customer waits for somebody who is away to the next one.

        Who no longer works here does not keep it, even if nobody else is on duty: then
        it waits for a salesperson.

        :return: False if nobody else is on duty now
        """
        self.ensure_one()
        absence, old = self._whatsapp_absence(), self.user_id
        if not absence or not self._whatsapp_passes_on(absence):
            return True
        channel = self._whatsapp_latest_channel()
        preferred = channel._whatsapp_preferred(self.browse())
        choice = self._whatsapp_choose(
            [(user, words) for user, words in preferred if user != old], exclude=old.ids
        )
        if not choice.user and absence.why != duty.GONE:
            return False
        why = self.env._(duty.WHY_OFF[absence.why])
        choice = choice._replace(reason=f"{old.name}: {why}. {choice.reason}")
        if choice.user:
            # they are told below
            self.with_context(mail_auto_subscribe_no_notify=True)._whatsapp_assign(
                choice.user
            )
        else:
            self._whatsapp_let_go()
        channel._whatsapp_after_assign(choice)
        self._whatsapp_notify_absence(absence, old, choice.user)
        return True

    def _whatsapp_passes_on(self, absence):
        """Tell whether the customer goes on to somebody else now.

        :param absence: ``duty.Absence`` of the salesperson
        """
        waits = list(filter(None, self._whatsapp_chats().mapped("waiting_since")))
        if not waits or not self._whatsapp_is_open():
            return False
        last = self.whatsapp_assignment_ids.sorted("id")[-1:]
        if absence.why == duty.OFF and last and last.create_date > absence.since:
            return False  # somebody knew it, and gave it to them
        gateway = self._whatsapp_gateway()
        return absence.passes_on(
            min(waits),
            fields.Datetime.now(),
            stays=gateway.whatsapp_absence_rule == "stay",
            minutes=gateway.whatsapp_absence_minutes,
        )

    def _whatsapp_let_go(self):
        """Take the lead from its salesperson, and let it wait for another one."""
        old = self.user_id
        self.write({"user_id": False, "whatsapp_queued_at": fields.Datetime.now()})
        for channel in self.whatsapp_channel_ids:
            channel._whatsapp_remove_members(old)
        self.whatsapp_channel_ids._whatsapp_wake_inboxes()
        asked = self._whatsapp_calls() | self._whatsapp_reminders()
        asked.with_context(
            mail_activity_quick_update=True
        ).user_id = self._whatsapp_responsible()

    def _whatsapp_notify_absence(self, absence, old, new):
        """Say on the lead and in the chat who has it now, and why; tell both.

        :param absence: ``duty.Absence``
        :param old: ``res.users`` who had it
        :param new: ``res.users`` who has it, perhaps nobody
        """

        def words(lang):
            env = self.with_context(lang=lang).env
            values = {"old": old.name, "why": env._(duty.WHY_OFF[absence.why])}
            if not new:
                return env._(
                    "%(old)s: %(why)s. The customer waits, and nobody is on duty: the"
                    " lead waits for a salesperson.",
                    **values,
                )
            return env._(
                "%(old)s: %(why)s. The customer waits, so %(new)s takes care of the"
                " lead now.",
                new=new.name,
                **values,
            )

        line = words(self.env.context.get("lang"))
        self._message_log(body=line)
        for channel in self.whatsapp_channel_ids:
            channel._whatsapp_post_note(line)
        self._whatsapp_notify(new if absence.why == duty.GONE else old | new, words)
