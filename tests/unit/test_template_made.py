# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta is given of a template that is made here, and what is said before."""

from dataclasses import replace

import pytest
from tools.template import Variable
from tools.template_made import (
    PROBLEMS,
    Button,
    Template,
    components,
    problems,
    samples,
)

ONE, TWO = Variable("body", "1"), Variable("body", "2")
GOOD = Template(
    name="quotation",
    category="utility",
    body="Hola {{1}}, te comparto tu cotización {{2}} como quedamos.",
    samples={ONE: "Ana", TWO: "S00042"},
)


def test_a_whole_template_as_meta_documents_it():
    template = replace(
        GOOD,
        header_kind="document",
        footer="Vigente por 15 días",
        buttons=(
            Button("quick_reply", "Acepto"),
            Button("quick_reply", "Tengo una duda"),
            Button("url", "Ver", "https://example.com/q/{{1}}", sample="S00042"),
            Button("url", "Tienda", "https://example.com"),
            Button("phone_number", "Llamar", phone="+525512345678"),
            Button("copy_code", "Copiar", sample="25OFF"),
            Button("flow", "Reservar", form="123", screen="INICIO"),
            Button("catalog", "View catalog"),
        ),
    )
    assert components(template, "4::aW") == [
        {
            "type": "HEADER",
            "format": "DOCUMENT",
            "example": {"header_handle": ["4::aW"]},
        },
        {
            "type": "BODY",
            "text": "Hola {{1}}, te comparto tu cotización {{2}} como quedamos.",
            "example": {"body_text": [["Ana", "S00042"]]},
        },
        {"type": "FOOTER", "text": "Vigente por 15 días"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Acepto"},
                {"type": "QUICK_REPLY", "text": "Tengo una duda"},
                {
                    "type": "URL",
                    "text": "Ver",
                    "url": "https://example.com/q/{{1}}",
                    "example": ["https://example.com/q/S00042"],
                },
                {"type": "URL", "text": "Tienda", "url": "https://example.com"},
                {
                    "type": "PHONE_NUMBER",
                    "text": "Llamar",
                    "phone_number": "+525512345678",
                },
                {"type": "COPY_CODE", "example": "25OFF"},
                {
                    "type": "FLOW",
                    "text": "Reservar",
                    "flow_id": "123",
                    "flow_action": "navigate",
                    "navigate_screen": "INICIO",
                },
                {"type": "CATALOG", "text": "View catalog"},
            ],
        },
    ]


def test_variables_with_names_and_a_text_in_the_header():
    template = Template(
        name="a",
        category="utility",
        header="Tu cita, {{nombre}}",
        body="Hola {{nombre}}, tu cita es el {{fecha}}.\r\nNos vemos.",
        samples={
            Variable("header", "nombre"): "Ana",
            Variable("body", "nombre"): "Ana",
            Variable("body", "fecha"): "3 de mayo",
        },
    )
    assert components(template) == [
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Tu cita, {{nombre}}",
            "example": {
                "header_text_named_params": [{"param_name": "nombre", "example": "Ana"}]
            },
        },
        {
            "type": "BODY",
            "text": "Hola {{nombre}}, tu cita es el {{fecha}}.\nNos vemos.",
            "example": {
                "body_text_named_params": [
                    {"param_name": "nombre", "example": "Ana"},
                    {"param_name": "fecha", "example": "3 de mayo"},
                ]
            },
        },
    ]
    assert not problems(template)


def test_numbers_are_in_their_order_and_a_place_needs_no_sample():
    body = " ".join(f"palabra otra mas {{{{{n}}}}}" for n in range(11, 0, -1)) + " fin."
    given = {Variable("body", str(n)): f"v{n}" for n in range(1, 12)}
    [header, text] = components(
        Template("a", "utility", body, header_kind="location", samples=given)
    )
    assert header == {"type": "HEADER", "format": "LOCATION"}
    assert text["example"] == {"body_text": [[f"v{n}" for n in range(1, 12)]]}
    header = Template(
        "a",
        "utility",
        "Hola",
        header="Oferta {{1}}",
        samples={Variable("header", "1"): "x"},
    )
    assert components(header)[0]["example"] == {"header_text": ["x"]}


