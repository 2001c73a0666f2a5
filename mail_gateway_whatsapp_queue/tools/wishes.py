# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a customer wants with one word: no more marketing, or again."""

import re
import unicodedata

from .limits import limit

STOP, RESUME = "stop", "resume"


def wish(text, stop_words, start_words):
    """STOP, RESUME, or None: a message that says nothing but one of the words.

    :param str text: the message
    :param str stop_words: words separated by commas; so are start_words

    >>> wish("¡Baja!", "BAJA, STOP", "ALTA"), wish(" álta ", "BAJA", "ALTA, START")
    ('stop', 'resume')
    >>> wish("_BAJA_", "BAJA", ""), wish("*b\u00e1ja*...", "BAJA", "")
    ('stop', 'stop')
    >>> print(wish("Baja el precio", "BAJA, STOP", "ALTA"), wish("", "", ""))
    None None
    """
    if len(text or "") > limit("wish"):
        return None
    said = _plain(text)
    for words, meaning in ((stop_words, STOP), (start_words, RESUME)):
        if said and said in {_plain(word) for word in (words or "").split(",")}:
            return meaning
    return None


def _plain(text):
    """The words alone: no case, no accents, no punctuation."""
    letters = unicodedata.normalize("NFKD", text or "").casefold()
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", letters))
