# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Threads that work right after the answer, outside of the request.

A queue is one kind of work: inbound events, their media, outbound messages.
Each queue has at most one thread per process, and as many slots per database
as its parameter says (default 1), each held by an advisory lock that a crash
releases. What a thread leaves, and what a crash leaves, the cron takes.
"""

import logging
import threading
from time import monotonic, sleep

from odoo import SUPERUSER_ID, api, modules
from odoo.modules.registry import Registry

from .locks import slot_key, try_locks

_logger = logging.getLogger(__name__)

SECONDS = 8  # per turn, well below limit_time_real
# Answers come first: the inbound queue begins when no delivery has come to this
# process for a moment, but does not let itself be put off for long
QUIET = 0.1  # seconds
PUT_OFF = 2.0  # seconds
QUEUES = {
    "inbound": ("whatsapp.webhook.event", "_drain"),
    "media": ("whatsapp.webhook.event", "_drain_media"),
    "outbound": ("whatsapp.message.queue", "_drain"),
}
_guard = threading.Lock()
_woken = {}  # (database, queue) -> True if somebody called during the work
_called = {}  # (database, queue) -> when it was called last


def wake(dbname, queue):
    """Make sure that the queue is worked on soon. Never raises, never waits.

    :param str dbname: database
    :param str queue: key of ``QUEUES``
    """
    if modules.module.current_test:
        return  # tests call the drain
    key = (dbname, queue)
    with _guard:
        _called[key] = monotonic()
        if key in _woken:
            _woken[key] = True
            return
        _woken[key] = False
    thread = threading.Thread(
        target=_run, args=key, name=f"whatsapp-{queue}-{dbname}", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # the machine has no thread left; the cron has it
        _logger.warning("queue %s of %s is left to the cron", queue, dbname)
        with _guard:
            _woken.pop(key, None)


def wake_later(dbname, queue, seconds):
    """Make sure that the queue is worked on after a moment. Never raises, never waits.

    :param str dbname: database
    :param str queue: key of ``QUEUES``
    :param float seconds: the moment
    """
    if modules.module.current_test:
        return
    timer = threading.Timer(seconds, wake, (dbname, queue))
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # the cron has it, see wake
        _logger.warning("queue %s of %s is left to the cron", queue, dbname)


def run_queue(registry, queue, seconds=SECONDS):
    """Work on a queue if it has a free slot.

    :param registry: the database's registry
    :param str queue: key of ``QUEUES``
    :param int seconds: when to stop taking new work
    :return: True if work that is due was left
    """
    model, method = QUEUES[queue]
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        slots = env["ir.config_parameter"]._whatsapp_value(f"{queue}_slots")
    drain = getattr(registry[model], method)
    deadline, skip_keys = monotonic() + seconds, []
    # drain again: a wake-up in the meantime found the slot taken
    while not (
        left := _acquire_slot(registry, queue, slots, drain, deadline, skip_keys)
    ):
        if left is None or not drain(registry, 0, skip_keys):
            return False
    return True


def _acquire_slot(registry, queue, slots, drain, deadline, skip_keys):
    """Return whether work was left, or None if no slot is free."""
    for slot in range(slots):
        with try_locks(registry, [slot_key(queue, slot)]) as mine:
            if mine:
                return drain(registry, deadline, skip_keys)
    return None


def _run(dbname, queue):
    threading.current_thread().dbname = dbname
    key = (dbname, queue)
    while True:
        if queue == "inbound":
            _let_answers_pass(key)
        try:
            registry = Registry(dbname)
            registry = registry.check_signaling() or registry
            left = run_queue(registry, queue)
            registry.signal_changes()
            if left:
                _leave_to_cron(registry, queue)
        except Exception:
            _logger.exception("queue %s of %s stopped; the cron goes on", queue, dbname)
        with _guard:
            if not _woken[key]:
                del _woken[key]
                return
            _woken[key] = False


def _let_answers_pass(key):
    until = monotonic() + PUT_OFF
    while (now := monotonic()) < min(_called[key] + QUIET, until):
        sleep(min(_called[key] + QUIET, until) - now)


def _leave_to_cron(registry, queue):
    model, _method = QUEUES[queue]
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        env[model]._whatsapp_cron()._trigger()
