# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""From the HTML that somebody wrote in Odoo to the text that a customer reads.

Nothing is added, dropped or joined: lines, blank lines and addresses stay as typed.
WhatsApp's own marks (faq.whatsapp.com/539178204879377, read 2026-11-29) stand for bold,
italic, strikethrough, monospace, quotes and lists.
"""

import re
from html import unescape

MARKS = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6"), "*"),
    **dict.fromkeys(("i", "em"), "_"),
    **dict.fromkeys(("s", "del", "strike"), "~"),
    **dict.fromkeys(("code", "tt"), "```"),
}
BLOCKS = {
    *("address", "article", "aside", "blockquote", "div", "dd", "dl", "dt", "footer"),
    *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav"),
    *("ol", "p", "pre", "section", "table", "tr", "ul"),
}
UNSEEN = {"head", "script", "style", "template", "title"}
VOID = {"br", "hr", "img", "input", "wbr"}
LIST_INDENT = "  "
# What editors leave behind, and nobody sees
INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\xad"))
SPACES = re.compile(r"[ \t\r\n\f]+")
ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)
SENDABLE_LINK = re.compile(r"(https?|mailto|tel|ftp):", re.IGNORECASE)
DEEPEST = 50  # elements in each other; what is deeper is text alone
# A tag, whole; what looks like the beginning of one is text. The parser of the standard
# library takes quadratic time for such text.
TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)"
    r"(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>"
)
ATTRIBUTE = re.compile(
    r"(?P<name>[^\s\"'>/=]+)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<bare>[^\s\"'>]+)))?"
)
DECLARATION = re.compile(r"<[!?][^>]*>?")
NUMBER = re.compile(r"-?[0-9]{1,6}")


def has_link(text):
    """Whether WhatsApp finds an address in a text, and so can show a preview of it.

    >>> has_link("See https://example.com/a?b=1&c=2"), has_link("Hello")
    (True, False)
    """
    return bool(ADDRESS.search(text))


def from_html(html, marks=True):
    """The text of a piece of HTML, as it is sent.

    :param str html: what a person wrote, or a plain text that Odoo escaped
    :param bool marks: whether bold, italic and the like get WhatsApp's marks

    >>> from_html('<p>Here: <a href="https://ex.mx/?a=1&amp;b=2">https://ex.mx/?a=1&amp;b=2'
    ...           '</a> bye</p>')
    'Here: https://ex.mx/?a=1&b=2 bye'
    >>> from_html("<p><b>Hello</b>,<br><br>two <i>lines</i></p>")
    '*Hello*,\\n\\ntwo _lines_'
    >>> from_html("<ul><li>one</li><li>two</li></ul>")
    '- one\\n- two'
    """
    return _Writer(marks).convert(DECLARATION.sub("", _without_comments(html or "")))


def _without_comments(html):
    """HTML without its comments.

    >>> _without_comments("a<!-- > -->b<!-- c")
    'ab<!-- c'
    """
    kept, position = [], 0
    while (start := html.find("<!--", position)) >= 0:
        end = html.find("-->", start)
        if end < 0:
            break
        kept.append(html[position:start])
        position = end + len("-->")
    return "".join(kept) + html[position:]


def _same_address(shown, address):
    """Whether a link shows its own address, whichever way it is written.

    >>> _same_address("www.example.com", "http://www.example.com/")
    True
    """

    def bare(text):
        text = re.sub(r"^(https?://|mailto:|tel:)", "", text.strip(), flags=re.I)
        return text.rstrip("/").lower()

    return bare(shown) == bare(address)


def _attributes(text):
    """The attributes of a tag.

    >>> _attributes(' href="/a?b=1&amp;c" start=3 hidden')
    {'href': '/a?b=1&c', 'start': '3', 'hidden': ''}
    """
    return {
        found["name"].lower(): unescape(
            found["double"] or found["single"] or found["bare"] or ""
        )
        for found in ATTRIBUTE.finditer(text)
    }


class _Writer:
    """Collects lines: each a list of texts, behind the prefix of lists and quotes."""

    def __init__(self, marks):
        self._marks = marks
        self._lines = []  # finished
        self._line = []  # texts of the line that is written
        self._open = []  # (tag, what belongs to it) of the elements around
        self._started = False  # whether the line has begun, be it empty
        self._plain = False  # whether line breaks of the source count
        self._unseen = 0  # elements around that nobody sees
        self._too_deep = 0

    # ------------------------------------------------------------- elements

    def convert(self, html):
        """Take a piece of HTML, whole; return its text."""
        tags = list(TAG.finditer(html))
        # A plain text that Odoo escaped has one element around it at most: its line
        # breaks are those that the author typed.
        names = {tag["name"].lower() for tag in tags}
        self._plain = len(tags) <= 2 and names <= {"p", "span", "div"}
        position = 0
        for tag in tags:
            self._take_text(html[position : tag.start()])
            self._take_tag(tag)
            position = tag.end()
        self._take_text(html[position:])
        while self._open:
            self._leave()
        self._end_line()
        lines = [(prefix + _joined(parts)).rstrip() for prefix, parts in self._lines]
        return "\n".join(lines).strip("\n").strip(" ")

    def _take_tag(self, tag):
        name, closes = tag["name"].lower(), tag["attributes"].endswith("/")
        if tag["end"]:
            self._end(name)
            return
        self._begin(name, _attributes(tag["attributes"]))
        if closes and name not in VOID:
            self._end(name)

    def _begin(self, tag, attrs):
        if tag in UNSEEN:
            self._unseen += 1
            return
        if self._unseen:
            return
        if tag == "br":
            self._break()
        elif tag == "hr":
            self._end_line()
            self._write("---")
            self._end_line()
        elif tag == "img":
            self._write(attrs.get("alt") or "")
        if tag in VOID:
            return
        if len(self._open) >= DEEPEST:
            self._too_deep += 1
            return
        if tag in BLOCKS:
            self._end_line()
        if tag in ("td", "th") and self._visible():
            self._write(" | ")
        own = None
        if tag in ("ol", "ul"):
            start = attrs.get("start") or ""
            own = int(start) - 1 if NUMBER.fullmatch(start) else 0
        elif tag == "li":
            own = self._bullet()
        elif tag == "a":
            own = (self._linked(attrs), len(self._line), len(self._lines))
        elif tag in MARKS and self._marks:
            own = self._mark(tag)
        elif tag == "pre" and self._marks:
            self._write("```")
        self._open.append([tag, own])

    def _end(self, tag):
        if tag in UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
            return
        if self._too_deep and tag not in VOID:
            self._too_deep -= 1
            return
        if self._unseen or tag not in (opened for opened, _own in self._open):
            return
        while self._leave() != tag:
            pass

    def _leave(self):
        """Close the innermost element; return what it was."""
        tag, own = self._open[-1]
        if tag == "a" and own[0]:
            self._end_link(*own)
        elif tag in MARKS and own:
            self._line.append((own, False))
        elif tag == "pre" and self._marks:
            self._write("```")
        if tag in BLOCKS:
            self._end_line()
        self._open.pop()
        return tag

    # ------------------------------------------------------------- text

    def _take_text(self, data):
        if self._unseen:
            return
        data = unescape(data).translate(INVISIBLE)
        if self._plain or any(tag == "pre" for tag, _own in self._open):
            first, *others = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._write(first)
            for line in others:
                self._break()
                self._write(line)
            return
        data = SPACES.sub(" ", data)
        if not self._visible() or self._ends_with_space():
            data = data.lstrip(" ")
        self._write(data)

    def _write(self, text):
        if text:
            self._started = True
            self._line.append(text.replace("\xa0", " "))

    def _visible(self):
        return any(isinstance(part, str) for part in self._line)

    def _ends_with_space(self):
        texts = [part for part in self._line[-3:] if isinstance(part, str)]
        return bool(texts) and texts[-1].endswith(" ")

    # ------------------------------------------------------------- lines

    def _break(self):
        """Begin a line where somebody pressed Enter."""
        self._started = True
        self._end_line()
        self._started = False

    def _end_line(self):
        """Finish the line, unless nothing of it has been written."""
        if self._started:
            self._lines.append((self._prefix(), self._line))
        self._line = self._reopened()
        self._started = False

    def _reopened(self):
        """The marks that go on in the next line: WhatsApp's end with each line."""
        return [
            (own, True) for tag, own in self._open if tag in MARKS and own is not None
        ]

    def _prefix(self):
        """What stands before a line in lists and quotes."""
        prefix, depth = "", 0
        for element in self._open:
            tag, own = element
            if tag == "blockquote":
                prefix += "> " if self._marks else ""
            elif tag == "li":
                prefix += LIST_INDENT * min(depth, 1)
                depth += 1
                if own is not None:
                    prefix += own
                    element[1] = None  # its further lines have none
        return prefix

    def _bullet(self):
        for element in reversed(self._open):
            if element[0] == "ol":
                element[1] += 1
                return f"{element[1]}. "
            if element[0] == "ul":
                break
        return "- "

    # ------------------------------------------------------------- marks and links

    def _mark(self, tag):
        """Begin a mark, unless it stands around already."""
        mark = MARKS[tag]
        if any(opened in MARKS and own == mark for opened, own in self._open):
            return None
        self._line.append((mark, True))
        return mark

    def _linked(self, attrs):
        """The address that a link leads to; '' where the customer has no use of it.

        A mention leads into Odoo.
        """
        address = (attrs.get("href") or "").strip()
        if attrs.get("data-oe-model") or not SENDABLE_LINK.match(address):
            return ""
        return address

    def _end_link(self, address, start, line):
        texts = self._line[start:] if line == len(self._lines) else self._line
        shown = "".join(part for part in texts if isinstance(part, str))
        bare = re.sub(r"^(mailto|tel):", "", address, flags=re.IGNORECASE)
        if _same_address(shown, address):
            return
        if not shown.strip():
            self._write(bare)
        else:
            self._write(f" {bare}" if shown.rstrip().endswith(":") else f": {bare}")


