"""Whether a page holds all it shows, and text that looks like markup stays text."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

from flows.html_page import heading, html_page, html_table, paragraph, picture
from flows.plots import calibration, png_of


class Reader(HTMLParser):
    """Collects texts, and the tags that were opened and closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.texts.append(text)


def test_a_page_is_whole_and_what_it_shows_is_inside() -> None:
    png = png_of(calibration([0.1, 0.2], [0.1, 0.3], [5, 5], "Chance"))
    page = html_page("Title", "Lead", [heading("Part"), paragraph("a < b & c"), picture(png, "Chance", "Read it so.")])
    reader = Reader(page)
    assert reader.open == []
    assert [text for text in reader.texts if text in ("Part", "Lead", "Read it so.", "a < b & c")] == [
        "Lead",
        "Part",
        "a < b & c",
        "Read it so.",
    ]
    [image] = [attributes for tag, attributes in reader.attributes if tag == "img"]
    source = str(image["src"])
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == png
    assert png.startswith(b"\x89PNG")
    assert not [attributes for tag, attributes in reader.attributes if tag in ("link", "script") or "href" in attributes]


def test_numbers_are_flush_right_and_what_is_unknown_is_a_dash() -> None:
    table = html_table("Figures", ["forecast", "weeks", "bias"], [["model", 12345, -0.02551], ["<naive>", 7, float("nan")]], ours="model")
    assert '<tr class="ours"><td>model</td><td class="number">12,345</td><td class="number">-0.026</td></tr>' in table
    assert '<tr><td>&lt;naive&gt;</td><td class="number">7</td><td class="number">–</td></tr>' in table
    assert Reader(table).open == []
