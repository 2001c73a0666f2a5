# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The body of a request, read up to a limit and no further."""

from io import BytesIO

PIECE = 64 * 1024
LONGEST_LINE = 1024  # of what stands before a chunk: its length, in hexadecimal
# Who still sends gets no answer: so much is thrown away before the refusal
THROWN_AWAY = 64 * 1024 * 1024


class TooLong(Exception):
    """The body is longer than what is accepted."""


class _ShortLines:
    """A file whose lines have an end, also if who sends them forgets it."""

    def __init__(self, file):
        self.read = file.read
        self._file = file

    def readline(self, size=LONGEST_LINE):
        return self._file.readline(size)


def bound_body(httprequest, most):
    """Read the body now, at most ``most`` bytes, and leave it to be read again.

    :param httprequest: Odoo's wrapper of the request
    :param int most: bytes
    :raise TooLong: it has more; they were not kept
    """
    # Odoo shows neither werkzeug's request, which it wraps, nor its stream
    environ = httprequest.get_data.__self__.environ
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):  # in chunks, or by a server that knows
        stated = None
        if hasattr(stream, "_rfile"):  # werkzeug's reader of chunks
            stream._rfile = _ShortLines(stream._rfile)
    else:
        stated = _length(environ)
        if stated > most:
            _throw_away(stream, stated)
            raise TooLong
    try:
        body = _read(stream, most + 1 if stated is None else stated)
        if len(body) > most:
            _throw_away(stream, THROWN_AWAY)
            raise TooLong
    except OSError:  # no proper chunks, or nobody there any more: nobody signed that
        body = b""
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def _length(environ):
    try:
        return max(0, int(environ.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def _read(stream, wanted):
    body = bytearray()
    while len(body) < wanted:
        piece = stream.read(min(PIECE, wanted - len(body)))
        if not piece:
            break
        body += piece
    return bytes(body)


def _throw_away(stream, length):
    left = min(length, THROWN_AWAY)
    while left > 0 and (piece := stream.read(min(PIECE, left))):
        left -= len(piece)
