# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Sends to many people at once, and to each of them in order.

One thread talks to the database: it claims the next message of some conversations in
one transaction, and records what became of them in another. Others talk to Meta, one
message each, and touch no database. A conversation is held by an advisory lock from
before its message is claimed until its outcome is committed: a row in 'sending' whose
conversation nobody holds is what a crash left.
"""

import logging
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from time import monotonic, sleep

import requests

from . import compat
from .concurrency import exclusive_each, in_transaction
from .tools.errors import CloudApiError
from .tools.pace import Pace

_logger = logging.getLogger(__name__)

MODEL = "whatsapp.message.queue"
AT_ONCE = 32  # messages on their way
CLAIM = 8  # at once; fewer only if nothing is on its way
BATCHES = 8  # each of them holds a connection to the database
GATHER = 0.02  # seconds for which outcomes are gathered before they are recorded
_local = threading.local()


def session():
    """Return the HTTP session of this thread, whose connections are used again."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    return _local.session


def _later(seconds, work):
    sleep(seconds)
    return work()


class _Inline:
    """Sends in the calling thread: a test has one cursor, and one Meta."""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False

    def submit(self, work, *args):
        future = Future()
        try:
            future.set_result(work(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class _Batch:
    """Conversations that are held together, until the last of them is recorded."""

    def __init__(self, registry, channels):
        self._stack = ExitStack()
        wanted = {channel: [f"whatsapp:send:{channel}"] for channel in channels}
        self.held = self._stack.enter_context(exclusive_each(registry, wanted))
        self.waiting = 0

    def done(self, count=1):
        self.waiting -= count
        if self.waiting <= 0:
            self._stack.close()
            self.held = set()


def _outcome(future):
    """Return what became of a message; what nobody foresaw may have arrived."""
    error = future.exception()
    if error is None:
        return future.result()
    _logger.error("a message met an error of ours", exc_info=error)
    return CloudApiError("uncertain", details=repr(error), advice_key="uncertain")


class Sender:
    """One run over all that is due.

    :param registry: the database's registry
    :param float deadline: ``monotonic()`` after which nothing is claimed
    :param list passed: grows by conversations that others hold or that must wait
    """

    def __init__(self, registry, deadline, passed):
        self._registry, self._deadline, self._passed = registry, deadline, passed
        self._model = registry[MODEL]
        self._pace = Pace()
        self._flying = {}  # future -> (batch, row id)
        self._batches = []

    def run(self):
        """Send what is due.

        :return: True if work that is due was left
        """
        with self._registry.cursor() as cr:
            threads = compat.is_real_cursor(cr)
        try:
            with ThreadPoolExecutor(AT_ONCE) if threads else _Inline() as pool:
                left = False
                while True:
                    try:
                        left = self._claim(pool, threads)
                    except Exception:
                        # what is on its way is recorded all the same
                        _logger.exception("no message could be claimed")
                        self._deadline, left = 0, False
                    if not self._flying:
                        return left
                    self._record(self._landed())
        finally:
            for batch in self._batches:
                batch.done(batch.waiting)

    def _claim(self, pool, threads):
        """Let further messages leave, as many as there is room for.

        :return: True if there was work and no time for it
        """
        room = AT_ONCE - len(self._flying)
        if self._flying and room < CLAIM:
            return False
        self._batches = [batch for batch in self._batches if batch.held]
        own = [channel for batch in self._batches for channel in batch.held]
        if self._deadline == 0 and self._flying or len(self._batches) >= BATCHES:
            return False
        channels = self._model._due_channels(
            self._registry,
            [*self._passed, *own],
            limit=min(room, CLAIM) if threads else 1,
        )
        if not channels:
            return False
        if monotonic() > self._deadline:
            return True
        batch = _Batch(self._registry, channels)
        self._batches.append(batch)
        self._passed += set(channels) - batch.held
        claimed = in_transaction(
            self._registry,
            lambda env: [
                (row.id, row.channel_id.id, row.gateway_id.id)
                + (row.gateway_id.whatsapp_rate, row._outgoing()[1])
                for row in env[MODEL]._claim_each(list(batch.held))
            ],
        )
        self._passed += batch.held - {channel for _row, channel, *_rest in claimed}
        batch.waiting = len(claimed)
        if not claimed:
            batch.done()
        for row_id, _channel, gateway_id, rate, outgoing in claimed:
            pause = self._pace.wait(gateway_id, rate, monotonic()) if threads else 0
            self._flying[self._submit(pool, pause, outgoing)] = (batch, row_id)
        return False

    def _submit(self, pool, pause, outgoing):
        try:
            return pool.submit(_later, pause, outgoing)
        except RuntimeError:  # the server stops: nothing has left
            never = Future()
            never.set_result(CloudApiError("transient", advice_key="retry"))
            return never

    def _landed(self):
        """Return the messages that came back: a list of (batch, row id, outcome)."""
        wait(self._flying, return_when=FIRST_COMPLETED)
        if len(self._flying) > 1 and not all(f.done() for f in self._flying):
            sleep(GATHER)
        done = [future for future in self._flying if future.done()]
        return [(*self._flying.pop(future), _outcome(future)) for future in done]

    def _record(self, landed):
        """Write what became of messages: together, or if that fails each alone."""
        if not self._write([(row, outcome) for _batch, row, outcome in landed]):
            for _batch, row_id, outcome in landed:
                self._write([(row_id, outcome)])
        for batch, _row, _outcome in landed:
            batch.done()

    def _write(self, outcomes):
        def record(env):
            rows = env[MODEL].browse([row_id for row_id, _outcome in outcomes])
            for row, (_row_id, outcome) in zip(rows, outcomes, strict=True):
                row._record(outcome)
            return True

        try:
            return in_transaction(self._registry, record)
        except Exception as error:
            # without its words, which may be a customer's; the row is 'uncertain' later
            _logger.error(
                "the outcome of messages %s could not be written: %s",
                [row_id for row_id, _outcome in outcomes],
                type(error).__name__,
            )
            return False
