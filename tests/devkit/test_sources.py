# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Finding, recognising and downloading Odoo."""

import hashlib
import subprocess
import tarfile

import pytest

from devkit import debian, sources
from devkit.console import Failure


@pytest.mark.parametrize(
    ("text", "series", "version"),
    [
        ("version_info = (18, 0, 0, FINAL, 0, '')", "18.0", "18.0"),
        ("version_info = (19, 0, 0, FINAL, 0, '')\n", "19.0", "19.0"),
        ("version_info = ('saas~18', 4, 0, FINAL, 0, '')", "saas~18.4", "saas~18.4"),
        (
            "x = 1\nversion_info = (18, 0, 0)\nversion += '-20250506'\n",
            "18.0",
            "18.0-20250506",
        ),
    ],
)
def test_the_release_file_tells_series_and_version(text, series, version):
    assert sources.read_release(text) == (series, version)


def test_a_source_tree_is_recognised(tmp_path, make_odoo):
    tree = make_odoo(tmp_path / "tree")
    odoo = sources.recognise(tree)
    assert (odoo.series, odoo.script) == ("18.0", tree / "odoo-bin")
    assert odoo.addons == (tree / "addons",)


def test_the_program_of_a_source_tree_is_recognised(tmp_path, make_odoo):
    tree = make_odoo(tmp_path / "tree")
    assert sources.recognise(tree / "odoo-bin").package == tree / "odoo"


@pytest.mark.parametrize(
    "library", ["lib/python3/dist-packages", "lib/python3.11/site-packages"]
)
@pytest.mark.parametrize("given", ["usr/bin/odoo", "elsewhere"])
def test_an_installed_odoo_is_recognised(tmp_path, make_odoo, library, given):
    make_odoo(tmp_path / "usr" / library, "(19, 0, 0)", addons="odoo/addons")
    program = tmp_path / "usr/bin/odoo"
    program.parent.mkdir(parents=True)
    program.write_text("")
    (tmp_path / "elsewhere").symlink_to(program)
    odoo = sources.recognise(tmp_path / given)
    assert odoo.series == "19.0"
    assert odoo.addons == (tmp_path / "usr" / library / "odoo/addons",)


def test_the_root_of_an_unpacked_package_is_recognised(tmp_path, make_odoo):
    packages = tmp_path / "usr/lib/python3/dist-packages"
    make_odoo(packages, "(19, 0, 0)", addons="odoo/addons")
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/odoo").write_text("")
    assert sources.recognise(tmp_path).package == packages / "odoo"


def test_parts_of_addons_beside_an_installed_odoo_are_left_out(tmp_path, make_odoo):
    packages = tmp_path / "usr/lib/python3/dist-packages"
    make_odoo(packages, "(19, 0, 0)", addons="odoo/addons")
    (packages / "addons/mail").mkdir(parents=True)
    (packages / "odoo-bin").unlink()
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/odoo").write_text("")
    assert sources.recognise(tmp_path).addons == (packages / "odoo/addons",)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_what_is_no_odoo_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(Failure, match="no Odoo at"):
        sources.recognise(tmp_path / name)


def test_another_series_is_refused(tmp_path, make_odoo):
    tree = make_odoo(tmp_path / "tree", "(17, 0, 0)")
    with pytest.raises(Failure, match=r"Odoo 17\.0; this addon is for 18\.0 and 19\.0"):
        sources.recognise(tree)


def test_an_odoo_without_addons_is_refused(tmp_path, make_odoo):
    tree = make_odoo(tmp_path / "tree")
    (tree / "addons/crm").rmdir()
    with pytest.raises(Failure, match="crm is missing"):
        sources.recognise(tree)


# Odoo's own source archive ------------------------------------------------------


@pytest.fixture
def nightly(archive, tmp_path, make_odoo, monkeypatch):
    """Odoo's download site, with a source archive of 18.0."""
    top = make_odoo(tmp_path / "odoo-18.0.post1", addons="odoo/addons")
    (top / "setup").mkdir()
    (top / "odoo-bin").rename(top / "setup/odoo")
    file = archive.folder / "odoo.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.add(top, top.name)
    monkeypatch.setenv("CWG_NIGHTLY", f"{archive.url}/odoo.tar.gz")
    return file


def test_the_nightly_archive_becomes_a_source_tree(cache, nightly):
    odoo = sources.provide("18.0")
    assert odoo.script == cache / "odoo-18.0/odoo-bin"
    nightly.unlink()
    assert sources.provide("18.0") == odoo  # the second time from the cache


