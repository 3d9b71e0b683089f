"""The page of a review of vectors without pictures, in a browser: it calls nothing an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from reviewing import Person

from shoal.cli.opening_as_learned import open_with
from shoal.progress import Reporter
from shoal.review.opening import open_review
from shoal.review.server import ReviewServer
from shoal.review.session import Session

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
Keys = webdriver.Keys
pytestmark = chromium.needed
browser = chromium.browser

IMAGES = """
    const texts = [...document.querySelectorAll("body *")].flatMap((one) => [
        one.children.length === 0 || one.matches("p, button, dd") ? one.textContent : "",
        ...["title", "aria-label", "placeholder"].map((name) => one.getAttribute(name) ?? "")]);
    return [...new Set(texts)].filter((text) => /image/i.test(text.replaceAll("my images", "")))"""


@pytest.fixture
def person(browser: Any, tmp_path: Path, run_cli: Callable[..., Any]) -> Iterator[Person]:
    """A person at the page of a review of 60 vectors."""
    generator = np.random.default_rng(0)
    centres = np.repeat(3 * generator.normal(size=(2, 8)), 30, axis=0)
    np.save(tmp_path / "v.npy", (centres + generator.normal(size=(60, 8))).astype(np.float32))
    found = tmp_path / "found"
    assert run_cli("cluster", tmp_path / "v.npy", found, "-k", 2, "--quiet").code == 0
    path = found / "checkpoint.pth"
    source, loaded = open_with(path, tmp_path / "v.npy", Reporter(quiet=True))
    server = ReviewServer(Session(open_review(source, loaded, path), "v.npy"))
    server.start()
    one = Person(browser, server, found)
    one.open()
    yield one
    one.driver.get("about:blank")
    server.close()


def test_nothing_is_called_an_image_that_is_none(person: Person) -> None:
    group, other = person.server.session.view.ids[:2]
    person.server.session.act({"op": "name", "group": group, "name": "my images"})
    for key, sight in (
        ("v", ".division"),
        ("b", "#tiles .tile"),
        ("p", ".heads .head"),
        ("w", "#map canvas"),
        ("g", "#tiles .tile"),
        ("q", "#question .asked"),
        ("e", "#question .single"),
        ("h", ".entries li"),
        ("?", ".help dd"),
    ):
        person.press(key)
        person.shown(sight)
        assert person.run(IMAGES) == [], key
    person.press(Keys.ESCAPE)
    person.press("h")
    person.press("b")
    person.click(f"#image-{person.until(person.tiles)[0]}")
    person.press(Keys.ENTER)
    person.until(lambda: person.text(".image-id"))
    assert person.run(IMAGES) == []
    person.press(Keys.ESCAPE)
    for key in ("t", "n", "s", "d"):
        person.press(key)
        person.shown("dialog.dialog")
        assert person.run(IMAGES) == [], key
        person.press(Keys.ESCAPE)
        person.until(lambda: not person.all("dialog.dialog"))
    rows = person.server.session.view.members(other)[:2].tolist()
    person.run("location.hash = `group/${arguments[0]}`", other)
    person.click(f"#image-{person.until(lambda: set(person.tiles()) >= {*rows}) and rows[0]}")
    person.press(str(group))
    person.hears("Moved 1 vector to 'my images'")
    session = person.server.session
    session.act({"op": "merge", "groups": [group, other]})
    said = [entry["says"] for entry in person.journal()]
    assert said[0] == "Began with 60 vectors."
    assert said[-1].startswith("Merged 'my images'")
    assert said[-1].endswith(": 60 vectors are 'my images' now.")
    assert not [text for text in said if "image" in text.replace("my images", "")]
