# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The lock files say what their .in files ask for, and nothing unsafe."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devkit import locking, paths


def _requirements(path):
    """The requirements of a file, their hashes left out."""
    text = path.read_text().replace("\\\n", " ")
    lines = (line.split("#")[0].split("--hash")[0].strip() for line in text.split("\n"))
    return [Requirement(line) for line in lines if line]


def _pins(name):
    pins = {}
    for pin in _requirements(paths.LOCKS / f"{name}.txt"):
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        pins.setdefault(canonicalize_name(pin.name), []).append(specifier.version)
    return pins


@pytest.mark.parametrize("name", locking.LOCKED)
def test_every_wish_is_locked_within_its_bounds(name):
    pins = _pins(name)
    for wish in _requirements(paths.LOCKS / f"{name}.in"):
        versions = pins.get(canonicalize_name(wish.name), [])
        found = [version for version in versions if wish.specifier.contains(version)]
        assert found, f"{wish} is not in {name}.txt: run ./dev lock"


@pytest.mark.parametrize("name", locking.LOCKED)
def test_every_pin_has_hashes_and_no_address(name):
    text = (paths.LOCKS / f"{name}.txt").read_text()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry


def test_the_linters_are_pinned():
    text = locking.HOOKS.read_text()
    wanted = re.findall(r"additional_dependencies: \[(.*)\]", text)
    assert wanted
    for line in wanted:
        for item in line.split(", "):
            assert locking.PYTHON_PIN.match(item) or locking.NODE_PIN.match(item), item
