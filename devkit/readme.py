# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An addon's README.md, put together from the fragments in its folder `readme`."""

import re
from pathlib import Path

from devkit import paths

SECTIONS = {
    "DESCRIPTION": None,
    "CONFIGURE": "Configuration",
    "USAGE": "Usage",
    "ROADMAP": "Known issues and roadmap",
    "HISTORY": "Changelog",
    "CONTRIBUTORS": "Contributors",
    "CREDITS": "Credits",
}
GUIDES = """## Guides

In Spanish, in the folder `docs`: [README.md](docs/README.md),
[CONFIGURACION.md](docs/CONFIGURACION.md) (from the Meta app to the first lead) and
[TESTING.md](docs/TESTING.md)."""


def text(addon: Path) -> str:
    """What the README of the addon must say."""
    guides = (addon / "docs").exists()
    parts = [f"# {paths.manifest_of(addon)['name']}"]
    for name, title in SECTIONS.items():
        file = addon / "readme" / f"{name}.md"
        if not file.exists():
            continue
        fragment = file.read_text().strip()
        # a chapter of a fragment is a section of the whole
        fragment = re.sub(r"^## ", "### ", fragment, flags=re.MULTILINE)
        parts += [f"## {title}"] if title else []
        parts += [fragment] + ([GUIDES] if name == "USAGE" and guides else [])
    licence = "## Licence\n\nAGPL-3.0 or later."
    return "\n\n".join([*parts, licence]) + "\n"


def write() -> list[str]:
    """Renew those of all addons. Returns the addons whose one changed."""
    changed = []
    for name in paths.addons():
        file, after = paths.REPO / name / "README.md", text(paths.REPO / name)
        if not file.exists() or file.read_text() != after:
            file.write_text(after)
            changed.append(name)
    return changed
