# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The wheels, installed beside Odoo by pip, and the way from one version to the next.

pip puts OCA's addons and ours into a Python environment of its own; Odoo finds them,
lists them, installs them over conversations that OCA made, and updates them twice.
What a company made and changed must then be what it was, row by row. Then the addons
are uninstalled one by one, from the top: those below go on, and in the end nothing is
left in the database but what belongs to the company. They are installed again, and the
database is neutralized by Odoo's own command.

The version before is the newest tag `v...` of another version, as wheel. Without one
(none was released yet, or the clone is shallow) the present version is installed and
its number lowered in the database: Odoo then updates as from an older one, data files
and migration scripts included, but no table has an older form.

A second database comes from the time when there was one addon, and is updated to those
that there are now: every row is what it was, and every record belongs to the addon to
which it belongs after an installation.
"""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from devkit import database, oca, package, paths, venv
from devkit.checks import odoo_log
from devkit.checks.result import Result
from devkit.console import Failure, note, say, step
from devkit.environment import Environment
from devkit.shell import run

INSIDE = Path(__file__).with_name("packaged_inside.py")
PICTURES = re.compile(r'src="(?P<address>[^"]+)"')
OURS = ", ".join(f"'{name}'" for name in paths.addons())
# what must not change by an update, and what an update may rewrite with same values
KEPT = (
    *("mail_gateway", "crm_lead", "discuss_channel", "mail_message"),
    *("mail_activity", "hr_employee", "ir_config_parameter", "mail_notification"),
    *("whatsapp_webhook_event", "whatsapp_message_queue", "whatsapp_assignment"),
    *("ir_cron", "base_automation", "ir_act_server", "mail_canned_response"),
    *("utm_source", "utm_medium", "mail_activity_type", "whatsapp_answer"),
)
# the state of the inbox, which was a part of the channel: by its columns of before
INBOX = """
    SELECT channel_id, to_jsonb(t) FROM whatsapp_conversation t
"""
MOVED = {
    f"whatsapp_{name}": name
    for name in (
        *("state", "snoozed_until", "snoozed_by_id", "inbox_date", "last_text"),
        *("last_date", "last_author", "waiting_since", "answer_due", "late"),
        *("welcomed_at", "away_at"),
    )
} | {"lead_stage_id": "stage_id"}
WOKEN = "model._cron_wake_snoozed()"  # what woke channels wakes conversations
# what goes on while an addon is left
GOES_ON = (
    *("mail_gateway", "discuss_channel", "discuss_channel_member", "mail_message"),
    *("mail_notification", "whatsapp_webhook_event", "whatsapp_message_queue"),
)
AUTOMATED = ("ir.cron", "ir.actions.server", "base.automation")
# what stays when all are uninstalled
LEFT = ("mail_gateway", "crm_lead", "discuss_channel", "utm_source", "utm_medium")
OCAS_TABLE = "whatsapp_composer"
ERRORS = "whatsapp_error"
# what describes a database: the addon must leave it as it was
SCHEMA = {
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes"
    " WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    # two fields of Odoo declare it, each in its own way: the last to load wins
    " AND conname != 'rule_group_rel_group_id_fkey'",
    "columns": "SELECT table_name, column_name, data_type, is_nullable"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "fields": "SELECT model, name, ttype FROM ir_model_fields",
    "models": "SELECT model, is_mail_thread, is_mail_activity FROM ir_model",
    "crons": "SELECT id, active FROM ir_cron",
    "activity types": "SELECT id FROM mail_activity_type",
    "parameters": "SELECT key FROM ir_config_parameter"
    f" WHERE split_part(key, '.', 1) IN ({OURS})",
    "views": "SELECT id FROM ir_ui_view",
    "menus": "SELECT id FROM ir_ui_menu",
    "rules": "SELECT id FROM ir_rule",
    "automations": "SELECT id FROM base_automation",
    "ids": f"SELECT module, model, name FROM ir_model_data WHERE module IN ({OURS})",
}
# by what Odoo knows which addon made something: an uninstallation goes by it
OWNED = {
    "ids": SCHEMA["ids"],
    "constraints": "SELECT module.name, found.name FROM ir_model_constraint found"
    f" JOIN ir_module_module module ON module.id = module AND module.name IN ({OURS})",
    "relations": "SELECT module.name, found.name FROM ir_model_relation found"
    f" JOIN ir_module_module module ON module.id = module AND module.name IN ({OURS})",
}
# what came with an addon; of models and fields each addon that adds to one has an id
RECORDS = f"""
    SELECT model, name, res_id FROM ir_model_data
     WHERE module IN ({OURS}) AND model NOT LIKE 'ir.model%%'
