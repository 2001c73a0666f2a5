# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import pytest
import whatsapp_payloads
from tools.message import LONGEST_NAME, PHRASES, Media, media_of, render


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
    "unknown_type": "⚠️ Message of an unknown kind (hologram)",
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
    ({}, "⚠️ WhatsApp does not pass on this kind of message (unknown)"),
    ({"type": "text"}, "⚠️ WhatsApp does not pass on this kind of message (text)"),
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
    ({"type": "__init__"}, "⚠️ Message of an unknown kind (__init__)"),
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
    assert render(subject(payload("echo_image"))).media.id == "1003383421387263"
    assert media_of(subject(payload("media_failed"))) is None
    assert media_of(subject(payload("text"))) is None


def test_edited_caption_keeps_its_file():
    inner = {"type": "image", "image": {"id": "9", "caption": "New"}}
    rendered = render({"type": "edit", "edit": {"message": inner}})
    assert rendered.media.id == "9" and rendered.text.endswith("\nNew")


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
