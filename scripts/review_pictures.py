"""Take the pictures of the page of a review in the docs again: review.png, review-question.png.

    shoal demo demo/
    python scripts/review_pictures.py demo/

It needs selenium, and Debian's packages chromium and chromium-driver. The groups are named after
the digits that most of their images show. Look at the pictures: the docs say what is on them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver import Keys
from sklearn.datasets import load_digits

from shoal.images.open import open_source
from shoal.models import checkpoint
from shoal.review.opening import open_review
from shoal.review.server import serving
from shoal.review.session import Session

DOCS = Path(__file__).parents[1] / "docs"
NAMES = ["zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines"]
WIDTH, HEIGHT = 1280, 760


def main() -> None:
    """Take both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(shutil.copytree(sys.argv[1], Path(folder) / "demo"))
        path = found / "checkpoint.pth"
        source = open_source(found / "digits.npy")
        session = Session(open_review(source, checkpoint.load(path), path), "digits.npy")
        digits, group_of = load_digits().target, {}
        for group in session.view.ids:
            name = NAMES[np.bincount(digits[session.view.members(group)]).argmax()]
            session.act({"op": "name", "group": group, "name": name})
            group_of[name] = group
        session.act({"op": "confirm", "group": group_of["zeros"]})
        ones = group_of["ones"]
        session.act({"op": "confirm", "rows": session.members(ones, "typical", None)["rows"][:9]})
        with serving(session) as server:
            driver = _browser()
            try:
                driver.get(server.new_address())
                _take(driver, key=str(ones))
            finally:
                driver.quit()


def _browser() -> Any:
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    screen = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    return driver


def _take(driver: Any, key: str) -> None:
    def press(key: str) -> None:
        driver.switch_to.active_element.send_keys(key)

    def all_of(selector: str) -> list[Any]:
        return driver.find_elements("css selector", selector)

    _until(lambda: driver.execute_script("return document.documentElement.dataset.ready"))
    press("b")
    press(key)
    _until(lambda: all_of(".tile"))
    press("p")
    _until(lambda: len(all_of(".head button")) > 2)
    driver.execute_script("arguments[0].click()", all_of(".head button")[2])  # no mouse on it
    _shot(driver, DOCS / "review.png")
    press(Keys.ESCAPE)
    press("q")
    _until(lambda: all_of("#question .candidate"))
    _shot(driver, DOCS / "review-question.png")


def _shot(driver: Any, path: Path) -> None:
    time.sleep(2)  # the thumbnails come
    driver.save_screenshot(str(path))
    with Image.open(path) as picture:
        seen = picture.convert("RGB")
    seen.save(path, optimize=True)


def _until(condition: Callable[[], Any]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        if time.monotonic() > give_up:
            raise SystemExit("the page does not come to it")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
