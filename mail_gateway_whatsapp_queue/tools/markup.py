# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""WhatsApp's marks as HTML, in time that grows with the text and no faster.

OCA's `_whatsapp_to_html` gives the same for what people write, by expressions that
look at the rest of the text from each mark: 64 kB of marks stop a server for minutes.
"""

import re
from bisect import bisect_left
from html import escape

# Mark -> element, as WhatsApp's own clients show them
MARKS = {"*": "strong", "_": "em", "~": "s", "```": "code"}
WORD = re.compile(r"\w")
BREAK = re.compile(r"\r\n|\r|\n")
LINK = re.compile(r"(?:ftp|https?)://\S+")


def to_html(text):
    """Safe HTML of a text with WhatsApp's marks: what was HTML in it stays text.

    A line break is a break, several are a paragraph; web addresses are links. A mark
    has effect within a line, outside of links, at the edges of words.

    >>> to_html("*Hi* _you_\\n~no~ ```x = 1```")
    '<p><strong>Hi</strong> <em>you</em><br/><s>no</s> <code>x = 1</code></p>'
    >>> to_html("2*3*4 <b>\\n\\nhttps://a.mx/_x_")
    '<p>2*3*4 &lt;b&gt;</p><p><a href="https://a.mx/_x_" target="_blank" \
rel="noreferrer noopener">https://a.mx/_x_</a></p>'
    """
    paragraphs = ("<br/>".join(map(_line, lines)) for lines in _paragraphs(text))
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def _paragraphs(text):
    """The lines of each paragraph: two breaks, or more, begin the next one."""
    lines = BREAK.split(text)
    paragraph, last, blank = [lines[0]], len(lines) - 1, False
    for index, line in enumerate(lines[1:], start=1):
        if index < last and not line.strip():
            blank = True
            continue
        if blank:
            yield paragraph
            paragraph, blank = [line.lstrip()], False
        else:
            paragraph.append(line)
    yield paragraph


def _line(line):
    """The HTML of one line."""
    parts, end = [], 0
    for link in LINK.finditer(line):
        url = _escape(link[0])
        parts += [
            _marked(line[end : link.start()]),
            f'<a href="{url}" target="_blank" rel="noreferrer noopener">{url}</a>',
        ]
        end = link.end()
    return "".join([*parts, _marked(line[end:])])


def _marked(text):
    """The HTML of a text without breaks and links."""
    parts, end = [], 0
    for position, width, tag in _tags(text):
        parts += [_escape(text[end:position]), tag]
        end = position + width
    return "".join([*parts, _escape(text[end:])])


def _tags(text):
    """(position, width of the mark, tag) of all marks that have effect, in order.

    Of two pairs that cross, the one that begins later has none.
    """
    tags, within = [], []
    for start, end, mark in sorted(_pairs(text)):
        while within and within[-1] < start:
            within.pop()
        if not within or end < within[-1]:
            within.append(end)
            tags += [
                (start, len(mark), f"<{MARKS[mark]}>"),
                (end, len(mark), f"</{MARKS[mark]}>"),
            ]
    return sorted(tags)


def _pairs(text):
    """(position of the first, of the second, mark) of all marks that are a pair.

    One kind after the other, as in the base: an underscore that is a mark already is
    no part of a word any more.
    """
    done = set()
    for mark in MARKS:
        width = len(mark)
        found = [match.start() for match in re.finditer(re.escape(mark[0]), text)]
        found = [at for at in found if text.startswith(mark, at)]
        ends = [
            at
            for at in found
            if at
            and not text[at - 1].isspace()
            and not _is_word(text, at + width, done)
        ]
        free, pairs = 0, []
        for start in found:
            inner = start + width
            opens = inner < len(text) and not text[inner].isspace()
            if start < free or not opens or _is_word(text, start - 1, done):
                continue
            index = bisect_left(ends, inner + 1)
            if index == len(ends):
                break
            pairs.append((start, ends[index], mark))
            free = ends[index] + width
        yield from pairs
        done.update(at for start, end, _mark in pairs for at in (start, end))


def _is_word(text, at, done):
    """Whether there is a letter, digit or underscore at this place."""
    return 0 <= at < len(text) and at not in done and bool(WORD.match(text[at]))


def _escape(text):
    """Escaped as Odoo does it."""
    return (
        escape(text, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    )
