# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Working time as a customer who waits sees it, by Odoo's own calendars."""

from datetime import timedelta
from typing import NamedTuple

import pytz

from odoo import models

STEP = timedelta(days=14)  # of a calendar that are read at once
STEPS = 26  # after which it counts as one without hours
MOMENT = timedelta(seconds=1)


class WorkingTime(NamedTuple):
    """The hours of a salesperson or a team; without a calendar every hour counts.

    Public holidays stop the clock, somebody's own leave does not: the customer waits
    all the same, and a colleague could answer. All moments are naive UTC.
    """

    company: models.BaseModel
    calendar: models.BaseModel
    zone: str

    @classmethod
    def of(cls, company, resource, otherwise):
        """Return the hours of somebody, or those that count for people without any.

        :param company: ``res.company`` whose holidays count
        :param resource: ``resource.resource`` of a salesperson, perhaps none
        :param otherwise: ``resource.calendar`` of the team or the company, perhaps none
        """
        own = resource.calendar_id
        if own and not own.flexible_hours:
            return cls(company, own, resource.tz or own.tz)
        if otherwise.flexible_hours:
            otherwise = otherwise.browse()
        return cls(company, otherwise, otherwise.tz)

    def seconds(self, start, end):
        """Return how many working seconds lie between two moments."""
        pieces = self._pieces(start, end) if start < end else []
        return round(sum((stop - begin).total_seconds() for begin, stop in pieces))

    def after(self, start, seconds):
        """Return the moment at which so many working seconds have passed."""
        left = timedelta(seconds=seconds)
        for step in range(STEPS if self.calendar else 0):
            period = start + step * STEP
            for begin, stop in self._pieces(period, period + STEP):
                if left <= stop - begin:
                    end = (begin + left).astimezone(pytz.utc)
                    return end.replace(tzinfo=None, microsecond=0)
                left -= stop - begin
        return start + left

    def is_open(self, moment):
        """Tell whether customers meet somebody then; who has lunch is not away."""
        if not self.calendar:
            return True
        period = (pytz.utc.localize(moment), pytz.utc.localize(moment + MOMENT))
        zone = pytz.timezone(self.zone)
        hours = any(
            self.calendar._attendance_intervals_batch(*period, tz=zone, lunch=lunch)[
                False
            ]
            for lunch in (False, True)
        )
        return (
            hours
            and not self.calendar._leave_intervals_batch(
                *period, domain=self._holidays(), tz=zone
            )[False]
        )

    def _pieces(self, start, end):
        """Return the working time of a period as pairs of aware datetimes."""
        period = (pytz.utc.localize(start), pytz.utc.localize(end))
        if not self.calendar:
            return [period]
        intervals = self.calendar._work_intervals_batch(
            *period, domain=self._holidays(), tz=pytz.timezone(self.zone)
        )[False]
        return [(begin, stop) for begin, stop, _attendance in intervals]

    def _holidays(self):
        return [
            ("time_type", "=", "leave"),
            ("company_id", "in", (self.company.id, False)),
        ]
