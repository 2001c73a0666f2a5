# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Strangers' files: how large a picture is, and what a browser would run."""

import pytest
from tools.files import BINARY, PLAIN, media_type, pixels

SIZE = (640).to_bytes(2, "big") + (480).to_bytes(2, "big")
FRAME = b"\xff\xc0\x00\x11\x08" + SIZE
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 10 + FRAME
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def little(number, length):
    return number.to_bytes(length, "little")


@pytest.mark.parametrize(
    ("content", "area"),
    [
        (PNG + (3).to_bytes(4, "big") + (5).to_bytes(4, "big"), 15),
        (PNG + b"\xff" * 8, (2**32 - 1) ** 2),
        (JPEG, 640 * 480),
        (b"\xff\xd8\xff\xff\xff" + FRAME[1:], 640 * 480),
        (b"\xff\xd8" + b"\xff\xe1\xff\xff" + b"x" * 65533 + FRAME, 640 * 480),
        (b"GIF89a" + little(7, 2) + little(9, 2), 63),
        (b"BM" + b"\0" * 16 + little(4, 4) + little(6, 4), 24),
        (b"RIFF....WEBPVP8X" + b"\0" * 8 + little(9, 3) + little(19, 3), 200),
        (b"RIFF....WEBPVP8L" + b"\0" * 5 + little(9 | 19 << 14, 4), 200),
        (b"RIFF....WEBPVP8 " + b"\0" * 10 + little(30, 2) + little(40, 2), 1200),
        (b"\xff\xd8" + b"\xff" * 10**6, 0),
        (b"\xff\xd8" + b"\xff\xe0\0\0" * 10**6, 0),
        (b"\xff\xd8", 0),
        (PNG[:8], 0),
        (b"", 0),
        (b"%PDF", 0),
    ],
)
def test_a_picture_says_how_large_it_is(content, area):
    assert pixels(content) == area


@pytest.mark.parametrize(
    "mime_type", ["image/png", "image/jpeg", "application/octet-stream", None, "a b"]
)
def test_an_endless_picture_is_never_shown_whatever_it_is_called(mime_type):
    assert media_type(mime_type, "a.png", PNG + b"\xff" * 8) == BINARY


@pytest.mark.parametrize(
    ("declared", "name", "content"),
    [
        ("text/html", "a", b""),
        (" TEXT/HTML ;charset=x", "a", b""),
        ("application/pdf", "a.SVG", b"%PDF"),
        ("application/pdf", "a.html ", b"%PDF"),
        ("application/pdf", "a.pdf", b"\0\0<\0h\0t\0m\0l"),
        ("application/pdf", "a.pdf", b" \n\t<!DOCTYPE html>"),
        ("image/svg+xml", "a.png", b"\x89PNG"),
        ("application/xml", "a", b"x"),
        ("application/atom+xml", "a", b"x"),
        ("application/ecmascript", "a", b"x"),
        ("application/vnd.openxmlformats-officedocument.evil+xml", "a", b"x"),
    ],
)
def test_what_a_browser_would_run_is_text(declared, name, content):
    assert media_type(declared, name, content) == PLAIN


@pytest.mark.parametrize(
    ("declared", "name", "content"),
    [
        ("image/jpeg", "a.jpg", JPEG),
        ("application/pdf", "html.pdf", b"%PDF <html>"),
        ("audio/ogg", "voice.ogg", b"OggS"),
        ("text/csv", "a.csv", b"1 < 2"),
        ("text/vcard", "a.vcf", b"BEGIN:VCARD"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "a.docx",
            b"PK",
        ),
    ],
)
def test_what_customers_send_keeps_its_type(declared, name, content):
    assert media_type(declared, name, content) == declared
