# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Locks that stand outside of the transaction that they protect.

Odoo works in REPEATABLE READ: a lock that is taken inside the working
transaction leaves it a snapshot older than the wait. So each lock lives on a
cursor of its own, and is taken before the working transaction's first query.
Session locks would leak through Odoo's connection pool: what is given back one by
one is held on a connection outside of it.
"""

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import psycopg2

from odoo import SUPERUSER_ID, api, modules
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.sql_db import connection_info_for
from odoo.tools import SQL

from .. import compat

_logger = logging.getLogger(__name__)

AUTOMATIONS = "mail_gateway_whatsapp_queue.automations"
REMEMBERED = "mail_gateway_whatsapp_queue.remembered"
CONFLICTS = 5  # serialization errors in a row before it counts as a failure

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
# at another level the snapshot would be as old as the beginning of the wait
WAIT = f"""
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET LOCAL lock_timeout = %s;
    {LOCK}
"""
TRY_LOCKS = """
    SELECT key, pg_try_advisory_xact_lock(hashtextextended(key, 0))
      FROM unnest(%s::text[]) AS key
"""

SESSION_LOCKS = TRY_LOCKS.replace("_xact_", "_")
SESSION_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


# ------------------------------------------------------------- keys
#
# In this order, if a transaction needs several: slot, person, conversation, pool.

RULES_KEY = "whatsapp:rules"  # who tells of automation rules that failed


def slot_key(queue, slot):
    """The right to work on a queue: held while a thread drains it.

    :param str queue: key of ``worker.QUEUES``
    :param int slot: from 0 to the number of slots of the queue
    """
    return f"whatsapp:{queue}:{slot}"


def person_keys(names):
    """All that a person is known by: held while an event of the person is applied.

    :param names: iterable of str, each of a company and a number or user id
    :return: list of str
    """
    return [f"whatsapp:{name}" for name in names]


def channel_key(channel_id):
    """Sending in a conversation: held from the claim until the outcome is committed."""
    return f"whatsapp:send:{channel_id}"


def probe_key(gateway_id):
    """Trying a number that is paused: held while one message, or question, is sent."""
    return f"whatsapp:probe:{gateway_id}"


def pool_key(company_id):
    """The salespeople of a company: held from the choice until the commit."""
    return f"whatsapp:pool:{company_id}"


# ------------------------------------------------------------- locks


class LockHolder:
    """Holds many locks on one connection, each until it is released.

    They are the same locks as those of ``try_locks``. When the process dies, the
    connection ends, and with it all of them.

    :param str dbname: database
    """

    def __init__(self, dbname):
        _dbname, info = connection_info_for(dbname)
        self._connection = psycopg2.connect(**info)
        self._connection.autocommit = True
        # what is written here is of the last seconds: nothing waits for the disk
        self.execute("SET synchronous_commit TO off")

    def try_locks(self, keys):
        """Lock what is free.

        :param keys: iterable of str
        :return: set of the keys that are held now
        """
        rows = self.execute(SESSION_LOCKS, (sorted(keys),))
        return {key for key, taken in rows if taken}

    def release(self, key):
        """Release one lock."""
        self.execute(SESSION_UNLOCK, (key,))

    def execute(self, statement, values=None):
        """Do one statement, which is a transaction of its own; from any thread.

        :return: list of its rows
        """
        with self._connection.cursor() as cr:
            cr.execute(statement, values)
            return cr.fetchall() if cr.description else []

    def close(self):
        """Release all."""
        self._connection.close()


@contextmanager
def try_locks(registry, keys):
    """Try to lock all keys; yield whether it worked.

    :param registry: the database's registry
    :param keys: iterable of str, names of what is to be held
    :return: context manager that yields True if all were free
    """
    with try_locks_each(registry, {"": list(keys)}) as held:
        yield bool(held)


@contextmanager
def try_locks_each(registry, wanted):
    """Try to lock several things, each of them with all of its keys.

    :param registry: the database's registry
    :param dict wanted: what -> list of str, the keys that it needs
    :return: context manager that yields the set of what is held
    """
    lock = registry.cursor()
    try:
        if not compat.is_real_cursor(lock):
            yield set(wanted)  # in a test all cursors are one transaction
            return
        keys = sorted({key for needed in wanted.values() for key in needed})
        lock.execute(TRY_LOCKS, (keys,))
        free = {key for key, taken in lock.fetchall() if taken}
        yield {what for what, needed in wanted.items() if free.issuperset(needed)}
    finally:
        lock.close()  # rolls back, which releases


def lock_until_commit(cr, registry, key, timeout=30):
    """Wait for a lock, and keep it until the transaction of ``cr`` ends.

    :param cr: the working cursor
    :param str key: name of what is to be held
    :param int timeout: seconds to wait before ``LockNotAvailable``
    :return: the cursor that holds the lock: what it reads now is what others
        committed before they gave the lock back
    """
    held = cr.postcommit.data.setdefault("mail_gateway_whatsapp_queue.held", {})
    if key in held:
        return held[key]  # a second cursor would wait for the first
    lock = registry.cursor()
    if not compat.is_real_cursor(lock):
        lock.close()
        return cr  # see above
    cr.postcommit.add(lock.close)
    cr.postrollback.add(lock.close)
    lock.execute(WAIT, (timeout * 1000, key))
    held[key] = lock
    return lock


def try_lock_until_commit(cr, registry, keys):
    """Try to lock all keys until the transaction of ``cr`` ends.

    Nobody waits. What is written meanwhile by a transaction that began before still
    conflicts, and is repeated.

    :param keys: iterable of str, names of what is to be held
    :return: whether they are held
    """
    lock = registry.cursor()
    if not compat.is_real_cursor(lock):
        lock.close()
        return True  # in a test all cursors are one transaction
    lock.execute(TRY_LOCKS, (sorted(keys),))
    if not all(taken for _key, taken in lock.fetchall()):
        lock.close()
        return False
    cr.postcommit.add(lock.close)
    cr.postrollback.add(lock.close)
    return True


def lock_rows(records):
    """Lock rows until the transaction ends, before they are written.

    Others write them at the same time: then one of both transactions is repeated,
    without an error in the log.

    :param records: what is waiting to be written of them is flushed before, if need be
    """
    records.env.cr.execute(
        SQL(
            "SELECT 1 FROM %s WHERE id = ANY(%s) FOR NO KEY UPDATE",
            SQL.identifier(records._table),
            records.ids,
        ),
        log_exceptions=False,
    )


@dataclass
class AutomationRun:
    """How the customer's automation rules run in one transaction of ours.

    At first as everywhere. If one of them fails, all is done again with each of them
    in a savepoint of its own: what works costs nothing.
    """

    isolated: bool = False
    failed: dict = field(default_factory=dict)  # id of the rule -> class of the error


class _AgainIsolated(Exception):
    """A rule failed, and somebody caught its error: half of its work is done."""


def automation_run(cr):
    """Return the :class:`AutomationRun` of background work of ours, or None.

    :param cr: cursor of the transaction
    """
    return cr.postcommit.data.get(AUTOMATIONS)


def remembered(cr, name):
    """Return a dict in which background work of ours keeps what it has read.

    It lives as long as the transaction at most: Odoo empties it with its own caches, at
    a savepoint or a rollback. Elsewhere nothing is kept: it is a new one each time.

    :param cr: cursor of the transaction
    :param str name: of what is kept
    """
    if not automation_run(cr):
        return {}
    return cr.precommit.data.setdefault(f"{REMEMBERED}.{name}", {})


def forget(cr):
    """Let background work of ours read anew: what it remembers may be gone."""
    for name in [one for one in cr.precommit.data if str(one).startswith(REMEMBERED)]:
        del cr.precommit.data[name]


def in_transaction(registry, work):
    """Do ``work`` in a transaction of its own; repeat it after a conflict.

    An automation rule of the customer that fails does not stop it: see
    ``base.automation``.

    :param registry: the database's registry
    :param work: function of an environment; may run several times
    :return: what ``work`` returned, once it is committed
    """
    run = AutomationRun()
    try:
        result = _repeat_conflicts(registry, work, run)
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception:
        if not run.failed:
            raise
        run = AutomationRun(isolated=True)
        result = _repeat_conflicts(registry, work, run)
    if run.failed:
        _report_rules(registry, run.failed)
    return result


def _repeat_conflicts(registry, work, run):
    for attempt in range(1, CONFLICTS + 1):
        run.failed.clear()
        try:
            with registry.cursor() as cr:
                cr.postcommit.data[AUTOMATIONS] = run
                env = api.Environment(cr, SUPERUSER_ID, {})
                result = work(env)
                # the transaction knows its environments weakly: without one
                # that lives, a commit would forget what is not yet written
                env.flush_all()
                if run.failed and not run.isolated:
                    raise _AgainIsolated
                return result
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            if attempt == CONFLICTS:
                raise


def _report_rules(registry, failed):
    """Tell of rules that failed, after the work: it must not depend on that."""
    try:
        # who tells of them now tells of these, too
        with try_locks(registry, [RULES_KEY]) as mine, registry.cursor() as cr:
            if mine:
                cr.postcommit.data[AUTOMATIONS] = AutomationRun(isolated=True)
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["base.automation"]._whatsapp_report(failed)
                env.flush_all()
    except Exception:
        _logger.exception("nobody could be told of the automation rules %s", failed)


def remove_in_batches(records, domain, size=5000, seconds=30):
    """Remove what matches, the oldest first, as much as its time allows.

    Each batch is committed (not in a test), so that little is repeated after a crash
    and nothing is locked for long. For methods with ``api.autovacuum``.

    :param records: model whose records are removed
    :param domain: which ones
    :param int size: records of a batch
    :param int seconds: after which no further batch is begun
    :return: tuple of how many were removed, and 1 if more are left, else 0: what
        19.0 wants to be told by such a method
    """
    enough, done, left = monotonic() + seconds, 0, True
    while left and monotonic() < enough:
        batch = records.search(domain, limit=size, order="id")
        done, left = done + len(batch), len(batch) == size
        batch.unlink()
        if modules.module.current_test:
            records.env.flush_all()
        else:
            records.env.cr.commit()  # pylint: disable=invalid-commit
    return done, int(left)
