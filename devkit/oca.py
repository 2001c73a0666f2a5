# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The two OCA addons that ours extends, at pinned versions."""

import shutil
from pathlib import Path

from devkit import adapt, paths, stamps, venv
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
        if series != "18.0" and _has_release(series, folder):
            note(f"OCA has released the WhatsApp gateway for {series}: no adaptation")
            return
        _install(folder, *venv.locked(lock_of(series)))
        if series != "18.0":
            adapt.adapt(folder, adapt.WHATSAPP_RULES + adapt.GATEWAY_RULES)


def _has_release(series: str, folder: Path) -> bool:
    """Whether both addons are released for the series; then they are installed."""
    try:
        _install(folder, *(f"{name}=={series}.*" for name in (GATEWAY, WHATSAPP)))
    except Failure as failure:
        if "No matching distribution" not in str(failure):
            note(f"cannot ask for a {series} release of the WhatsApp gateway")
        return False
    return True


def _install(folder: Path, *wanted: str | Path) -> None:
    """Lay the addons of wheels side by side, without what they depend on."""
    draft = folder / "draft"
    wanted = ("--no-compile", "--target", draft, *wanted)
    venv.install(*wanted, what="downloading OCA's addons")
    for addon in sorted((draft / "odoo" / "addons").iterdir()):
        addon.rename(folder / addon.name)
    shutil.rmtree(draft)
