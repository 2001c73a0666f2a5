# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Downloads by HTTP: checked, resumable by repetition, never half a file."""

import hashlib
import os
from pathlib import Path

import requests

from devkit.console import Failure, byte_bar

CHUNK = 1 << 18
TIMEOUT = (15, 60)  # seconds: to connect, between two pieces


def download(url: str, target: Path, title: str, sha256: str | None = None) -> Path:
    """Get `url` as `target`.

    Raises Failure when it cannot be had, or is not the file that we know.
    """
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        found = _stream(url, draft, title)
        if sha256 and found != sha256:
            raise Failure(f"{url} is not the expected file (its sha256 is {found})")
        draft.replace(target)
    except (requests.RequestException, OSError) as error:
        raise Failure(f"cannot download {url}: {_reason(error)}") from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def _stream(url: str, draft: Path, title: str) -> str:
    """Write the answer's body to `draft`; returns its sha256."""
    sha = hashlib.sha256()
    with requests.get(url, stream=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        total = int(answer.headers.get("Content-Length") or 0) or None
        done = 0
        with open(draft, "wb") as out, byte_bar(title, total) as show:
            for piece in answer.iter_content(CHUNK):
                out.write(piece)
                sha.update(piece)
                done += len(piece)
                show(done)
    if total and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")
    return sha.hexdigest()


def _reason(error: Exception) -> str:
    """The short reason in a chain of wrapped errors."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error) or type(error).__name__


def sha256_of(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
