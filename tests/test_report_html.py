"""The page of a report: whole, self-contained, small enough, and safe against hostile names."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.figure import Figure
from PIL import Image

from shoal.embedding.neighbours import most_typical
from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.images.originals import PixelOriginals
from shoal.plots import figures, sheets
from shoal.plots.strips import widened
from shoal.protocols import Array, ImageSource
from shoal.reports import columns, explorer, html, originals, photos, sprites
from shoal.reports.document import (
    Block,
    Bullets,
    Code,
    Document,
    Gallery,
    Heading,
    Paragraph,
    Picture,
    Table,
)
from shoal.reports.wording import Wording

ENGLISH = Wording("en")
HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "<!--<script>",
    "a\u2028b\u2029c & d {{ 7 * 7 }}",
    "not \udcff text",
    "雪山/圖 1.png",
]


@dataclass
class Element:
    """An element as a browser would see it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page in their order, with the text up to the next tag."""

    source: str
    elements: list[Element] = field(default_factory=list)
    within: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        self.within = True

    def handle_endtag(self, tag: str) -> None:
        self.within = False

    def handle_data(self, data: str) -> None:
        if self.within:
            self.elements[-1].text += data

    def all(self, tag: str, **wanted: str) -> list[Element]:
        """Elements ``tag`` with these attributes (``data_part`` stands for ``data-part``)."""
        pairs = {name.replace("_", "-"): value for name, value in wanted.items()}
        return [
            one for one in self.elements
            if one.tag == tag and pairs.items() <= one.attributes.items()
        ]  # fmt: skip

    def array(self, name: str) -> Array:
        """Numbers that the map carries."""
        (part,) = self.all("script", data_part=name)
        kind = f"<u{part.attributes['data-width']}"
        return np.frombuffer(base64.b64decode(part.text), dtype=kind)

    def data(self, name: str) -> object:
        """JSON that the map carries."""
        (part,) = self.all("script", data_part=name)
        return json.loads(part.text)

    def sheets(self) -> list[npt.NDArray[np.uint8]]:
        """Sheets of thumbnails, unpacked."""
        files = [one.text for one in self.all("script") if "data-sheet" in one.attributes]
        return [np.asarray(Image.open(io.BytesIO(base64.b64decode(file)))) for file in files]


def pile(
    n: int, k: int = 3, *, shape: tuple[int, ...] = (8, 8, 3), ids: list[str] | None = None
) -> tuple[ArraySource, ImageTable]:
    """``n`` noisy images in ``k`` clusters."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, *shape), dtype=np.uint8)
    labels = np.arange(n) % k
    z = generator.normal(size=(n, 4)).astype(np.float32) + 9 * labels[:, None]
    table = ImageTable(
        ids=ids or [str(i) for i in range(n)],
        embedding=z.astype(np.float32),
        labels=labels,
        confidence=generator.random(n).astype(np.float32),
        xy=z[:, :2].astype(np.float32),
    )
    return ArraySource(images, ids=ids), table


def folder_of(path: Path) -> tuple[ImageSource, ImageTable]:
    """Four images of 120 pixels in a folder, of which the encoder sees 12, and their table."""
    path.mkdir()
    for i, colour in enumerate(("red", "red", "red", "red")):
        Image.new("RGB", (120, 120), colour).save(path / f"a {i}.png")
    source = open_source(path, image_shape=(12, 12, 3))
    return source, replace(pile(4)[1], ids=source.ids)