@pytest.mark.parametrize("keep", [0, 100])
def test_a_broken_archive_leaves_nothing_behind(cache, nightly, keep):
    whole = nightly.read_bytes()
    nightly.write_bytes(whole[:keep])
    with pytest.raises(Failure, match="unpacking the source archive failed"):
        sources.provide("18.0")
    assert not (cache / "odoo-18.0").exists()
    nightly.write_bytes(whole)
    assert sources.provide("18.0").series == "18.0"


def test_without_the_archive_the_message_says_what_to_do(cache, nightly):
    nightly.unlink()
    with pytest.raises(Failure, match="HTTP 404.*--odoo PATH"):
        sources.provide("18.0")


# Debian's package ---------------------------------------------------------------


@pytest.fixture
def gone(monkeypatch):
    """A mirror that has the web packages no more, and no Odoo either."""
    monkeypatch.setattr(debian.Apt, "version", lambda self, package: None)
    monkeypatch.setattr(sources, "_web_packages", lambda target: [])


@pytest.fixture
def package(tmp_path, make_odoo, monkeypatch):
    """A Debian package of a tiny Odoo 19, pinned as the real one is."""
    root = tmp_path / "package"
    make_odoo(
        root / "usr/lib/python3/dist-packages", "(19, 0, 0)", addons="odoo/addons"
    )
    (root / "usr/bin").mkdir()
    (root / "usr/bin/odoo").write_text("")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: odoo-19\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody <n@example.com>\nDescription: small\n"
    )
    file = tmp_path / "odoo-19_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", root, file], check=True, capture_output=True)
    content = file.read_bytes()
    pinned = debian.Pinned(
        name="odoo-19",
        version="1",
        sha1=hashlib.sha1(content).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
        seen="20260401T000000Z",
        pool="pool/main/o/odoo",
    )
    monkeypatch.setattr(sources, "ODOO_19", pinned)
    return file


@pytest.fixture
def snapshot(archive, monkeypatch):
    monkeypatch.setenv("CWG_SNAPSHOT", archive.url)
    return archive.folder


def test_a_package_that_left_comes_from_the_snapshot_archive(
    cache, package, snapshot, gone
):
    (snapshot / "file").mkdir()
    (snapshot / "file" / sources.ODOO_19.sha1).write_bytes(package.read_bytes())
    odoo = sources.provide("19.0")
    assert odoo.series == "19.0"
    assert (odoo.addons[0] / sources.PLACEHOLDER).exists()


def test_the_snapshot_archive_is_asked_by_date_as_well(cache, package, snapshot, gone):
    pinned = sources.ODOO_19
    folder = snapshot / "archive/debian" / pinned.seen / pinned.pool
    folder.mkdir(parents=True)
    (folder / pinned.file).write_bytes(package.read_bytes())
    assert sources.provide("19.0").series == "19.0"


def test_another_file_than_the_pinned_one_is_refused(cache, package, snapshot, gone):
    (snapshot / "file").mkdir()
    (snapshot / "file" / sources.ODOO_19.sha1).write_bytes(b"something else")
    with pytest.raises(Failure, match="not the expected file.*--odoo PATH"):
        sources.provide("19.0")
    assert not (cache / "odoo-19.0").exists()
    assert not list((cache / "downloads").glob("*.deb"))


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        ("http://deb.example.org/debian/", "http://snapshot.example.org"),
        ("https://ftp.de.example.net/debian", "https://snapshot.de.example.net"),
    ],
)
def test_the_snapshot_archive_is_the_mirrors_neighbour(monkeypatch, mirror, expected):
    monkeypatch.delenv("CWG_SNAPSHOT", raising=False)
    listed = [debian.Source(mirror, "bookworm", "main")]
    monkeypatch.setattr(debian, "system_sources", lambda: listed)
    assert debian.snapshot_base() == expected


def test_the_main_mirror_is_neither_updates_nor_security():
    listed = [
        debian.Source("http://a.example/debian-security", "bookworm-security", "main"),
        debian.Source("http://b.example/debian", "bookworm-updates", "main"),
        debian.Source("http://c.example/debian", "bookworm", "main"),
    ]
    assert debian.main_mirror(listed) == "http://c.example/debian"


def test_this_system_has_a_mirror():
    assert debian.main_mirror(debian.system_sources()).startswith("http")
