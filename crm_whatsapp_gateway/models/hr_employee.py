# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from dataclasses import replace
from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.tools import format_date, format_time

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_phones import PHONES
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import (
    lock_until_commit,
    pool_key,
    remembered,
)

from ..tools import duty

SALESPERSON = "sales_team.group_sale_salesman"
SHOWN = 5  # names of people off duty that a reason tells
AFTER = 10  # people whose turn is next, who are read together
FIRST_TURN = "crm_whatsapp_gateway.first_turn"
ROSTER = "whatsapp_roster"  # in the context: who could get the lead

# Everybody of a pool with what decides about them, and their working hours, as two
# JSON lists in one query. Turns of this transaction are counted for themselves.
# The pool: who was chosen at the number; else the members of the team, if one of them
# receives leads or ever did (the default team of a company often has none); else all.
POOL = """
    WITH candidate AS (
        SELECT employee.id,
               employee.user_id,
               employee.name,
               employee.company_id,
               employee.resource_id,
               COALESCE(employee.whatsapp_agent, FALSE) AS receives,
               COALESCE(employee.whatsapp_limit, 0) AS lead_limit,
               CASE WHEN EXISTS (SELECT FROM mail_gateway_whatsapp_employee_rel chosen
                                  WHERE chosen.mail_gateway_id = %(gateway)s)
                    THEN EXISTS (SELECT FROM mail_gateway_whatsapp_employee_rel chosen
                                  WHERE chosen.mail_gateway_id = %(gateway)s
                                    AND chosen.hr_employee_id = employee.id)
                    WHEN EXISTS (SELECT FROM crm_team_member member
                                   JOIN hr_employee agent
                                     ON agent.user_id = member.user_id
                                  WHERE member.crm_team_id = %(team)s
                                    AND member.active
                                    AND (agent.whatsapp_agent
                                         OR EXISTS (SELECT
                                              FROM whatsapp_assignment turn
                                             WHERE turn.employee_id = agent.id)))
                    THEN EXISTS (SELECT FROM crm_team_member member
                                  WHERE member.crm_team_id = %(team)s
                                    AND member.active
                                    AND member.user_id = employee.user_id)
                    ELSE TRUE END AS in_pool
          FROM hr_employee employee
          JOIN res_users person ON person.id = employee.user_id
         WHERE employee.active
           AND employee.company_id = %(company)s
           AND person.active
           AND NOT person.share
           AND EXISTS (SELECT FROM res_company_users_rel allowed
                        WHERE allowed.user_id = person.id
                          AND allowed.cid = %(company)s)
    ), pool AS (
        SELECT candidate.*,
               resource.tz,
               CASE WHEN calendar.flexible_hours THEN NULL
                    ELSE calendar.id END AS calendar,
               EXISTS (SELECT FROM resource_calendar_leaves away
                        WHERE away.resource_id = resource.id
                          AND COALESCE(away.time_type, 'leave') = 'leave'
                          AND away.date_from <= %(now)s
                          AND away.date_to > %(now)s) AS on_leave,
               EXISTS (SELECT FROM resource_calendar_leaves holiday
                        WHERE holiday.resource_id IS NULL
                          AND (holiday.company_id = candidate.company_id
                               OR holiday.company_id IS NULL)
                          AND (holiday.calendar_id = calendar.id
                               OR holiday.calendar_id IS NULL)
                          AND COALESCE(holiday.time_type, 'leave') = 'leave'
                          AND holiday.date_from <= %(now)s
                          AND holiday.date_to > %(now)s) AS on_holiday,
               (SELECT max(turn.id)
                  FROM whatsapp_assignment turn
                 WHERE turn.employee_id = candidate.id) AS last_turn,
               (SELECT count(*)
                  FROM whatsapp_assignment own
                 WHERE own.user_id = candidate.user_id
                   AND own.id >= %(first_turn)s) AS own
          FROM candidate
          JOIN resource_resource resource ON resource.id = candidate.resource_id
          LEFT JOIN resource_calendar calendar ON calendar.id = resource.calendar_id
         WHERE candidate.in_pool OR candidate.user_id = ANY(%(preferred)s::integer[])
    )
    SELECT (SELECT jsonb_agg(to_jsonb(pool) ORDER BY pool.id) FROM pool),
           (SELECT jsonb_agg(jsonb_build_object(
                       'calendar', part.calendar_id,
                       'weekday', part.dayofweek::integer,
                       'start', part.hour_from,
                       'end', part.hour_to,
                       'week', CASE WHEN calendar.two_weeks_calendar
                                    THEN part.week_type::integer END {dates}))
              FROM resource_calendar_attendance part
              JOIN resource_calendar calendar ON calendar.id = part.calendar_id
             WHERE %(by_hours)s
               AND part.display_type IS NULL
               AND part.day_period != 'lunch'
               AND part.calendar_id IN (SELECT pool.calendar FROM pool))
"""
# Who of these users, each in a company, cannot care for customers. Who is no employee
# there may: a manager, for example.
ABSENT = """
    SELECT person.id,
           asked.company,
           person.active AND NOT person.share
           AND EXISTS (SELECT FROM res_company_users_rel allowed
                        WHERE allowed.user_id = person.id
                          AND allowed.cid = asked.company)
           AND employee.here IS NOT FALSE,
           COALESCE(employee.receives, FALSE),
           employee.leave_from,
           employee.leave_until,
           employee.off_at
      FROM unnest(%(users)s::integer[], %(companies)s::integer[])
           AS asked (person, company)
      JOIN res_users person ON person.id = asked.person
      LEFT JOIN LATERAL (
           SELECT bool_or(own.active) AS here,
                  bool_or(own.active AND own.whatsapp_agent) AS receives,
                  max(own.whatsapp_off_at) FILTER (WHERE own.active) AS off_at,
                  min(away.date_from) AS leave_from,
                  max(away.date_to) AS leave_until
             FROM hr_employee own
             LEFT JOIN resource_calendar_leaves away
                    ON own.active
                   AND away.resource_id = own.resource_id
                   AND COALESCE(away.time_type, 'leave') = 'leave'
                   AND away.date_from <= %(now)s
                   AND away.date_to > %(now)s
            WHERE own.user_id = person.id
              AND own.company_id = asked.company) employee ON TRUE
"""
# What others committed before they gave the pool back
COMMITTED = """
    SELECT employee.id,
           (SELECT max(turn.id) FROM whatsapp_assignment turn
             WHERE turn.employee_id = employee.id),
           CASE WHEN employee.whatsapp_limit > 0 THEN (
               SELECT count(*)
                 FROM crm_lead lead
                 LEFT JOIN crm_stage stage ON stage.id = lead.stage_id
                WHERE lead.user_id = employee.user_id
                  AND lead.active
                  AND lead.whatsapp_opened_at IS NOT NULL
                  AND stage.is_won IS NOT TRUE) ELSE 0 END
      FROM hr_employee employee
     WHERE employee.id = ANY(%s)
"""
READ = (
    "crm.team.member",
    "hr.employee",
    "mail.gateway",
    "res.users",
    "resource.calendar",
    "resource.calendar.attendance",
    "resource.calendar.leaves",
    "resource.resource",
    "whatsapp.assignment",
)