@dataclass
class Photographs:
    """Any number of images that compress like photographs, made when they are read."""

    count: int
    shape: tuple[int, int, int] = (32, 32, 3)
    skipped: tuple[tuple[str, str], ...] = ()
    largest_batch: int = 0

    def __post_init__(self) -> None:
        generator = np.random.default_rng(0)
        self.ids = [str(i) for i in range(self.count)]
        noise = np.zeros((1_000, 32, 32, 3))
        for size, strength in ((4, 45), (8, 25), (16, 14), (32, 8)):
            grain = generator.normal(scale=strength, size=(1_000, size, size, 3))
            noise += grain.repeat(32 // size, axis=1).repeat(32 // size, axis=2)
        self.noise = np.clip(noise + 128, 0, 255).astype(np.uint8)

    def __len__(self) -> int:
        return self.count

    def read(self, indices: Array) -> npt.NDArray[np.uint8]:
        self.largest_batch = max(self.largest_batch, len(indices))
        shift = (indices // 1_000 * 37 % 256).astype(np.uint8)
        return np.bitwise_xor(self.noise[indices % 1_000], shift[:, None, None, None] // 8)

    def digest(self) -> str:
        return "photographs"

    @property
    def originals(self) -> PixelOriginals:
        return PixelOriginals(self)


def map_page(source: ImageSource, table: ImageTable, **options: Any) -> Page:
    return Page(explorer.fragment(source, table, wording=ENGLISH, **options))


def test_blocks_stand_in_their_order_and_in_the_contents() -> None:
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([1, 2, 3])
    document = Document(
        "Title", "Subtitle", "zh-TW",
        blocks=[
            Heading("First"), Paragraph("one"), Bullets(("two", "three")),
            Heading("Below", 2), Table(("name", "accuracy"), (("a", "0.918"), ("b", "–"))),
            Picture(figure, "a line"), Code("shoal run\nshoal report"),
        ],
    )  # fmt: skip
    page = Page(html.render(document, explorer=None, wording=ENGLISH))
    body = [one for one in page.elements if one.text.strip() and one.tag not in ("script", "style")]
    said = [" ".join(one.text.split()) for one in body]
    wanted = ["Title", "Subtitle", "First", "one", "two", "three", "Below", "name", "accuracy",
              "a", "0.918", "b", "–", "a line", "shoal run shoal report"]  # fmt: skip
    assert said[-len(wanted) :] == wanted
    assert page.all("html", lang="zh-TW")
    anchors = {one.attributes["id"] for one in page.all("h2") + page.all("h3")}
    links = [one for one in page.all("a") if one.attributes["href"] != "#text"]
    assert {one.attributes["href"] for one in links} == {f"#{anchor}" for anchor in anchors}
    assert [one.text for one in links] == ["First", "Below"]
    assert [one.text for one in page.all("td", **{"class": "number"})] == ["0.918", "–"]
    (picture,) = page.all("img")
    assert picture.attributes["alt"] == "a line"
    assert (picture.attributes["width"], picture.attributes["height"]) == ("384", "288")


def test_the_map_comes_first_and_is_in_the_contents() -> None:
    source, table = pile(12)
    fragment = explorer.fragment(source, table, wording=ENGLISH)
    document = Document("Title", "", blocks=[Heading("First")])
    page = Page(html.render(document, explorer=fragment, wording=ENGLISH))
    assert [one.text for one in page.all("h2")] == ["Map of the images", "First"]
    links = [one.attributes["href"] for one in page.all("a")]
    assert links == ["#text", "#explorer", "#part-1"]
    assert page.all("section", id="explorer")


@pytest.mark.parametrize(
    "block_of",
    [
        Heading,
        Paragraph,
        lambda text: Bullets((text,)),
        lambda text: Table((text,), ((text,),)),
        Code,
    ],
    ids=["Heading", "Paragraph", "Bullets", "Table", "Code"],
)
@pytest.mark.parametrize("text", HOSTILE[:3])
def test_text_is_never_markup(block_of: Callable[[str], Block], text: str) -> None:
    def page(text: str) -> Page:
        document = Document(text, text, blocks=[block_of(text)])
        return Page(html.render(document, explorer=None, wording=ENGLISH))

    shown = page(text)
    assert [one.tag for one in shown.elements] == [one.tag for one in page("plain").elements]
    assert sum(text in one.text for one in shown.elements) >= 3


def test_hostile_names_are_data() -> None:
    ids = HOSTILE + [f"image {i}" for i in range(6)]
    source, table = pile(12, ids=ids)
    page = map_page(source, table)
    plain = map_page(*pile(12))
    assert [one.tag for one in page.elements] == [one.tag for one in plain.elements]
    rows = page.array("rows")
    names = page.data("names")
    assert isinstance(names, list)
    assert [names[list(rows).index(i)] for i in range(12)] == [
        name.replace("\udcff", "\\xff") for name in ids
    ]
    assert "\u2028" not in page.source


def test_row_numbers_take_no_names() -> None:
    assert map_page(*pile(12)).data("names") is None


def test_the_page_asks_for_nothing_and_runs_only_its_own_scripts() -> None:
    source, table = pile(12)
    document = Document("Title", "", blocks=[Picture(figures.clusters(source, table), "members")])
    fragment = explorer.fragment(source, table, wording=ENGLISH)
    page = Page(html.render(document, explorer=fragment, wording=ENGLISH))
    for one in page.elements:
        for name in ("src", "href", "srcset", "poster", "action", "xlink:href"):
            assert one.attributes.get(name, "#").startswith(("#", "data:"))
        assert not any(name.startswith("on") for name in one.attributes)
    code = "".join(one.text for one in page.all("style") + page.all("script", type=""))
    assert "url(" not in code
    assert "@import" not in code
    scripts = [one.text for one in page.all("script") if "type" not in one.attributes]
    assert len(scripts) == 4
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "import(", "http:", "https:"):
        assert not any(word in script for script in scripts), word
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy.attributes["content"]
    assert "default-src 'none'" in policy.attributes["content"]


def test_the_map_carries_the_table() -> None:
    source, table = pile(60)
    page = map_page(source, table)
    rows = page.array("rows")
    assert sorted(rows) == list(range(60))
    assert (page.array("labels") == table.labels[rows]).all()
    assert np.abs(page.array("confidence") / 65_535 - table.confidence[rows]).max() < 1e-4
    places = page.array("places").reshape(-1, 2) / 65_535
    assert table.xy is not None
    span = np.ptp(table.xy, axis=0).max()
    offsets = places * (1, -1) - table.xy[rows] / span
    assert np.ptp(offsets, axis=0).max() < 1e-3  # moved and scaled alike, the second axis upward
    for cluster in range(3):
        typical = most_typical(table.embedding, np.flatnonzero(table.labels == cluster))
        members = np.flatnonzero(page.array("labels") == cluster)
        order = members[np.argsort(page.array("ranks")[members])]
        assert (rows[order] == typical).all()


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 8), (9, 6, 3), (1, 5, 3), (64, 3, 1)])
def test_sheets_hold_each_image_at_its_place(shape: tuple[int, ...]) -> None:
    source, table = pile(150, shape=shape)
    page = map_page(source, table)
    facts = page.data("facts")
    assert isinstance(facts, dict)
    tile = facts["tile"]
    (sheet,) = page.sheets()
    for i, row in enumerate(page.array("rows")):
        top = i // tile["columns"] * tile["height"]
        left = i % tile["columns"] * tile["width"]
        cut = sheet[top : top + tile["height"], left : left + tile["width"]]
        (image,) = widened(source.read(np.array([row])))  # a line of pixels would not be seen
        assert (cut == image).all()  # few images are kept without loss


