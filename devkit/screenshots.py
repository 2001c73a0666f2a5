# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The pictures of the guides and of the app list, taken from a running system.

The demo's shop and story, in a database of its own; a browser goes where the guides
send their reader. Each picture has a name, somebody who looks, a size, and the way.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from devkit import database, environment, paths
from devkit.browser import Page, open_page
from devkit.console import Failure, say, step
from devkit.demo import gateway, people, scene, stage
from devkit.demo.rpc import Session
from devkit.demo.story import Story
from devkit.server import Server, free_port, start
from devkit.simulator.client import Simulator

GUIDES = paths.find("docs/img")
APP_LIST = GUIDES.parents[1] / "static" / "description"
LARGEST = 150 * 1024  # bytes of a picture, which everybody downloads
COLOURS = (256, 128, 64, 32)  # of a picture that is too large, the first that will do
DESKTOP, LAPTOP, PHONE = (1400, 900), (1366, 768), (390, 844)
CHAT = ".o_whatsapp_chat"
OWNER, MANAGER, ADMIN = "", people.MANAGER.login, people.ADMIN[0]
# what the guides show also stands in the app list, under this name
SHARED = {"bandeja": "inbox", "lead": "lead", "pasarela": "setup"}
TEMPLATE = "saludo_inicial"
# what of the lead stands for its variables
VALUES = {"{{1}}": "contact_name", "{{2}}": "user_id"}
NEWCOMER = {"contact_name": "Gabriela Núñez", "phone": "+52 55 8765 4321"}


@dataclass(frozen=True)
class Scene:
    """What the pictures are taken of: addresses, and who may see them."""

    url: str
    owner: str  # login of the salesperson who has Lucía's lead
    gateway_id: int
    ad_lead_id: int
    new_lead_id: int

    def action(self, name: str, record: int | None = None) -> str:
        """The address of an action of ours, or of one of its records."""
        whole = name if "." in name else paths.xml_id(name)
        tail = f"/{record}" if record else ""
        return f"{self.url}/odoo/action-{whole}{tail}"


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    who: str  # the login; nobody: the owner of Lucía's lead
    way: Callable[[Page, Scene], None]
    size: tuple[int, int] = DESKTOP


# ------------------------------------------------------------- the ways


def _inbox(page: Page, scene: Scene) -> None:
    page.go(scene.action("action_whatsapp_inbox"))
    page.click(".o_kanban_record", people.LUCIA.name)
    page.see(".o-mail-Message", "En nogal. ¿Y entregan los sábados?")


def _list(page: Page, scene: Scene) -> None:
    page.go(scene.action("action_whatsapp_inbox"))
    page.click("button.o_list")
    page.click(".o_data_row td[name='name']", people.LUCIA.name)
    page.see(".o-mail-Message", "En nogal. ¿Y entregan los sábados?")


def _chat(page: Page, scene: Scene) -> None:
    _inbox(page, scene)
    page.click(f"{CHAT} button[name='whatsapp-lead']")
    page.see(".o-whatsapp-LeadPanel", people.LUCIA.name)


def _open_lead(page: Page, scene: Scene, lead_id: int) -> None:
    """By the way of the CRM app, so that its menus stand above the lead."""
    page.go(scene.action("action_whatsapp_inbox"))
    page.see(".o_menu_brand", "CRM")
    page.go(scene.action("crm.crm_lead_action_pipeline", lead_id))


def _lead(page: Page, scene: Scene) -> None:
    _open_lead(page, scene, scene.ad_lead_id)
    page.click("a[name='whatsapp']")
    page.see(".o_field_widget[name='whatsapp_match_reason']")


def _window(page: Page, scene: Scene) -> None:
    _open_lead(page, scene, scene.new_lead_id)
    page.click("button[name='action_open_whatsapp']")
    page.see(".o-mail-ChatWindow .o-whatsapp-Window", "solo entrega plantillas")


def _template(page: Page, scene: Scene) -> None:
    _window(page, scene)
    page.click(".o-whatsapp-Window button")
    page.click(".modal .o_whatsapp_templates_option", TEMPLATE)
    page.see(".modal .o_whatsapp_preview", NEWCOMER["contact_name"])


