# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The Spanish dictionary of LibreOffice (GPL, LGPL or MPL), for the guides' spelling.

No wheel of reasonable size holds one; npm's package does, and the linters need npm
anyway. It is fetched once and ships with nothing.
"""

import os
import tarfile
from pathlib import Path

from devkit import fetch, paths, stamps
from devkit.checks import lint
from devkit.console import Failure, step
from devkit.shell import run

PACKAGE = "dictionary-es@4.0.0"
SHA256 = "b46986527b23ff1a578d601db7f1e6dc80cc36b728fdcb6044b5212e12e202d5"


def provide() -> Path:
    """The dictionary's files without their endings (.aff, .dic); fetched once."""
    folder = stamps.ensure(paths.cache() / "dictionary", SHA256, _fetch)
    return folder / "package" / "index"


def _fetch(folder: Path) -> None:
    with step("a Spanish dictionary"):
        path = f"{lint.node()}{os.pathsep}{os.environ['PATH']}"
        run(
            ["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder],
            what="getting the Spanish dictionary",
            env={**os.environ, "PATH": path},
        )
    (archive,) = folder.glob("*.tgz")
    found = fetch.sha256_of(archive)
    if found != SHA256:
        raise Failure(f"{archive.name} is another file than expected: {found}")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
