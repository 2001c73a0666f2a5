# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The two OCA addons that ours extends, at pinned versions."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from devkit import adapt, paths, stamps
from devkit.console import Failure, note, step

GATEWAY = "odoo-addon-mail-gateway"
WHATSAPP = "odoo-addon-mail-gateway-whatsapp"


def provide(series: str) -> Path:
    """The folder that holds the addons for this series; made when missing."""
    key = key_of(series)
    return stamps.ensure(
        paths.cache() / f"oca-{series}-{key}", key, lambda folder: _make(series, folder)
    )


def key_of(series: str) -> str:
    """Changes with the pinned wheels and with the adaptation."""
    rules = repr((adapt.WHATSAPP_RULES, adapt.GATEWAY_RULES))
    return paths.digest(lock_of(series).read_bytes(), rules)[:10]


def lock_of(series: str) -> Path:
    """The lock file of the wheels."""
    return paths.LOCKS / f"oca-{series}.txt"


def _make(series: str, folder: Path) -> None:
    with step(f"OCA's gateway addons for {series}"):
        wheels = folder / "wheels"
        if series == "18.0" or not _has_release(series, wheels):
            _pip("--require-hashes", "-r", str(lock_of(series)), to=wheels)
            unpack(wheels, folder)
            if series != "18.0":
                adapt.adapt(folder, adapt.WHATSAPP_RULES + adapt.GATEWAY_RULES)
        else:
            note(f"OCA has released the WhatsApp gateway for {series}: no adaptation")
            unpack(wheels, folder)
        shutil.rmtree(wheels)


def _has_release(series: str, wheels: Path) -> bool:
    """Whether both addons are released for the series; then they are in `wheels`."""
    newest = [f"{name}=={series}.*" for name in (GATEWAY, WHATSAPP)]
    try:
        _pip(*newest, to=wheels)
    except Failure as failure:
        if "No matching distribution" not in str(failure):
            note(f"cannot ask for a {series} release of the WhatsApp gateway")
        shutil.rmtree(wheels, ignore_errors=True)
        return False
    return True


def _pip(*wanted: str, to: Path) -> None:
    """Download wheels, without what they depend on."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--disable-pip-version-check", "--only-binary", ":all:"),
        *("--dest", str(to), *wanted),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        errors = re.findall(r"^ERROR: (.*)", done.stderr, re.MULTILINE)
        reason = (errors or [done.stderr.strip()])[-1]
        raise Failure(f"cannot download OCA's addons: {reason}")


def unpack(wheels: Path, folder: Path) -> None:
    """Lay the addons of all wheels side by side in `folder`."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "draft")
    addons = folder / "draft" / "odoo" / "addons"
    for addon in sorted(addons.iterdir()):
        addon.rename(folder / addon.name)
    shutil.rmtree(folder / "draft")
