# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Debian packages without installing them: a private apt, and a folder to unpack to.

Works as root and as anybody, and leaves the system as it is. Packages come from the
mirror that the system itself uses, verified with Debian's keys.
"""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devkit import fetch, paths, stamps
from devkit.console import Failure, note, step
from devkit.shell import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UNSTABLE = "unstable"


@dataclass(frozen=True)
class Pinned:
    """One exact package file, as Debian's archive once had it."""

    name: str
    version: str
    sha1: str  # how the snapshot archive names a file
    sha256: str
    seen: str  # a moment when the archive had it, as 20260401T000000Z
    pool: str  # its folder in the archive

    @property
    def file(self) -> str:
        return f"{self.name}_{self.version}_all.deb"


@dataclass(frozen=True)
class Source:
    """One line of the system's own package sources."""

    mirror: str
    release: str
    component: str

    @property
    def line(self) -> str:
        return (
            f"deb [signed-by={KEYRING}] {self.mirror} {self.release} {self.component}"
        )


_updated: set[Path] = set()  # the package lists that this run has renewed


class Apt:
    """A private apt for one selection of releases.

    `suite` is "unstable", or "system" for the release that this machine runs.
    """

    def __init__(self, suite: str):
        self.suite = suite
        self.folder = paths.cache() / f"apt-{suite}"
        self.config = self.folder / "apt.conf"
        self.env = {**os.environ, "APT_CONFIG": str(self.config), "LC_ALL": "C"}

    def update(self) -> None:
        """Get the package lists, once per run."""
        if self.folder in _updated:
            return
        _need("apt-get", "dpkg-deb")
        with stamps.locked(self.folder.name):
            self._configure()
            with step(f"Debian's package lists ({self.suite})"):
                run(["apt-get", "-q", "update"], what="apt-get update", env=self.env)
        _updated.add(self.folder)

    def _configure(self) -> None:
        for part in ("lists/partial", "cache/archives/partial", "empty"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        lines = [source.line for source in self._sources()]
        (self.folder / "sources.list").write_text("\n".join(lines) + "\n")
        self.config.write_text(
            f'Dir::State::lists "{self.folder}/lists";\n'
            f'Dir::Cache "{self.folder}/cache";\n'
            f'Dir::Etc::sourcelist "{self.folder}/sources.list";\n'
            f'Dir::Etc::sourceparts "{self.folder}/empty";\n'
            f'Dir::Etc::preferences "/dev/null";\n'
            f'Dir::Etc::preferencesparts "{self.folder}/empty";\n'
            'Acquire::Languages "none";\n'
            'Acquire::Check-Valid-Until "false";\n'
            'Acquire::Retries "3";\n'
            'APT::Sandbox::User "root";\n'
        )

    def _sources(self) -> list[Source]:
        if not KEYRING.exists():
            raise Failure(f"this needs Debian: its keys are not at {KEYRING}")
        own = system_sources()
        if self.suite == UNSTABLE:
            return [Source(main_mirror(own), UNSTABLE, "main")]
        return [source for source in own if source.component == "main"]

    def version(self, package: str) -> str | None:
        """The version that would be downloaded, or None when there is none."""
        self.update()
        policy = run(
            ["apt-cache", "policy", package], what="apt-cache policy", env=self.env
        )
        found = re.search(r"Candidate: (\S+)", policy)
        return found[1] if found and found[1] != "(none)" else None

    def download(self, packages: Sequence[str], target: Path, title: str) -> list[Path]:
        """Download packages (`name` or `name=version`) as .deb files."""
        self.update()
        target.mkdir(parents=True, exist_ok=True)
        with step(title) as show:
            run(
                ["apt-get", "-q", "download", *packages],
                what=f"downloading {' '.join(packages)}",
                env=self.env,
                cwd=target,
                show=show,
            )
        return sorted(target.glob("*.deb"))

    def missing_libraries(self, package: str) -> list[str]:
        """The library packages that `package` needs and this machine lacks."""
        self.update()
        plan = run(
            ["apt-get", "-s", "--no-install-recommends", "install", package],
            what=f"planning {package}",
            env=self.env,
        )
        names = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
        libraries = [name for name in names if name.startswith("lib")]
        return [name for name in libraries if not name.endswith("-dev")]


def system_sources() -> list[Source]:
    """The package sources that this machine is configured with."""
    _need("apt-get")
    listing = run(
        [
            "apt-get",
            "indextargets",
            "--no-release-info",
            "--format",
            "$(REPO_URI) $(RELEASE) $(COMPONENT)",
            "Created-By: Packages",
        ],
        what="reading the system's package sources",
    )
    rows = {tuple(line.split()) for line in listing.splitlines()}
    return [
        Source(*row)
        for row in sorted(rows)
        if len(row) == 3 and "debian" in urlsplit(row[0]).path
    ]


def main_mirror(sources: Sequence[Source]) -> str:
    """The mirror of Debian's main archive among the system's sources."""
    for source in sources:
        if source.component == "main" and "-" not in source.release:
            return source.mirror
    raise Failure("this machine's package sources name no Debian mirror")


def fetch_pinned(package: Pinned, target: Path) -> Path:
    """The pinned file: from the mirror, else from Debian's snapshot archive."""
    kept = target / package.file
    if kept.exists() and fetch.sha256_of(kept) == package.sha256:
        return kept
    apt = Apt(UNSTABLE)
    if apt.version(package.name) == package.version:
        draft = target / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        wanted = f"{package.name}={package.version}"
        title = f"Debian's package {package.name} {package.version} (120 MB)"
        (found,) = apt.download([wanted], draft, title)
        if fetch.sha256_of(found) == package.sha256:
            found.replace(kept)
            return kept
        note(f"the mirror's {package.name} is not the file that we know")
    return fetch_snapshot(package, target)


def fetch_snapshot(package: Pinned, target: Path) -> Path:
    """The pinned file from the archive of everything that Debian ever had."""
    base = snapshot_base()
    addresses = (
        f"{base}/file/{package.sha1}",
        f"{base}/archive/debian/{package.seen}/{package.pool}/{package.file}",
    )
    problems = []
    for address in addresses:
        try:
            title = f"{package.file} from Debian's snapshot archive"
            return fetch.download(address, target / package.file, title, package.sha256)
        except Failure as failure:
            problems.append(str(failure))
    raise Failure(
        f"{package.name} {package.version} is neither on the mirror nor in Debian's "
        f"snapshot archive ({'; '.join(problems)}). Use --odoo PATH instead"
    )


def snapshot_base() -> str:
    """The address of the snapshot archive: a neighbour of the system's mirror."""
    given = os.environ.get("CWG_SNAPSHOT")
    if given:
        return given.rstrip("/")
    mirror = urlsplit(main_mirror(system_sources()))
    domain = mirror.netloc.partition(".")[2]
    return f"{mirror.scheme}://snapshot.{domain}"


def unpack(packages: Sequence[Path], target: Path) -> None:
    """Unpack .deb files into one folder."""
    names = [package.name.partition("_")[0] for package in packages]
    with step(f"unpacking {names[0]} and what it needs") as show:
        for name, package in zip(names, packages, strict=True):
            show(name)
            run(["dpkg-deb", "-x", package, target], what=f"unpacking {name}")


def _need(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            raise Failure(f"this needs a Debian system: {program} is not there")