def test_large_images_are_shrunk_to_128_pixels() -> None:
    source, _ = pile(5, shape=(400, 300, 3))
    packed = sprites.pack(source, np.arange(5), budget=10**7, from_originals=False)
    assert (packed.width, packed.height) == (96, 128)
    sheet = np.asarray(Image.open(io.BytesIO(packed.files[0]))).astype(int)
    whole = source.read(np.arange(1))[0]
    (pixel,) = whole[: round(400 / 128) + 1, : round(300 / 96) + 1].reshape(1, -1, 3).mean(axis=1)
    assert np.abs(sheet[0, 0] - pixel).max() < 25  # the mean of about the same area


def test_shrinking_keeps_the_mean() -> None:
    source, _ = pile(3, shape=(30, 40, 3))
    small = sheets.shrunk(source.read(np.arange(3)), 12, 16)
    assert small.shape == (3, 12, 16, 3)
    means = small.mean(axis=(1, 2)), source.images.mean(axis=(1, 2))
    assert np.abs(means[0] - means[1]).max() < 0.5


def test_thumbnails_shrink_to_the_budget() -> None:
    source = Photographs(1_200)
    sizes = []
    for budget in (8_000_000, 400_000, 120_000):
        packed = sprites.pack(source, np.arange(1_200), budget=budget, from_originals=False)
        assert sum(map(len, packed.files)) <= budget
        assert packed.columns * packed.width <= sheets.SHEET
        assert packed.per_sheet // packed.columns * packed.height <= sheets.SHEET
        sizes.append(packed.width)
    assert sizes[0] == 32
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 24


@pytest.mark.parametrize(("count", "megabytes"), [(8_500, 6), (100_000, 21)])
def test_the_page_stays_small(count: int, megabytes: int) -> None:
    source = Photographs(count)
    generator = np.random.default_rng(0)
    table = ImageTable(
        ids=source.ids,
        embedding=generator.normal(size=(count, 4)).astype(np.float32),
        labels=generator.integers(0, 10, count),
        confidence=generator.random(count).astype(np.float32),
        xy=generator.normal(size=(count, 2)).astype(np.float32),
    )
    fragment = explorer.fragment(source, table, wording=ENGLISH)
    assert len(fragment.encode()) < megabytes * 1_000_000
    assert fragment.count("<") < 1_000  # not one tag an image
    assert source.largest_batch <= 1_024


