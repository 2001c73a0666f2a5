# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Where the simulator gets its time and its identifiers from."""

import base64
import random
import time
from collections.abc import Callable


class Clock:
    """Simulated time: the source's seconds plus an offset that can be set.

    >>> clock = Clock(source=lambda: 1000.0)
    >>> clock.advance(60)
    >>> clock.now(), clock.seconds()
    (1060.0, 1060)
    """

    def __init__(self, source: Callable[[], float] = time.time):
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        """Unix time in seconds."""
        return self._source() + self.offset

    def seconds(self) -> int:
        return int(self.now())

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def set(self, moment: float) -> None:
        self.offset = moment - self._source()


class Ids:
    """Identifiers that look like Meta's; the same seed gives the same series.

    >>> Ids(seed=1).wamid() == Ids(seed=1).wamid()
    True
    """

    def __init__(self, seed: int | str | None = None):
        self._random = random.Random(seed)

    def number(self, digits: int = 15) -> str:
        return str(self._random.randrange(10 ** (digits - 1), 10**digits))

    def hexadecimal(self, length: int = 32) -> str:
        return f"{self._random.getrandbits(length * 4):0{length}x}"

    def wamid(self) -> str:
        """Opaque on purpose: Meta's embed a number, which nobody may rely on."""
        raw = self._random.randbytes(33)
        return "wamid." + base64.b64encode(raw).decode()

    def trace(self) -> str:
        raw = self._random.randbytes(18)
        return "A" + base64.urlsafe_b64encode(raw).decode()[:22]

    def token(self) -> str:
        return "EAA" + self.hexadecimal(60)
