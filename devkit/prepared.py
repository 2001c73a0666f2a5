# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Databases with our addons, made again when what they are made from changes.

Each checkout has its own, of which demos and tests take copies in a second.
"""

from collections.abc import Callable

from devkit import bundles, database, paths, stamps
from devkit.environment import Environment

# of an addon, what changes nothing in a database
NOT_INSTALLED = {"tests", "docs", "readme", "__pycache__"}


def ours(env: Environment) -> str:
    """The database with our addons and what the web client loads, and nothing else."""
    return ensure(
        env,
        "ours",
        database.template(env),
        [*_addon_files(), "with bundles"],
        lambda name: _install(env, name),
    )


def ensure(
    env: Environment,
    kind: str,
    base: str,
    recipe: list[str | bytes],
    make: Callable[[str], None],
) -> str:
    """The database of a kind; a missing one is made, and older ones are dropped.

    :param base: the database of which it begins as a copy
    :param recipe: what decides, beside `base`, what becomes of it
    :param make: turns the copy of this name into it
    """
    family = f"{database.TEMPLATE}{kind}-{env.series}-{paths.checkout()}-"
    name = family + paths.digest(base, *recipe)[:10]
    with stamps.locked(family.rstrip("-")):
        if not database.exists(env, name):
            for old in database.names(env):
                if old.startswith(family):
                    database.drop(env, old)
            draft = f"{family}draft"
            database.copy(env, draft, base)
            make(draft)
            database.rename(env, draft, name)
    return name


def _addon_files() -> list[str | bytes]:
    """Names and contents of all that the addons put into a database."""
    parts: list[str | bytes] = []
    roots = [paths.REPO / name for name in paths.addons()]
    for file in sorted(file for root in roots for file in root.rglob("*")):
        path = file.relative_to(paths.REPO)
        if file.is_file() and not set(path.parts) & NOT_INSTALLED:
            parts += [str(path), file.read_bytes()]
    return parts


def _install(env: Environment, name: str) -> None:
    title = f"our addons in Odoo {env.series}"
    database.install(env, name, paths.addons(), title=title)
    bundles.restore(env, name)
    database.warm(env, name)
    bundles.keep(env, name)