"""
# what an update makes only by data files, so that nothing can be there twice
SHIPPED = {
    "ir.cron": "ir_cron",
    "ir.actions.server": "ir_act_server",
    "ir.ui.view": "ir_ui_view",
    "ir.ui.menu": "ir_ui_menu",
    "ir.rule": "ir_rule",
    "base.automation": "base_automation",
    "mail.activity.type": "mail_activity_type",
    "mail.canned.response": "mail_canned_response",
    "utm.source": "utm_source",
    "whatsapp.error": ERRORS,
}
# the data files of Odoo itself write some of these anew
STAMPS = ("write_date", "write_uid")
# the notes by which leads remember their conversations
LINKS = """
    SELECT substring(message_id FROM '<conversation-([0-9]+)@')::int, res_id
      FROM mail_message
     WHERE model = 'crm.lead' AND message_id LIKE '<conversation-%%@%%'
     ORDER BY 1
"""
PROBE = "devkit.probe"  # a parameter that the migration script writes
MIGRATION = f"""
def migrate(cr, version):
    cr.execute(
        "INSERT INTO ir_config_parameter AS found (key, value) VALUES ('{PROBE}', %s)"
        " ON CONFLICT (key) DO UPDATE SET value = found.value || ' again'",
        (version,),
    )
"""


def check(environment: Environment) -> Result:
    """Everything that is said at the top; each line of it counts as a test."""
    result = Result()
    trials: list[type[_Trial]] = [_Life]
    if len(paths.addons()) > 1:
        if package.has_commit(package.ONE_ADDON):
            trials.append(_Parting)
        else:
            note("the update from one addon is not tried: the clone lacks its commit")
    owned: dict[str, set[tuple]] = {}
    for kind in trials:
        with tempfile.TemporaryDirectory(prefix="cwg-package-") as scratch:
            trial = kind(environment, Path(scratch), owned)
            trial.go()
        if not trial.result.problems:
            database.drop(environment, trial.name)
        result.add(trial.result)
    return result


class _Trial:
    """One database and one Python environment, in which wheels are tried.

    `owned` is what belongs to which addon after an installation, by the names of OWNED.
    """

    purpose: str

    def __init__(self, environment: Environment, folder: Path, owned: dict):
        self.environment, self.folder, self.owned = environment, folder, owned
        self.series = environment.series
        self.name = f"{self.purpose}-{self.series}-{paths.checkout()}"
        database.copy(environment, self.name)
        self.result = Result()
        self.log = environment.logs / f"{self.name}.log"
        self.addons = list(environment.odoo.addons)

    def go(self) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------- steps

    def _set_up(self, before: str | None) -> list[Path]:
        """Have the wheels of before installed by pip; returns the present ones."""
        with step(f"the wheels for Odoo {self.series}"):
            old = new = package.build_all(self.series, self.folder / "new")
            if before:
                old = package.build_before(before, self.series, self.folder / "old")
            self._make_python()
            self._pip(*old)
        return new

    def _ours(self) -> list[str]:
        """Our addons that pip installed, each behind those that it needs."""
        there = paths.addons(self.site / "odoo" / "addons")
        return [name for name in there if name in paths.addons()]

    def _wanted(self) -> list[str]:
        """Those of them to be installed: glue, if all that it joins is there."""
        query = "SELECT name FROM ir_module_module WHERE state = 'installed'"
        there = {name for (name,) in self._sql(query)} | set(self._ours())
        return [
            name
            for name in self._ours()
            if name not in paths.glue()
            or there.issuperset(paths.manifest_of(paths.REPO / name)["depends"])
        ]

    def _make_python(self) -> None:
        """An environment that has Odoo's libraries from the series' own one."""
        self.python = venv.create(self.folder / "venv", self.environment.python)
        own = self._site(self.environment.python)
        self.site = self._site(self.python)
        (self.site / "odoo-libraries.pth").write_text(f"{own}\n")
        if self._oca_is_released():
            self._pip(*venv.locked(oca.lock_of(self.series)))
        else:  # adapted to this series here: a folder, as the guide says
            self.addons.append(self.environment.oca)

    def _oca_is_released(self) -> bool:
        pins = re.findall(
            r"^odoo-addon\S+==(\d+\.\d+)", oca.lock_of(self.series).read_text(), re.M
        )
        return set(pins) == {self.series}

    @staticmethod
    def _site(python: Path) -> Path:
        code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        return Path(run([python, "-c", code], what="looking for libraries").strip())

    def _pip(self, *wanted: str | Path) -> None:
        """As the guide says: the wheels ask for a package `odoo`, unknown to pip."""
        wanted = ("--force-reinstall", *wanted)
        venv.install(*wanted, what="installing wheels", python=self.python)

    def _odoo(self, *arguments: str) -> list[str]:
        command = self.environment.command(*arguments, with_addon=False)
        command[0] = str(self.python)
        addons = ",".join(map(str, self.addons))
        return [*command, f"--addons-path={addons}", "--max-cron-threads=0"]

    def _shell(self, call: str, show: Callable[[str], None]) -> str:
        script = self.folder / "script.py"
        ours = self._ours()
        top = [name for name in ours if name in paths.top()]
        script.write_text(
            f"{INSIDE.read_text()}\n\nADDONS, TOP = {ours}, {top}\n{call}\n"
        )
        with script.open() as source:
            return run(
                self._odoo("shell", "-d", self.name, "--no-http"),
                what=call,
                env=self.environment.env(),
                log=self.log,
                show=show,
                stdin=source,
            )

    def _install(self) -> None:
        """Over conversations that OCA made; then a company uses it."""
        with step("conversations that OCA made") as show:
            said = self._facts(self._shell("begin(env)\nsaid(env)", show))
        with step("the app list, and Install") as show:
            facts = self._facts(self._shell("install(env)", show))
        self._judge_listing(facts)
        with step("a company at work") as show:
            kept = self._facts(self._shell("said(env)\nuse(env)", show))
        self._judge_install(said, kept)

    def _update(self, modules: list[str], show: Callable[[str], None]) -> None:
        names = ",".join(modules)
        output = run(
            self._odoo("-d", self.name, "-u", names, "--no-http", "--stop-after-init"),
            what="the update",
            env=self.environment.env(),
            log=self.log,
            show=show,
        )
        noise = odoo_log.read(output.splitlines(keepends=True)).install_noise
        self._expect(not noise, f"an update says: {noise}")

    def _plant_migration(self) -> None:
        """A migration script, in the copy that pip made."""
        name = self._wanted()[-1]
        version = paths.manifest_of(paths.REPO / name)["version"]
        folder = self.site / "odoo" / "addons" / name / "migrations" / version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "post-probe.py").write_text(MIGRATION)

    def _lower_version(self) -> None:
        self._sql(
            f"UPDATE ir_module_module SET latest_version = %s WHERE name IN ({OURS})",
            (f"{self.series}.0.9.0",),
        )

    # ------------------------------------------------------------- judging

    def _expect(self, holds: object, problem: str) -> None:
        if holds:
            self.result.passed += 1
        else:
            self.result.failed += 1
            self.result.fail(problem)

    @staticmethod
    def _facts(output: str) -> dict:
        found = re.search(r"FACTS (\{.*\})", output)
        if not found:
            raise Failure("Odoo's shell did not say what the app list shows")
        return json.loads(found[1])

    def _judge_listing(self, listed: dict) -> None:
        for name in self._ours():
            facts = listed[name]
            manifest = paths.manifest_of(self.site / "odoo" / "addons" / name)
            for fact, wanted in (
                ("version", manifest["version"]),
                ("state", "uninstalled"),
                ("application", manifest.get("application", False)),
                ("shortdesc", manifest["name"]),
                ("has_icon", True),
            ):
                found = facts[fact]
                self._expect(found == wanted, f"{name}: {fact} is {found}")
            addresses = PICTURES.findall(facts["description"])
            self._expect(
                addresses or not facts["application"],
                f"{name}: the description of an app has no pictures",
            )
            for address in addresses:
                file = self.site / "odoo" / "addons" / address.lstrip("/")
                self._expect(file.is_file(), f"the picture {address} is not there")
        self._judge_states(installed=self._wanted())

    def _judge_states(self, installed: list[str]) -> None:
        """These of ours are installed, and no others."""
        query = f"SELECT name, state FROM ir_module_module WHERE name IN ({OURS})"
        states = dict(self._sql(query))
        for name in states.keys() | set(installed):
            wanted = "installed" if name in installed else "uninstalled"
            found = states.get(name)
            self._expect(found == wanted, f"{name} is {found}, not {wanted}")

    def _facts_of(self, call: str) -> dict:
        return self._facts(self._shell(call, lambda _line: None))

    def _all(self, queries: dict[str, str]) -> dict[str, set[tuple]]:
        return {what: set(self._sql(query)) for what, query in queries.items()}

    def _ids(self, table: str) -> set[int]:
        query = f"SELECT id FROM {table}"
        if table == "mail_message":  # 19.0 keeps some of what goes with the addon
            query += f" WHERE model NOT IN {AUTOMATED}"
        return {number for (number,) in self._sql(query)}

    def _judge_kept(self, before: dict, after: dict) -> None:
        """Every row is there and says what it said; it may say more."""
        for table, rows in before.items():
            self._expect(rows, f"{table} is empty: nothing is proven")
            changes = _difference(rows, after[table])
            self._expect(not changes, f"an update changed {table}: {changes}")

    def _judge_update(self) -> None:
        self._judge_states(installed=self._wanted())
        errors = dict(self._sql(f"SELECT code, advice->>'en_US' FROM {ERRORS}"))
        self._expect(
            errors.get("999999") == "Call us.", "an error of one's own is gone"
        )
        self._expect(
            errors["busy"] == "Changed by hand", "a changed error text is renewed"
        )
        self._expect(errors["slow"] != "Shipped before", "errors are not renewed")
        spanish = dict(self._sql(f"SELECT code, advice->>'es_ES' FROM {ERRORS}"))
        self._expect(
            spanish["slow"] and spanish["slow"] != "Antes",
            f"translations of errors are not renewed: {spanish['slow']}",
        )
        probe = self._sql(
            "SELECT value FROM ir_config_parameter WHERE key = %s", (PROBE,)
        )
        self._expect(
            [value for (value,) in probe if not value.endswith("again")],
            f"a migration script must run once: {probe}",
        )

    def _judge_install(self, before: dict, after: dict) -> None:
        """Nothing that was said, and nobody who took part, is lost by merging."""
        for what, count in before.items():
            if what == "channels":
                self._expect(after[what] == 1, f"{after[what]} conversations, not 1")
            else:
                self._expect(after[what] == count, f"{what}: {count} -> {after[what]}")
        found = self._sql(
            "SELECT lead.name FROM discuss_channel channel"
            " JOIN crm_lead lead ON lead.id = channel.lead_id"
            " WHERE channel.name = 'Old'"
        )
        self._expect(found == [("By hand",)], f"the open lead is not linked: {found}")

    def _judge_schema(self, before: dict) -> None:
        after = self._all(SCHEMA)
        for what, rows in before.items():
            left, gone = sorted(after[what] - rows), sorted(rows - after[what])
            self._expect(not left, f"{what} are left: {left[:5]}")
            self._expect(not gone, f"{what} are gone: {gone[:5]}")
        shown = self._sql(
            "SELECT DISTINCT notification_status FROM mail_notification"
            " WHERE gateway_channel_id IN"
            " (SELECT id FROM discuss_channel WHERE name = 'Old')"
        )
        self._expect(shown == [("sent",)], f"what was read is now {shown}")

    def _judge_reinstall(self, linked: list[tuple]) -> None:
        self._expect(linked, "no lead remembers its conversation")
        found = self._sql(
            "SELECT id, lead_id FROM discuss_channel"
            " WHERE lead_id IS NOT NULL ORDER BY id"
        )
        self._expect(found == linked, f"links {linked} -> {found}")
        self._expect(not self._sql(LINKS), "notes of before are left")
        twice = self._sql(
            "SELECT name FROM utm_source WHERE name LIKE '%%[2]'"
            " UNION SELECT name FROM utm_medium WHERE name LIKE '%%[2]'"
        )
        self._expect(not twice, f"UTM records were made twice: {twice}")

    def _judge_copy(self, facts: dict) -> None:
        self._expect("is a copy" in facts["refused"], f"a copy posts: {facts}")
        self._expect(facts["client"] == "copy", f"a copy asks Meta: {facts}")
        self._expect(not facts["webhook"], "the webhook of a copy takes deliveries")
        self._expect(facts["paused"], "typing a token connects a copy")
        self._expect(not facts["refused after"], f"it stays cut off: {facts}")

    def _judge_uninstall(self, before: dict) -> None:
        """Customers, leads and what was said stay; our tables go."""
        self._judge_states(installed=[])
        for table in LEFT:
            kept = before[table].keys() <= self._ids(table)
            self._expect(kept, f"rows of {table} went along")
        ours = self._sql(
            "SELECT tablename FROM pg_tables WHERE tablename ~ '^whatsapp'"
        )
        left = {name for (name,) in ours} - {OCAS_TABLE}
        self._expect(not left, f"tables are left: {left}")

    def _rows(self) -> dict[str, dict[int, dict]]:
        """Every row of what must stay, by table and id."""
        found = {}
        for table in KEPT:
            rows = self._sql(
                f"SELECT id, to_jsonb(t) - %s::text[] FROM {table} t", (list(STAMPS),)
            )
            found[table] = {number: row for number, row in rows}
        found["ir_config_parameter"] = self._parameters()
        for action in found["ir_act_server"].values():
            if action.get("code") == WOKEN:
                action |= dict.fromkeys(("model_id", "model_name"))
        if self._sql("SELECT to_regclass('whatsapp_conversation')") != [(None,)]:
            for channel, row in self._sql(INBOX):
                inbox = {old: row[new] for old, new in MOVED.items()}
                found["discuss_channel"][channel] |= inbox
        return found

    def _parameters(self) -> dict[str, dict]:
        """The values of our parameters, by their names without the addon's."""
        rows = self._sql(
            "SELECT substr(key, strpos(key, '.') + 1), value FROM ir_config_parameter"
            f" WHERE split_part(key, '.', 1) IN ('web', {OURS})"
        )
        return {name: {"value": value} for name, value in rows}

    def _sql(self, query: str, values: tuple = ()) -> list[tuple]:
        with self.environment.cluster.connect(self.name) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []


