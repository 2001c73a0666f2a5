# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import json

import pytest
import whatsapp_payloads
from tools import limits
from tools.message import (
    AGENT,
    LONGEST_NAME,
    PHONE,
    PHRASES,
    Media,
    cards,
    media_of,
    render,
)


def subject(delivery):
    """The message or echo of a delivery."""
    value = delivery["entry"][0]["changes"][0]["value"]
    return (value.get("messages") or value.get("message_echoes"))[0]


TEXTS = {
    "text": "Hola, quiero *dos* presupuestos",
    "text_reply": "Sí, el segundo",
    "text_about_product": "🛍️ About the product: SKU-7\nAinda tem?",
    "image": "📷 Image",
    "image_caption": "El tejado de casa",
    "video": "O portão",
    "audio_voice": "🎤 Voice message",
    "audio_file": "🎵 Audio",
    "document": "📄 Document: Factura de la luz.pdf",
    "sticker": "🏷️ Sticker",
    "location": "📍 Location\nObelisco\nAv. 9 de Julio, Buenos Aires\n"
    "https://www.google.com/maps/search/?api=1&query=-34.603722,-58.381592",
    "location_bare": "📍 Location\n"
    "https://www.google.com/maps/search/?api=1&query=-34.603722,-58.381592",
    "contacts": "👤 Contact card: Marta Vidal\nGerente, Vidal Hnos.\n"
    "+34 600 11 12 22\nmarta@example.com",
    "contacts_requested": "👤 The customer shared these contact details on request\n"
    "👤 Contact card: David Soler\n+34 612 345 678",
    "button": "Llámenme",
    "interactive_button": "Sí, por favor",
    "interactive_list": "Martes 10:00\nVisita técnica",
    "interactive_form": "📝 Form answered\nNombre: Ana Ruiz\nCorreo: ana@example.com\n"
    "Servicios: Solar, Baterías",
    "interactive_address": "🏠 Address\nIn pin code: 30130\nCity: Belo Horizonte\n"
    "Address: Rua das Flores 12",
    "interactive_call_permission": "📞 The customer allows calls",
    "order": "🛒 Order\n2 × SKU-7 – 49.9 BRL\n1 × SKU-9 – 10 BRL\n"
    "Total: 109.80 BRL\nEntregar à tarde",
    "reaction": "Reacted with 👍",
    "reaction_removed": "Removed a reaction",
    "system_new_number": "ℹ️ The customer changed the phone number\n"
    "User Ana changed from 5215512345678 to 5215587654321",
    "system_new_user_id": "ℹ️ The customer's WhatsApp id changed\nUser id changed",
    "edit": "✏️ The customer edited a message. New text:\n"
    "Hola, quiero *tres* presupuestos",
    "revoke": "🗑️ The customer deleted a message",
    "unknown_type": "⚠️ The customer sent a message of a kind that is not known here"
    " (hologram). Please ask for it in another form, or look at it on the phone.",
    "echo_text": "Le llamo en cinco minutos",
    "echo_image": "La oferta",
}


@pytest.mark.parametrize("hidden", [False, True], ids=["phones", "hidden"])
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_people_read_every_type_in_words(payload, name, hidden):
    assert render(subject(payload(name, hidden))).text == TEXTS[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("media_failed", "larger than 100 MB"),
        ("interactive_without_content", "Unsupported webhook payload"),
        ("unsupported", "poll_creation"),
    ],
)
def test_what_did_not_arrive_says_why(payload, name, reason):
    text = render(subject(payload(name))).text
    assert text.startswith("⚠️") and reason in text


MINIMAL = [
    ({}, "⚠️ The customer sent something that WhatsApp does not pass on here (unknown)"),
    (
        {"type": "text"},
        "⚠️ The customer sent something that WhatsApp does not pass on here (text)",
    ),
    ({"type": "text", "text": {"body": " "}}, "(empty message)"),
    ({"text": {"body": "Hi"}}, "Hi"),
    ({"type": "button", "button": {"payload": "YES"}}, "YES"),
    ({"type": "button", "button": {"x": 1}}, "Button pressed"),
    ({"type": "location", "location": {"latitude": "x"}}, "📍 Location without"),
    (
        {"type": "location", "location": {"latitude": 0, "longitude": 0}},
        "📍 Location\n",
    ),
    ({"type": "contacts", "contacts": [{}]}, "👤 Contact card"),
    ({"type": "order", "order": {}}, "🛒 Order"),
    ({"type": "edit", "edit": {}}, "✏️ The customer edited a message"),
    ({"type": "system"}, "ℹ️ Notice by WhatsApp"),
    ({"type": "reaction", "reaction": {"emoji": ""}}, "Removed a reaction"),
    ({"type": "image", "image": {}}, "📷 Image"),
    (
        {"type": "__init__"},
        "⚠️ The customer sent a message of a kind that is not known here (__init__)",
    ),
    (
        {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {}}},
        "📝 Form answered",
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "nfm_reply",
                "nfm_reply": {"response_json": "[" * 99999, "body": "Sent"},
            },
        },
        "📝 Form answered\nSent",
    ),
]


