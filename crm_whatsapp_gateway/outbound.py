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
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from time import monotonic, sleep

import requests

from . import compat
from .concurrency import Holder, in_transaction
from .tools.errors import CloudApiError
from .tools.masking import without_secrets
from .tools.pace import Pace

_logger = logging.getLogger(__name__)

MODEL = "whatsapp.message.queue"
AT_ONCE = 32  # messages on their way
CLAIM = 8  # at once; fewer only if nothing is on its way
FILES = 4  # in memory at once, of up to 100 MB each
GATHER = 0.02  # seconds for which outcomes are gathered before they are recorded
_local = threading.local()
_files = threading.BoundedSemaphore(FILES)


def session():
    """Return the HTTP session of this thread, whose connections are used again."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
    return _local.session


def deliver(client, number, payload, file):
    """Send a message, after its file; touches no database.

    :param client: ``tools.cloud_api.CloudApi``
    :param str number: phone number ID of the sender
    :param dict payload: Meta's message
    :param file: None, or a tuple of name, function that reads the content, MIME type
    :return: ``tools.cloud_api.Sent``, or the ``CloudApiError``
    """
    client = client.using(session)
    try:
        if file:
            kind = payload["type"]
            with _files:
                name, read, mimetype = file
                media = client.upload(number, name, read(), mimetype)
            payload = {**payload, kind: {**payload[kind], "id": media}}
        return client.send(number, payload)
    except CloudApiError as error:
        return error


def _key(channel_id):
    return f"whatsapp:send:{channel_id}"


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


class _HoldsAll:
    """Holds whatever is asked for: a test has one transaction."""

    def take(self, keys):
        return set(keys)

    def give_back(self, key):
        pass

    def close(self):
        pass


def _outcome(future):
    """Return what became of a message; what nobody foresaw may have arrived."""
    error = future.exception()
    if error is None:
        return future.result()
    trace = "".join(traceback.format_exception(error))
    _logger.error("a message met an error of ours: %s", without_secrets(trace))
    return CloudApiError("uncertain", details=repr(error), reason="cut")


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
        self._flying = {}  # future -> (conversation, row id)
        self._held = set()  # conversations of messages on their way
        self._holder = None

    def run(self):
        """Send what is due.

        :return: True if work that is due was left
        """
        with self._registry.cursor() as cr:
            threads = compat.is_real_cursor(cr)
        self._holder = Holder(self._registry.db_name) if threads else _HoldsAll()
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
            self._holder.close()

    def _claim(self, pool, threads):
        """Let further messages leave, as many as there is room for.

        :return: True if there was work and no time for it
        """
        room = AT_ONCE - len(self._flying)
        if self._flying and (room < CLAIM or self._deadline == 0):
            return False
        channels = self._model._due_channels(
            self._registry,
            [*self._passed, *self._held],
            limit=min(room, CLAIM) if threads else 1,
        )
        if not channels:
            return False
        if monotonic() > self._deadline:
            return True
        free = self._holder.take(map(_key, channels))
        mine = [channel for channel in channels if _key(channel) in free]
        self._held.update(mine)
        claimed = in_transaction(
            self._registry,
            lambda env: [
                (row.id, row.channel_id.id, row.gateway_id.id)
                + (row.gateway_id.whatsapp_rate, row._outgoing()[1])
                for row in env[MODEL]._claim_each(mine)
            ],
        )
        for row_id, channel, gateway_id, rate, outgoing in claimed:
            pause = self._pace.wait(gateway_id, rate, monotonic()) if threads else 0
            self._flying[self._submit(pool, pause, outgoing)] = (channel, row_id)
        nothing_to_send = set(channels) - {channel for _row, channel, *_ in claimed}
        self._passed += nothing_to_send
        self._give_back(nothing_to_send)
        return False

    def _give_back(self, channels):
        for channel in self._held.intersection(channels):
            self._held.discard(channel)
            self._holder.give_back(_key(channel))

    def _submit(self, pool, pause, outgoing):
        try:
            return pool.submit(_later, pause, outgoing)
        except RuntimeError:  # the server stops: nothing has left
            never = Future()
            never.set_result(CloudApiError("transient", reason="busy"))
            return never

    def _landed(self):
        """Return what came back: a list of (conversation, row id, outcome)."""
        wait(self._flying, return_when=FIRST_COMPLETED)
        if len(self._flying) > 1 and not all(f.done() for f in self._flying):
            sleep(GATHER)
        done = [future for future in self._flying if future.done()]
        return [(*self._flying.pop(future), _outcome(future)) for future in done]

    def _record(self, landed):
        """Write what became of messages: together, or if that fails each alone."""
        if not self._write([(row, outcome) for _channel, row, outcome in landed]):
            for _channel, row_id, outcome in landed:
                self._write([(row_id, outcome)])
        self._give_back({channel for channel, _row, _outcome in landed})

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
