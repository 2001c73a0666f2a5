# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo itself: where one is, what series it is, and how one is had."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from devkit import debian, fetch, paths, stamps
from devkit.console import Failure, step
from devkit.shell import run

NIGHTLY = "https://nightly.odoo.com/18.0/nightly/src/odoo_18.0.latest.tar.gz"

ODOO_19 = debian.Pinned(
    name="odoo-19",
    version="19.0.0+dfsg-1",
    sha1="fe4e21fff8c7dd0e7ba57b47c0c5d384744f9feb",
    sha256="9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf",
    seen="20260401T000000Z",
    pool="pool/main/o/odoo",
)
# Only the first is indispensable (the login page answers 500 without it).
WEB_PACKAGES = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
)
# The package lacks this file, and each page then logs an error. It is used for
# blurring the background of video calls only.
PLACEHOLDER = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


@dataclass(frozen=True)
class Odoo:
    """One Odoo that can be run."""

    series: str
    version: str
    script: Path  # what Python is given to run
    package: Path  # the folder of the Python package `odoo`
    addons: tuple[Path, ...]

    @property
    def key(self) -> str:
        """Changes when another Odoo is behind the same series."""
        release = (self.package / "release.py").read_bytes()
        return paths.digest(self.version, str(self.package), release)


def provide(series: str, given: Path | None = None) -> Odoo:
    """The Odoo that was given, or that of the series; downloaded when missing."""
    if given:
        return recognise(given)
    folder = paths.cache() / f"odoo-{series}"
    with stamps.locked(folder.name):
        if not folder.exists():
            {"18.0": _provide_nightly, "19.0": _provide_debian}[series](folder)
    odoo = recognise(folder)
    if odoo.series != series:
        raise Failure(f"{folder} holds Odoo {odoo.series}, not {series}")
    if (folder / stamps.STAMP).exists():
        add_placeholder(odoo)
    return odoo


def recognise(path: Path) -> Odoo:
    """What Odoo lies at `path`.

    A source tree (odoo-bin, odoo/, addons/), an unpacked or installed package (its
    root folder), or the path of an installed Odoo's program.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise Failure(f"there is no Odoo at {path}: no such file or folder")
    for script, package in _candidates(path):
        if script.is_file() and (package / "release.py").is_file():
            return _describe(script, package)
    raise Failure(
        f"there is no Odoo at {path}: neither a source tree (odoo-bin, odoo/, "
        "addons/) nor an installed Odoo"
    )


def _candidates(path: Path):
    """Pairs of a program and the Python package that it would run."""
    if path.is_dir():
        yield path / "odoo-bin", path / "odoo"
        for script in (path / "usr/bin/odoo", path / "bin/odoo"):
            for package in _packages_beside(script):
                yield script, package
        return
    yield path, path.parent / "odoo"
    for script in dict.fromkeys((path, path.resolve())):
        for package in _packages_beside(script):
            yield script, package


def _packages_beside(script: Path):
    """Where the package of PREFIX/bin/odoo can be."""
    lib = script.parent.parent / "lib"
    yield lib / "python3" / "dist-packages" / "odoo"
    for pattern in ("python3*/site-packages/odoo", "python3*/dist-packages/odoo"):
        yield from sorted(lib.glob(pattern))


def _describe(script: Path, package: Path) -> Odoo:
    series, version = read_release((package / "release.py").read_text())
    if series not in paths.SERIES:
        raise Failure(
            f"{package} is Odoo {series}; "
            f"this addon is for {' and '.join(paths.SERIES)}"
        )
    folders = [package / "addons"]
    if script.parent == package.parent:
        folders.insert(0, package.parent / "addons")
    # Beside an installed package there can be an `addons`, too: parts, and not all.
    addons = tuple(folder for folder in folders if (folder / "mail").is_dir())
    if not any((folder / "crm").is_dir() for folder in addons):
        raise Failure(f"the Odoo at {package.parent} has no addons (crm is missing)")
    return Odoo(series, version, script, package, addons)


def read_release(text: str) -> tuple[str, str]:
    """Series and version, as Odoo's release.py states them.

    >>> read_release("version_info = (18, 0, 0, FINAL, 0, '')")
    ('18.0', '18.0')
    """
    info = re.search(r"^version_info\s*=\s*\(\s*([^,]+),\s*(\d+)", text, re.MULTILINE)
    if not info:
        raise Failure("Odoo's release.py states no version")
    series = f"{info[1].strip().strip(chr(39) + chr(34))}.{info[2]}"
    build = re.search(r"^version \+= ['\"]([^'\"]+)", text, re.MULTILINE)
    return series, series + (build[1] if build else "")


def _provide_debian(folder: Path) -> None:
    """Odoo 19 from Debian's package, unpacked and not installed."""
    draft = folder.with_name(f"{folder.name}.draft")
    stamps.remove(draft)
    downloads = paths.cache() / "downloads"
    downloads.mkdir(exist_ok=True)
    package = debian.fetch_pinned(ODOO_19, downloads)
    web = _web_packages(downloads / "web")
    draft.mkdir(parents=True)
    debian.unpack([package, *web], draft)
    recognise(draft)
    stamps.mark_complete(draft, package.name)
    draft.rename(folder)