@pytest.mark.parametrize(("message", "start"), MINIMAL)
def test_missing_parts_leave_a_readable_text(message, start):
    assert render(message).text.startswith(start)


@pytest.mark.parametrize("name", whatsapp_payloads.names())
def test_all_our_words_can_be_translated(payload, name):
    value = payload(name)["entry"][0]["changes"][0]["value"]
    for message in value.get("messages", []):
        asked = []
        render(message, lambda source, asked=asked: asked.append(source) or source)
        assert set(asked) <= set(PHRASES.values())


def test_broken_translation_falls_back_to_english():
    reaction = {"type": "reaction", "reaction": {"emoji": "👍"}}
    assert render(reaction, lambda s: "Con %(emojis)s").text == "Reacted with 👍"
    assert render(reaction, lambda s: "Reaccionó con %(emoji)s").text.endswith("con 👍")
    assert render(reaction, lambda s: "").text == "Reacted with 👍"


def test_percent_signs_of_customers_are_no_format():
    assert (
        render({"type": "text", "text": {"body": "100 %(x)s %"}}).text == "100 %(x)s %"
    )
    assert "%s" in render({"type": "%s"}).text


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("text", None),
        ("text_reply", "wamid.HBgMoutboundFQIAERgS"),
        ("button", "wamid.HBgMtemplateFQIAERgS"),
        ("reaction", "wamid.HBgMoutboundFQIAERgS"),
        ("revoke", "wamid.HBgM00000000000000000001FQIAEhgU"),
        ("edit", "wamid.HBgM00000000000000000001FQIAEhgU"),
    ],
)
def test_quoted_message_is_named(payload, name, quoted):
    assert render(subject(payload(name))).quoted == quoted


def test_forwarded_and_referral(payload):
    assert render(subject(payload("text_forwarded"))).forwarded
    assert render({"context": {"frequently_forwarded": True}}).forwarded
    assert not render(subject(payload("text_reply"))).forwarded
    assert render(subject(payload("text_from_ad"))).referral["ctwa_clid"]
    assert render(subject(payload("text"))).referral is None


def test_media_of_each_kind(payload):
    voice = media_of(subject(payload("audio_voice")))
    assert (voice.kind, voice.voice, voice.id) == ("audio", True, "1003383421387259")
    assert voice.url.startswith("https://lookaside.fbsbx.com/")
    assert voice.name == "voice-2026-09-21-141320.ogg"
    assert media_of(subject(payload("document"))).name == "Factura de la luz.pdf"
    assert media_of(subject(payload("image"))).name == "image-2026-09-21-141320.jpg"
    assert [file.id for file in render(subject(payload("echo_image"))).files] == [
        "1003383421387263"
    ]
    assert media_of(subject(payload("media_failed"))) is None
    assert media_of(subject(payload("text"))) is None


def test_edited_caption_keeps_its_file():
    inner = {"type": "image", "image": {"id": "9", "caption": "New"}}
    rendered = render({"type": "edit", "edit": {"message": inner}})
    assert rendered.files[0].id == "9" and rendered.text.endswith("\nNew")