def _template_on_phone(page: Page, scene: Scene) -> None:
    _inbox(page, scene)
    page.click(".o-whatsapp-Window button")
    page.click(".modal .o_whatsapp_templates_option", TEMPLATE)
    page.see(".modal .o_whatsapp_preview", people.LUCIA.name.split()[0])


def _choose(page: Page, scene: Scene, template: str) -> None:
    _window(page, scene)
    page.click(".o-whatsapp-Window button")
    page.click(".modal .o_whatsapp_templates_option", template)


def _template_with_file(page: Page, scene: Scene, template: str, file: Path) -> None:
    _choose(page, scene, template)
    page.attach(".modal .o_whatsapp_send_header input[type='file']", file)


def _template_with_document(page: Page, scene: Scene) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Cotización S00042.pdf"
        file.write_bytes(b"%PDF-1.4")
        _template_with_file(page, scene, "cotizacion_lista", file)
        page.see(".modal .o_whatsapp_preview .o_whatsapp_document", file.name)


def _template_with_picture(page: Page, scene: Scene) -> None:
    file = APP_LIST / "inbox.png"
    _template_with_file(page, scene, "cupon_de_verano", file)
    page.see(".modal .o_whatsapp_preview img.o_whatsapp_picture")
    page.fill(".modal #whatsapp_value_1", "VERANO25")
    page.see(".modal .o_whatsapp_button", "VERANO25")


def _template_with_place(page: Page, scene: Scene) -> None:
    _choose(page, scene, "visita_la_tienda")
    for name, words in (
        ("place_name", "Muebles del Valle"),
        ("place_address", "Av. Universidad 1200, Ciudad de México"),
        ("coordinates", "19.3654, -99.1677"),
    ):
        page.fill(f".modal div[name='{name}'] input", words)
        page.press("Tab")
    page.see(".modal .o_whatsapp_preview .o_whatsapp_location", "Muebles del Valle")


def _document(page: Page, scene: Scene) -> None:
    _open_lead(page, scene, scene.new_lead_id)
    page.click(".o-mail-Chatter-topbar button", "WhatsApp")
    page.click(".modal .o_whatsapp_templates_option", TEMPLATE)
    page.see(".modal .o_whatsapp_preview", NEWCOMER["contact_name"].split()[0])


def _rules(page: Page, scene: Scene) -> None:
    _gateway(page, scene)
    page.click(".o_notebook a[name='whatsapp_rules']")
    page.see(".o_field_widget[name='whatsapp_reopen_days']")
    page.ask("document.querySelector('.o_notebook').scrollIntoView()")


def _gateway(page: Page, scene: Scene) -> None:
    page.go(scene.action("action_whatsapp_gateway", scene.gateway_id))
    page.see(".o_whatsapp_check[data-state='ok']")


def _action(name: str, seen: str, text: str = "") -> Callable[[Page, Scene], None]:
    """The way to an action of ours, until this is seen there."""

    def way(page: Page, scene: Scene) -> None:
        page.go(scene.action(f"action_whatsapp_{name}"))
        page.see(seen, text)

    return way


ROW, SELLER = ".o_data_row", people.SALESPEOPLE[0].name
_templates = _action("templates", ROW)


def _ready_templates(page: Page, scene: Scene) -> None:
    _templates(page, scene)
    page.click("button", "Plantillas listas")
    page.see(".modal .o_data_row", "Pedido en camino")


def _submitted_templates(page: Page, scene: Scene) -> None:
    _ready_templates(page, scene)
    page.click(".modal button[name='action_submit']")
    page.see(".modal .o_field_widget[name='result'] li")


def _new_template(page: Page, scene: Scene) -> None:
    _templates(page, scene)
    page.click(".o_list_button_add")
    page.fill("[name='name'] input", "Aviso de pedido")
    page.fill("[name='body'] textarea", "{{1}}, tu pedido {{2}} está listo")
    page.press("Tab")
    page.click(".o_notebook a[name='variables']")
    page.see("[name='variable_ids'] .o_data_row")
    page.click(".o_notebook a[name='body']")
    page.see("[name='whatsapp_problem_body']", "ejemplo")


def _tried_template(page: Page, scene: Scene) -> None:
    _templates(page, scene)
    page.click(".o_data_row td[name='name']", "Saludo Inicial")
    page.click(".o_notebook a[name='whatsapp_preview']")
    page.see(".o_whatsapp_bubble")


