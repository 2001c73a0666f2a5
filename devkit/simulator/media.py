# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which files WhatsApp takes, and small real files for customers to send.

Source of the limits: Meta's page on media, copy of 2026-09-11.
"""

import base64
import struct
import zlib

KB, MB = 1024, 1024 * 1024
DAY = 86400
URL_LIFETIME = 300  # seconds
UPLOAD_LIFETIME = 30 * DAY
RECEIVED_LIFETIME = 7 * DAY

_OFFICE = "application/vnd.openxmlformats-officedocument"
# kind -> (largest size in bytes, MIME types)
LIMITS = {
    "audio": (
        16 * MB,
        ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    ),
    "document": (
        100 * MB,
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            f"{_OFFICE}.wordprocessingml.document",
            f"{_OFFICE}.spreadsheetml.sheet",
            f"{_OFFICE}.presentationml.presentation",
        ),
    ),
    "image": (5 * MB, ("image/jpeg", "image/png")),
    "sticker": (500 * KB, ("image/webp",)),
    "video": (16 * MB, ("video/mp4", "video/3gpp")),
}
KINDS = tuple(LIMITS)


def bare(mime_type: str) -> str:
    """
    >>> bare("audio/ogg; codecs=opus")
    'audio/ogg'
    """
    return mime_type.split(";")[0].strip().lower()


def kinds_of(mime_type: str) -> list[str]:
    """The message types that may carry this MIME type.

    >>> kinds_of("image/webp"), kinds_of("application/zip")
    (['sticker'], [])
    """
    return [kind for kind, (_, types) in LIMITS.items() if bare(mime_type) in types]


def largest(mime_type: str) -> int:
    """The limit in bytes for a supported MIME type."""
    return max(LIMITS[kind][0] for kind in kinds_of(mime_type))


def _png_chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def png(width: int = 240, height: int = 160) -> bytes:
    """A picture with a colour gradient, so that a screen shows something."""
    rows = b"".join(
        b"\0"
        + b"".join(
            bytes((255 * (x // 8) * 8 // width, 255 * (y // 8) * 8 // height, 140))
            for x in range(width)
        )
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + _png_chunk(b"IDAT", zlib.compress(rows, 9))
        + _png_chunk(b"IEND", b"")
    )


def pdf(text: str = "Simulated document") -> bytes:
    """One page with one line of text."""
    line = f"BT /F1 18 Tf 60 760 Td ({text}) Tj ET".encode("latin-1", "replace")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(line), line),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    document, offsets = b"%PDF-1.4\n", []
    for index, part in enumerate(parts, 1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (index, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        document
        + b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
        + table
        + b"trailer << /Size %d /Root 1 0 R >>\n" % (len(parts) + 1)
        + b"startxref\n%d\n%%%%EOF\n" % len(document)
    )


def _ogg_checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        value &= 0xFFFFFFFF
    return value


def _ogg_page(kind: int, position: int, sequence: int, packet: bytes) -> bytes:
    head = struct.pack("<4sBBqII", b"OggS", 0, kind, position, 7, sequence)
    tail = bytes((1, len(packet))) + packet
    checksum = _ogg_checksum(head + b"\0\0\0\0" + tail)
    return head + struct.pack("<I", checksum) + tail


def ogg() -> bytes:
    """A voice note of one silent Opus frame (20 ms, mono)."""
    header = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"simulator" + struct.pack("<I", 0)
    return (
        _ogg_page(2, 0, 0, header)
        + _ogg_page(0, 0, 1, tags)
        + _ogg_page(4, 960, 2, b"\x08\xff\xfe")
    )


def mp4() -> bytes:
    """An MP4 container without tracks."""
    kind = b"ftypisom\0\0\2\0isomiso2mp41"
    return struct.pack(">I", len(kind) + 4) + kind + struct.pack(">I", 8) + b"mdat"


JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP///////////////////////////////////////////"
    "///////////////////////////////////////////wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAA"
    "AAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)
WEBP = base64.b64decode("UklGRiQAAABXRUJQVlA4IBgAAABQAQCdASoIAAgADMDOJaQABHQAAAAAAAA=")

# what a customer's phone sends when nothing else is asked for
SAMPLES = {
    "image": ("image/png", png),
    "video": ("video/mp4", mp4),
    "audio": ("audio/ogg; codecs=opus", ogg),
    "document": ("application/pdf", pdf),
    "sticker": ("image/webp", lambda: WEBP),
}
BY_MIME = {
    "image/jpeg": lambda: JPEG,
    "image/png": png,
    "image/webp": lambda: WEBP,
    "video/mp4": mp4,
    "audio/ogg": ogg,
    "application/pdf": pdf,
    "text/plain": lambda: b"Simulated document\n",
}


def sample(kind: str, mime_type: str | None = None) -> tuple[str, bytes]:
    """(MIME type, bytes) of a file that a customer sends as `kind`."""
    if mime_type is None:
        mime_type, make = SAMPLES[kind]
        return mime_type, make()
    make = BY_MIME.get(bare(mime_type))
    return mime_type, make() if make else b"simulated " + kind.encode()