@pytest.mark.parametrize(
    ("filename", "mime_type", "name"),
    [
        ("Offer.pdf", "application/pdf", "Offer.pdf"),
        ("Offer", "application/pdf", "Offer.pdf"),
        ("Offer v1.2 final", "application/pdf", "Offer v1.2 final.pdf"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Temp\\a.docx", "application/msword", "a.docx"),
        ("x\u202egnp.exe", "image/png", "xgnp.exe"),
        ("a\x00b\nc.pdf", "application/pdf", "abc.pdf"),
        ('q<>:"|?*.pdf', "application/pdf", "q_______.pdf"),
        ("..", "application/pdf", "document.pdf"),
        (".htaccess", "text/plain", "htaccess.txt"),
        ("", "application/pdf", "document.pdf"),
        (None, None, "document.bin"),
        ("año 2026.xlsx", "x/y", "año 2026.xlsx"),
    ],
)
def test_file_names_are_safe(filename, mime_type, name):
    assert Media("1", mime_type=mime_type, filename=filename).name == name


def test_long_file_name_keeps_its_extension():
    name = Media("1", filename="x" * 500 + ".pdf").name
    assert len(name) == LONGEST_NAME and name.endswith("xx.pdf")


def test_card_without_name_uses_its_vcard_and_links_are_only_web_addresses():
    card = {
        "vcard": "BEGIN:VCARD\nFN:Marta\nTEL:+34 600\nEND:VCARD",
        "urls": [{"url": "javascript:alert(1)"}, {"url": "https://example.com"}],
    }
    text = render({"type": "contacts", "contacts": [card]}).text
    assert text == "👤 Contact card: Marta\n+34 600\nhttps://example.com"


def test_endless_orders_are_shortened():
    items = [{"product_retailer_id": str(n), "quantity": 1} for n in range(80)]
    text = render({"type": "order", "order": {"product_items": items}}).text
    assert "… and 30 more" in text and text.count("\n") == 51


def form(response, **more):
    answer = {"response_json": json.dumps(response), "body": "Sent", **more}
    content = {"type": "nfm_reply", "nfm_reply": answer}
    return {"type": "interactive", "interactive": content}


def test_answers_of_a_form_are_read_however_they_are_nested():
    rendered = render(
        form(
            {
                "flow_token": "x",
                "ine": [
                    {
                        "file_name": "ine.jpg",
                        "mime_type": "image/jpeg",
                        "sha256": "abc",
                        "id": "1234567890",
                    }
                ],
                "domicilio": {"calle": "Sol 3", "cp": "06700", "flow_token": "y"},
                "productos": [{"id": "1", "title": "Mesa"}, {"id": "2", "title": ""}],
                "a": {"b": {"c": ["x", 2, True, None]}},
                "nada": [[], {}, None, ""],
            }
        )
    )
    assert rendered.text == (
        "📝 Form answered\nIne: 📎 ine.jpg\nDomicilio: calle: Sol 3\n"
        "Domicilio: cp: 06700\nProductos: id: 1\nProductos: title: Mesa\n"
        "Productos: id: 2\nA: b: c: x, 2, ✓"
    )
    [file] = rendered.files
    assert (file.id, file.name, file.sha256) == ("1234567890", "ine.jpg", "abc")


def test_a_file_that_only_the_form_s_server_can_read_is_named():
    lost = {
        "media_id": "790aba14",
        "cdn_url": "https://mmg.whatsapp.net/v/x",
        "file_name": "ine.jpg",
        "encryption_metadata": {"encryption_key": "secret"},
    }
    rendered = render(form({"ine": [lost]}))
    assert "Ine: ⚠️ ine.jpg: WhatsApp does not pass this file on" in rendered.text
    assert not rendered.files and "secret" not in rendered.text


def test_forms_of_strangers_are_bounded():
    deep = {"a": "end"}
    for _level in range(500):
        deep = {"a": deep}
    lists = 7
    for _level in range(900):
        lists = [lists]
    assert render(form({"lists": lists})).text == "📝 Form answered\nSent"
    wide = {str(n): {str(m): {"x": n} for m in range(50)} for n in range(50)}
    files = [{"id": n, "file_name": "a.jpg"} for n in range(1000)]
    assert "end" not in render(form({"deep": deep})).text
    assert render(form({"wide": wide})).text.count("\n") == 51
    assert len(render(form({"files": files})).files) == limits.limit("files")


@pytest.mark.parametrize(
    ("side", "who"), [(PHONE, "company's phone"), (AGENT, "Meta's agent")]
)
@pytest.mark.parametrize(
    "echo",
    [
        {"type": "edit", "edit": {"message": {"type": "text", "text": {"body": "7"}}}},
        {"type": "revoke", "revoke": {}},
        {"type": "unsupported", "unsupported": {"type": "poll_creation"}},
        {"type": "unknown", "errors": [{"code": 131051}]},
        {"type": "of the future", "x": 1},
        {"type": "image", "errors": [{"code": 131052}]},
        {},
    ],
)
def test_what_we_did_ourselves_is_told_as_ours(side, who, echo):
    text = render(echo, side=side).text
    assert who in text and "customer" not in text
    assert echo.get("type") != "edit" or text.endswith("\n7")


def test_what_is_not_known_here_shows_what_can_be_read_of_it():
    event = {"name": "Visita", "start_time": 1790000000, "location": {"name": "Sol 3"}}
    text = render({"type": "event", "event": event}).text
    assert "(event)" in text and "Name: Visita" in text
    assert "Location: name: Sol 3" in text
    ephemeral = {"type": "ephemeral", "ephemeral": {}, "text": {"body": "Secret"}}
    assert render(ephemeral).text.endswith("\nSecret")
    video = {"id": "9", "mime_type": "video/mp4", "caption": "Hi"}
    rendered = render({"type": "video_note", "video_note": video})
    assert rendered.text == "Hi" and rendered.files[0].name == "video_note.mp4"
    gif = {"type": "gif", "gif": {"id": "9", "mime_type": "image/gif"}}
    assert render(gif).text == "📎 gif.gif"


def test_an_unreadable_message_says_why_as_far_as_meta_tells():
    error = {"code": 131060, "title": "This message is unavailable"}
    unreadable = {"type": "unsupported", "unsupported": {"type": "unknown"}}
    assert (
        "(This message is unavailable)"
        in render({**unreadable, "errors": [error]}).text
    )
    assert "(unknown)" in render(unreadable).text


def test_a_caption_is_kept_beside_a_file_that_failed():
    error = {"code": 131052, "error_data": {"details": "Too large"}}
    image = {"type": "image", "image": {"caption": "My roof"}, "errors": [error]}
    text = render(image).text
    assert text.startswith("My roof\n⚠️") and "Too large" in text
    document = {"type": "document", "document": {"filename": "a.pdf"}}
    assert "a.pdf" in render({**document, "errors": [error]}).text


@pytest.mark.parametrize(
    ("filename", "mime_type", "name"),
    [
        (None, "image/jpg", "document.jpg"),
        (None, "audio/x-m4a", "document.m4a"),
        (None, "application/vnd.android.package-archive", "document.apk"),
        ("clip.3gp", "video/3gpp", "clip.3gp"),
        (None, "audio/3gpp", "document.3gp"),
        ("plano.dwg", "application/octet-stream", "plano.dwg"),
        ("app.apk", None, "app.apk"),
        (None, "image/heic", "document.heic"),
        (None, "image/x-unheard", "document.unheard"),
        ("Factura 12.05", "application/pdf", "Factura 12.05.pdf"),
        (None, "application/octet-stream", "document.bin"),
    ],
)
def test_the_ending_tells_what_is_in_a_file(filename, mime_type, name):
    assert Media("1", mime_type=mime_type, filename=filename).name == name


QUOTED = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\n"
    "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:N=C3=BA=C3=B1ez;Jos=C3=A9;;;\r\n"
    "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Jos=C3=A9 Luis =\r\nN=C3=BA=C3=B1ez\r\n"
    "TEL;CELL:+52 55 1234 5678\r\nEND:VCARD"
)