def test_very_many_images_are_sampled_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    source, table = pile(60)
    monkeypatch.setattr(explorer, "MOST_SHOWN", 20)
    page = map_page(source, table)
    assert len(set(page.array("rows"))) == 20
    assert "20 of 60 images are here, drawn at random." in page.source
    sizes = [one.text for one in page.all("span", **{"class": "legend-size"})]
    assert sizes == ["20", "20", "20"]  # the clusters' own sizes, not the sample's


def test_one_image_and_images_at_one_place() -> None:
    page = map_page(*pile(1, 1))
    assert page.array("places").tolist() == [32_768, 32_768]
    source, table = pile(9)
    assert table.xy is not None
    table.xy[:] = 3.0
    assert set(map_page(source, table).array("places").tolist()) == {32_768}


def test_pictures_are_of_the_originals(tmp_path: Path) -> None:
    """In the map and in the text at their own size, though the encoder sees a tenth of that."""
    source, table = folder_of(tmp_path / "photos")
    page = map_page(source, table, folder=originals.folder_beside(source, tmp_path / "r.html"))
    facts = page.data("facts")
    assert isinstance(facts, dict)
    assert (facts["tile"]["width"], facts["folder"]) == (120, "photos/")
    (sheet,) = page.sheets()
    assert np.abs(sheet[10, 10].astype(int) - (255, 0, 0)).max() < 30
    (row,) = photos.photo_rows(source, [("all", (0, 0, 0), np.arange(4))])
    assert [photo.width for photo in row.photos] == [120] * 4
    gallery = Gallery((row,), "caption")
    page = Page(html.render(Document("", "", blocks=[gallery]), explorer=None, wording=ENGLISH,
                            folder="photos/"))  # fmt: skip
    links = [one.attributes["href"] for one in page.all("a") if "data-photo" in one.attributes]
    assert links == [f"photos/a%20{i}.png" for i in range(4)]
    assert [one.text for one in page.all("span", **{"class": "photo-name"})] == source.ids
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert "img-src data: blob: 'self' file:;" in policy.attributes["content"]
    page = Page(html.render(Document("", "", blocks=[gallery]), explorer=None, wording=ENGLISH))
    assert not [one for one in page.all("a") if "data-photo" in one.attributes]
    assert len([one for one in page.all("button") if "data-photo" in one.attributes]) == 4


@pytest.mark.parametrize(
    ("page", "folder"),
    [("r.html", "photos/"), ("out/r.html", "../photos/"), ("photos/r.html", "./"),
     ("out/deep/r.html", None)],
)  # fmt: skip
def test_a_page_links_a_folder_beside_it_alone(
    page: str, folder: str | None, tmp_path: Path
) -> None:
    """The way to a folder elsewhere would tell how this machine is laid out."""
    source, _ = folder_of(tmp_path / "photos")
    assert originals.folder_beside(source, tmp_path / page) == folder
    assert originals.folder_beside(pile(4)[0], tmp_path / page) is None


def test_the_same_input_gives_the_same_page() -> None:
    def page() -> str:
        source, table = pile(40)
        blocks = [Picture(figures.clusters(source, table), "members")]
        fragment = explorer.fragment(source, table, wording=ENGLISH)
        return html.render(Document("", "", blocks=blocks), explorer=fragment, wording=ENGLISH)

    assert page() == page()


def test_figures_are_lean_and_left_as_they_were() -> None:
    figure = Figure()
    ax = figure.subplots()
    image = ax.imshow(np.arange(64).reshape(8, 8), interpolation="nearest")
    dots = ax.scatter(np.arange(5_000) / 700, np.arange(5_000) % 8)
    few = ax.scatter([1, 2], [3, 4])
    svg = html._svg(figure).decode()
    assert len(svg) < 200_000  # five thousand dots alone would be half a megabyte
    sizes = re.findall(r'<image[^>]*?width="([\d.]+)"', svg)
    assert "8" in sizes  # its own pixels
    assert "image-rendering:pixelated" in svg
    assert "<text" not in svg  # outlines look the same everywhere
    assert image.get_interpolation() == "nearest"
    assert not dots.get_rasterized()
    assert not few.get_rasterized()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("0.918", "1,024", "−0.5", "3e-4"), "number"),
        (("7.5 分鐘", "1.3 分鐘", "未記錄", "9 分鐘"), "number"),
        (("5.0%", "12.5 min", "0.761 – 0.831", "+0.012 ± 0.004"), "number"),
        (("0.1", "0.2", "0.3", "not measured"), "number"),
        (("0.1", "adam", "cosine"), "short"),
        (("1 image of a dog that is long",), "long"),
        (("", "–"), "short"),
    ],
)
def test_columns_of_numbers_are_recognised(cells: tuple[str, ...], kind: str) -> None:
    assert columns.kind(cells) == kind
