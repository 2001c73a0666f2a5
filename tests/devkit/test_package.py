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

ADDONS = [paths.REPO / name for name in paths.addons()]


@pytest.fixture(params=ADDONS, ids=lambda folder: folder.name)
def addon(request):
    """Each addon's folder."""
    return request.param


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheels of each series, by the addon's name."""
    return {
        series: dict(
            zip(
                paths.addons(),
                package.build_all(series, tmp_path_factory.mktemp("wheels")),
                strict=True,
            )
        )
        for series in paths.SERIES
    }


@pytest.fixture(params=paths.SERIES)
def wheel(request, wheels, addon):
    """A series and the wheel of an addon, opened."""
    file = wheels[request.param][addon.name]
    with zipfile.ZipFile(file) as archive:
        yield request.param, file, archive


def _metadata(archive):
    (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    return HeaderParser().parsestr(archive.read(name).decode())


def test_name_and_version_are_those_of_oca(wheel, addon):
    series, file, archive = wheel
    version = paths.manifest_of(addon)["version"]
    assert file.name == f"odoo_addon_{addon.name}-{series}.{version}-py3-none-any.whl"
    assert _metadata(archive)["Name"] == f"odoo-addon-{addon.name}"
    assert _metadata(archive)["Version"] == f"{series}.{version}"


def test_it_needs_what_the_manifest_says_of_its_own_series(wheel, addon):
    series, _file, archive = wheel
    manifest = paths.manifest_of(addon)
    not_odoos = {"mail_gateway", "mail_gateway_whatsapp", *paths.addons()}
    addons = {
        f"odoo-addon-{name}=={series}.*" for name in not_odoos & {*manifest["depends"]}
    }
    libraries = set(manifest.get("external_dependencies", {}).get("python", ()))
    found = set(_metadata(archive).get_all("Requires-Dist"))
    assert addons
    assert found == {f"odoo=={series}.*", *addons, *libraries}
    assert f"Framework :: Odoo :: {series}" in _metadata(archive).get_all("Classifier")


def test_its_version_in_odoo_is_that_of_the_wheel(wheel, addon):
    series, _file, archive = wheel
    text = archive.read(f"odoo/addons/{addon.name}/__manifest__.py").decode()
    assert f'"version": "{series}.' in text


def test_everything_that_git_tracks_is_in_it_and_nothing_else(wheel, addon):
    _series, _file, archive = wheel
    tracked = subprocess.run(
        ["git", "ls-files"],
        cwd=addon,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    inside = {
        name.removeprefix(f"odoo/addons/{addon.name}/")
        for name in archive.namelist()
        if ".dist-info/" not in name and not name.endswith("/")
    }
    assert inside == set(filter(None, tracked)) - {"pyproject.toml"}
    assert "static/description/icon.png" in inside


def test_the_addon_s_folder_is_a_project_of_its_own(tmp_path, addon):
    """Without this command line: `pip wheel ./the_addon` is for 18.0."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", tmp_path]
    subprocess.run([*command, addon], check=True)
    (file,) = tmp_path.glob("*.whl")
    version = paths.manifest_of(addon)["version"]
    assert file.name == f"odoo_addon_{addon.name}-{version}-py3-none-any.whl"
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
    name = paths.addons()[-1]
    package.copy_tracked(paths.REPO / name, folder / name)
    manifest = folder / name / "__manifest__.py"
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
    (wheel,) = package.build_before("v0.9.0", "18.0", tmp_path / "old", repo)
    assert "-18.0.0.9.0-" in wheel.name


def test_without_a_tag_or_without_git_there_is_no_version_before(repo, tmp_path):
    subprocess.run(["git", "tag", "-d", "v0.9.0"], cwd=repo, check=True)
    assert package.previous_tag(repo) is None
    bare = tmp_path / "bare" / "addon"
    bare.mkdir(parents=True)
    (bare / "__manifest__.py").write_text('{"version": "1.0.0"}')
    assert package.previous_tag(bare.parent) is None
