# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Sends to many people at once, and to each of them in order.

One thread talks to the database: it claims the next message of some conversations in
one transaction, and records what became of them in another. Others talk to Meta, one
message each, and ask the database for nothing but their turn. A conversation is held by
an advisory lock from before its message is claimed until its outcome is committed: a
row in 'sending' whose conversation nobody holds is what a crash left.

A call that lasts holds its own conversation only: others are claimed and recorded
meanwhile, and at the end of a turn another thread goes on waiting for it.
"""

import logging
import threading
import traceback
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from time import monotonic, sleep

import psycopg2

from ..tools.errors import CloudApiError
from ..tools.masking import without_secrets
from ..tools.payloads import with_media
from ..tools.transport import new_session
from . import worker
from .locks import LockHolder, channel_key, in_transaction
from .rate_limit import RateLimiter

_logger = logging.getLogger(__name__)

MODEL = "whatsapp.message.queue"
AT_ONCE = 32  # messages without a file on their way, of a database and process
FILES = 8  # messages with a file, likewise: an upload may take minutes
GATHER = 0.02  # seconds for which outcomes are gathered before they are recorded
LOOK = 0.2  # seconds until we look for new work while all that is on its way lasts
_local = threading.local()
_guard = threading.Lock()
_on_their_way = Counter()  # by database, and number or None for those with a file


def session():
    """Return the HTTP session of this thread, whose connections are used again."""
    if not hasattr(_local, "session"):
        _local.session = new_session()
    return _local.session


def deliver(client, number, payload, file, turns=None):
    """Send a message, after its file; touches no database but for its turn.

    :param client: ``tools.cloud_api.CloudApi``
    :param str number: phone number ID of the sender
    :param dict payload: Meta's message
    :param file: None, or a tuple of name, function that opens the content, MIME type
    :param turns: ``rate_limit.Turns`` of the number; None: it leaves at once
    :return: ``tools.cloud_api.Sent``, or the ``CloudApiError``
    """
    client, has_turn = client.using(session), False
    try:
        if file:
            name, open_content, mimetype = file
            with open_content() as content:
                media = client.upload(number, name, content, mimetype)
            payload = with_media(payload, media)
        if turns:
            turns.wait()
            has_turn = True
        outcome = client.send(number, payload)
    except CloudApiError as error:
        outcome = error
    if has_turn:  # what is said of an upload is not about the rate
        turns.learn(outcome)
    return outcome


def never(error, turns=None):
    """Stand in for ``deliver`` where a message cannot leave.

    :param error: ``CloudApiError``
    """
    return error


def _in_thread(work):
    """Run a work in a thread of its own; a server that stops does not wait for it."""
    threading.Thread(target=work, name="whatsapp-file", daemon=True).start()


def _future_of(work, start):
    """Return the future of a work.

    :param start: function that lets a function run in a thread. If there is no thread
        it may run it later all the same: then nothing is sent
    """
    future = Future()

    def run():
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

    try:
        start(run)
    except RuntimeError:  # the server stops, or the machine has no thread left
        if future.cancel():
            unsent = Future()
            unsent.set_result(CloudApiError("transient", reason="busy"))
            return unsent
    return future


def _arrived(key):
    with _guard:
        _on_their_way[key] -= 1


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
    :param list skip_keys: grows by conversations that others hold or that must wait
    """

    claim_limit = (
        8  # conversations at once; fewer only while no outcome came back lately
    )

    def __init__(self, registry, deadline, skip_keys):
        self._registry, self._deadline, self._skip_keys = registry, deadline, skip_keys
        self._dbname = registry.db_name
        self._model = registry[MODEL]
        self._in_flight = {}  # future -> (conversation, row id)
        self._held = set()  # conversations of messages on their way
        self._quiet = True  # nothing came back lately
        self._open()

    def _open(self):
        """Take what a run needs: a connection for locks and the rate, and threads."""
        self._holder = LockHolder(self._dbname)
        self._limiter = RateLimiter(self._dbname, self._holder.execute)
        self._pool = ThreadPoolExecutor(AT_ONCE, "whatsapp-message")

    def run(self):
        """Send what is due.

        :return: True if work that is due was left, None if it cannot go on now
        """
        left = False
        try:
            while True:
                try:
                    left = self._claim()
                except Exception:
                    # what is on its way is recorded all the same; the cron goes on
                    _logger.exception("no message could be claimed")
                    self._deadline, left = 0, None
                if not self._in_flight:
                    return left
                if monotonic() > self._deadline:
                    return left
                completed = self._completed(LOOK)
                self._quiet = not completed
                self._record(completed)
        finally:
            self._leave()

    def _leave(self):
        """End the turn; another thread waits for what is still on its way."""
        if not self._in_flight:
            self._close()
            return
        self._skip_keys += self._held
        thread = threading.Thread(
            target=self._finish, name=f"whatsapp-late-{self._dbname}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the machine has no thread left
            self._finish()

    def _finish(self):
        threading.current_thread().dbname = self._dbname
        try:
            while self._in_flight:
                self._record(self._completed())
                # what waited behind it in its conversation
                worker.wake(self._dbname, "outbound")
        finally:
            self._close()

    def _close(self):
        self._pool.shutdown(wait=False)
        self._holder.close()

    def _claim(self):
        """Let further messages leave, as many as there is room for.

        :return: True if there was work and no time for it
        """
        room, files, busy = self._room()
        if self._in_flight and self._deadline == 0:
            return False
        if self._in_flight and room < (1 if self._quiet else self.claim_limit):
            return False
        while room < 1:  # for what earlier turns left
            if monotonic() > self._deadline:
                return True
            sleep(LOOK)
            room, files, busy = self._room()
        channels = self._model._due_channels(
            self._registry,
            [*self._skip_keys, *self._held],
            limit=min(room, self.claim_limit),
            files=files,
            busy=busy,
        )
        if not channels:
            return False
        if monotonic() > self._deadline:
            return True
        free = self._holder.try_locks(map(channel_key, channels))
        mine = [channel for channel in channels if channel_key(channel) in free]
        self._held.update(mine)
        try:
            claimed = in_transaction(
                self._registry,
                lambda env: [
                    (row.id, row.channel_id.id, bool(row.attachment_checksum))
                    + (row._retry_send(), *row.gateway_id._whatsapp_number_and_rate())
                    for row in env[MODEL]._claim_each(mine)
                ],
            )
        except Exception:
            self._release(mine)  # others may be luckier
            raise
        for row_id, channel, has_file, outgoing, number, rate in claimed:
            future = self._submit(outgoing, has_file, number, rate)
            self._in_flight[future] = (channel, row_id)
        nothing_to_send = set(channels) - {channel for _row, channel, *_ in claimed}
        self._skip_keys += nothing_to_send
        self._release(nothing_to_send)
        return False

    def _room(self):
        """Return how many messages may leave, how many files, and who is busy.

        :return: tuple of two numbers, and a dict of phone number ID -> how many of it
            are on their way
        """
        with _guard:
            busy = {
                number: count
                for (dbname, number), count in _on_their_way.items()
                if dbname == self._dbname and count
            }
        files = busy.pop(None, 0)
        return AT_ONCE - sum(busy.values()), FILES - files, busy

    def _release(self, channels):
        for channel in self._held.intersection(channels):
            self._held.discard(channel)
            # with a lost connection all was given back; the next claim says so
            with suppress(psycopg2.Error):
                self._holder.release(channel_key(channel))

    def _submit(self, outgoing, has_file, number, rate):
        """Let a message leave in a thread."""
        turns = self._limiter.turns(number, rate)
        key = (self._dbname, None if has_file else number)
        with _guard:
            _on_their_way[key] += 1
        start = _in_thread if has_file else self._pool.submit
        future = _future_of(partial(outgoing, turns=turns), start)
        future.add_done_callback(lambda _future: _arrived(key))
        return future

    def _completed(self, seconds=None):
        """Return what came back: a list of (conversation, row id, outcome).

        :param float seconds: how long to wait for the first one; None: until it comes
        """
        wait(self._in_flight, seconds, return_when=FIRST_COMPLETED)
        if len(self._in_flight) > 1 and any(f.done() for f in self._in_flight):
            if not all(f.done() for f in self._in_flight):
                sleep(GATHER)
        done = [future for future in self._in_flight if future.done()]
        return [(*self._in_flight.pop(future), _outcome(future)) for future in done]

    def _record(self, completed):
        """Write what became of messages: together, or if that fails each alone."""
        if not completed:
            return
        if not self._write([(row, outcome) for _channel, row, outcome in completed]):
            for _channel, row_id, outcome in completed:
                self._write([(row_id, outcome)])
        self._release({channel for channel, _row, _outcome in completed})

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
