"""A person in front of the page of a review, for the tests of it in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest

from shoal.images.open import open_source
from shoal.models import checkpoint
from shoal.review.opening import open_review
from shoal.review.server import ReviewServer
from shoal.review.session import Session

browser = chromium.browser
N = 96
OUTSIDE = """
    return [...document.querySelectorAll("body *")].filter((one) =>
        one.checkVisibility() && !one.closest(".actions, .few, .unseen, .skip, .strip, .toasts")
        && one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 200))"""


class Person(chromium.Window):
    """A person in front of the page, and the server behind it."""

    def __init__(self, driver: Any, server: ReviewServer, found: Path) -> None:
        super().__init__(driver)
        self.server, self.found = server, found

    def open(self, width: int = 1280, *, dark: bool = False) -> None:
        """Open the review in a window of this width; nothing moves by itself."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.resize(width, dark=dark)
        self.driver.get("about:blank")
        self.driver.get(self.server.new_address())
        self.until(lambda: self.run("return document.documentElement.dataset.ready"))

    def hears(self, beginning: str) -> None:
        """Wait until it is said, and until all is saved."""
        self.until(lambda: self.said().startswith(beginning))
        self.until(lambda: self.text("#saved") == "Saved")

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0])?.textContent", selector))

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def shown(self, selector: str) -> Any:
        """An element, as soon as it can be seen."""
        return self.until(
            lambda: next((one for one in self.all(selector) if one.is_displayed()), None)
        )

    def sees(self, selector: str) -> Any:
        """An element, as soon as it was on the screen for long enough to be answered."""
        takes_answers = "return arguments[0].isConnected && !arguments[0].closest('[data-unseen]')"
        return self.until(
            lambda: (one := self.shown(selector)) and self.run(takes_answers, one) and one
        )

    def asked(self) -> None:
        """Wait until there is a question on the screen, and it takes answers."""
        self.sees("#question:not(:has(.leaving)) .asked > *")

    def chain(self) -> Any:
        """What a mouse does, at once."""
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver, duration=20)

    def bottom(self, selector: str) -> float:
        """Where an element ends, in px from the top; it is looked for and measured in one step."""
        self.shown(selector)
        script = "return document.querySelector(arguments[0])?.getBoundingClientRect().bottom"
        return float(self.until(lambda: self.run(script, selector)))

    def click(self, selector: str, *held: str) -> None:
        self.sees(selector)
        self.until(lambda: self._clicked(selector, held))

    def _clicked(self, selector: str, held: tuple[str, ...]) -> bool:
        """Click; an element that was drawn anew stops this before anything was pressed."""
        chain = self.chain().move_to_element(self.shown(selector))
        for key in held:
            chain.key_down(key)
        chain.click()
        for key in held:
            chain.key_up(key)
        chain.perform()
        return True

    def command(self, name: str) -> None:
        """Click the button of a command."""
        self.click(f"[data-command={name}]:enabled")

    def press(self, *keys: str) -> None:
        """Press keys wherever the focus is; it may just have moved."""
        self.until(lambda: [self.driver.switch_to.active_element.send_keys(*keys)])

    def groups(self) -> dict[str, int]:
        """Title and size of each group in the list."""
        lines = self.run(
            """return [...document.querySelectorAll("#group-list li")].map((line) => [
                line.querySelector(".name").textContent,
                line.querySelector(".group-facts").textContent])"""
        )
        return {title: int(facts.split()[0].replace(",", "")) for title, facts in lines}

    def selected(self) -> list[int]:
        """Rows of the selected images in the grid."""
        return self.run(
            """return [...document.querySelectorAll(".tile[aria-selected=true]")]
                .filter((tile) => !tile.hidden).map((tile) => Number(tile.id.slice(6)))"""
        )

    def tiles(self) -> list[int]:
        """Rows of the images in the grid."""
        return self.run(
            """return [...document.querySelectorAll(".tile")].filter((tile) => !tile.hidden)
                .sort((a, b) => a.dataset.index - b.dataset.index)
                .map((tile) => Number(tile.id.slice(6)))"""
        )

    def journal(self) -> list[dict[str, Any]]:
        lines = (self.found / "checkpoint.corrections.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def run_folder(
    tmp_path_factory: pytest.TempPathFactory, run_cli: Callable[..., Any], fast: Sequence[str]
) -> Path:
    """The folder of a run of 96 tiny images of three kinds."""
    folder = tmp_path_factory.mktemp("review")
    generator = np.random.default_rng(0)
    kind = np.arange(N) % 3
    made = np.empty((N, 8, 8, 3), dtype=np.int64)
    made[kind == 0] = (220, 60, 40)
    made[kind == 1] = np.where(np.arange(8)[:, None, None] % 4 < 2, 250, 5)
    made[kind == 2] = (40, 60, 220)
    made += generator.integers(-20, 20, (N, 1, 1, 3)) + generator.integers(-5, 6, made.shape)
    np.save(folder / "pile.npy", np.clip(made, 0, 255).astype(np.uint8))
    result = run_cli("run", folder / "pile.npy", folder / "found", "--quiet", *fast)
    assert (result.code, result.err) == (0, "")
    return folder


@pytest.fixture
def person(browser: Any, run_folder: Path, tmp_path: Path) -> Iterator[Person]:
    """A person at the page of a review that just began, 1280 pixels wide.

    In the meantime the console stays silent, and no request leaves this machine.
    """
    found = tmp_path / "found"
    shutil.copytree(run_folder / "found", found)
    source = open_source(run_folder / "pile.npy")
    path = found / "checkpoint.pth"
    session = Session(open_review(source, checkpoint.load(path), path), "pile.npy")
    server = ReviewServer(session)
    server.start()
    one = Person(browser, server, found)
    one.complaints()
    one.requests()
    one.open()
    yield one
    wrong = one.complaints()
    asked = {re.sub(r"[?#].*", "", url) for url in one.requests()}
    assert one.run("return window.hacked") is None
    one.driver.get("about:blank")
    server.close()
    assert wrong == [], wrong
    here = f"http://127.0.0.1:{server.port}/"
    assert {url for url in asked if not url.startswith((here, "about:", "data:"))} == set()


def ops(person: Person) -> list[str]:
    """What the journal holds, by kind."""
    return [str(entry["op"]) for entry in person.journal()]
