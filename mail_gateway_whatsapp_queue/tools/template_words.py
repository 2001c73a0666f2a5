# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a person reads of a template, and what fills its variables most likely."""

import re
import unicodedata

from .template import VARIABLE

# Kinds of values, as `guess` names them
FIRST_NAME, FULL_NAME, COMPANY = "first_name", "full_name", "company"
PHONE, EMAIL, CITY = "phone", "email", "city"
SELLER, OUR_COMPANY = "seller", "our_company"

# Kind -> names that variables have for it, without accents and without FILLERS
NAMES = {
    FIRST_NAME: "nombre name first_name firstname primer_nombre nombre_cliente cliente"
    " customer customer_name client client_name contacto contact contact_name"
    " nombre_contacto nome",
    FULL_NAME: "nombre_completo full_name fullname nombre_apellido nombre_apellidos",
    COMPANY: "empresa company company_name nombre_empresa compania razon_social",
    PHONE: "telefono phone phone_number celular movil mobile whatsapp",
    EMAIL: "correo email mail correo_electronico",
    CITY: "ciudad city",
    SELLER: "vendedor vendedora asesor asesora agente agent ejecutivo ejecutiva"
    " comercial salesperson seller sales_rep advisor representante nombre_vendedor"
    " nombre_asesor nombre_agente agent_name",
    OUR_COMPANY: "tienda nuestra_empresa our_company store shop marca",
}
KINDS = {name: kind for kind, names in NAMES.items() for name in names.split()}
FILLERS = {"de", "del", "la", "el", "y", "the", "of", "and"}

_GREETING = (
    r"(?:hola|ola|oi|hi|hello|hey|hallo|ciao|salut|bonjour|dear|buen dia|bom dia"
    r"|buen[oa]s(?: dias| tardes| noches)?|bo[am] (?:tarde|noite)"
    r"|good (?:morning|afternoon|evening)"
    r"|estimad[oa](?:/a|\(a\))?|querid[oa](?:/a|\(a\))?|apreciad[oa](?:/a|\(a\))?)"
)
_GREETED = re.compile(rf"\W*(?:{_GREETING}\W+)+\Z")
_THANKED = re.compile(r"\W*(?:muchas )?(?:gracias|thanks|thank you)\b.*,\s*\Z")
_INTRODUCED = (
    r"\b(?:soy|somos|(?:te|le|les|os) (?:escribe|saluda|habla|atiende)"
    r"|(?:escribe|saluda|habla)|my name is|this is|i am|i'm)\b"
)
_OURSELVES = re.compile(
    rf"(?:\bsomos|{_INTRODUCED}.{{0,40}}\b(?:de|desde|del|from|at|of)"
    r"|\b(?:contactar|contacting|equipo de|team at)(?: (?:a|con|with))?)\s*\Z"
)
_MYSELF = re.compile(rf"{_INTRODUCED}\s*\Z")
_WORD = re.compile(r"[^\W\d_]+")
_ACCENT = re.compile(r"([cs])ion\Z")
_SENTENCE = re.compile(r"[.!?\n]")
_LONGEST = 4096  # letters; more than a template has, and accents in a row are slow
_NEAR = 80  # letters before a variable that say what it is
_AFTER_NAME = tuple(",.:;!")
_SHORT_TITLE = 5  # letters of "Lic.", "Dra."


# How a button begins that agrees, see `agrees`
_YES = re.compile(
    r"\W*(?:si|yes|sim|ok|vale|claro|acept|accept|aceit|confirm|acuerdo|de acuerdo"
    r"|agree|adelante|apruebo|aprobar|aprobad|approve|asistir|voy|alli estare)"
)
_NO = re.compile(r"\b(?:no|not|nao|cancel\w*|cambi\w*|chang\w*|otr[oa]\w*)\b")


def folded(text):
    """A text as it is searched: without accents and capitals.

    >>> folded("Cotización")
    'cotizacion'
    """
    letters = unicodedata.normalize("NFKD", (text or "")[:_LONGEST]).casefold()
    return "".join(x for x in letters if not unicodedata.combining(x))


def closest(language, installed):
    """The code of the language that comes nearest to a template's, or None.

    :param language: Meta's code of the template's language
    :param installed: codes of Odoo's languages

    >>> closest("es_AR", ["en_US", "es_ES", "es_MX"]), closest("en", ["en_US"])
    ('es_ES', 'en_US')
    >>> closest("es_MX", ["es_ES", "es_MX"]), closest("fr", ["es_MX"])
    ('es_MX', None)
    """
    if language in installed:
        return language
    plain = language.split("_")[0]
    same = [code for code in installed if code.split("_")[0] == plain]
    return same[0] if same else None