def test_what_is_given_is_understood_when_it_is_read_again():
    assert samples({"components": components(GOOD)}) == GOOD.samples
    named = Template(
        "a", "utility", "Hi {{who}}, hello", samples={Variable("body", "who"): "Ana"}
    )
    assert samples({"components": components(named)}) == named.samples
    for strange in (None, [None], [{"type": "BODY", "example": {"body_text": [7]}}]):
        assert samples({"components": strange}) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"name": "Cotización"}, [("name", "name")]),
        ({"name": ""}, [("name", "name")]),
        ({"name": "a" * 513}, [("name", "long")]),
        ({"category": "authentication"}, [("name", "authentication")]),
        ({"body": " "}, [("body", "empty")]),
        ({"body": "x" * 1025}, [("body", "long")]),
        ({"body": "{{1}}, te esperamos mañana en la tienda"}, [("body", "edge")]),
        ({"body": "te esperamos mañana en la tienda {{1}}"}, [("body", "edge")]),
        (
            {"body": "Hola a todos los de {{1}} {{2}} que quieren venir"},
            [("body", "follow")],
        ),
        ({"body": "Hola {{1}}, tu {{2}}."}, [("body", "few_words")]),
        (
            {"body": "Hola {{1}}, te esperamos hoy en {{2}}, y {{4}} también viene."},
            [("body", "numbers"), ("body", "sample")],
        ),
        (
            {"body": "Hola {{1}}, te esperamos hoy en {{lugar}} como siempre."},
            [("body", "mixed"), ("body", "sample")],
        ),
        (
            {"body": "Hola {{Nombre}}, te esperamos."},
            [("body", "variable"), ("body", "sample")],
        ),
        ({"samples": {ONE: "Ana"}}, [("body", "sample")]),
        ({"samples": {ONE: "Ana", TWO: "Sample Value"}}, [("body", "sample")]),
        ({"header": "x" * 61}, [("header", "long")]),
        ({"header": "*Hola*"}, [("header", "marks")]),
        ({"header": "Tu pedido\nlisto"}, [("header", "marks")]),
        ({"header": "{{1}} {{2}}"}, [("header", "one"), *2 * [("header", "sample")]]),
        ({"header_kind": "image"}, [("header", "sample_file")]),
        (
            {"header_kind": "video", "sample_type": "video/3gpp"},
            [("header", "sample_type")],
        ),
        ({"header_kind": "image", "sample_type": "image/png"}, []),
        ({"header_kind": "location", "header": "x" * 99}, []),
        ({"footer": "x" * 61}, [("footer", "long")]),
        ({"footer": "Hola {{1}}"}, [("footer", "fixed")]),
        ({"footer": "_x_"}, [("footer", "marks")]),
    ],
)
def test_what_meta_would_refuse_is_said_before(changes, expected):
    found = problems(replace(GOOD, **changes))
    assert [(each.part, each.reason) for each in found] == expected
    assert all(str(each) for each in found)


REPLY = Button("quick_reply", "Sí")
LINK = Button("url", "Ver", "https://x.es")
PHONE = Button("phone_number", "Llamar", phone="+52 55 1234 5678")


@pytest.mark.parametrize(
    ("buttons", "expected"),
    [
        ([REPLY] * 10, []),
        ([REPLY] * 11, ["many"]),
        ([REPLY, REPLY, LINK, PHONE], []),
        ([LINK, PHONE, REPLY], []),
        ([REPLY, LINK, REPLY], ["order"]),
        ([LINK, REPLY, PHONE], ["order"]),
        ([LINK] * 3, ["many_of_kind"]),
        ([PHONE] * 2, ["many_of_kind"]),
        ([Button("quick_reply", " ")], ["no_text"]),
        ([Button("quick_reply", "x" * 26)], ["button_long"]),
        ([Button("quick_reply", "Hola {{1}}")], ["button_text"]),
        ([replace(LINK, link="x.es")], ["link"]),
        ([replace(LINK, link="https://[x")], ["link"]),
        ([replace(LINK, link="https://x.es/" + "x" * 2000)], ["link_long"]),
        ([replace(LINK, link="https://x.es/{{1}}", sample="S1")], []),
        ([replace(LINK, link="https://x.es/{{1}}")], ["link_sample"]),
        ([replace(LINK, link="https://x.es/{{1}}/a", sample="S1")], ["link_end"]),
        ([replace(LINK, link="https://x.es/{{2}}", sample="S1")], ["link_end"]),
        ([replace(PHONE, phone="")], ["phone"]),
        ([replace(PHONE, phone="1" * 21)], ["phone"]),
        ([Button("flow", "Abrir", form="x")], ["form"]),
        ([Button("copy_code", "", sample="25 OFF")], ["code"]),
        ([Button("copy_code", "", sample="")], ["code"]),
        ([Button("copy_code", "", sample="25OFF")], []),
    ],
)
def test_what_meta_would_refuse_of_buttons(buttons, expected):
    found = problems(replace(GOOD, buttons=tuple(buttons)))
    assert [each.reason for each in found] == expected
    assert {each.part for each in found} <= {"buttons"}
    assert all(str(each) for each in found)


def test_every_problem_is_looked_for():
    code = open(problems.__code__.co_filename, encoding="utf-8").read()
    assert all(code.count(f'"{reason}"') >= 2 for reason in PROBLEMS)