class _Life(_Trial):
    """From the first installation to the last uninstallation, and once more."""

    purpose = "package"

    def go(self) -> None:
        previous = package.previous_tag()
        new = self._set_up(previous)
        say(f"  ... the version before: {previous or 'this one, with a lower number'}")
        schema = self._all(SCHEMA)
        self._install()
        self._pip(*new)
        self._plant_migration()
        if not previous:
            self._lower_version()
        before = self._rows()
        for title in ("an update", "the same update again"):
            with step(title) as show:
                self._update(self._wanted(), show)
        self._judge_kept(before, self._rows())
        self._judge_update()
        self._uninstall()
        self._judge_uninstall(before)
        self._judge_schema(schema)
        linked = self._sql(LINKS)
        with step("Install again") as show:
            self._shell("install_again(env)", show)
        self._judge_reinstall(linked)
        self.owned.update(self._all(OWNED))
        with step("Odoo's neutralize") as show:
            run(
                self._odoo("neutralize", "-d", self.name),
                what="neutralizing",
                env=self.environment.env(),
                log=self.log,
                show=show,
            )
        self._judge_copy(self._facts_of("in_a_copy(env)"))

    def _uninstall(self) -> None:
        """One by one, from the top; those that are left go on."""
        left = self._wanted()
        while left:
            name = left.pop()
            before = {table: self._ids(table) for table in GOES_ON}
            with step(f"Uninstall {name}") as show:
                self._shell(f"uninstall(env, {name!r})", show)
            if not left:
                return
            self._judge_states(installed=left)
            for table, numbers in before.items():
                gone = numbers - self._ids(table)
                self._expect(not gone, f"{name} took rows of {table} along: {gone}")
            facts = self._facts_of("go_on(env)")
            good = facts["heard"] and facts["queued"] and not facts["refused"]
            self._expect(good, f"without {name} nothing goes on: {facts}")


