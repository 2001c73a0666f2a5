# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Where things are kept."""

import hashlib
import os
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LOCKS = REPO / "devkit" / "locks"
ADDON = "crm_whatsapp_gateway"
SERIES = ("18.0", "19.0")
DEFAULT_SERIES = "19.0"


def cache() -> Path:
    """The folder of everything that was downloaded or made; made when missing."""
    folder = os.environ.get("CWG_CACHE")
    if not folder:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "crm-whatsapp-gateway"
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def public_root() -> Path:
    """A folder that PostgreSQL's own user may enter.

    An ordinary user runs PostgreSQL as himself, inside the cache. Root cannot, and
    his home is closed to everybody else, so his cluster lives in /var/lib.
    """
    if os.geteuid():
        return cache()
    return Path("/var/lib") / f"crm-whatsapp-gateway-{digest(str(cache()))[:8]}"


def checkout() -> str:
    """A short name that keeps two checkouts apart which share one cache."""
    return digest(str(REPO))[:6]


def digest(*parts: str | bytes) -> str:
    """A short name for what the parts say together: 16 hexadecimal digits."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.encode() if isinstance(part, str) else part)
        sha.update(b"\0")
    return sha.hexdigest()[:16]