def _web_packages(target: Path) -> list[Path]:
    """What the web client takes from other Debian packages."""
    apt = debian.Apt(debian.UNSTABLE)
    wanted = [name for name in WEB_PACKAGES if apt.version(name)]
    if WEB_PACKAGES[0] not in wanted:
        raise Failure(f"Debian's mirror has no package {WEB_PACKAGES[0]}")
    for left in target.glob("*.deb"):
        left.unlink()
    return apt.download(wanted, target, "fonts and scripts of the web client")


def add_placeholder(odoo: Odoo) -> None:
    """Put a file where the package names one and brings none."""
    target = odoo.addons[0] / PLACEHOLDER
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("// Background blur is not part of this package.\n")


def _provide_nightly(folder: Path) -> None:
    """Odoo 18 from Odoo's own download of the nightly source archive."""
    archive = paths.cache() / "downloads" / "odoo_18.0.latest.tar.gz"
    try:
        fetch.download(nightly_address(), archive, "Odoo 18.0, nightly source archive")
    except Failure as failure:
        raise Failure(
            f"{failure}. Give an Odoo 18.0 with --odoo PATH (a source tree or an "
            f"installed Odoo), or put a source tree at {folder}"
        ) from failure
    unpack_archive(archive, folder)
    archive.unlink()


def nightly_address() -> str:
    """Where the nightly archive is; CWG_NIGHTLY names another place."""
    return os.environ.get("CWG_NIGHTLY") or NIGHTLY


def unpack_archive(archive: Path, folder: Path) -> None:
    """Unpack a source archive that has one folder at its top."""
    draft = folder.with_name(f"{folder.name}.draft")
    stamps.remove(draft)
    with step("unpacking Odoo's source archive"):
        try:
            draft.mkdir(parents=True)
            run(
                ["tar", "-xf", archive, "-C", draft, "--no-same-owner"],
                what="unpacking the source archive",
            )
        except Failure:
            archive.unlink(missing_ok=True)
            raise
    tops = [top for top in draft.iterdir() if top.is_dir()]
    if len(tops) != 1:
        raise Failure(f"the source archive has {len(tops)} folders at its top, not one")
    settle(tops[0])
    recognise(tops[0])
    stamps.mark_complete(tops[0], archive.name)
    tops[0].rename(folder)
    stamps.remove(draft)


def settle(tree: Path) -> None:
    """Give a source archive the form of a source tree.

    The nightly archive is a Python source distribution: all addons lie in
    odoo/addons, and the program is setup/odoo.
    """
    script = tree / "odoo-bin"
    packaged = tree / "setup" / "odoo"
    if not script.exists() and packaged.exists():
        script.write_bytes(packaged.read_bytes())
        script.chmod(0o755)
