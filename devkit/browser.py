# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A headless Chromium that looks at Odoo as a person does."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Locator, sync_playwright

from devkit.checks import browser as program
from devkit.console import Failure

PATIENCE = 120  # seconds for one step; a busy machine builds the web client anew


class Page:
    """One window; `fresh` opens it."""

    def __init__(self, browser: Browser):
        self._browser = browser
        self._context: BrowserContext | None = None

    def another(self) -> "Page":
        """A second window of the same browser, for somebody else."""
        return Page(self._browser)

    def fresh(self, width: int, height: int) -> None:
        """A new window, or a phone when it is narrow; nobody is logged in."""
        if self._context:
            self._context.close()
        self._context = context = self._browser.new_context(
            viewport={"width": width, "height": height},
            is_mobile=width < 500,
            has_touch=width < 500,
            locale="es",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE * 1000)
        self._page = context.new_page()

    def go(self, url: str) -> None:
        """Open an address and wait until it is there."""
        self._page.goto(url)

    def log_in(self, url: str, login: str, password: str) -> None:
        """Be this person, as at Odoo's login page."""
        self.go(f"{url}/web/login")
        self.see("input[name='password']")
        self.ask(
            f"document.querySelector(\"input[name='login']\").value = {login!r};"
            f"document.querySelector(\"input[name='password']\").value = {password!r};"
            'document.querySelector("form.oe_login_form").submit()'
        )
        self.see(".o_main_navbar")

    def ask(self, expression: str):
        """The value of a JavaScript expression."""
        return self._page.evaluate(expression)

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        self._page.wait_for_function(expression)

    def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element that fits, and has this text if any."""
        self._find(selector, text).evaluate("element => element.click()")

    def write(self, selector: str, text: str) -> None:
        """Write a text into a field, and press Enter."""
        self.fill(selector, text)
        self._find(selector, "").press("Enter")

    def fill(self, selector: str, text: str) -> None:
        """Write a text into a field, and wait until that is drawn."""
        self._find(selector, "").fill(text)
        self.drawn()

    def drawn(self) -> None:
        """Wait until what has changed is drawn, as nobody is quicker than that."""
        self.ask("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def press(self, keys: str) -> None:
        """Press keys where the focus is: 'Control+Enter'."""
        self._page.keyboard.press(keys)

    def attach(self, selector: str, file: Path) -> None:
        """Choose a file for a field that takes files, visible or not."""
        self._page.locator(selector).first.set_input_files(file)

    def see(self, selector: str, text: str = "") -> None:
        """Wait for an element."""
        self._find(selector, text).wait_for()

    def _find(self, selector: str, text: str) -> Locator:
        found = self._page.locator(selector).filter(has_text=text, visible=True)
        return found.first

    def picture(self, file: Path) -> None:
        """Write what is seen as PNG."""
        self._page.screenshot(path=file, animations="disabled", caret="hide")


@contextlib.contextmanager
def open_page() -> Iterator[Page]:
    """A browser, for as long as the block lasts; what it cannot do is a Failure."""
    problem = program.provide()
    if problem:
        raise Failure(problem)
    try:
        with sync_playwright() as playwright:
            yield Page(
                playwright.chromium.launch(
                    executable_path=program.find(),
                    args=["--force-color-profile=srgb", "--lang=es"],
                )
            )
    except Error as error:
        raise Failure(f"the browser: {error.message.splitlines()[0]}") from error
