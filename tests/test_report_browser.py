"""The page of a report in a real browser: what a reader does with a mouse, a finger and keys."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from PIL import Image

from shoal.embedding.table import ImageTable
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.plots import figures
from shoal.reports import explorer, html
from shoal.reports.document import Code, Document, Gallery, Heading, Paragraph, Picture, Table
from shoal.reports.figures import confidences
from shoal.reports.originals import folder_beside
from shoal.reports.photos import photo_rows
from shoal.reports.wording import Wording

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
Keys = webdriver.Keys
pytestmark = chromium.needed
browser = chromium.browser

N, K = 300, 3
HOSTILE = '<img src=x onerror="window.hacked = 1"></script><script>window.hacked = 1</script>'


class Reader(chromium.Window):
    """A person in front of the page."""

    def open(self, path: Path, width: int = 1280, *, dark: bool = False) -> None:
        """Open a page in a window of this width; nothing moves by itself."""
        self.resize(width, dark=dark)
        self.driver.get(path.as_uri())
        self.until(lambda: self.run("return document.querySelector('.gallery button') !== null"))
        self.settle()

    def part(self, name: str) -> Any:
        return self.driver.find_element("css selector", f"[data-part='{name}']")

    def text(self, name: str) -> str:
        return str(self.part(name).get_attribute("textContent")).strip()

    def viewer(self) -> dict[str, object]:
        """What the dialog with the enlarged picture shows; nothing if it is closed."""
        return self.run(
            """const viewer = document.querySelector("[data-viewer]");
            if (!viewer.open) return {};
            const image = viewer.querySelector("img");
            return {
                name: viewer.querySelector("[data-viewer-part=name]").textContent,
                wide: image.getBoundingClientRect().width, source: image.src,
                link: viewer.querySelector("a")?.getAttribute("href") ?? null,
            };"""
        )

    def settle(self) -> None:
        """Wait until the map was drawn anew."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def place(self, row: int) -> tuple[float, float]:
        """Where on the screen the image of a row is."""
        x, y = self.run(
            "return document.querySelector('[data-explorer]').placeOf(...arguments)", row
        )
        return x, y

    def mouse(self, kind: str, x: float, y: float, **more: object) -> None:
        event = {"type": kind, "x": x, "y": y, **more}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def hover(self, row: int) -> None:
        self.mouse("mouseMoved", *self.place(row))
        self.settle()

    def click(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)
        self.settle()

    def key(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)
        self.settle()

    def focus_map(self) -> None:
        self.run("document.querySelector('[data-part=canvas]').focus()")

    def card(self) -> str | None:
        """The name on the card, if it is shown."""
        return self.text("card-name") if self.part("card").is_displayed() else None

    def pixel(self, row: int) -> list[int]:
        """The colour on the map where the image of a row is."""
        x, y = self.place(row)
        box = self.run("return document.querySelector('.map canvas').getBoundingClientRect()")
        return self.colour("canvas", round(x - box["left"]), round(y - box["top"]))

    def colour(self, part: str, x: int, y: int) -> list[int]:
        """The colour of one pixel of a canvas, read from a copy: the page's own stays as it is."""
        script = """
            const [part, x, y] = arguments;
            const copy = document.createElement("canvas");
            copy.width = copy.height = 1;
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(document.querySelector(`[data-part=${part}]`), -x, -y);
            return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];"""
        return list(self.run(script, part, x, y))

    def gallery(self) -> list[int]:
        """Rows of the images in the gallery, in its order."""
        labels = self.run(
            "return [...document.querySelectorAll('.gallery button')].map((b) => b.title)"
        )
        return [NAMES.index(label) for label in labels]


NAMES = [f"folder/image {i}.png" for i in range(N - 1)] + [HOSTILE]
LABELS = np.arange(N) % K
CONFIDENCE = np.linspace(0.4, 1.0, N, dtype=np.float32)


