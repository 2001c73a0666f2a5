# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Everything that one series needs to run, put together."""

import configparser
import io
from dataclasses import dataclass
from pathlib import Path

from devkit import oca, paths, sources, stamps, venv
from devkit.postgres import USER, Cluster
from devkit.venv import clean_environment

CONNECTIONS = 48  # per Odoo process, of PostgreSQL's 200


@dataclass(frozen=True)
class Environment:
    """An Odoo with its libraries, OCA's addons, and the running PostgreSQL."""

    odoo: sources.Odoo
    python: Path
    oca: Path
    cluster: Cluster

    @property
    def series(self) -> str:
        return self.odoo.series

    @property
    def key(self) -> str:
        """Changes with every version that a prepared database depends on."""
        parts = (self.odoo.key, self.oca.name, self.python.parent.parent.name)
        return paths.digest(*parts)[:10]

    @property
    def folder(self) -> Path:
        """Where this environment keeps its files: configuration, logs, file store."""
        folder = paths.cache() / f"run-{self.series}-{self.key}"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        folder = self.folder / "logs"
        folder.mkdir(exist_ok=True)
        return folder

    def filestore(self, database: str) -> Path:
        """Where Odoo keeps the attachments of a database."""
        return self.data_dir / "filestore" / database

    def config(self, *, with_addon: bool = True) -> Path:
        """Odoo's configuration file, with our addons on the path or without."""
        addons = [*self.odoo.addons, self.oca]
        if with_addon:
            addons.append(addon_folder())
        options = {
            "addons_path": ",".join(map(str, addons)),
            "data_dir": self.data_dir,
            "db_host": self.cluster.socket,
            "db_user": USER,
            "db_maxconn": CONNECTIONS,
            "http_interface": "127.0.0.1",
            "workers": 0,
            "max_cron_threads": 1,
        }
        return _write_config(self.folder / f"{addons[-1].name}.conf", options)

    def command(self, *arguments: str | Path, with_addon: bool = True) -> list[str]:
        """The command line that runs this Odoo.

        A subcommand (`shell`, `db`) must come first, before any option.
        """
        words = [str(argument) for argument in arguments]
        leading = []
        if words and not words[0].startswith("-"):
            leading = [words.pop(0)]
        config = self.config(with_addon=with_addon)
        program = [str(self.python), str(self.odoo.script)]
        return [*program, *leading, "-c", str(config), *words]

    def env(self) -> dict[str, str]:
        """The environment variables that this Odoo runs with."""
        return {
            **clean_environment(),
            "PYTHONPATH": str(self._import_folder()),
            "PYTHONDONTWRITEBYTECODE": "",
            "LC_ALL": "C.UTF-8",
        }

    def _import_folder(self) -> Path:
        """A folder that holds the package `odoo` and nothing else.

        The folder around an installed package holds other libraries, made for
        another Python.
        """
        folder = self.folder / "import"
        folder.mkdir(exist_ok=True)
        _link(folder / "odoo", self.odoo.package)
        return folder


def provide(series: str, given: Path | None = None) -> Environment:
    """Get what is missing, start PostgreSQL, and return the environment.

    With `given`, the series is that of the Odoo which lies there.
    """
    odoo = sources.provide(series, given)
    python = venv.provide(odoo.series)
    addons = oca.provide(odoo.series)
    cluster = Cluster()
    cluster.start()
    return Environment(odoo, python, addons, cluster)


def addon_folder() -> Path:
    """An addons folder that shows Odoo our addons, and those of the tests."""
    folder = paths.cache() / f"addons-{paths.digest(str(paths.REPO))[:10]}"
    folder.mkdir(exist_ok=True)
    targets = {name: paths.REPO / name for name in paths.addons()}
    targets |= {name: paths.TEST_ADDONS / name for name in paths.overriding()}
    for link in folder.glob("[!.]*"):
        if link.name not in targets:  # of another branch
            link.unlink(missing_ok=True)
    for name, target in targets.items():
        _link(folder / name, target)
    return folder


def _link(link: Path, target: Path) -> None:
    """Make `link` point to `target`, whatever it was."""
    if link.is_symlink() and link.readlink() == target:
        return
    draft = stamps.draft_of(link)
    draft.symlink_to(target)
    draft.replace(link)


def _write_config(path: Path, options: dict[str, object]) -> Path:
    parser = configparser.RawConfigParser()
    parser["options"] = {name: str(value) for name, value in options.items()}
    text = io.StringIO()
    parser.write(text)
    if not path.exists() or path.read_text() != text.getvalue():
        stamps.write(path, text.getvalue())
    return path
