# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The pictures: which there are, and the browser that takes them."""

import pytest
from PIL import Image, ImageChops

from devkit import screenshots
from devkit.browser import open_page
from devkit.console import Failure

PAGE = """<!doctype html><title>Test</title>
<style>body { margin: 0; background: #00f }</style>
<button onclick="this.textContent = 'pressed'">press</button>
<button style="display: none">hidden</button>
"""


def test_every_picture_has_a_name_of_its_own():
    names = [shot.name for shot in screenshots.SHOTS]
    assert len(set(names)) == len(names)
    assert set(screenshots.SHARED) <= set(names)
    assert {shot.size for shot in screenshots.SHOTS} == {(1400, 900), (390, 844)}


def test_the_committed_pictures_are_those_that_are_taken():
    wanted = {f"{shot.name}.png" for shot in screenshots.SHOTS}
    assert {file.name for file in screenshots.GUIDES.glob("*.png")} == wanted
    listed = {f"{name}.png" for name in screenshots.SHARED.values()}
    found = {file.name for file in screenshots.APP_LIST.glob("*.png")}
    assert found == listed | {"icon.png"}


@pytest.mark.parametrize("shot", screenshots.SHOTS, ids=lambda shot: shot.name)
def test_a_picture_has_its_size(shot):
    assert _size(screenshots.GUIDES / f"{shot.name}.png") == shot.size


def test_addresses_of_actions():
    scene = screenshots.Scene("http://odoo", "diego", 1, 2, 3)
    ours = "http://odoo/odoo/action-crm_whatsapp_gateway.action_whatsapp_inbox"
    assert scene.action("action_whatsapp_inbox") == ours
    assert scene.action("crm.pipeline", 7) == "http://odoo/odoo/action-crm.pipeline/7"


def test_the_browser_sees_clicks_and_takes_pictures(archive, cache, tmp_path):
    (archive.folder / "page.html").write_text(PAGE)
    with open_page() as page:
        page.fresh(390, 844)
        page.go(f"{archive.url}/page.html")
        page.click("button", "press")
        page.see("button", "pressed")
        page.picture(tmp_path / "one.png")
        page.picture(tmp_path / "two.png")
    assert _size(tmp_path / "one.png") == (390, 844)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_picture_that_is_too_large_gets_fewer_colours(tmp_path):
    file = tmp_path / "shades.png"
    shades = Image.radial_gradient("L").resize((1400, 900), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((1400, 900), 20)
    picture = Image.merge("RGB", (shades, ImageChops.add(shades, grain), shades))
    picture.paste("white", (0, 450, 1400, 900))
    picture.paste("red", (100, 500, 1300, 850))
    picture.resize((350, 225)).resize((1400, 900)).save(file)
    assert file.stat().st_size > screenshots.LARGEST
    screenshots.shrink(file)
    assert file.stat().st_size <= screenshots.LARGEST
    with Image.open(file) as after:
        assert after.size == (1400, 900)
        assert after.convert("RGB").getpixel((700, 700)) == (255, 0, 0)
    before = file.read_bytes()
    screenshots.shrink(file)
    assert file.read_bytes() == before


def test_a_picture_that_no_colours_make_small_is_a_failure(tmp_path):
    file = tmp_path / "noise.png"
    Image.effect_noise((1400, 900), 200).save(file)
    with pytest.raises(Failure, match="noise.png is larger than 150 kB"):
        screenshots.shrink(file)


def test_what_the_browser_cannot_do_is_one_clear_line():
    with pytest.raises(Failure, match="no such thing"):
        with open_page() as page:
            page.fresh(390, 844)
            page.ask("(() => { throw new Error('no such thing') })()")


def _size(file):
    """Width and height, as the head of a PNG says."""
    head = file.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