def readable(name, language="", text=""):
    """Meta's technical name as a person would write it.

    :param language: code of the template's language
    :param text: of the template, whose spelling of a word is taken over

    >>> readable("seguimiento_cotizacion", "es_MX"), readable("order_version", "en")
    ('Seguimiento cotización', 'Order version')
    >>> readable("codigo_de_acceso", "es", "Tu *código* es {{1}}.")
    'Código de acceso'
    """
    spelled = {folded(word): word.lower() for word in _WORD.findall(text or "")}
    words = [
        spelled.get(word) or _accented(word, language)
        for word in (name or "").lower().replace("_", " ").split()
    ]
    shown = " ".join(words)
    return shown[:1].upper() + shown[1:]


def _accented(word, language):
    return _ACCENT.sub(r"\1ión", word) if language.startswith("es") else word


def first_name(name):
    """How one greets somebody, or '' if the text is no name.

    >>> first_name("🌸 Lic. ANA María Pérez"), first_name("+52 55 1234"), first_name("")
    ('Ana', '', '')
    """
    for word in (name or "").split():
        start, end = 0, len(word)
        while start < end and not word[start].isalpha():
            start += 1
        while start < end and not word[end - 1].isalpha():
            end -= 1
        found = word[start:end]
        is_title = word.endswith(".") and len(word) <= _SHORT_TITLE
        if found and not is_title:
            return found.title() if found.isupper() or found.islower() else found
    return ""


def guess(text, name):
    """What a variable most likely stands for, by its name and the words around it.

    :param text: of the template's header or body
    :param name: of the variable, or its number
    :return: one of the kinds above, or None if nothing tells

    >>> text = "Hola {{1}}, soy {{2}} de {{3}}. Tu pedido {{4}} va a {{ciudad}}."
    >>> [guess(text, name) for name in ("1", "2", "3", "4", "ciudad")]
    ['first_name', 'seller', 'our_company', None, 'city']
    >>> guess("{{1}}, gracias", "1"), guess("Gracias por venir, {{1}}!", "1")
    ('first_name', 'first_name')
    >>> guess("Somos {{empresa}}", "empresa"), guess("Para {{empresa}}", "empresa")
    ('our_company', 'company')
    >>> guess("Hola {{x}}, soy {{nombre}}", "x"), guess("Soy {{nombre}}", "nombre")
    ('first_name', 'seller')
    """
    for found in VARIABLE.finditer(text or ""):
        if found.group(1) == name:
            near = folded(text[max(0, found.start() - _NEAR) : found.start()])
            before = _SENTENCE.split(near)[-1]
            after = text[found.end() : found.end() + 1]
            return _guess(KINDS.get(_key(name)), before, after in _AFTER_NAME)
    return None


def _guess(named, before, pauses):
    """What a variable is by its name, and by the words before it.

    :param named: kind that its name tells, or None
    :param pauses: whether a comma or the like follows
    """
    if named in (COMPANY, None) and _OURSELVES.search(before):
        return OUR_COMPANY
    if named in (FIRST_NAME, FULL_NAME, None) and _MYSELF.search(before):
        return SELLER
    if named:
        return named
    begins = not before.strip(" ¡¿*_\"'")
    is_called = _GREETED.match(before) or pauses and (begins or _THANKED.match(before))
    return FIRST_NAME if is_called else None


def around(text, name, before=3, after=2):
    """The words around a variable, by which a person knows what to write.

    >>> around("Hola {{1}}, soy {{2}}. Gracias por tu interés.", "2")
    'Hola …, soy ____. Gracias por …'
    >>> around("Tu cita es el {{fecha}}", "fecha")
    '… cita es el ____'
    """
    for found in VARIABLE.finditer(text or ""):
        if found.group(1) == name:
            start = VARIABLE.sub("…", text[: found.start()]).split(" ")
            end = VARIABLE.sub("…", text[found.end() :]).split(" ")
            # what touches the variable is no word of its own
            head, tail = start[-before - 1 :], end[: after + 1]
            if len(start) > len(head) and not head[0].startswith("…"):
                head.insert(0, "…")
            if len(end) > len(tail) and not tail[-1].startswith("…"):
                tail.append("…")
            return " ".join(f"{' '.join(head)}____{' '.join(tail)}".split())
    return ""


def _key(name):
    words = folded(name).split("_")
    return "_".join(word for word in words if word not in FILLERS)


def agrees(text):
    """Whether the words of a button accept or confirm something.

    >>> [agrees(text) for text in ("✅ Acepto", "Sí, confirmo", "Accept", "Confirmar")]
    [True, True, True, True]
    >>> [agrees(text) for text in ("Tengo una duda", "Cambiar", "No acepto", "Since")]
    [False, False, False, False]
    """
    words = folded(text)
    found = _YES.match(words)
    if not found or _NO.search(words):
        return False
    # a word that only begins as a short one of these is another one
    rest = words[found.end() : found.end() + 1]
    return len(found.group().strip()) > 4 or not rest.isalpha()
