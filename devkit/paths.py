# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Where things are kept, and which addons there are."""

import ast
import hashlib
import os
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LOCKS = REPO / "devkit" / "locks"
TEST_ADDONS = REPO / "tests" / "addons"
SERIES = ("18.0", "19.0")
DEFAULT_SERIES = "19.0"


def manifest_of(addon: Path) -> dict:
    """The manifest of the addon that lies in this folder."""
    return ast.literal_eval((addon / "__manifest__.py").read_text())


def addons(repo: Path | None = None) -> list[str]:
    """The addons of a repository, each behind those that it depends on."""
    needs = _needs(repo or REPO)
    ours = {name: sorted(set(needs[name]) & needs.keys()) for name in sorted(needs)}
    return list(TopologicalSorter(ours).static_order())


def _needs(repo: Path) -> dict[str, list[str]]:
    """What each addon of a repository depends on."""
    manifests = repo.glob("*/__manifest__.py")
    return {
        file.parent.name: manifest_of(file.parent).get("depends", [])
        for file in manifests
    }


def glue() -> list[str]:
    """The addons that Odoo installs by itself once another application is there."""
    return [
        name for name in addons() if manifest_of(REPO / name).get("auto_install", False)
    ]


def below() -> list[str]:
    """The addons that another of ours, which is no glue, depends on."""
    needs = _needs(REPO)
    needed = set().union(*(needs[name] for name in needs.keys() - set(glue())))
    return [name for name in addons() if name in needed]


def top() -> list[str]:
    """The addons to be installed by a person: all others come with them or by glue."""
    return [name for name in addons() if name not in {*below(), *glue()}]


def overriding() -> list[str]:
    """Addons of the tests: they override methods of ours, or bring modules beside."""
    return sorted(_needs(TEST_ADDONS))


def outside(names: Iterable[str]) -> list[str]:
    """The modules of others that these addons of ours stand on."""
    needs, found, left = _needs(REPO) | _needs(TEST_ADDONS), set(), list(names)
    while left:
        name = left.pop()
        left += needs.get(name, [])
        found |= {name} - needs.keys()
    return sorted(found)


def find(path: str) -> Path:
    """A file or folder of the first addon that has it."""
    return next(
        REPO / name / path for name in addons() if (REPO / name / path).exists()
    )


def xml_id(name: str) -> str:
    """The whole XML id, with the addon that makes the record."""
    sign = f' id="{name}"'
    for addon in addons():
        if any(sign in file.read_text() for file in (REPO / addon).rglob("*.xml")):
            return f"{addon}.{name}"
    raise LookupError(f"no addon makes {name}")


def parameter(name: str) -> str:
    """The whole key of a system parameter: all belong to the addon below the others."""
    return f"{addons()[0]}.{name}"


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