def colour_of(row: int) -> list[int]:
    """Each image has one colour of its own."""
    return [row * 7 % 256, row * 3 % 256, 255 - row % 256]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 300 plain images in three clusters, apart on the map."""
    generator = np.random.default_rng(0)
    colours = np.array([colour_of(row) for row in range(N)], dtype=np.uint8)
    source = ArraySource(np.tile(colours[:, None, None], (1, 12, 12, 1)), ids=NAMES)
    centres = np.array([[0, 0], [10, 0], [5, 8]])[LABELS]
    xy = (centres + generator.normal(size=(N, 2))).astype(np.float32)
    table = ImageTable(ids=NAMES, embedding=xy, labels=LABELS, confidence=CONFIDENCE, xy=xy)
    wide = tuple(f"column {i}" for i in range(14))
    document = Document(
        "What was found in 300 images of the sea", "A report",
        blocks=[
            Heading("Members"), Paragraph("Some text. " * 30),
            Picture(figures.clusters(source, table), "Members of each cluster."),
            Picture(confidences(CONFIDENCE, LABELS), "A chart."),
            Heading("Numbers", 2), Table(wide, (tuple("0.123" for _ in wide),) * 4),
            Code("shoal run " + "/a/very/long/path" * 12),
        ],
    )  # fmt: skip
    fragment = explorer.fragment(source, table, wording=Wording("en"))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.render(document, explorer=fragment, wording=Wording("en")), "utf-8")
    return path


@pytest.fixture
def reader(browser: Any, page: Path) -> Iterator[Reader]:
    """A reader of the page at 1280 pixels. Nothing may be wrong or asked for in the meantime."""
    one = Reader(browser)
    one.complaints()
    one.requests()
    one.open(page)
    yield one
    assert one.complaints() == []
    assert {re.sub(r":.*", "", url, flags=re.DOTALL) for url in one.requests()} <= {
        "file",
        "data",
        "blob",
    }
    assert one.run("return window.hacked") is None


def test_the_page_is_read_and_its_title_said(reader: Reader) -> None:
    assert reader.driver.title == "What was found in 300 images of the sea"
    assert reader.requests()[:1] == [reader.driver.current_url]
    assert reader.run("return document.images.length") == 2
    assert reader.run("return [...document.images].every((one) => one.naturalWidth > 100)")


@pytest.mark.parametrize("row", [0, 40, 200, N - 1])
def test_hovering_shows_the_image(reader: Reader, row: int) -> None:
    assert reader.card() is None
    reader.hover(row)
    assert reader.card() == (NAMES[row] if row < N - 1 else f"{HOSTILE[:20]}…{HOSTILE[-43:]}")
    assert reader.text("card-cluster") == f"cluster {LABELS[row]}"
    assert reader.text("card-confidence") == f"confidence {CONFIDENCE[row]:.2f}"
    reader.until(lambda: reader.colour("card-picture", 5, 5) == colour_of(row))
    picture = reader.part("card-picture")
    assert picture.size == {"width": 192, "height": 192}  # sixteen times its 12 pixels
    assert picture.value_of_css_property("image-rendering") == "pixelated"
    reader.mouse("mouseMoved", 5, 5)
    reader.settle()
    assert reader.card() is None


def test_a_click_keeps_the_image_and_says_so(reader: Reader) -> None:
    reader.click(*reader.place(40))
    reader.mouse("mouseMoved", 5, 5)
    reader.settle()
    assert reader.card() == NAMES[40]
    assert reader.text("announcement") == f"image {NAMES[40]}, cluster 1, confidence 0.48"


def test_the_legend_filters(reader: Reader) -> None:
    first, second, _ = reader.driver.find_elements("css selector", ".legend button")
    assert [first.get_attribute("aria-pressed"), first.text] == ["false", "cluster 0\n100"]
    assert {LABELS[row] for row in reader.gallery()} == {0, 1, 2}
    before = reader.pixel(1)
    first.click()
    reader.settle()
    assert first.get_attribute("aria-pressed") == "true"
    assert reader.text("gallery-shown") == "100 of 300 images"
    assert {LABELS[row] for row in reader.gallery()} == {0}
    assert sum(reader.pixel(1)) > sum(before)  # faded
    reader.hover(1)
    assert reader.card() is None
    second.click()
    reader.settle()
    assert {LABELS[row] for row in reader.gallery()} == {0, 1}
    reader.hover(1)
    assert reader.card() == NAMES[1]
    first.click()
    second.click()
    reader.settle()
    assert first.get_attribute("aria-pressed") == "false"
    assert {LABELS[row] for row in reader.gallery()} == {0, 1, 2}
    assert reader.pixel(1) == before


def test_arrow_keys_walk_over_the_map(reader: Reader) -> None:
    reader.focus_map()
    reader.key(Keys.ARROW_LEFT)
    seen = [reader.text("announcement")]
    for key, axis, sign in (
        (Keys.ARROW_LEFT, 0, -1), (Keys.ARROW_RIGHT, 0, 1), (Keys.ARROW_UP, 1, -1),
        (Keys.ARROW_DOWN, 1, 1),
    ):  # fmt: skip
        before = reader.place(NAMES.index(str(reader.card())))
        reader.key(key)
        after = reader.place(NAMES.index(str(reader.card())))
        assert (after[axis] - before[axis]) * sign > 0
        seen.append(reader.text("announcement"))
    assert all(text.startswith("image folder/") for text in seen)
    reader.key(Keys.ESCAPE)
    assert reader.card() is None
    assert reader.text("announcement") == ""


def test_keys_zoom_and_show_the_whole_map(reader: Reader) -> None:
    def apart() -> float:
        return float(np.hypot(*np.subtract(reader.place(0), reader.place(1))))

    whole = apart()
    reader.focus_map()
    reader.key("+")
    assert apart() == pytest.approx(1.5 * whole, rel=0.01)
    reader.key("-")
    assert apart() == pytest.approx(whole, rel=0.01)
    reader.key("+", "+", "0")
    assert apart() == pytest.approx(whole, rel=0.01)


def test_everything_is_reached_by_tab(reader: Reader) -> None:
    reader.focus_map()
    reached = []
    for _ in range(11):
        reader.key(Keys.TAB)
        reached.append(
            reader.run(
                "const { dataset, type } = document.activeElement;"
                "return dataset.part ?? dataset.cluster ?? (dataset.image ? 'tile' : type)"
            )
        )
        outline = reader.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    assert reached == [
        "zoom-in", "zoom-out", "whole", "search", "submit", "0", "1", "2", "sort", "next", "tile",
    ]  # fmt: skip
    reader.key(Keys.TAB)
    assert reader.run("return document.activeElement.closest('.gallery')") is None  # one stop only
    reader.run("document.querySelector('.legend button').focus()")
    reader.key(Keys.SPACE)
    assert reader.text("gallery-shown") == "100 of 300 images"
    reader.focus_map()
    reader.key(Keys.ESCAPE)
    assert reader.text("gallery-shown") == ""


def test_zoomed_in_pictures_stand_in_place_of_dots(reader: Reader) -> None:
    row = 100  # of the second cluster
    assert reader.pixel(row) != colour_of(row)
    x, y = reader.place(row)
    for _ in range(14):
        reader.mouse("mouseMoved", x, y)
        reader.mouse("mouseWheel", x, y, deltaX=0, deltaY=-200)
        reader.settle()
    assert np.allclose(reader.place(row), (x, y), atol=12)  # it stays under the pointer
    reader.mouse("mouseMoved", 5, 5)
    reader.settle()
    reader.until(lambda: reader.pixel(row) == colour_of(row))


def test_the_map_is_dragged(reader: Reader) -> None:
    reader.focus_map()
    reader.key("+", "+", "+")
    x, y = reader.place(0)
    reader.mouse("mousePressed", 600, 500, button="left", buttons=1)
    for step in (10, 30, 50):
        reader.mouse("mouseMoved", 600 + step, 500 - step, button="left", buttons=1)
    reader.mouse("mouseReleased", 650, 450, button="left")
    reader.settle()
    assert np.allclose(reader.place(0), (x + 50, y - 50), atol=1)
    assert reader.card() is None  # a drag is no click


def test_the_gallery_is_sorted_paged_and_leads_to_the_map(reader: Reader) -> None:
    reader.run(
        "const s = document.querySelector('[data-part=sort]'); s.value = 'uncertain';"
        "s.dispatchEvent(new Event('change'))"
    )
    first = reader.gallery()
    assert first == list(range(len(first)))  # confidence rises with the row
    reader.part("next").click()
    reader.settle()
    assert reader.gallery()[0] == len(first)
    assert reader.text("page").startswith(f"{len(first) + 1} to ")
    tile = reader.driver.find_element("css selector", ".gallery button")
    tile.click()
    reader.settle()
    assert reader.viewer()["name"] == NAMES[len(first)]
    reader.key(Keys.ESCAPE)
    reader.settle()
    assert tile.get_attribute("aria-pressed") == "true"
    assert reader.card() == NAMES[len(first)]
    box = reader.run("return document.querySelector('.map').getBoundingClientRect().toJSON()")
    middle = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
    assert np.allclose(reader.place(len(first)), middle, atol=2)
    tile.send_keys(Keys.ARROW_RIGHT)
    assert reader.run("return document.activeElement.title") == NAMES[len(first) + 1]


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A page beside its folder of four images, of which the encoder sees a tenth."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        Image.new("RGB", (200, 100), (60 * i, 0, 90)).save(folder / f"sea {i}.png")
    source = open_source(folder, image_shape=(20, 20, 3))
    xy = np.array([[0, 0], [9, 0], [0, 9], [9, 9]], dtype=np.float32)
    table = ImageTable(source.ids, np.arange(4) % 2, xy, np.full(4, 0.5, dtype=np.float32), xy)
    path = tmp_path / "report.html"
    url = folder_beside(source, path)
    rows = photo_rows(source, [("typical", (0.0, 0.4, 0.7), np.array([2]))])
    document = Document("Sea", "", blocks=[Gallery(rows, "Members.")])
    fragment = explorer.fragment(source, table, wording=Wording("en"), folder=url)
    page = html.render(document, explorer=fragment, wording=Wording("en"), folder=url)
    path.write_text(page, encoding="utf-8")
    return path


def test_a_click_shows_the_file_beside_the_page(reader: Reader, beside: Path) -> None:
    reader.open(beside)
    reader.driver.find_element("css selector", ".photos .photo").click()
    reader.until(lambda: str(reader.viewer()["source"]).endswith("photos/sea%202.png"))
    assert reader.viewer()["name"] == "sea 2.png"
    assert reader.viewer()["link"] == "photos/sea%202.png"
    reader.key(Keys.ESCAPE)
    assert reader.viewer() == {}
    reader.hover(1)
    photo = "return document.querySelector('.card img')?.src"
    reader.until(lambda: str(reader.run(photo)).endswith("photos/sea%201.png"))
    box = reader.run("return document.querySelector('.card img').getBoundingClientRect().toJSON()")
    assert (box["width"], box["height"]) == (200, 100)  # the whole image, not the square seen
    reader.click(*reader.place(1))
    reader.mouse("mouseMoved", 5, 5)
    reader.settle()
    reader.part("card-open").click()
    reader.until(lambda: str(reader.viewer()["source"]).endswith("photos/sea%201.png"))


def test_a_page_without_its_folder_enlarges_what_it_carries(reader: Reader, beside: Path) -> None:
    alone = beside.with_name("moved.html")
    shutil.move(beside, alone)
    shutil.rmtree(beside.with_name("photos"))
    reader.open(alone)
    reader.driver.find_element("css selector", ".photos .photo").click()
    reader.until(lambda: float(str(reader.viewer()["wide"])) > 128)
    assert str(reader.viewer()["source"]).startswith("data:image/jpeg")
    reader.until(reader.complaints)  # that the file is not there


def test_the_search_finds_names(reader: Reader) -> None:
    box = reader.driver.find_element("css selector", "input[type=search]")
    box.send_keys("image 29", Keys.ENTER)
    reader.settle()
    assert reader.card() == NAMES[29]
    assert reader.text("search-status") == "1 of 10"  # 29 and 290 to 298
    box.send_keys(Keys.ENTER)
    reader.settle()
    assert reader.card() == NAMES[290]
    box.clear()
    box.send_keys("a whale", Keys.ENTER)
    assert reader.text("search-status") == "no image has this name"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_wider_than_the_window(
    reader: Reader, page: Path, width: int, dark: bool
) -> None:
    reader.open(page, width, dark=dark)
    wide = reader.run("return [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1] == width
    assert reader.run("return document.querySelector('.contents').open") == (width > 1000)
    outside = reader.run(
        """return [...document.querySelectorAll("main *")].filter((one) =>
            !one.closest(".scroll, .unseen, .legend, svg, .sort") &&
            one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)"""
    )
    assert outside == []


def test_a_finger_taps_an_image(reader: Reader, page: Path) -> None:
    reader.open(page, 390)
    reader.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    x, y = reader.place(7)
    touch = "Input.dispatchTouchEvent"
    reader.driver.execute_cdp_cmd(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    reader.driver.execute_cdp_cmd(touch, {"type": "touchEnd", "touchPoints": []})
    reader.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    reader.settle()
    assert reader.card() == NAMES[7]


def test_dark_follows_the_system_until_the_button_is_pressed(reader: Reader, page: Path) -> None:
    def brightness() -> int:
        colour = reader.run("return getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    def corner() -> int:
        return sum(reader.colour("canvas", 2, 2))

    assert brightness() > 600
    assert corner() > 600
    reader.prefer(dark=True)
    reader.settle()
    assert brightness() < 150
    assert corner() < 150  # the map was drawn anew
    button = reader.driver.find_element("css selector", "[data-theme-button]")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    reader.settle()
    assert brightness() > 600
    assert corner() > 600
    ground = "return getComputedStyle(document.querySelector('figure .drawn')).backgroundColor"
    turned = "return getComputedStyle(document.querySelector('figure .chart img')).filter"
    assert reader.run(turned) == "none"
    reader.open(page, dark=True)
    assert brightness() > 600  # remembered
    reader.run("localStorage.clear()")
    reader.open(page, dark=True)
    assert brightness() < 150
    assert sum(map(int, re.findall(r"\d+", reader.run(ground))[:3])) < 150
    assert reader.run(turned).startswith("invert")
    photos = "return getComputedStyle(document.querySelector('figure .photos img')).filter"
    assert reader.run(photos) == "none"


def test_it_prints(reader: Reader) -> None:
    printed = reader.driver.execute_cdp_cmd("Page.printToPDF", {})
    assert len(printed["data"]) > 10_000
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    hidden = reader.run(
        "return ['.beside', '.theme', '.zoom', '.pager'].every((one) =>"
        "getComputedStyle(document.querySelector(one)).display === 'none')"
    )
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert hidden