@pytest.mark.parametrize(
    ("vcard", "name"),
    [
        (QUOTED, "José Luis Núñez"),
        (QUOTED.replace("\r\n", "\n"), "José Luis Núñez"),
        ("FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Jos=E9", "José"),
        ("FN;CHARSET=nonsense;QUOTED-PRINTABLE:Jos=C3=A9", "José"),
        ("FN;QUOTED-PRINTABLE:Jos=E9", "José"),
        ("FN:María de los\r\n  Ángeles\r\n  Pérez", "María de los Ángeles Pérez"),
        ("N:Pérez\\, hijo;Ana;;;", "Ana Pérez, hijo"),
        ("fn:Ana", "Ana"),
        ("FN=:x", ""),
    ],
)
def test_vcards_are_read_as_telephones_write_them(vcard, name):
    title = "👤 Contact card: " + name if name else "👤 Contact card"
    shown = render({"type": "contacts", "contacts": [{"vcard": vcard}]}).text
    assert shown.split("\n")[0] == title


def test_a_vcard_alone_fills_a_contact():
    vcard = (
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ana\nORG:Sol\\; Luna;Ventas\nTITLE:Gerente\n"
        "item1.TEL;type=CELL:+52 55 1234\n 5678\nEMAIL;type=WORK:ana@sol.mx\n"
        "item2.URL:www.sol.mx/inicio\nADR;type=HOME:;;Sol 3;CDMX;;06700;México\n"
        "PHOTO;ENCODING=b:AAAA\n BBBB\nEND:VCARD"
    )
    assert cards({"type": "contacts", "contacts": [{"vcard": vcard}]}) == [
        {
            "name": "Ana",
            "company": "Sol; Luna",
            "function": "Gerente",
            "phones": ["+52 55 12345678"],
            "email": "ana@sol.mx",
            "website": "https://www.sol.mx/inicio",
            "street": "Sol 3",
            "zip": "06700",
            "city": "CDMX",
        }
    ]


def test_websites_without_scheme_are_links_and_other_schemes_are_not():
    urls = [
        {"url": url} for url in ("sol.mx", "JAVASCRIPT:alert(1)", "data:x", "a b.c")
    ]
    text = render({"type": "contacts", "contacts": [{"urls": urls}]}).text
    assert text == "👤 Contact card\nhttps://sol.mx"
