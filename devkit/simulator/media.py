# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which files WhatsApp takes, and small real files for customers to send.

Source of the limits: Meta's page on media, copy of 2026-09-11.
"""

import base64
import io

from PIL import Image

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


def picture(kind: str) -> bytes:
    """A picture with a gradient, so that a screen shows something; or a page of it."""
    drawn = Image.linear_gradient("L").resize((240, 160)).convert("RGB")
    file = io.BytesIO()
    drawn.save(file, kind)
    return file.getvalue()


# A voice note of one silent Opus frame (20 ms, mono)
OGG = base64.b64decode(
    "T2dnUwACAAAAAAAAAAAHAAAAAAAAABn4GdIBE09wdXNIZWFkAQEAAIC7AAAAAABPZ2dTAAAAAAAA"
    "AAAAAAcAAAABAAAAX+gdVgEZT3B1c1RhZ3MJAAAAc2ltdWxhdG9yAAAAAE9nZ1MABMADAAAAAAAA"
    "BwAAAAIAAAA3DrgRAQMI//4="
)
# An MP4 container without tracks
MP4 = b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41\0\0\0\x08mdat"

# what a customer's phone sends when nothing else is asked for
SAMPLES = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}
FILES = {
    "image/jpeg": picture("JPEG"),
    "image/png": picture("PNG"),
    "image/webp": picture("WEBP"),
    "video/mp4": MP4,
    "audio/ogg": OGG,
    "application/pdf": picture("PDF"),
    "text/plain": b"Simulated document\n",
}


def sample(kind: str, mime_type: str | None = None) -> tuple[str, bytes]:
    """(MIME type, bytes) of a file that a customer sends as `kind`."""
    mime_type = mime_type or SAMPLES[kind]
    return mime_type, FILES.get(bare(mime_type), b"simulated " + kind.encode())
