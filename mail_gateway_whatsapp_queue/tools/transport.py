# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""HTTP sessions whose calls end: limits on the whole answer, and on the upload.

The time-outs of requests bound each single wait. An answer of which a byte comes now
and then would last for ever, and a body that is written at once must be through within
the time-out of the connect, however large it is.
"""

import io
import secrets
import threading
from http.client import HTTPResponse
from time import monotonic

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

PIECE = 64 * 1024  # bytes
# An upload that is slower than this after some seconds is given up
PATIENCE, LEAST_RATE = 20, 8 * 1024  # seconds; bytes a second
# Of the call that this thread makes, in seconds: to write a piece, to wait for a piece
# of the answer, and for all of the answer
_limits = threading.local()


def new_session(longest=120):
    """Return an HTTP session whose read time-out holds for the whole answer.

    :param float longest: seconds for an answer that the caller reads piece by piece,
        or to an upload, whose end is still on its way when all of it is written
    """
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(longest))
    return session


class _Adapter(HTTPAdapter):
    """Has connections with limits."""

    def __init__(self, longest):
        self._longest = longest
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        res = super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS
        return res

    def proxy_manager_for(self, *args, **kwargs):
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def send(self, request, stream=False, timeout=None, **kwargs):
        wait = timeout[1] if isinstance(timeout, tuple) else timeout
        upload = isinstance(request.body, FormFile)
        _limits.write = wait
        _limits.wait = self._longest if upload else wait
        _limits.answer = self._longest if stream or upload else wait
        return super().send(request, stream=stream, timeout=timeout, **kwargs)


class _Limited:
    """A connection that bounds each piece that it writes, and all that it reads."""

    def send(self, data):
        if self.sock is None and self.auto_open:
            self.connect()
        if self.sock is not None:
            # until here it is that of the connect, or what was left for an answer
            self.sock.settimeout(_limits.write)
        return super().send(data)

    def response_class(self, sock, *args, **kwargs):
        return HTTPResponse(_Answer(sock, _limits), *args, **kwargs)


class _HTTPConnection(_Limited, HTTPConnection):
    pass


class _HTTPSConnection(_Limited, HTTPSConnection):
    pass


class _HTTPConnectionPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSConnectionPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


POOLS = {"http": _HTTPConnectionPool, "https": _HTTPSConnectionPool}


class _Answer:
    """What ``http.client`` takes for a socket: it only asks for the file to read."""

    def __init__(self, sock, limits):
        self._sock, self._limits = sock, limits

    def makefile(self, _mode):
        return io.BufferedReader(_ReadUntil(self._sock, self._limits))


class _ReadUntil(io.RawIOBase):
    """Reads from a socket for so long altogether."""

    def __init__(self, sock, limits):
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._wait = limits.wait
        self._end = None if limits.answer is None else monotonic() + limits.answer

    def readable(self):
        return True

    def readinto(self, buffer):
        wait = self._wait
        if self._end is not None:
            left = self._end - monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            wait = left if wait is None else min(wait, left)
        self._sock.settimeout(wait)
        return self._raw.readinto(buffer)

    def close(self):
        self._raw.close()
        return super().close()


class TooSlow(Exception):
    """An upload makes too little progress."""


class FormFile:
    """The body of a form with one file, which is read while it is sent.

    >>> import io
    >>> form = FormFile({"type": "a/b"}, "a.txt", io.BytesIO(b"Hi"), "text/plain")
    >>> body = b"".join(form)
    >>> len(form) == len(body), b'name="type"' in body, b"\\r\\nHi\\r\\n" in body
    (True, True, True)

    :param dict fields: names and values of the form
    :param str filename: without quotes, of printable ASCII
    :param file: binary file, read from its beginning
    :param str mime_type: of the file
    """

    def __init__(self, fields, filename, file, mime_type):
        boundary = secrets.token_hex(16)
        mime_type = "".join(filter(str.isprintable, mime_type))  # not two lines
        self.content_type = f"multipart/form-data; boundary={boundary}"
        disposition = "Content-Disposition: form-data; name="
        parts = [
            f'--{boundary}\r\n{disposition}"{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\n{disposition}"file"; filename="{filename}"\r\n'
            f"Content-Type: {mime_type}\r\n\r\n"
        )
        head, tail = "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()
        self._length = len(head) + file.seek(0, io.SEEK_END) + len(tail)
        file.seek(0)
        self._sources = [io.BytesIO(head), file, io.BytesIO(tail)]
        self._began, self._read = None, 0

    def __len__(self):
        return self._length

    def __iter__(self):
        return iter(lambda: self.read(PIECE), b"")

    # pylint: disable-next=method-required-super  # it is no model's
    def read(self, size=PIECE):
        """Return the next piece; what was read before has been written.

        :raise TooSlow: it was written too slowly
        """
        now = monotonic()
        self._began = self._began or now
        seconds = now - self._began
        if seconds > PATIENCE and self._read < seconds * LEAST_RATE:
            raise TooSlow
        while self._sources:
            if piece := self._sources[0].read(size):
                self._read += len(piece)
                return piece
            self._sources.pop(0)
        return b""
