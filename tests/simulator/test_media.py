# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Files both ways, and how they go wrong."""

import base64
import hashlib
import time

import pytest
import requests

from devkit.simulator import media

MB = 1024 * 1024
_TYPE, JPEG = media.sample("image", "image/jpeg")


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def fetch(business, url, **options):
    return business.http.get(url, timeout=10, **options)


@pytest.mark.parametrize("kind", media.KINDS)
def test_customers_file_can_be_fetched(kind, business, ana, callback):
    ana.send_file(kind)
    part = callback.messages()[0][kind]
    info = business.get(part["id"], phone_number_id=business.number["id"]).json()
    answer = fetch(business, info["url"])
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == part["mime_type"] == info["mime_type"]
    assert info["file_size"] == len(answer.content) > 20
    assert digest(answer.content) == part["sha256"] == info["sha256"]
    assert fetch(business, part["url"]).content == answer.content


def test_words_of_each_kind(simulator, ana, callback, tmp_path):
    ana.send_image("Mira", url=False)
    ana.send("audio", voice=False, mime_type="audio/mpeg")
    path = tmp_path / "plano.txt"
    path.write_bytes(b"plan")
    ana.send_file("document", path, mime_type="text/plain")
    ana.send("sticker")
    image, audio, document, sticker = (m[m["type"]] for m in callback.messages())
    assert image["caption"] == "Mira" and "url" not in image
    assert (audio["voice"], audio["mime_type"]) == (False, "audio/mpeg")
    assert (document["filename"], document["sha256"]) == ("plano.txt", digest(b"plan"))
    assert sticker["animated"] is False


def test_setting_leaves_the_url_out(simulator, ana, callback):
    simulator.settings(media_url=False)
    ana.send_image()
    assert "url" not in callback.messages()[0]["image"]


def test_url_needs_the_token(business, ana, callback):
    ana.send_image()
    url = callback.messages()[0]["image"]["url"]
    assert requests.get(url, timeout=5).status_code == 403
    wrong = {"Authorization": "Bearer wrong"}
    assert requests.get(url, headers=wrong, timeout=5).status_code == 401


def test_url_of_another_app(simulator, business, ana, callback):
    ana.send_image()
    url = callback.messages()[0]["image"]["url"]
    token = simulator.app(name="stranger")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(url, headers=headers, timeout=5).status_code == 404


def test_url_lives_five_minutes_and_the_id_seven_days(
    simulator, business, ana, callback
):
    ana.send_image()
    part = callback.messages()[0]["image"]
    simulator.clock(advance=301)
    assert fetch(business, part["url"]).status_code == 404
    renewed = business.get(part["id"]).json()["url"]
    assert fetch(business, renewed).status_code == 200
    simulator.clock(advance=7 * 86400)
    assert business.get(part["id"]).json()["error"]["code"] == 100


def test_changed_address_is_refused(business, ana, callback):
    ana.send_image()
    url = callback.messages()[0]["image"]["url"]
    assert fetch(business, url.replace("ext=", "ext=9")).status_code == 404


def test_id_of_another_number(simulator, business, ana, callback):
    ana.send_image()
    other = simulator.setup(number={"phone": "34911222333"})["number"]
    simulator.account(id=other["account_id"], app_ids=[business.app["id"]])
    media_id = callback.messages()[0]["image"]["id"]
    answer = business.get(media_id, phone_number_id=other["id"]).json()
    assert answer["error"]["error_subcode"] == 33


def test_lost_file(business, ana, callback):
    ana.send_image(lost=True)
    part = callback.messages()[0]["image"]
    assert business.get(part["id"]).json()["error"]["code"] == 100
    assert fetch(business, part["url"]).status_code == 404


# -- uploads -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        ("image", "image/jpeg"),
        ("document", "application/pdf"),
        ("audio", "audio/ogg; codecs=opus"),
        ("video", "video/mp4"),
        ("sticker", "image/webp"),
    ],
)
def test_upload_and_send(kind, mime_type, business, open_window):
    _, content = media.sample(kind, mime_type)
    media_id = business.upload(content, mime_type).json()["id"]
    info = business.get(media_id).json()
    assert fetch(business, info["url"]).content == content
    assert business.send(kind=kind, **{kind: {"id": media_id}}).status_code == 200


@pytest.mark.parametrize(
    ("content", "mime_type", "code"),
    [
        (b"PK", "application/zip", 100),
        (b"", "image/png", 131053),
        (b"x" * (5 * MB + 1), "image/png", 131053),
        (b"x" * (16 * MB + 1), "audio/ogg", 131053),
    ],
)
def test_upload_refused(content, mime_type, code, business):
    assert business.upload(content, mime_type).json()["error"]["code"] == code


def test_large_document_is_taken(business):
    assert business.upload(b"x" * (20 * MB), "application/pdf").status_code == 200


@pytest.mark.parametrize("missing", ["messaging_product", "file"])
def test_upload_without_a_parameter(missing, business):
    files = {"messaging_product": (None, "whatsapp"), "file": ("a.png", b"x")}
    del files[missing]
    files["type"] = (None, "image/png")
    path = f"{business.number['id']}/media"
    error = business.call("POST", path, files=files).json()["error"]
    assert missing in error["error_data"]["details"]


def test_wrong_kind_of_uploaded_file(business, open_window):
    media_id = business.upload(JPEG, "image/jpeg").json()["id"]
    refused = business.send(kind="audio", audio={"id": media_id})
    assert refused.json()["error"]["code"] == 131053


def test_upload_is_deleted_or_ends_after_30_days(simulator, business):
    first, second = (business.upload(JPEG, "image/jpeg").json()["id"] for _ in range(2))
    assert business.call("DELETE", first).json() == {"success": True}
    assert business.get(first).status_code == 400
    simulator.clock(advance=31 * 86400)
    assert business.get(second).status_code == 400


# -- faults --------------------------------------------------------------------------


@pytest.fixture
def url(ana, callback):
    ana.send_image()
    return callback.messages()[0]["image"]["url"]


def test_download_says_expired_once(simulator, business, url):
    simulator.fault("expired", times=1)
    assert [fetch(business, url).status_code for _ in range(2)] == [404, 200]


def test_download_breaks_off(simulator, business, url):
    simulator.fault("truncate", bytes=10, times=1)
    with pytest.raises(requests.RequestException):
        fetch(business, url)
    assert fetch(business, url).status_code == 200


def test_slow_download(simulator, business, url):
    simulator.fault("slow", seconds=0.3, times=1)
    begin = time.monotonic()
    whole = fetch(business, url).content
    assert time.monotonic() - begin >= 0.3
    assert whole == fetch(business, url).content


@pytest.mark.parametrize("on", ["download", "media", "upload"])
def test_error_of_each_step(on, simulator, business, url, callback):
    simulator.fault("error", on=on, code=131000, times=1)
    steps = {
        "download": lambda: fetch(business, url),
        "media": lambda: business.get(callback.messages()[0]["image"]["id"]),
        "upload": lambda: business.upload(JPEG, "image/jpeg"),
    }
    assert [steps[on]().status_code for _ in range(2)] == [500, 200]