def _rejected_template(page: Page, scene: Scene) -> None:
    _templates(page, scene)
    page.click(".o_data_row td[name='name']", "Encuesta")
    page.see("[name='whatsapp_state_words']", "La forma es incorrecta")


# an open chat window stays open: those with one come last
SHOTS = (
    Shot("bandeja", OWNER, _inbox),
    Shot("chat", OWNER, _chat),
    Shot("telefono", OWNER, _inbox, PHONE),
    Shot("pasarela", ADMIN, _gateway),
    Shot("reglas", ADMIN, _rules),
    Shot("comerciales", MANAGER, _action("agent", ROW, SELLER)),
    Shot("salientes", MANAGER, _action("message_queue", ROW)),
    Shot("atencion", MANAGER, _action("attention", ".o_kanban_record")),
    Shot("lead", MANAGER, _lead),
    Shot("plantillas", ADMIN, _ready_templates),
    Shot("documento", MANAGER, _document),
    Shot("ventana", MANAGER, _window),
    Shot("plantilla", MANAGER, _template),
)
# looked at, but no picture of the guides
MORE = (
    Shot("informe", MANAGER, _action("report", ".o_whatsapp_report .o_pivot"), LAPTOP),
    Shot("plantilla en el teléfono", OWNER, _template_on_phone, PHONE),
    Shot("plantilla con documento", MANAGER, _template_with_document),
    Shot("plantilla con imagen", MANAGER, _template_with_picture),
    Shot("plantilla con lugar", MANAGER, _template_with_place),
    Shot("lista", OWNER, _list, LAPTOP),
    Shot("respuestas", MANAGER, _action("answer", ROW, SELLER)),
    Shot("asignaciones", MANAGER, _action("assignment", ROW, SELLER)),
    Shot("lista de plantillas", ADMIN, _templates, LAPTOP),
    Shot("plantillas enviadas", ADMIN, _submitted_templates, LAPTOP),
    Shot("plantilla nueva", ADMIN, _new_template, LAPTOP),
    Shot("plantilla probada", ADMIN, _tried_template, LAPTOP),
    Shot("plantilla rechazada", ADMIN, _rejected_template, LAPTOP),
)


# ------------------------------------------------------------- taking them


def run(series: str, odoo: Path | None = None) -> list[Path]:
    """Take all pictures; returns their files."""
    with opened("screenshots", series, odoo) as (page, found):
        return [file for shot in SHOTS for file in _take(page, found, shot)]


@contextlib.contextmanager
def opened(
    whose: str, series: str, odoo: Path | None = None
) -> Iterator[tuple[Page, Scene]]:
    """The scene and a browser; the scene is gone afterwards.

    :param whose: what its database and its programs are called
    """
    env = environment.provide(series, odoo)
    name = f"{whose}-{env.series}-{paths.checkout()}"
    scene.make(env, name)
    whose = f"{whose}-{paths.checkout()}"
    try:
        with (
            stage.simulator(env, None, [], whose=whose) as simulator,
            start(
                *(env, name, "--no-database-list"),
                port=free_port(),
                recorded_as=f"{whose}-odoo",
            ) as server,
        ):
            found = _set_the_scene(server, simulator)
            with open_page() as page:
                yield page, found
    finally:
        database.drop(env, name)


class _QuickStory(Story):
    """The story without the minute before a second attempt: no picture shows it."""

    def __init__(self, server: Server, *values):
        super().__init__(server.environment, *values)
        self._server = server

    def _await_retry(self, who: people.Customer) -> None:
        cluster = self._server.environment.cluster
        with cluster.connect(self._server.database) as connection:
            connection.execute(
                "UPDATE whatsapp_message_queue"
                "   SET next_attempt_at = clock_timestamp() AT TIME ZONE 'UTC'"
                " WHERE state = 'queued'"
            )
        super()._await_retry(who)


