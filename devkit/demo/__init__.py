# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The demo: a real Odoo, Meta's part played by the simulator, and a story."""

import functools
import signal
import time

from devkit import environment
from devkit.console import Failure, say, step
from devkit.demo import gateway, people, report, scene, stage
from devkit.demo.expectations import Looker, judge, loud_lines
from devkit.demo.rpc import Session
from devkit.demo.story import Story, Told
from devkit.options import DemoOptions
from devkit.server import Server
from devkit.simulator.client import Simulator


def run(options: DemoOptions) -> int:
    """Play the demo. Returns 0 only if every expectation held."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with stage.alone(options.series), stage.curtain() as ended:
        stage.end_leftovers(options.series)
        env = environment.provide(options.series, options.odoo)
        name = scene.make(env)
        with (
            stage.simulator(env, options.simulator_port, ended) as simulator,
            stage.odoo(env, name, options.port, ended) as odoo,
            stage.announced(
                env.series, simulator=simulator.base_url, odoo=odoo.url, database=name
            ),
        ):
            say(f"Odoo {env.series}: {odoo.url}   simulator: {simulator.base_url}")
            held = _play(odoo, simulator)
            if not options.once:
                _stay(odoo)
    return 0 if held else 1


def _interrupt(_number, _frame) -> None:
    """Being ended by another program is as good as Ctrl-C: stop what was started."""
    raise KeyboardInterrupt


def _play(odoo: Server, simulator: Simulator) -> bool:
    """Connect, tell the story, judge it. Returns whether every expectation held."""

    @functools.cache
    def log_in(login: str) -> Session:
        return Session(odoo.url, odoo.database, login, passwords[login])

    passwords = {who.login: who.password for who in people.COLLEAGUES}
    passwords |= dict([people.ADMIN])
    admin = log_in(people.ADMIN[0])
    with step("the gateway, connected as an administrator does it"):
        connected = gateway.connect(admin, simulator, odoo.url)
    say("\n[bold]The story[/]")
    told = _tell(Story(odoo.environment, admin, simulator, connected, log_in), odoo)
    facts = Looker(admin, log_in, simulator, connected).look(told, odoo.log)
    found = judge(facts)
    report.verdicts(found)
    report.table(facts)
    report.where_to_look(facts, odoo.url)
    return all(verdict.holds for verdict in found)


def _tell(story: Story, odoo: Server) -> Told:
    """Play the story; if Odoo does not follow, let its log say why."""
    try:
        return story.play()
    except Failure as failure:
        lines = loud_lines(odoo.log)
        said = f"; its log says: {lines[-1]}" if lines else ""
        raise Failure(f"{failure}{said} (see {odoo.log})") from failure


def _stay(odoo: Server) -> None:
    """Stay up until Ctrl-C. Raises Failure when Odoo ends by itself."""
    say("\nIt stays up until you press Ctrl-C.")
    try:
        while odoo.alive():
            time.sleep(1)
    except KeyboardInterrupt:
        say("")
        return
    raise Failure(f"Odoo ended (see {odoo.log})")
