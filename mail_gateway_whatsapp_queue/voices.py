# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Voice notes for WhatsApp: Odoo records MP3, and WhatsApp shows as a voice note only
what is OGG with Opus (Meta's page `audio messages`, in reference of 2026-09-11).

It needs the library PyAV (`pip install av`); without it they leave as sound files.
"""

import io
import logging

try:
    import av
except ImportError:
    av = None

_logger = logging.getLogger(__name__)

OPUS = "audio/ogg"
RATE = 48000  # of Opus
BITS = 32000  # per second: speech needs no more
LARGEST = 5 * 1024 * 1024  # bytes that are converted; a minute of Odoo's has one MB


def to_opus(content):
    """A recording as OGG with Opus, one channel; None if it cannot be had."""
    if not av or len(content) > LARGEST:
        return None
    out = io.BytesIO()
    try:
        with (
            av.open(io.BytesIO(content)) as source,
            av.open(out, "w", format="ogg") as target,
        ):
            stream = target.add_stream("libopus", rate=RATE, layout="mono")
            stream.bit_rate = BITS
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in source.decode(audio=0):
                for part in resampler.resample(frame):
                    target.mux(stream.encode(part))
            target.mux(stream.encode(None))
    except Exception as error:  # whatever the library meets: the sound file is sent
        _logger.warning("a voice note stays as it is: %s", type(error).__name__)
        return None
    return out.getvalue()
