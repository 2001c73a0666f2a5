# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the customer reads is what the seller wrote."""

import pytest
from tools.plain_text import from_html, has_link

URL = "https://ejemplo.mx/cat?a=1&b=2"
LINK = '<a target="_blank" rel="noreferrer noopener" href="{0}">{1}</a>'
SHOWN = URL.replace("&", "&amp;")
ANA = (
    '<a href="https://odoo.example/odoo/res.partner/7" class="o_mail_redirect"'
    ' data-oe-id="7" data-oe-model="res.partner" target="_blank">@Ana Ruiz</a>'
)

TABLE = [
    # links: once, as typed
    (
        f"<p>Aqui esta: {LINK.format(SHOWN, SHOWN)} saludos</p>",
        f"Aqui esta: {URL} saludos",
    ),
    (
        f"{LINK.format(SHOWN, SHOWN)} y {LINK.format(SHOWN, SHOWN)}",
        f"{URL} y {URL}",
    ),
    (f"Vea {LINK.format(SHOWN, 'el catálogo')}.", f"Vea el catálogo: {URL}."),
    (LINK.format("http://www.ejemplo.mx", "www.ejemplo.mx"), "www.ejemplo.mx"),
    (LINK.format("https://ejemplo.mx/", "https://ejemplo.mx"), "https://ejemplo.mx"),
    (LINK.format("mailto:a@b.mx", "a@b.mx"), "a@b.mx"),
    (LINK.format("mailto:a@b.mx", "Escríbanos"), "Escríbanos: a@b.mx"),
    (LINK.format("tel:+5255", "Llame"), "Llame: +5255"),
    (f'<a href="{SHOWN}"><img src="/logo.png"></a>', URL),
    (f"<b>{LINK.format(SHOWN, SHOWN)}</b>", f"*{URL}*"),
    # mentions, and links into Odoo, lead nowhere for a customer
    (f"<p>{ANA}, ¿lo ve?</p>", "@Ana Ruiz, ¿lo ve?"),
    ('<a href="/web#id=3">el pedido</a>', "el pedido"),
    ('<a href="#">nada</a> <a>nada</a>', "nada nada"),
    ('<a href="javascript:x()">nada</a>', "nada"),
    # lines and blank lines
    ("Hola,<br><br>le mando", "Hola,\n\nle mando"),
    ("Hola,<br/>le mando<br />dos", "Hola,\nle mando\ndos"),
    ("<p>uno</p><p>dos</p>", "uno\ndos"),
    ("<p>uno</p><p><br></p><p>dos</p>", "uno\n\ndos"),
    ("<p>uno<br></p><p>dos</p>", "uno\ndos"),
    ("<div>uno<div>dos</div>tres</div>", "uno\ndos\ntres"),
    ("<p>uno</p>\n  <p>dos\n tres</p>\n", "uno\ndos tres"),
    ("<p><br></p><p>uno</p><p><br></p>", "uno"),
    # a plain text that Odoo escaped
    ("<p>uno\ndos  tres</p>", "uno\ndos  tres"),
    ("<span>uno\n\ndos</span>", "uno\n\ndos"),
    ("uno\r\ndos", "uno\ndos"),
    # lists
    ("<ul><li>uno</li><li>dos</li></ul>", "- uno\n- dos"),
    (
        "<p>Hay:</p><ul><li><p>uno</p></li><li><p>dos</p></li></ul><p>y más</p>",
        "Hay:\n- uno\n- dos\ny más",
    ),
    ("<ol><li>uno</li><li>dos</li></ol>", "1. uno\n2. dos"),
    ('<ol start="4"><li>uno</li><li>dos</li></ol>', "4. uno\n5. dos"),
    (
        "<ul><li>uno<ul><li>dos</li></ul></li><li>tres</li></ul>",
        "- uno\n  - dos\n- tres",
    ),
    ("<ul><li>uno<br>más</li></ul>", "- uno\nmás"),
    # spaces
    ("uno&nbsp;&nbsp; dos", "uno   dos"),
    ("<p>uno   <b>dos</b>   tres</p>", "uno *dos* tres"),
    # marks
    (
        "<b>uno</b> <strong>dos</strong> <i>tres</i> <em>4</em>"
        " <s>5</s> <code>6</code>",
        "*uno* *dos* _tres_ _4_ ~5~ ```6```",
    ),
    ("<b><i>uno</i></b>", "*_uno_*"),
    ("<strong> uno </strong>dos", "*uno* dos"),
    ("<b>uno<br>dos</b>", "*uno*\n*dos*"),
    ("<b>uno</b><b> dos</b>", "*uno dos*"),
    ("<b>u</b>no", "uno"),
    ("<b> </b>uno<b></b>", "uno"),
    ("*uno* _dos_ 2*3*4", "*uno* _dos_ 2*3*4"),
    ("<h2>Título</h2><p>uno</p>", "*Título*\nuno"),
    ("<h3><b>Título</b></h3>", "*Título*"),
    ("<blockquote>uno<br>dos</blockquote><p>tres</p>", "> uno\n> dos\ntres"),
    ("<pre>a\n  b</pre>", "```a\n  b```"),
    # characters
    ("5 &lt; 6 &amp;&amp; 7 &gt; 2 &quot;x&quot; &#39;", '5 < 6 && 7 > 2 "x" \''),
    ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
    ("¡Listo! 👍🏽👨‍👩‍👧 ñ é", "¡Listo! 👍🏽👨‍👩‍👧 ñ é"),
    ("uno\ufeff\u200bdos", "unodos"),
    ("a < b > c", "a < b > c"),
    # what else people paste
    (
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        "a | b\nc | d",
    ),
    ("uno<hr>dos", "uno\n---\ndos"),
    ('<img alt="👍" src="x">', "👍"),
    ("<style>p {}</style><script>x()</script><!-- no > -->uno", "uno"),
    ("<p style=\"a: 'b>c'\" title='x\"y'>uno</p>", "uno"),
    ("</b>uno</p></ul>", "uno"),
    ("<p>uno <b>dos", "uno *dos*"),
    ("", ""),
    (None, ""),
]


@pytest.mark.parametrize(("html", "text"), TABLE)
def test_the_text_is_what_was_written(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<b>Hola</b>, <i>Ana</i>", "Hola, Ana"),
        ("<blockquote>uno</blockquote>", "uno"),
        (f"<p>Aqui esta: {LINK.format(SHOWN, SHOWN)}</p>", f"Aqui esta: {URL}"),
    ],
)
def test_without_marks_for_those_who_read_it_in_odoo(html, text):
    assert from_html(html, marks=False) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.mx", True),
        ("Vea HTTP://a.mx ya", True),
        ("www.a.mx", True),
        ("a@b.mx", False),
        ("", False),
    ],
)
def test_a_text_with_a_link_gets_a_preview(text, found):
    assert has_link(text) is found


def test_elements_in_each_other_without_end_are_read_as_text():
    assert from_html("<ul><li>" * 1000 + "uno").endswith("uno")
