# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which type a stranger's file is kept as, so that no browser runs what is in it."""

import base64
import binascii
import hashlib
import re

from .limits import limit
from .message import EXTENSIONS, SAME_TYPES, base_type

HEAD = 4096  # bytes that tell what a file is
MOST_SEGMENTS = 1000  # of a JPEG before its size; cameras write some 20
PLAIN = "text/plain"
UNKNOWN = "application/octet-stream"  # Odoo looks at name and content then
BINARY = "binary/octet-stream"  # and here it does not: neither does a browser
MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
# Names that servers and browsers take for HTML, XML or a script
ACTIVE_NAME = re.compile(
    r"\.(?:[a-z]?html?[0-9]?|xhtml?|xht|hta|mhtml?|shtml?|svgz?|xml|xslt?|xsd|rdf|rss"
    r"|atom|mathml|mml|js|mjs|jsp|php[0-9]?|asp|aspx|vbs|swf)\s*$",
    re.IGNORECASE,
)
# What comes first in such a file, behind blanks and marks of the encoding
MARKUP = re.compile(rb"<[!?/a-z]", re.IGNORECASE)
BLANK = b" \t\r\n\f\v\0\xef\xbb\xbf\xfe\xff"
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp")


def media_type(declared, name, content):
    """The MIME type under which a file is kept and served.

    HTML, SVG, XML and scripts are text, whether the sender says so, the name does, or
    the content; what calls itself a picture and is none, or one that is too large to
    be shown, is only downloaded.

    :param declared: as Meta gave it, with or without parameters, or None
    :param str name: the file's
    :param bytes content: the file

    >>> media_type("text/html; charset=utf-8", "a.txt", b"Hi")
    'text/plain'
    >>> media_type("application/pdf", "offer.pdf", b"%PDF-1.7")
    'application/pdf'
    >>> media_type("image/jpeg", "a.jpg", b" <script>alert(1)</script>")
    'text/plain'
    >>> media_type("image/png", "a.png", b"MZ"), media_type("image/heic", "a", b"ftyp")
    ('binary/octet-stream', 'image/heic')
    >>> media_type("audio/x-m4a", "a.m4a", b"ftyp")
    'audio/mp4'
    >>> header = bytes([137]) + b"PNG" + bytes([13, 10, 26, 10]) + 8 * b"-"
    >>> media_type("image/png", "a.png", header + 8 * b"1")
    'binary/octet-stream'
    """
    mime_type = base_type(declared)
    mime_type = SAME_TYPES.get(mime_type, mime_type)
    if not MIME_TYPE.fullmatch(mime_type):
        mime_type = UNKNOWN
    if _is_active(mime_type) or looks_like_markup(content):
        return PLAIN
    if ACTIVE_NAME.search((name or "")[-limit("file_name") :]):
        return PLAIN
    size = pixels(content)
    if size > limit("pixels") or mime_type in PICTURES and not size:
        return BINARY
    return mime_type


def pixels(content):
    """How many pixels a picture says it has, without looking at any; 0 if it is none.

    >>> pixels(b"GIF89a" + bytes([2, 0, 3, 0]) + b"rest"), pixels(b"GIF"), pixels(b"")
    (6, 0, 0)
    """
    head = content[:32]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _area(head[16:20], head[20:24], "big")
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _area(head[6:8], head[8:10])
    if head.startswith(b"BM"):
        return _area(head[18:22], head[22:26])
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp_area(head)
    return _jpeg_area(content) if head.startswith(b"\xff\xd8") else 0


def _area(width, height, order="little", more=0):
    return (int.from_bytes(width, order) + more) * (
        int.from_bytes(height, order) + more
    )


def _webp_area(head):
    kind = head[12:16]
    if kind == b"VP8X":
        return _area(head[24:27], head[27:30], more=1)
    if kind == b"VP8L":
        sizes = int.from_bytes(head[21:25], "little")
        return ((sizes & 0x3FFF) + 1) * ((sizes >> 14 & 0x3FFF) + 1)
    width, height = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    return (width & 0x3FFF) * (height & 0x3FFF)


def _jpeg_area(content):
    """The size stands in the first frame, behind segments of any length."""
    at = 2
    for _segment in range(MOST_SEGMENTS):
        if content[at : at + 1] != b"\xff":
            break
        marker = content[at + 1 : at + 2]
        if marker == b"\xff":  # filling
            at += 1
        elif b"\xc0" <= marker <= b"\xcf" and marker not in b"\xc4\xc8\xcc":
            return _area(content[at + 7 : at + 9], content[at + 5 : at + 7], "big")
        else:
            length = int.from_bytes(content[at + 2 : at + 4], "big")
            at += 2 + max(length, 2)
    return 0


def is_whole(content, sha256):
    """Whether a file is the one of which Meta gave the hash; None if that says nothing.

    :param sha256: in base64, as webhooks have it, or in hexadecimal digits

    >>> is_whole(b"", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    True
    >>> is_whole(b"x", 64 * "0"), is_whole(b"", "?"), is_whole(b"", None)
    (False, None, None)
    """
    try:
        stated = (
            bytes.fromhex(sha256)
            if len(sha256) == 64
            else base64.b64decode(sha256, validate=True)
        )
    except (TypeError, ValueError, binascii.Error):
        return None
    return hashlib.sha256(content).digest() == stated if len(stated) == 32 else None


def looks_like_markup(content):
    """Whether a file begins as HTML, SVG or XML does, in any Unicode encoding.

    >>> looks_like_markup(b"\\xef\\xbb\\xbf\\n<?xml"), looks_like_markup(b"a < b")
    (True, False)
    >>> looks_like_markup("<svg>".encode("utf-16"))
    True
    """
    letters = content[:HEAD].lstrip(BLANK).replace(b"\0", b"")
    return bool(MARKUP.match(letters))


def _is_active(mime_type):
    """Whether a browser may run what is in a file of this type.

    >>> [_is_active(t) for t in ("image/svg+xml", "text/xml", "text/javascript")]
    [True, True, True]
    >>> _is_active("application/vnd.openxmlformats-officedocument.x+xml")
    True
    >>> [_is_active(t) for t in ("image/png", "text/csv", "application/pdf")]
    [False, False, False]
    """
    if mime_type in EXTENSIONS and mime_type != "application/xml":
        return False
    words = ("ht", "xml", "svg", "xsl", "script", "flash")
    return any(word in mime_type for word in words)