class _Parting(_Trial):
    """From one addon, in a company's use, to those that there are now."""

    purpose = "package-parting"

    def go(self) -> None:
        new = self._set_up(package.ONE_ADDON)
        say("  ... the version before: the last with one addon")
        self._install()
        old, before, records = self._ours(), self._rows(), self._records()
        shipped = {table: self._ids(table) for table in SHIPPED.values()}
        self._pip(*new)
        for title in ("the update to several addons", "the same update again"):
            with step(title) as show:
                self._update(old, show)
        self._judge_kept(before, self._rows())
        # an update installs no glue: a person does
        self._judge_states([n for n in self._wanted() if n not in paths.glue()])
        with step("the glue") as show:
            self._shell("install_glue(env)", show)
        self._judge_states(self._wanted())
        self._judge_records(records, shipped)
        self._judge_owners()

    def _records(self) -> dict[tuple[str, str], set[int]]:
        """The records of our XML ids, by model and name, whichever addon has it."""
        found: dict[tuple[str, str], set[int]] = {}
        for model, name, number in self._sql(RECORDS):
            found.setdefault((model, name), set()).add(number)
        return found

    def _judge_records(self, before: dict, shipped: dict[str, set[int]]) -> None:
        """What came with the addon is the same record, once."""
        after = self._records()
        anew = [key for key, ids in before.items() if not ids <= after.get(key, ids)]
        self._expect(not anew, f"made anew: {anew[:5]}")
        times = Counter((model, number) for model, _name, number in self._sql(RECORDS))
        twice = [record for record, count in times.items() if count > 1]
        self._expect(not twice, f"records with two XML ids: {twice[:5]}")
        for model, table in SHIPPED.items():
            named = {
                ids for key, found in after.items() if key[0] == model for ids in found
            }
            stray = self._ids(table) - shipped[table] - named
            self._expect(not stray, f"{table} has rows that nobody made: {stray}")

    def _judge_owners(self) -> None:
        """All belongs to the addon to which it belongs after an installation."""
        for what, rows in self._all(OWNED).items():
            owned = self.owned[what]
            left, gone = sorted(rows - owned), sorted(owned - rows)
            self._expect(not left, f"{what} belong to another addon: {left[:5]}")
            self._expect(not gone, f"{what} are missing: {gone[:5]}")
        wrong = self._sql(
            "SELECT key FROM ir_config_parameter"
            f" WHERE split_part(key, '.', 1) IN ({OURS}) AND key NOT LIKE %s",
            (paths.parameter("%"),),
        )
        self._expect(not wrong, f"parameters that nobody reads any more: {wrong}")


def _difference(before: dict, after: dict) -> str:
    """The first change, in words; nothing without any.

    >>> _difference({1: {"a": 1}}, {1: {"a": 2, "b": 3}})
    "row 1: {'a': (1, 2)}"
    """
    for number, row in before.items():
        if number not in after:
            return f"row {number} is gone"
        changed = {
            name: (value, after[number].get(name))
            for name, value in row.items()
            if after[number].get(name) != value
        }
        if changed:
            return f"row {number}: {changed}"
    return ""