ABSENT_READ = (
    "hr.employee",
    "res.users",
    "resource.calendar.leaves",
    "resource.resource",
)


class Choice(NamedTuple):
    """Who gets a lead, and why.

    ``employee`` is whose turn was taken; empty for somebody's own customer. ``user``
    is empty if nobody is on duty; ``nobody`` says that there is no pool at all.
    """

    user: models.BaseModel
    employee: models.BaseModel
    reason: str
    nobody: bool = False


class Member(NamedTuple):
    """Somebody who could get a lead; ``in_pool`` says whether by a turn."""

    agent: duty.Agent
    user_id: int
    in_pool: bool


class HrEmployee(models.Model):
    _name = "hr.employee"
    _inherit = ["hr.employee", PHONES]
    _whatsapp_country_field = None  # theirs is the nationality
    _whatsapp_open = frozenset({"whatsapp_agent", "whatsapp_limit"})

    whatsapp_agent = fields.Boolean(
        string="Receives WhatsApp leads",
        compute="_compute_whatsapp_agent",
        store=True,
        readonly=False,
        groups="hr.group_hr_user",
        help="Takes part in the fair turn of new WhatsApp leads. Set by itself for"
        " salespeople who are not administrators.",
    )
    whatsapp_limit = fields.Integer(
        string="Open WhatsApp leads at most",
        groups="hr.group_hr_user",
        help="Who has so many open leads that came by WhatsApp gets no further one."
        " 0: no limit.",
    )
    whatsapp_off_at = fields.Datetime(
        string="Switched off on", readonly=True, copy=False, groups="hr.group_hr_user"
    )
    whatsapp_phones = fields.Char(groups="hr.group_hr_user")

    @api.depends("user_id")
    def _compute_whatsapp_agent(self):
        for employee in self:
            user = employee.user_id
            employee.whatsapp_agent = bool(
                user
                and user.has_group(SALESPERSON)
                and not user.has_group("base.group_system")
            )

    def write(self, vals):
        """Pass on the customers who wait for somebody who is archived or switched off.

        From then on nobody would care for them.
        """
        switched = "whatsapp_agent" in vals and self.filtered(
            lambda employee: employee.whatsapp_agent != bool(vals["whatsapp_agent"])
        )
        res = super().write(vals)
        # a rule may decide by a lead who gets the next one
        for name in ("pools", "absences"):
            remembered(self.env.cr, name).clear()
        if switched:
            now = not vals["whatsapp_agent"] and fields.Datetime.now()
            super(HrEmployee, switched).write({"whatsapp_off_at": now})
        left = switched or self.browse()
        if "active" in vals and not vals["active"]:
            left = self
        left.user_id._whatsapp_reassign_customers()
        return res

    def _whatsapp_number_fields(self):
        """See ``whatsapp.phones``; the company's own numbers are nobody's."""
        return [name for name in ("mobile_phone", "private_phone") if name in self]

    # ------------------------------------------------------------- turns

    @api.model
    def get_next_whatsapp_assignee(
        self, company=None, lead=None, gateway=None, team=None
    ):
        """Return whose turn it is.

        Fair turn: the one who has been without a turn for the longest. Exact
        under parallel assignment: the pool is held until the transaction ends,
        and the turns are read after the lock was taken.

        Each lead that belongs to nobody comes through here, by ``_whatsapp_choose``:
        then the turn is taken with the assignment of the lead. Else it is taken here.

        :param company: ``res.company`` whose people take turns; default: current
        :param lead: ``crm.lead`` to hand over; it stays in its team
        :param gateway: ``mail.gateway`` whose salespeople and hours count
        :param team: ``crm.team`` whose members take turns, unless the gateway
            names people; default: that of the lead, else that of the gateway
        :return: ``hr.employee``, empty if nobody is on duty
        """
        self.check_access("write")  # a turn is not for everybody to take
        roster = self.env.context.get(ROSTER)
        if isinstance(roster, duty.Roster):  # nothing that came over the network
            return self.browse(roster.next.id if roster.next else [])
        company = company or self.env.company
        gateway = gateway or (lead and lead._whatsapp_gateway())
        team = team or (lead and lead.team_id)
        choice = self._whatsapp_choose(company, gateway, team)
        if choice.employee:
            if lead:
                lead._whatsapp_assign(choice.user)
            self.env["whatsapp.assignment"]._note(lead, choice, company)
        return choice.employee

    @api.model
    def _whatsapp_choose(
        self, company, gateway=None, team=None, preferred=(), exclude=()
    ):
        """Return who gets the next lead, and why. The turn is taken by a row of
        ``whatsapp.assignment``; until the end of the transaction nobody else in
        the company can choose.

        :param company: ``res.company``
        :param gateway: ``mail.gateway`` that the customer wrote to, or None
        :param team: ``crm.team`` of the lead, or None
        :param preferred: list of tuples of ``res.users`` and words: whose customer
            it is, and why; the first one on duty gets the lead, without a turn
        :param exclude: ids of users who are not to get it
        :return: :class:`Choice`
        """
        lock = lock_until_commit(self.env.cr, self.env.registry, pool_key(company.id))
        asked = (company, gateway, team, tuple(user.id for user, _words in preferred))
        pools = remembered(self.env.cr, "pools")
        if asked not in pools:
            members, hours = self._whatsapp_pool(*asked)
            pools[asked] = self._whatsapp_committed(members, lock), hours
            self._whatsapp_read_next(*pools[asked])
        members, hours = pools[asked]
        remarks = []
        for user, words in preferred:
            agent = next((m.agent for m in members if m.user_id == user.id), None)
            why_off = agent and duty.why_off(agent, hours)
            if not agent and self._whatsapp_absences({(user.id, company.id)}):
                why_off = duty.GONE  # no employee, or archived
            if not why_off:
                return Choice(user, self.browse(), words)
            remarks.append(
                self.env._(
                    "%(words)s: %(name)s, %(reason)s",
                    words=words,
                    name=user.name,
                    reason=self.env._(duty.WHY_OFF[why_off]),
                )
            )
        roster = duty.Roster.of(
            [m.agent for m in members if m.in_pool and m.user_id not in exclude], hours
        )
        chosen = self.with_context(**{ROSTER: roster}).get_next_whatsapp_assignee(
            company, gateway=gateway, team=team
        )
        employee = chosen.with_env(self.env)
        reason = ". ".join([*remarks, self._whatsapp_turn_words(roster)])
        users = {m.agent.id: m.user_id for m in members}
        # another addon may have named somebody who takes no turns
        user_id = users.get(employee.id) or employee.user_id.id
        user = self.env["res.users"].browse(user_id or [])
        nobody = not user and not any(m.in_pool and m.agent.receives for m in members)
        return Choice(user, employee, reason, nobody)

    @api.model
    def _whatsapp_read_next(self, members, hours):
        """Read together who is next, since Odoo reads each when the lead is theirs."""
        roster = duty.Roster.of([m.agent for m in members if m.in_pool], hours)
        users = {m.agent.id: m.user_id for m in members}
        # sudo: res.users, res.partner - the webhook user may be anybody
        found = self.env["res.users"].sudo()
        found = found.browse(users[agent.id] for agent in roster.on_duty[:AFTER])
        for name in ("company_ids", "partner_id.lang", "partner_id.user_ids"):
            found.mapped(name)

    @api.model
    def _whatsapp_absences(self, pairs):
        """Return who cannot care for the customers of a company now, in one query.

        In background work of ours everybody is looked up once.

        :param pairs: set of tuples of the ids of a user and a company
        :return: dict of tuple -> ``duty.Absence``, of those who cannot
        """
        known = remembered(self.env.cr, "absences")
        if new := {pair for pair in pairs if pair not in known}:
            known.update(dict.fromkeys(new))
            known.update(self._whatsapp_look_up_absences(new))
        return {pair: known[pair] for pair in pairs if known[pair]}

    @api.model
    def _whatsapp_look_up_absences(self, pairs):
        for model in ABSENT_READ:
            self.env[model].flush_model()
        users, companies = zip(*pairs, strict=True)
        self.env.cr.execute(
            ABSENT,
            {
                "users": list(users),
                "companies": list(companies),
                "now": fields.Datetime.now(),
            },
        )
        absences = {}
        for (
            user_id,
            company_id,
            here,
            receives,
            leave_from,
            leave_until,
            off_at,
        ) in self.env.cr.fetchall():
            # sudo: res.users - whoever asks need not read the rights of colleagues
            user = self.env["res.users"].sudo().browse(user_id)
            if not here or not (receives or user.has_group(SALESPERSON)):
                absence = duty.Absence(duty.GONE)
            elif leave_from:
                absence = duty.Absence(duty.LEAVE, leave_from, leave_until)
            elif off_at and not receives:
                absence = duty.Absence(duty.OFF, off_at)
            else:
                continue
            absences[user_id, company_id] = absence
        return absences

    @api.model
    def _whatsapp_absence_words(self, users, company):
        """Return what is said beside the names of those who are away.

        :param users: ``res.users``
        :param company: ``res.company`` for whose customers they would care
        :return: dict of the id of a user -> str
        """
        # sudo: hr.employee - that somebody is away, and until when, colleagues may know
        absences = self.sudo()._whatsapp_absences(
            {(user.id, company.id) for user in users if user.id}
        )
        words = {}
        for (user_id, _company_id), absence in absences.items():
            # sudo: res.users - as in _whatsapp_absences
            user = self.env["res.users"].sudo().browse(user_id)
            if absence.until:
                words[user_id] = self._whatsapp_until(absence.until)
            # who never sold is not one who no longer does
            elif absence.why != duty.GONE or user.has_group(SALESPERSON):
                words[user_id] = self.env._(duty.WHY_OFF[absence.why])
        return words

    def _whatsapp_until(self, until):
        """Return until when a leave lasts: the day, or today's hour.

        :param until: UTC
        """
        end = fields.Datetime.context_timestamp(self, until)
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now()).date()
        if end.date() == today:
            end = format_time(self.env, end.timetz(), time_format="short")
        else:
            end = format_date(self.env, end.date())
        return self.env._("on leave until %s", end)

    def _whatsapp_pool(
        self, company, gateway=None, team=None, preferred=(), by_hours=None
    ):
        """Read everybody who could get a lead, in one query.

        :param bool by_hours: whether working hours count; default: as the gateway says

        :return: tuple of a list of :class:`Member` and the list of ``duty.Hours``;
            None instead of these if leads are given at any hour
        """
        for model in READ:
            self.env[model].flush_model()
        team = team or (gateway and gateway.whatsapp_team_id)
        if by_hours is None:
            by_hours = bool(gateway and gateway.whatsapp_only_working_hours)
        now = fields.Datetime.now()
        dated = "date_from" in self.env["resource.calendar.attendance"]._fields
        self.env.cr.execute(
            POOL.format(
                dates=", 'first', part.date_from, 'last', part.date_to" if dated else ""
            ),
            {
                "company": company.id,
                "gateway": gateway.id if gateway else None,
                "team": team.id if team else None,
                "preferred": list(preferred),
                "now": now,
                "by_hours": by_hours,
                "first_turn": self.env.cr.postcommit.data.get(FIRST_TURN),
            },
        )
        rows, parts = self.env.cr.fetchone()
        members = [
            Member(
                duty.Agent(
                    id=row["id"],
                    name=row["name"],
                    receives=row["receives"],
                    on_leave=row["on_leave"],
                    on_holiday=row["on_holiday"],
                    calendar=row["calendar"],
                    now=pytz.utc.localize(now).astimezone(
                        pytz.timezone(row["tz"] or "UTC")
                    ),
                    last_turn=row["last_turn"] or 0,
                    load=row["own"],
                    limit=row["lead_limit"],
                ),
                row["user_id"],
                row["in_pool"],
            )
            for row in rows or []
        ]
        hours = [duty.Hours(**part) for part in parts or []]
        return members, hours if by_hours else None

    def _whatsapp_committed(self, members, lock):
        """Add what others committed before they gave the pool back.

        A turn of this transaction is seen by its own cursor only, a turn that
        was committed while we waited by that of the lock only.
        """
        lock.execute(COMMITTED, ([member.agent.id for member in members],))
        committed = {row[0]: row[1:] for row in lock.fetchall()}
        return [
            member._replace(
                agent=replace(
                    member.agent,
                    last_turn=max(member.agent.last_turn, turn or 0),
                    load=member.agent.load + load,
                )
            )
            for member in members
            for turn, load in [committed.get(member.agent.id, (0, 0))]
        ]

    @api.model
    def _whatsapp_count_turn(self, row):
        """Keep what was read of the pool in step with a turn of this transaction.

        :param row: new ``whatsapp.assignment``
        """

        def counted(member):
            agent = member.agent
            if agent.id == row.employee_id.id:
                agent = replace(agent, last_turn=row.id)
            if member.user_id == row.user_id.id:
                agent = replace(agent, load=agent.load + 1)
            return member._replace(agent=agent)

        for members, _hours in remembered(self.env.cr, "pools").values():
            members[:] = map(counted, members)

    def _whatsapp_turn_words(self, roster):
        """Return why the first of a roster is next, or why nobody is."""
        off = [
            f"{agent.name} ({self.env._(duty.WHY_OFF[why])})"
            for agent, why in roster.off
            if why != duty.OFF
        ]
        shown = ", ".join(off[:SHOWN]) + (" ..." if len(off) > SHOWN else "")
        if roster.next:
            words = self.env._(
                "Longest without a turn among %s on duty", len(roster.on_duty)
            )
        elif off:
            words = self.env._("Nobody is on duty")
        else:
            words = self.env._("Nobody receives WhatsApp leads")
        if not shown:
            return words
        return self.env._("%(words)s; not on duty: %(names)s", words=words, names=shown)
