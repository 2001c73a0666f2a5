# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What ARCHITECTURE.md names is there, and Odoo runs all tests."""

import re

import pytest

from devkit import paths

TEXT = (paths.REPO / "ARCHITECTURE.md").read_text()
FOLDERS = [*paths.addons(), "devkit", "tests"]
FILES = [path for name in FOLDERS for path in (paths.REPO / name).rglob("*")]
CODE = "\n".join(path.read_text() for path in FILES if path.suffix == ".py")
# a word in backticks; not an arrow, nor a pattern as `_check_<kind>`
NAMES = {
    name
    for code in re.findall(r"`([^`\n]+)`", TEXT)
    if not re.search(r"->|<", code)
    for name in re.split(r"[\s,]+", code)
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_named_is_there(name):
    if re.search(r"[/.]", name):
        assert any(f"/{path}".endswith(f"/{name}") for path in FILES) or name in CODE
    else:
        assert re.search(rf"\b{re.escape(name.rstrip('()'))}\b", CODE)


@pytest.mark.parametrize(
    "folder", [paths.REPO, paths.TEST_ADDONS], ids=["ours", "tests"]
)
def test_odoo_finds_every_file_of_tests(folder):
    files = [*folder.glob("*/tests/test_*.py")]
    assert files
    for file in files:
        imports = file.with_name("__init__.py").read_text()
        assert re.search(rf"\b{file.stem}\b", imports), file


def test_names_were_found():
    assert {"_process_persons", "queue/worker.py"} <= NAMES
