# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Threads that work right after the answer, outside of the request.

A lane is one kind of work: inbound events, their media, outbound messages.
Each lane has at most one thread per process, and as many places per database
as its parameter says (default 1), each held by an advisory lock that a crash
gives back. What a thread leaves, and what a crash leaves, the cron takes.
"""

import logging
import threading
from time import monotonic, sleep

from odoo import SUPERUSER_ID, api, modules
from odoo.modules.registry import Registry

from .concurrency import exclusive

_logger = logging.getLogger(__name__)

SECONDS = 8  # per turn, well below limit_time_real
# Answers come first: the inbound lane begins when no delivery has come to this
# process for a moment, but does not let itself be put off for long
QUIET = 0.1  # seconds
PUT_OFF = 2.0  # seconds
LANES = {
    "inbound": ("whatsapp.webhook.event", "_drain"),
    "media": ("whatsapp.webhook.event", "_drain_media"),
    "outbound": ("whatsapp.message.queue", "_drain"),
}
_guard = threading.Lock()
_woken = {}  # (database, lane) -> True if somebody called during the work
_called = {}  # (database, lane) -> when it was called last


def wake(dbname, lane):
    """Make sure that the lane is worked on soon. Never raises, never waits.

    :param str dbname: database
    :param str lane: key of ``LANES``
    """
    if modules.module.current_test:
        return  # tests call the drain
    key = (dbname, lane)
    with _guard:
        _called[key] = monotonic()
        if key in _woken:
            _woken[key] = True
            return
        _woken[key] = False
    thread = threading.Thread(
        target=_run, args=key, name=f"whatsapp-{lane}-{dbname}", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # the machine has no thread left; the cron has it
        _logger.warning("lane %s of %s is left to the cron", lane, dbname)
        with _guard:
            _woken.pop(key, None)


def wake_later(dbname, lane, seconds):
    """Make sure that the lane is worked on after a moment. Never raises, never waits.

    :param str dbname: database
    :param str lane: key of ``LANES``
    :param float seconds: the moment
    """
    if modules.module.current_test:
        return
    timer = threading.Timer(seconds, wake, (dbname, lane))
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # the cron has it, see wake
        _logger.warning("lane %s of %s is left to the cron", lane, dbname)


def run_lane(registry, lane, seconds=SECONDS):
    """Work on a lane if it has a free place.

    :param registry: the database's registry
    :param str lane: key of ``LANES``
    :param int seconds: when to stop taking new work
    :return: True if work that is due was left
    """
    model, method = LANES[lane]
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        places = env["ir.config_parameter"]._whatsapp_value(f"{lane}_places")
    drain = getattr(registry[model], method)
    deadline, passed = monotonic() + seconds, []
    # again after the place is given back: who came in between found none free
    while not (left := _take_a_place(registry, lane, places, drain, deadline, passed)):
        if left is None or not drain(registry, 0, passed):
            return False
    return True


def _take_a_place(registry, lane, places, drain, deadline, passed):
    """Return whether work was left, or None if no place is free."""
    for place in range(places):
        with exclusive(registry, [f"whatsapp:{lane}:{place}"]) as mine:
            if mine:
                return drain(registry, deadline, passed)
    return None


def _run(dbname, lane):
    threading.current_thread().dbname = dbname
    key = (dbname, lane)
    while True:
        if lane == "inbound":
            _let_answers_pass(key)
        try:
            registry = Registry(dbname)
            registry = registry.check_signaling() or registry
            left = run_lane(registry, lane)
            registry.signal_changes()
            if left:
                _leave_to_cron(registry, lane)
        except Exception:
            _logger.exception("lane %s of %s stopped; the cron goes on", lane, dbname)
        with _guard:
            if not _woken[key]:
                del _woken[key]
                return
            _woken[key] = False


def _let_answers_pass(key):
    until = monotonic() + PUT_OFF
    while (now := monotonic()) < min(_called[key] + QUIET, until):
        sleep(min(_called[key] + QUIET, until) - now)


def _leave_to_cron(registry, lane):
    model, _method = LANES[lane]
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        env[model]._whatsapp_cron()._trigger()
