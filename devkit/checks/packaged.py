# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The wheel, installed beside Odoo by pip, and the way from one version to the next.

pip puts OCA's addons and ours into a Python environment of its own; Odoo finds them,
lists ours as an app, installs it over conversations that OCA made, and updates it
twice. What a company made and changed must then be what it was, row by row. Then the
addon is uninstalled, which leaves nothing of it in the database but what belongs to the
company; installed again; and the database is neutralized by Odoo's own command.

The version before is the newest tag `v...` of another version, as wheel. Without one
(none was released yet, or the clone is shallow) the present version is installed and
its number lowered in the database: Odoo then updates as from an older one, data files
and migration scripts included, but no table has an older form.
"""

import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from devkit import database, oca, package, paths
from devkit.checks import odoo_log
from devkit.checks.result import Result
from devkit.console import Failure, say, step
from devkit.environment import Environment
from devkit.shell import run

INSIDE = Path(__file__).with_name("packaged_inside.py")
PICTURES = re.compile(r'src="(?P<address>[^"]+)"')
# what must not change by an update, and what an update may rewrite with same values
KEPT = (
    *("mail_gateway", "crm_lead", "discuss_channel", "mail_message"),
    *("mail_activity", "hr_employee", "ir_config_parameter", "mail_notification"),
    *("whatsapp_webhook_event", "whatsapp_message_queue", "whatsapp_assignment"),
    *("ir_cron", "base_automation", "ir_act_server", "mail_canned_response"),
    *("utm_source", "utm_medium", "mail_activity_type", "whatsapp_answer"),
)
# what stays when the addon is uninstalled
LEFT = ("mail_gateway", "crm_lead", "discuss_channel", "utm_source", "utm_medium")
OCAS_TABLE = "whatsapp_composer"
SHIPPED = "whatsapp_error"
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
    " WHERE key LIKE 'crm_whatsapp_gateway%%'",
    "views": "SELECT id FROM ir_ui_view",
    "menus": "SELECT id FROM ir_ui_menu",
    "rules": "SELECT id FROM ir_rule",
    "automations": "SELECT id FROM base_automation",
    "ids": "SELECT module, model, name FROM ir_model_data"
    " WHERE module = 'crm_whatsapp_gateway'",
}
# the data files of Odoo itself write some of these anew
STAMPS = ("write_date", "write_uid")
# the notes by which leads remember their conversations
LINKS = """
    SELECT substring(message_id FROM '<conversation-([0-9]+)@crm_whatsapp')::int, res_id
      FROM mail_message
     WHERE model = 'crm.lead'
       AND message_id LIKE '<conversation-%%@crm_whatsapp_gateway>'
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
    name = f"package-{environment.series}-{paths.checkout()}"
    database.copy(environment, name)
    with tempfile.TemporaryDirectory(prefix="cwg-package-") as scratch:
        trial = _Trial(environment, Path(scratch), name)
        trial.go()
    if not trial.result.problems:
        database.drop(environment, name)
    return trial.result


