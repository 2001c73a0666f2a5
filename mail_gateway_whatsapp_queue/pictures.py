# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""WebP for WhatsApp, which takes that type as a sticker only: photos leave as JPEG."""

import io
import struct

from PIL import Image, ImageOps, WebPImagePlugin

from .tools.files import pixels
from .tools.limits import limit
from .tools.payloads import NotSendable

# Odoo loads only the formats that it needs itself; importing it makes Pillow know it
FORMAT = WebPImagePlugin.WebPImageFile.format
WEBP = "image/webp"
JPEG = "image/jpeg"
QUALITY = 90
# what Pillow raises for files that are none of its format, or cut
BROKEN = (OSError, ValueError, SyntaxError, EOFError, MemoryError, struct.error)
# Meta's page business-phone-numbers/media, copy of 2026-09-11
STICKER = (512, 512)  # pixels
STILL_STICKER, MOVING_STICKER = 100 * 1024, 500 * 1024  # bytes


def webp_kind(content):
    """As what a WebP file is sent: 'sticker' if it is made as one, else 'image'.

    Raises NotSendable for what would lose its movement, and for no picture at all.
    """
    with _opened(content) as picture:
        moves = getattr(picture, "is_animated", False)
        most = MOVING_STICKER if moves else STILL_STICKER
        made_as_one = picture.size == STICKER and (moves or _is_transparent(picture))
    if made_as_one and len(content) <= most:
        return "sticker"
    if moves:
        raise NotSendable("animated")
    return "image"


def webp_to_jpeg(content):
    """The picture as JPEG, upright, and white where it is transparent."""
    with _opened(content) as picture:
        try:
            upright = ImageOps.exif_transpose(picture)
            if _is_transparent(upright):
                upright = upright.convert("RGBA")
                ground = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(ground, upright)
            out = io.BytesIO()
            upright.convert("RGB").save(out, "JPEG", quality=QUALITY)
        except BROKEN as error:
            raise NotSendable("broken") from error
    return out.getvalue()


def _opened(content):
    if pixels(content) > limit("pixels"):
        raise NotSendable("broken")
    try:
        return Image.open(io.BytesIO(content), formats=[FORMAT])
    except BROKEN as error:
        raise NotSendable("broken") from error


def _is_transparent(picture):
    return "A" in picture.getbands() or "transparency" in picture.info
