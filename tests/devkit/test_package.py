# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The wheels: what they are called, what they need, what is in them."""

import subprocess
import sys
import zipfile
from email.parser import HeaderParser

import pytest

from devkit import package, paths
from devkit.console import Failure

ROOT = f"odoo/addons/{paths.ADDON}"


@pytest.fixture(scope="module", params=paths.SERIES)
def wheel(request, tmp_path_factory):
    """A series and its wheel, opened."""
    file = package.build(request.param, tmp_path_factory.mktemp("wheels"))
    with zipfile.ZipFile(file) as archive:
        yield request.param, file, archive


def _metadata(archive):
    (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    return HeaderParser().parsestr(archive.read(name).decode())


def test_name_and_version_are_those_of_oca(wheel):
    series, file, archive = wheel
    version = package.manifest_of(paths.REPO / paths.ADDON)["version"]
    assert file.name == f"odoo_addon_{paths.ADDON}-{series}.{version}-py3-none-any.whl"
    assert _metadata(archive)["Name"] == f"odoo-addon-{paths.ADDON}"
    assert _metadata(archive)["Version"] == f"{series}.{version}"


def test_it_needs_what_the_manifest_says_of_its_own_series(wheel):
    series, _file, archive = wheel
    assert set(_metadata(archive).get_all("Requires-Dist")) == {
        f"odoo=={series}.*",
        f"odoo-addon-mail_gateway_whatsapp=={series}.*",
        "phonenumbers",
        "requests",
    }
    assert f"Framework :: Odoo :: {series}" in _metadata(archive).get_all("Classifier")


def test_its_version_in_odoo_is_that_of_the_wheel(wheel):
    series, _file, archive = wheel
    text = archive.read(f"{ROOT}/__manifest__.py").decode()
    assert f'"version": "{series}.' in text


def test_everything_that_git_tracks_is_in_it_and_nothing_else(wheel):
    _series, _file, archive = wheel
    tracked = subprocess.run(
        ["git", "ls-files"],
        cwd=paths.REPO / paths.ADDON,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    inside = {
        name.removeprefix(f"{ROOT}/")
        for name in archive.namelist()
        if ".dist-info/" not in name and not name.endswith("/")
    }
    assert inside == set(filter(None, tracked)) - {"pyproject.toml"}
    assert {"static/description/icon.png", "static/description/index.html"} <= inside


def test_the_addon_s_folder_is_a_project_of_its_own(tmp_path):
    """Without this command line: `pip wheel ./crm_whatsapp_gateway` is for 18.0."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", tmp_path]
    subprocess.run([*command, paths.REPO / paths.ADDON], check=True)
    (file,) = tmp_path.glob("*.whl")
    version = package.manifest_of(paths.REPO / paths.ADDON)["version"]
    assert file.name == f"odoo_addon_{paths.ADDON}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file) as archive:
        assert "odoo==18.0.*" in _metadata(archive).get_all("Requires-Dist")


def test_files_that_are_not_tracked_stay_at_home(tmp_path):
    source = tmp_path / "addon"
    source.mkdir()
    for name in ("kept.py", "secret.env"):
        (source / name).write_text("")
    for command in (["init", "-q"], ["add", "kept.py"]):
        subprocess.run(["git", *command], cwd=source, check=True)
    package.copy_tracked(source, tmp_path / "copy")
    assert [file.name for file in (tmp_path / "copy").iterdir()] == ["kept.py"]


def test_without_git_all_but_leavings_is_taken(tmp_path):
    source = tmp_path / "addon"
    (source / "__pycache__").mkdir(parents=True)
    (source / "kept.py").write_text("")
    package.copy_tracked(source, tmp_path / "copy")
    assert [file.name for file in (tmp_path / "copy").iterdir()] == ["kept.py"]


def test_a_version_that_cannot_be_named_is_refused(tmp_path):
    (tmp_path / "__manifest__.py").write_text('{"version": "18.0.1.0.0"}')
    with pytest.raises(Failure, match="0 times, not once"):
        package.name_series(tmp_path, "18.0")


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A clone with a released version, v0.9.0, and work on the next one."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.com")
    folder = tmp_path / "repo"
    package.copy_tracked(paths.REPO / paths.ADDON, folder / paths.ADDON)
    manifest = folder / paths.ADDON / "__manifest__.py"
    current = manifest.read_text()

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    for version, tag in (("0.9.0", "v0.9.0"), ("1.0.0", "v1.0.0")):
        manifest.write_text(package.VERSION.sub(rf'\g<head>{version}"', current))
        git("add", "-A")
        git("commit", "-qm", version)
        git("tag", tag)
    return folder


def test_the_version_before_is_the_newest_tag_of_another_version(repo, tmp_path):
    assert package.previous_tag(repo) == "v0.9.0"
    wheel = package.build_tag("v0.9.0", "18.0", tmp_path / "old", repo)
    assert "-18.0.0.9.0-" in wheel.name


def test_without_a_tag_or_without_git_there_is_no_version_before(repo, tmp_path):
    subprocess.run(["git", "tag", "-d", "v0.9.0"], cwd=repo, check=True)
    assert package.previous_tag(repo) is None
    bare = tmp_path / "bare" / paths.ADDON
    bare.mkdir(parents=True)
    (bare / "__manifest__.py").write_text('{"version": "1.0.0"}')
    assert package.previous_tag(bare.parent) is None
