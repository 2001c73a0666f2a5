# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Threads that work right after the answer, outside of the request.

A queue is one kind of work: inbound events, their media, outbound messages.
Each queue has at most one thread per process, and some slots per database, each held
by an advisory lock that a crash releases: as many as its parameter says, or else as
many as the backlog is worth, see ``tools.slots``. Then the first one is there for
whoever is woken, and costs no question; who finds it taken counts what waits, and ends
if no further slot is worth it. What works in a further slot gives it back after a
moment and asks again. So those share a backlog that deliveries or the cron wake, one
thread per process: their number bounds what works at once, and no process needs more
connections than for a queue of one slot.

Who waits for long is worth a further slot, too, which the cron finds at the latest:
whoever has the first one may be held up by a transaction of somebody else.

What a thread leaves, and what a crash leaves, the cron takes.
"""

import logging
import threading
from collections import Counter
from contextlib import contextmanager
from time import monotonic, sleep

from odoo import SUPERUSER_ID, api, modules
from odoo.modules.registry import Registry

from ..tools import slots
from .locks import slot_key, try_locks

_logger = logging.getLogger(__name__)

SECONDS = 8  # per turn, well below limit_time_real
# Answers come first: the inbound queue begins when no delivery has come to this
# process for a moment, but does not let itself be put off for long
QUIET = 0.1  # seconds
PUT_OFF = 2.0  # seconds
FURTHER = 2  # seconds until a slot that only the backlog is worth is given back
QUEUES = {  # model, what works, and what counts the backlog
    "inbound": ("whatsapp.webhook.event", "_drain", "_waiting"),
    "media": ("whatsapp.webhook.event", "_drain_media", "_waiting_media"),
    "outbound": ("whatsapp.message.queue", "_drain", "_waiting"),
}
_guard = threading.Lock()
_woken = {}  # (database, queue) -> True if somebody called during the work
_called = {}  # (database, queue) -> when it was called last
_running = (
    Counter()
)  # (database, queue) -> threads of this process, the cron's included


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
    :return: True if work that is due was left; None if no slot is free, or it cannot
        go on now
    """
    model, method, _count = QUEUES[queue]
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        fixed = env["ir.config_parameter"]._whatsapp_value(f"{queue}_slots")
    drain = getattr(registry[model], method)
    deadline, skip_keys, left = monotonic() + seconds, [], None
    looked_again = False
    with _counted(registry, queue) as alone:
        while True:
            with _free_slot(registry, queue, fixed, alone) as slot:
                if slot is None:
                    return left
                is_further = slot and not fixed
                until = min(deadline, monotonic() + FURTHER) if is_further else deadline
                left = drain(registry, until, skip_keys)
            if left is None or (left and monotonic() > deadline):
                return left
            # drain again: a wake-up in the meantime found the slot taken
            if left or drain(registry, 0, skip_keys):
                continue
            if looked_again or not skip_keys:
                return False
            # whom others held: they may have left something, and found no slot
            looked_again, skip_keys = True, []


@contextmanager
def _counted(registry, queue):
    """Count who works on a queue in this process; yield whether nobody else does."""
    key = (registry.db_name, queue)
    with _guard:
        _running[key] += 1
        alone = _running[key] == 1
    try:
        yield alone
    finally:
        with _guard:
            _running[key] -= 1


@contextmanager
def _free_slot(registry, queue, fixed, alone):
    """Take a slot; yield its number, or None if there is none.

    :param int fixed: how many there are; 0: as many as the backlog is worth
    :param bool alone: no other thread of this process works on the queue: two would
        only take turns, unless the other one is held up
    """
    slot, wanted = 0, fixed or slots.MOST
    while slot < wanted:
        with try_locks(registry, [slot_key(queue, slot)]) as mine:
            if mine:
                yield slot
                return
        if not fixed and not slot:
            wanted = min(wanted, _slots_wanted(registry, queue, alone))
        slot += 1
    yield None


def _slots_wanted(registry, queue, alone):
    model, _method, count = QUEUES[queue]
    waiting = getattr(registry[model], count)
    # who waits for long is worth a slot: whoever has one is held up, or busy
    late = waiting(registry, slots.MOST, late=True)
    if not alone:
        return slots.wanted(queue, late * slots.EACH[queue])
    found = waiting(registry, slots.enough(queue))
    return slots.wanted(queue, found + late * slots.EACH[queue])


def _run(dbname, queue):
    threading.current_thread().dbname = dbname
    key = (dbname, queue)
    while True:
        left = False
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
            # with what was left it goes on, unless it finds no slot any more
            if not left and not _woken[key]:
                del _woken[key]
                return
            _woken[key] = False


def _let_answers_pass(key):
    until = monotonic() + PUT_OFF
    while (now := monotonic()) < min(_called[key] + QUIET, until):
        sleep(min(_called[key] + QUIET, until) - now)


def _leave_to_cron(registry, queue):
    model, *_methods = QUEUES[queue]
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        env[model]._whatsapp_cron()._trigger()