class _Trial:
    """One database and one Python environment, from the wheel to the second update."""

    def __init__(self, environment: Environment, folder: Path, name: str):
        self.environment, self.folder, self.name = environment, folder, name
        self.series = environment.series
        self.result = Result()
        self.log = environment.logs / f"{name}.log"
        self.addons = list(environment.odoo.addons)

    def go(self) -> None:
        previous = package.previous_tag()
        with step(f"the wheel for Odoo {self.series}"):
            wheel = package.build(self.series, self.folder / "dist")
            self._make_python()
            old = (
                package.build_tag(previous, self.series, self.folder)
                if previous
                else wheel
            )
            self._pip(old)
        say(f"  ... the version before: {previous or 'this one, with a lower number'}")
        with step("conversations that OCA made") as show:
            self._shell("begin(env)", show)
        schema, old_rows = self._schema(), self._facts_of("said(env)")
        with step("the app list, and Install") as show:
            facts = self._facts(self._shell("install(env)", show))
        self._judge_listing(facts)
        self._judge_install(old_rows)
        with step("a company at work") as show:
            self._shell("use(env)", show)
        self._pip(wheel)
        self._plant_migration()
        if not previous:
            self._lower_version()
        before = self._rows()
        for title in ("an update", "the same update again"):
            with step(title) as show:
                self._update(show)
        self._judge_update(before, self._rows())
        with step("Uninstall") as show:
            self._shell("uninstall(env)", show)
        self._judge_uninstall(before)
        self._judge_schema(schema)
        linked = self._sql(LINKS)
        with step("Install again") as show:
            self._shell("install_again(env)", show)
        self._judge_reinstall(linked)
        with step("Odoo's neutralize") as show:
            run(
                self._odoo("neutralize", "-d", self.name),
                what="neutralizing",
                env=self.environment.env(),
                log=self.log,
                show=show,
            )
        self._judge_copy(self._facts_of("in_a_copy(env)"))

    # ------------------------------------------------------------- steps

    def _make_python(self) -> None:
        """An environment that has Odoo's libraries from the series' own one."""
        target = self.folder / "venv"
        command = [self.environment.python, "-m", "venv", "--without-pip", target]
        run(command, what="making a Python environment")
        self.python = target / "bin" / "python"
        own = self._site(self.environment.python)
        self.site = self._site(self.python)
        (self.site / "odoo-libraries.pth").write_text(f"{own}\n")
        if self._oca_is_released():
            self._pip("--require-hashes", "-r", oca.lock_of(self.series))
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
        command = [sys.executable, "-m", "pip", "--python", self.python, "install"]
        command += ["--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--force-reinstall", *wanted]
        run(command, what="installing wheels")

    def _odoo(self, *arguments: str) -> list[str]:
        command = self.environment.command(*arguments, with_addon=False)
        command[0] = str(self.python)
        addons = ",".join(map(str, self.addons))
        return [*command, f"--addons-path={addons}", "--max-cron-threads=0"]

    def _shell(self, call: str, show: Callable[[str], None]) -> str:
        script = self.folder / "script.py"
        script.write_text(f"{INSIDE.read_text()}\n\n{call}\n")
        with script.open() as source:
            return run(
                self._odoo("shell", "-d", self.name, "--no-http"),
                what=call,
                env=self.environment.env(),
                log=self.log,
                show=show,
                stdin=source,
            )

    def _update(self, show: Callable[[str], None]) -> None:
        output = run(
            self._odoo(
                "-d", self.name, "-u", paths.ADDON, "--no-http", "--stop-after-init"
            ),
            what="the update",
            env=self.environment.env(),
            log=self.log,
            show=show,
        )
        noise = odoo_log.read(output.splitlines(keepends=True)).install_noise
        self._expect(not noise, f"an update says: {noise}")

    def _plant_migration(self) -> None:
        """A migration script, in the copy that pip made."""
        version = package.manifest_of(paths.REPO / paths.ADDON)["version"]
        folder = self.site / "odoo" / "addons" / paths.ADDON / "migrations" / version
        folder.mkdir(parents=True)
        (folder / "post-probe.py").write_text(MIGRATION)

    def _lower_version(self) -> None:
        self._sql(
            "UPDATE ir_module_module SET latest_version = %s WHERE name = %s",
            (f"{self.series}.0.9.0", paths.ADDON),
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

    def _judge_listing(self, facts: dict) -> None:
        manifest = package.manifest_of(paths.REPO / paths.ADDON)
        version = f"{self.series}.{manifest['version']}"
        self._expect(facts["version"] == version, f"version {facts['version']}")
        self._expect(facts["state"] == "uninstalled", f"state {facts['state']}")
        self._expect(facts["application"], "it is no app")
        self._expect(
            facts["shortdesc"] == manifest["name"], f"name {facts['shortdesc']}"
        )
        self._expect(facts["has_icon"], "the app list has no icon")
        addresses = PICTURES.findall(facts["description"])
        self._expect(addresses, "its description has no pictures")
        for address in addresses:
            file = self.site / "odoo" / "addons" / address.lstrip("/")
            self._expect(
                file.is_file(), f"the description's picture {address} is not there"
            )
        state, version = self._module()
        self._expect(state == "installed", f"after Install it is {state}")

    def _facts_of(self, call: str) -> dict:
        return self._facts(self._shell(call, lambda _line: None))

    def _schema(self) -> dict[str, set[tuple]]:
        return {what: set(self._sql(query)) for what, query in SCHEMA.items()}

    def _module(self) -> tuple[str, str]:
        (row,) = self._sql(
            "SELECT state, latest_version FROM ir_module_module WHERE name = %s",
            (paths.ADDON,),
        )
        return row

    def _judge_update(self, before: dict, after: dict) -> None:
        for table, rows in before.items():
            lost = {
                key: row for key, row in rows.items() if after[table].get(key) != row
            }
            self._expect(rows, f"{table} is empty: nothing is proven")
            changes = _difference(lost, after[table])
            self._expect(not lost, f"an update changed {table}: {changes}")
        self._expect(self._module()[0] == "installed", "it is not installed any more")
        errors = dict(self._sql(f"SELECT code, advice->>'en_US' FROM {SHIPPED}"))
        self._expect(
            errors.get("999999") == "Call us.", "an error of one's own is gone"
        )
        self._expect(
            errors["busy"] == "Changed by hand", "a changed error text is renewed"
        )
        self._expect(errors["slow"] != "Shipped before", "errors are not renewed")
        spanish = dict(self._sql(f"SELECT code, advice->>'es_ES' FROM {SHIPPED}"))
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

    def _judge_install(self, before: dict) -> None:
        """Nothing that was said, and nobody who took part, is lost by merging."""
        after = self._facts_of("said(env)")
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
        after = self._schema()
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
        self._expect(self._module()[0] == "uninstalled", "it is not uninstalled")
        for table in LEFT:
            rows = {number for (number,) in self._sql(f"SELECT id FROM {table}")}
            self._expect(before[table].keys() <= rows, f"rows of {table} went along")
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
                f"SELECT id, to_jsonb(t) - %s FROM {table} t", (list(STAMPS),)
            )
            found[table] = {number: row for number, row in rows}
        found["ir_config_parameter"] = {
            number: row
            for number, row in found["ir_config_parameter"].items()
            if row["key"].startswith((paths.ADDON, "web."))
        }
        return found

    def _sql(self, query: str, values: tuple = ()) -> list[tuple]:
        with self.environment.cluster.connect(self.name) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []


def _difference(lost: dict[int, dict], now: dict[int, dict]) -> str:
    """The first change, in words."""
    if not lost:
        return "nothing"
    number, row = next(iter(lost.items()))
    if number not in now:
        return f"row {number} is gone"
    changed = {
        name: (value, now[number].get(name))
        for name, value in row.items()
        if now[number].get(name) != value
    }
    return f"row {number}: {changed}"