def _joined(parts):
    """One line, with its marks around words: `*a *` would be no bold to WhatsApp.

    Nor is a mark in the middle of a word, where the customer would read it.

    >>> _joined([("*", True), " a ", ("*", False), "b"])
    ' *a* b'
    >>> _joined([("*", True), " ", ("*", False), ("_", True), "c", ("_", False), "d"])
    ' cd'
    >>> _joined([("*", True), "a", ("*", False), ("*", True), "b", ("*", False)])
    '*ab*'
    """
    texts, length, spans, opened = [], 0, {}, []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
            length += len(part)
            continue
        mark, begins = part
        if begins:
            # of one that ended just here, it is the rest
            opened.append((mark, spans.pop((mark, length), length)))
        elif opened:
            mark, start = opened.pop()
            spans[mark, length] = start
    for mark, start in reversed(opened):
        spans[mark, length] = start
    return _with_marks("".join(texts), spans)


def _with_marks(text, spans):
    """Put marks around parts of a text, where WhatsApp takes them for marks.

    :param dict spans: (mark, end) -> start; inner ones first
    """
    before, after = {}, {}  # position -> marks
    for (mark, end), start in spans.items():
        word = text[start:end].strip(" ")
        if not word:
            continue
        start = text.index(word, start)
        end = start + len(word)
        if text[start - 1 : start].isalnum() or text[end : end + 1].isalnum():
            continue
        before[start] = mark + before.get(start, "")
        after[end] = after.get(end, "") + mark
    shown = [
        after.get(place, "") + before.get(place, "") + text[place : place + 1]
        for place in range(len(text) + 1)
    ]
    return "".join(shown)