def _set_the_scene(server: Server, simulator: Simulator) -> Scene:
    passwords = {who.login: who.password for who in people.COLLEAGUES}
    passwords |= dict([people.ADMIN])

    def log_in(login: str) -> Session:
        return Session(server.url, server.database, login, passwords[login])

    admin = log_in(people.ADMIN[0])
    admin.call("res.users", "write", [admin.uid], {"lang": people.LANGUAGE})
    connected = gateway.connect(admin, simulator, server.url)
    story = _QuickStory(server, admin, simulator, connected, log_in)
    story.play()
    story.fail_to_reach(people.TOMAS, "¡Hola, Tomás! ¿Qué día le conviene?")
    admin.call("mail.gateway", "button_import_whatsapp_template", [connected.id])
    _fill_template(admin)
    manager = log_in(people.MANAGER.login)
    new_lead = manager.create(
        "crm.lead",
        name="Recámara completa",
        type="opportunity",
        user_id=manager.uid,
        **NEWCOMER,
    )
    return Scene(
        url=server.url,
        owner=_owner_of(admin, people.LUCIA.name),
        gateway_id=connected.id,
        ad_lead_id=_lead_of(admin, people.CAMILA.name)["id"],
        new_lead_id=new_lead,
    )


def _fill_template(admin: Session) -> None:
    """Have one greeting, in Spanish, and say which values of a lead stand in it."""
    templates = "mail.whatsapp.template"
    greetings = admin.read(
        templates, [("template_name", "=", TEMPLATE)], "language", "variable_ids"
    )
    foreign = [each["id"] for each in greetings if each["language"] != "es"]
    admin.call(templates, "unlink", foreign)
    (greeting,) = [each for each in greetings if each["language"] == "es"]
    model = admin.read("ir.model", [("model", "=", "crm.lead")], "id")[0]
    variables = admin.read(
        f"{templates}.variable", [("id", "in", greeting["variable_ids"])], "name"
    )
    filled = [
        (1, each["id"], {"field_name": VALUES[each["name"]]}) for each in variables
    ]
    values = {"model_id": model["id"], "variable_ids": filled}
    admin.call(templates, "write", [greeting["id"]], values)


def _lead_of(admin: Session, name: str) -> dict:
    found = admin.read("crm.lead", [("contact_name", "=", name)], "user_id")
    if not found:
        raise Failure(f"there is no lead of {name}")
    return found[-1]


def _owner_of(admin: Session, name: str) -> str:
    user = _lead_of(admin, name)["user_id"][0]
    return admin.read("res.users", [("id", "=", user)], "login")[0]["login"]


def _take(page: Page, scene: Scene, shot: Shot) -> list[Path]:
    with step(f"{shot.name}.png"):
        show(page, scene, shot)
        file = GUIDES / f"{shot.name}.png"
        page.picture(file)
        shrink(file)
    shared = SHARED.get(shot.name)
    if not shared:
        return [file]
    return [file, Path(shutil.copy(file, APP_LIST / f"{shared}.png"))]


def shrink(file: Path) -> None:
    """Give a picture that is too large fewer colours; others stay as they are.

    Screens have few of them: what is lost is hardly seen.
    """
    if file.stat().st_size <= LARGEST:
        return
    with Image.open(file) as opened:
        whole = opened.convert("RGB")
    for colours in COLOURS:
        few = whole.quantize(colours, dither=Image.Dither.NONE)
        few.save(file, optimize=True)
        if file.stat().st_size <= LARGEST:
            return
    raise Failure(f"{file.name} is larger than {LARGEST // 1024} kB in any colours")


def show(page: Page, scene: Scene, shot: Shot) -> None:
    """Go where a picture is taken, and wait until all of it is there."""
    page.fresh(*shot.size)
    login = shot.who or scene.owner
    password = dict([people.ADMIN]).get(login, login)
    page.log_in(scene.url, login, password)
    shot.way(page, scene)
    _settle(page)


def _settle(page: Page) -> None:
    """Wait until pictures and fonts are there and nothing is being loaded."""
    page.wait(
        "document.fonts.status === 'loaded'"
        " && [...document.images].every(image => image.complete)"
        " && !document.querySelector('.o_loading_indicator, .o_blockUI')"
    )
    page.ask("new Promise(done => setTimeout(done, 700))")
    page.ask(
        "document.querySelectorAll('.o_notification_close').forEach(x => x.click())"
    )
    page.wait("!document.querySelector('.o_notification')")


def report(files: list[Path]) -> None:
    """Say what was written."""
    for file in files:
        say(f"{file.relative_to(paths.REPO)}: {file.stat().st_size // 1024} kB")
