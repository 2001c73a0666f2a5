# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reading the guides: what they link to, what they call by name, their words.

How the guides are written, so that they can be checked:

- a menu: **CRM ▸ WhatsApp ▸ Bandeja de WhatsApp**
- a button, a tab, a state, anything to click: **Enviar de nuevo**
- a field, a filter, a column: *Avisar a*
- code, paths, parameters: `code`
- a lead-in ends with a full stop or a colon: **Anuncios.**
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ARROW = "▸"


@dataclass(frozen=True)
class Named:
    """Something that a guide calls by its name on the screen."""

    guide: str
    line: int
    text: str

    @property
    def path(self) -> list[str]:
        """The steps of a menu.

        >>> Named("", 1, "CRM ▸ WhatsApp").path
        ['CRM', 'WhatsApp']
        """
        return [part.strip() for part in self.text.split(ARROW)]


class Guide:
    """One Markdown file."""

    def __init__(self, path: Path):
        self.path = path
        self.name = path.name
        self.tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text())

    def _inline(self):
        line = 0
        for token in self.tokens:
            line = token.map[0] + 1 if token.map else line
            if token.type == "inline":
                yield line, token.children

    def _within(self, kind: str):
        """The text between `kind`_open and `kind`_close, and its line."""
        for line, children in self._inline():
            text, depth = "", 0
            for child in children:
                if child.type == f"{kind}_open":
                    text, depth = "", depth + 1
                elif child.type == f"{kind}_close":
                    depth -= 1
                    yield Named(self.name, line, text)
                elif depth:
                    text += " " if child.type == "softbreak" else child.content

    @property
    def bold(self) -> list[Named]:
        return list(self._within("strong"))

    @property
    def menus(self) -> list[Named]:
        return [named for named in self.bold if ARROW in named.text]

    @property
    def clicked(self) -> list[Named]:
        return [
            named
            for named in self.bold
            if ARROW not in named.text and named.text[-1] not in ".:?"
        ]

    @property
    def fields(self) -> list[Named]:
        return list(self._within("em"))

    @property
    def links(self) -> list[Named]:
        """Addresses of links and pictures."""
        found = []
        for line, children in self._inline():
            for child in children:
                address = child.attrGet("href") or child.attrGet("src")
                if address:
                    found.append(Named(self.name, line, str(address)))
        return found

    @property
    def anchors(self) -> set[str]:
        """The addresses of the headings, as forges make them."""
        found: set[str] = set()
        for number, token in enumerate(self.tokens):
            if token.type == "heading_open":
                found.add(slug(_plain(self.tokens[number + 1])))
        return found

    @property
    def words(self) -> list[Named]:
        """The words of the prose; no code, no addresses, nothing in italics.

        What is in italics or leads through menus is checked against the screens.
        """
        found = []
        for line, children in self._inline():
            depth = 0
            for child in children:
                if child.type in ("em_open", "em_close"):
                    depth += 1 if child.type == "em_open" else -1
                elif child.type == "text" and not depth:
                    found += [
                        Named(self.name, line, word) for word in words(child.content)
                    ]
        return found


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or [])


def words(text: str) -> list[str]:
    """The words of a text, without numbers, names of files and the like.

    >>> words("El archivo sale.xml dice: «Hola, ¿qué tal?» 24 h")
    ['El', 'archivo', 'dice', 'Hola', 'qué', 'tal', 'h']
    """
    text = re.sub(r"\S*[\w-][._/@:=+][\w-]\S*|\S*\d\S*", " ", text)
    return re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text)


def slug(heading: str) -> str:
    """The anchor of a heading.

    >>> slug("4. ¿Qué pasó con «X»?")
    '4-qué-pasó-con-x'
    """
    kept = [
        letter
        for letter in heading.strip().lower()
        if letter in " -_" or unicodedata.category(letter)[0] in "LNM"
    ]
    return "".join(kept).replace(" ", "-")
