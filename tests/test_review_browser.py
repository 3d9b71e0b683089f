"""The page of the review in a real browser: the whole story by mouse, and again by keyboard."""

from __future__ import annotations

import errno
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import pytest
import reviewing
from reviewing import OUTSIDE, N, Person, ops

from shoal.corrections.carry import carry
from shoal.embedding.table import ImageTable
from shoal.images.open import open_source
from shoal.models import checkpoint
from shoal.review.opening import open_review
from shoal.review.server import ReviewServer
from shoal.review.session import Session

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
Keys = webdriver.Keys
pytestmark = chromium.needed
browser, run_folder, person = chromium.browser, reviewing.run_folder, reviewing.person

HOSTILE = '<img src=x onerror="window.hacked = 1">'


NAMELESS = """
    return [...document.querySelectorAll("button, input, select, textarea, [role]")]
        .filter((one) => one.checkVisibility() && !one.matches("[role=status], [role=alert]") &&
            !(one.textContent.trim() || one.getAttribute("aria-label") ||
                one.getAttribute("aria-labelledby")))
        .map((one) => one.outerHTML)"""

HEADINGS_OF_NOTHING = """
    return [...document.querySelectorAll("h2, h3")]
        .filter((one) => one.checkVisibility() && one.nextElementSibling?.textContent === "" &&
            !one.nextElementSibling.matches("span") && !one.nextElementSibling.querySelector("*"))
        .map((one) => one.textContent)"""

SOURCE = (Path(__file__).parents[1] / "shoal/review/page/commands.js").read_text("utf-8")
# The others have a field, a list or cards of their own.
OWN = (
    "candidate single single-before single-after single-nowhere single-open single-other "
    "single-new singles singles-skip singles-back "
    "divide move-number order rename note previous-group next-group back"
)
WITH_BUTTONS = set(re.findall(r'^  command\("([\w-]+)"', SOURCE, re.MULTILINE)) - {*OWN.split()}


@pytest.fixture
def export(
    person: Person, run_folder: Path, run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, set[int]]]:
    """Ends the review, and types what `shoal review` says to type next: each folder's images."""

    def exported() -> dict[str, set[int]]:
        person.driver.get("about:blank")
        person.server.close()
        monkeypatch.setattr(ReviewServer, "run", ReviewServer.close)  # opened again, and Ctrl-C
        pile = run_folder / "pile.npy"
        ended = run_cli("review", person.found, "--data", pile, "--no-browser")
        assert ended.code == 0
        *_, program, words = re.split("next: (shoal) ", ended.err.strip())
        assert program == "shoal"
        planned = run_cli(*shlex.split(words))
        assert planned.code == 0
        *_, words = planned.err.strip().rpartition("next: shoal ")
        done = run_cli(*shlex.split(words))
        assert done.code == 0, done.err
        return {
            folder.name: {int(file.stem) for file in folder.iterdir()}
            for folder in (person.found / "sorted").iterdir() if folder.is_dir()
        }  # fmt: skip

    return exported


def test_the_whole_story_by_mouse(person: Person, export: Any) -> None:
    person.click(".division[data-index='0']")
    person.hears("2 clusters, way 1 of 4: this is the division that you have.")
    assert (ops(person), sorted(person.groups().values())) == (["start"], [32, 64])
    person.command("divisions")
    person.click(".division[data-index='1']")
    person.hears("Took another division")
    assert sorted(person.groups().values()) == [32, 64]
    name = person.shown("#name")
    name.click()
    name.send_keys(HOSTILE)
    person.click(f"#image-{person.tiles()[0]}")  # whoever goes on elsewhere has named it
    person.hears("Named")
    assert HOSTILE in person.groups()  # as text

    person.command("split")
    person.click(".dialog .numbers button:first-child")
    person.hears("Split")
    assert sorted(person.groups().values()) == [32, 32, 32]
    for tick in person.all("#group-list input")[:2]:
        tick.click()
    person.command("merge")
    person.sees(".dialog .moves")
    assert len(person.all(".dialog .moves li")) == 2
    assert ops(person)[-1] == "split", "nothing is merged before it was seen"
    person.click(".dialog .main")
    person.hears("Merged")
    assert sorted(person.groups().values()) == [32, 64]
    person.command("undo")
    person.hears("Undid")
    assert sorted(person.groups().values()) == [32, 32, 32]
    person.command("redo")
    person.hears("Did again")
    person.click(".toast .close")
    person.command("undo")
    person.hears("Undid")

    person.click("#group-list li:nth-child(1) .group")
    person.until(lambda: len(person.tiles()) == 32)
    rows = person.tiles()
    person.click(f"#image-{rows[1]}")
    person.click(f"#image-{rows[3]}", Keys.SHIFT)
    person.click(f"#image-{rows[5]}", Keys.CONTROL)
    moved = {*rows[1:4], rows[5]}
    assert set(person.selected()) == moved
    person.command("move")
    person.click(".choices button:nth-child(2)")
    person.hears("Moved 4 images")
    assert sorted(person.groups().values()) == [28, 32, 36]
    assert person.text("#progress-text").startswith("4 of 96 decided")

    person.until(lambda: len(person.tiles()) == 28)
    corner, last = person.shown("#grid"), person.shown(f"#image-{person.tiles()[1]}")
    chain = person.chain().move_to_element(last).click_and_hold()
    chain.move_to_element_with_offset(corner, -corner.size["width"] // 2 + 9, 0).release().perform()
    chosen = person.selected()
    assert set(person.tiles()[:2]) < set(chosen)
    person.command("confirm")
    person.hears("Confirmed")
    assert person.text("#progress-text").startswith(f"{4 + len(chosen)} of 96 decided")

    person.command("question")
    person.click("#question .candidate")
    person.until(lambda: ops(person)[-1] == "answer")
    person.command("history")
    person.click(".entries li:last-child button")
    person.hears("Went back to")
    assert person.text("#progress-text").startswith("0 of 96 decided")
    done = ["start", "divide", "name", "split", "merge", "undo", "redo", "undo", "move", "confirm"]
    assert ops(person)[: len(done)] == done

    while person.shown("[data-command=redo]").is_enabled():
        n = len(ops(person))
        person.command("redo")
        person.until(lambda n=n: len(ops(person)) > n and person.text("#saved") == "Saved")
    shown = person.groups()
    folders = export()
    called = "_img src=x onerror=_window.hacked = 1__"  # as a folder can be called
    assert moved < folders[called]
    assert len(folders[called]) == shown[HOSTILE]
    assert sorted(map(len, folders.values())) == sorted(shown.values())


def test_the_whole_story_by_keyboard(person: Person, export: Any) -> None:
    person.shown(".division[data-index='1']")
    person.press("2")
    person.hears("Took another division")
    person.until(lambda: person.tiles())
    person.press("r")
    person.press("waves", Keys.ENTER)
    person.hears("Named")
    person.press("s")
    person.shown(".dialog .numbers")
    person.press("2")
    person.hears("Split")
    person.press("m")
    person.shown(".dialog .choices button")
    person.press("6")
    person.sees(".dialog .moves")
    assert person.text(".dialog h2").startswith("Merge ")
    assert ops(person)[-1] == "split", "nothing is merged before it was seen"
    person.press(Keys.ENTER)
    person.hears("Merged")
    person.until(lambda: person.all("#group-list [aria-current]"))
    assert person.text("#group-list [aria-current] .name") in person.said()
    person.press("u")
    person.hears("Undid")
    assert sorted(person.groups().values()) == [32, 32, 32]

    person.until(lambda: len(person.tiles()) == 32)
    person.run("document.getElementById('tiles').focus()")
    person.press(Keys.ARROW_RIGHT)
    person.press(Keys.SHIFT + Keys.ARROW_RIGHT)
    assert person.selected() == person.tiles()[:2]
    moved = set(person.selected())
    person.press("n")
    person.shown(".dialog input")
    person.press("two of them", Keys.ENTER)
    person.hears("Made")
    assert person.groups()["two of them"] == 2

    person.press("p")
    person.shown(".heads .head")
    person.press("e")
    part = person.until(person.selected)
    person.press("x")
    person.until(lambda: "nowhere" in ops(person))
    person.press("u")
    person.hears("Undid")
    person.press("g")
    person.until(lambda: set(part) <= set(person.tiles()))

    person.press(Keys.ENTER)
    person.until(lambda: person.text(".image-id") in map(str, range(N)))
    first = person.text(".image-id")
    person.press(Keys.ARROW_RIGHT)
    person.until(lambda: person.text(".image-id") not in ("", first))
    person.press("N")
    person.press("a scratch", Keys.CONTROL + Keys.ENTER)
    person.until(lambda: ops(person)[-1] == "note")
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.shown("#tiles").get_attribute("hidden"))

    person.press("c")
    person.hears("Confirmed")
    assert ops(person).count("note") == 1  # both the key and leaving the field save it
    person.press("q")
    person.asked()
    person.press("s")
    person.asked()
    person.press(person.text("#question .candidate kbd"))
    person.until(lambda: ops(person)[-1] == "answer")
    person.press("?")
    person.shown(".help")
    person.press(Keys.ESCAPE)
    person.press("U")  # nothing to do again: no action
    person.press("u")
    person.hears("Undid")
    person.press("U")
    person.hears("Did again")
    assert ops(person)[-2:] == ["undo", "redo"]

    shown = person.groups()
    folders = export()
    assert folders["two of them"] == moved
    assert {"waves", "two of them"} < set(folders)
    assert all(len(folders[name]) == shown[name] for name in ("waves", "two of them"))
    assert sorted(map(len, folders.values())) == sorted(shown.values())


def test_nothing_half_done_is_lost_to_another_tab_without_a_word(person: Person) -> None:
    session = person.server.session
    parts = session.act({"op": "split", "group": 1, "parts": 2})["entry"]["to"]
    person.press("b")
    person.until(lambda: f"Group {parts[0]}" in person.groups())
    title = f"#group-list [data-group='{parts[0]}']"

    # What is ticked, and what is shown of a merge.
    person.click(f"{title} input")
    person.click("#group-list [data-group='2'] input")
    person.press("m")
    person.sees(".dialog .moves")
    session.act({"op": "name", "group": 2, "name": "lines"})
    person.until(lambda: "lines" in person.text(".dialog .moves"))
    assert "Something was changed meanwhile" in person.text(".dialog")
    session.act({"op": "undo"})
    session.act({"op": "undo"})
    person.until(lambda: "nothing was merged" in person.text(".dialog"))
    person.until(lambda: f"Group {parts[0]} is no more, and not ticked." in person.text("#toasts"))
    person.press(Keys.ESCAPE)

    # A name that was typed; then images that were selected, in a group that is no more.
    session.act({"op": "redo"})
    person.click(f"{title} .group")
    person.until(lambda: len(person.tiles()) == 32)
    person.press("r")
    person.press("half a na")
    session.act({"op": "undo"})
    person.until(lambda: "“half a na” was not saved" in person.text("#toasts"))
    assert person.shown("#name").get_attribute("value") == ""
    session.act({"op": "redo"})
    person.click(f"{title} .group")
    person.until(lambda: len(person.tiles()) == 32)
    rows = person.tiles()
    person.click(f"#image-{rows[0]}")
    person.click(f"#image-{rows[1]}", Keys.CONTROL)
    session.act({"op": "move", "rows": rows[:1], "to": 2})
    person.until(lambda: "1 selected image went to another group" in person.text("#toasts"))
    assert person.selected() == rows[1:2]
    session.act({"op": "undo_to", "entry": 1})
    person.until(lambda: "1 selected image went to another group" in person.said())
    assert ops(person)[-1] == "undo"


def test_others_are_seen_and_a_lost_server_is_said(person: Person) -> None:
    person.press(Keys.ESCAPE)  # not now: the groups
    person.until(lambda: person.tiles())
    person.press("l")
    person.until(lambda: "no image is decided yet" in person.text(".dialog"))
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.all("dialog[open]"))
    person.server.session.act({"op": "name", "group": 2, "name": "by another tab"})
    person.until(lambda: "by another tab" in person.groups())

    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    person.press("r")
    person.press("typed while away", Keys.ENTER)
    person.shown("#banner")
    assert "does not answer" in person.text("#banner")
    assert person.text("#saved") == "1 action not saved"
    assert person.shown("#name").get_attribute("value") == "typed while away"
    back = {**offline, "offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", back)
    person.hears("Named")
    person.until(lambda: "typed while away" in person.groups())
    assert ops(person) == ["start", "name", "name"]
    assert not person.driver.find_element("id", "banner").is_displayed()
    person.complaints()  # of requests that failed


def offline(person: Person, *, off: bool) -> None:
    """Pull the plug between the page and the server, or put it in again."""
    speed = 0 if off else -1
    conditions = {"offline": off, "latency": 0, "downloadThroughput": speed}
    conditions["uploadThroughput"] = speed
    person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


@pytest.mark.parametrize("key", ["l", "d"])
def test_a_dialog_that_tells_the_server_is_gone_holds_all_keys(person: Person, key: str) -> None:
    person.press("b")
    person.until(person.tiles)
    person.server.session.act({"op": "name", "group": 2, "name": "by another tab"})
    person.until(lambda: "by another tab" in person.groups())
    offline(person, off=True)
    person.press(key)
    person.until(lambda: "does not answer" in person.text(".dialog"))
    person.sees(".dialog .choice button")
    for other in "qvcumlh":
        person.press(other)
    assert len(person.all("dialog[open]")) == 1
    assert not person.driver.find_element("id", "history").is_displayed()
    assert person.run("return location.hash").startswith("#group/")
    person.server.session.act({"op": "name", "group": 2, "name": "while it was away"})
    offline(person, off=False)
    person.until(lambda: "while it was away" in person.groups())
    assert "does not answer" in person.text(".dialog"), "no other button takes the place of Close"
    person.click(".dialog p")  # the focus stays in it
    person.press("c", Keys.ESCAPE)
    person.until(lambda: not person.all("dialog[open]"))
    assert ops(person) == ["start", "name", "name"]
    person.complaints()  # of requests that failed


def test_no_image_of_another_group_is_shown_while_the_server_is_gone(person: Person) -> None:
    person.press("b")
    before = person.until(person.tiles)
    person.click(f"#image-{before[0]}")
    person.press(Keys.ENTER)
    person.until(lambda: person.text(".image-id"))
    person.sees(".neighbours .large")
    assert person.text(".image-side h3") == "Images like it"
    offline(person, off=True)
    person.press(Keys.ARROW_RIGHT)
    person.until(lambda: "cannot be loaded" in person.text(".image-facts"))
    group = person.text("#group-list [aria-current] .name")
    assert person.text(".image-id") == f"Image 2 of {len(before)} in {group}"
    assert "cannot be shown large" in person.shown(".image-lost").text
    assert not person.shown(".image-large").find_element("css selector", "img").is_displayed()
    assert person.run("return document.querySelectorAll('.neighbours *').length") == 0
    assert person.run(HEADINGS_OF_NOTHING) == []
    person.press(Keys.ESCAPE)
    person.press("j")
    person.until(lambda: "cannot be shown" in person.text("#grid .told"))
    assert person.tiles() == []
    assert person.text(".chosen") == "No image selected"
    for key in (Keys.CONTROL + "a", "c", Keys.ENTER, "e"):
        person.press(key)
    person.until(
        lambda: person.text("#saved") == "No server"
    )  # nothing was said about what is not there
    person.press("q")
    person.until(lambda: "No question can be shown" in person.text("#question-body"))
    for key in "qvhbpwg":
        person.press(key)
        assert person.run(HEADINGS_OF_NOTHING) == []
    person.press("h")
    offline(person, off=False)
    person.until(lambda: person.text("#saved") == "Saved")
    after = person.until(person.tiles)
    assert not {*before} & {*after}
    assert person.text("#grid .told") == ""
    assert ops(person) == ["start"]
    person.complaints()  # of requests that failed


@pytest.mark.parametrize("where", ["the same port", "another port", "the same page"])
def test_what_was_said_while_the_server_was_gone_is_saved_by_the_next(
    person: Person, run_folder: Path, where: str
) -> None:
    person.press("b")
    person.until(person.tiles)
    person.server.close()
    person.press("r")
    person.press("typed while away", Keys.ENTER)
    person.until(lambda: person.text("#saved") == "1 action not saved")
    path = person.found / "checkpoint.pth"
    source = open_source(run_folder / "pile.npy")
    session = Session(open_review(source, checkpoint.load(path), path), "pile.npy")
    again = ReviewServer(session, person.server.port + 1 if where == "another port" else 0)
    again.start()
    try:
        if where == "another port":
            field = person.shown(".elsewhere input")
            field.send_keys("https://elsewhere.example/", Keys.ENTER)
            assert "not an address" in person.text("#banner")
            field.clear()
            field.send_keys(again.new_address(), Keys.ENTER)
        elif where == "the same port":
            assert again.port == person.server.port
            person.driver.get(again.new_address())
        else:
            first = person.driver.current_window_handle
            person.driver.switch_to.new_window("tab")
            person.driver.get(again.new_address())
            person.until(lambda: person.run("return document.documentElement.dataset.ready"))
            assert not person.driver.find_element("id", "unsent").is_displayed()  # it lives
            person.driver.close()
            person.driver.switch_to.window(first)
        if where != "the same page":
            person.until(lambda: "typed while away" in person.text("#unsent"))
            assert ops(person) == ["start"]  # not before the person wants it
            person.click("#unsent .main")
        person.until(lambda: ops(person) == ["start", "name"])
        person.until(lambda: "typed while away" in person.groups())
        person.until(lambda: person.text("#saved") == "Saved")
        person.driver.refresh()
        person.until(lambda: person.run("return document.documentElement.dataset.ready"))
        assert not person.driver.find_element("id", "unsent").is_displayed()
    finally:
        person.driver.get("about:blank")
        again.close()
    person.complaints()  # of requests that failed
    person.requests()


def test_escape_leaves_a_note_as_it_was_and_gives_back_what_was_typed(person: Person) -> None:
    person.press("b")
    person.click(f"#image-{person.until(person.tiles)[0]}")
    person.press(Keys.ENTER)
    person.until(lambda: person.text(".image-id"))
    person.press("N")
    person.press("half a thou", Keys.ESCAPE)
    note = person.shown("#note")
    assert note.get_attribute("value") == ""
    person.click(".toast button:not(.close)")
    assert note.get_attribute("value") == "half a thou"
    assert ops(person) == ["start"]
    person.driver.refresh()
    person.until(lambda: person.run("return document.documentElement.dataset.ready"))
    person.press("b")
    person.click(f"#image-{person.until(person.tiles)[0]}")
    person.press(Keys.ENTER)
    person.until(lambda: person.shown("#note").get_attribute("value") == "half a thou")
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.all("dialog[open]"))
    person.press("N")
    person.shown(".dialog textarea")
    person.press("of all of them", Keys.ESCAPE)
    person.click(".toast button:not(.close)")
    assert person.shown(".dialog textarea").get_attribute("value") == "of all of them"
    person.press(Keys.CONTROL + Keys.ENTER)
    person.hears("Noted on")


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True), (2560, False)])
def test_nothing_is_wider_than_the_window(person: Person, width: int, dark: bool) -> None:
    person.resize(width, dark=dark)
    for key, sight in (
        ("v", ".division"),
        ("b", "#group-list .group"),
        ("q", "#question .candidate"),
        ("h", ".entries li"),
    ):
        person.press(key)
        person.shown(sight)
        assert person.run("return document.scrollingElement.scrollWidth") <= width
        assert person.run(OUTSIDE) == []
    assert person.run(NAMELESS) == []
    buttons = person.run(
        "return [...document.querySelectorAll('[data-command]')].map((b) => b.dataset.command)"
    )
    assert set(buttons) >= WITH_BUTTONS
    ground = person.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == dark


def test_single_images_are_answered_by_keys(person: Person) -> None:
    person.press("b")
    person.until(person.tiles)
    person.press("q")
    person.asked()
    person.press("e")
    person.shown("#question .single[aria-pressed=true]")
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.run("return document.querySelectorAll('.single').length"))
    question = person.server.session.question()["question"]
    person.asked()
    person.press("e")
    person.asked()
    person.press("n")
    person.press("c")
    person.sees(".dialog input")
    person.press("stains", Keys.ENTER)
    person.hears("Answered for")
    assert "stains" in person.groups()
    groups = person.server.session.groups
    assert groups.group[question["rows"][0]] == groups.next_group - 1
    assert groups.group[question["rows"][1:]].tolist() == question["each"]["guesses"][1:]
    person.press("b")
    person.until(person.tiles)
    for _ in range(5):
        question = person.server.session.question()["question"]
        if not question["guesses"]:
            act = {"op": "answer", "question": question["id"], "to": "confirm"}
            person.server.session.act(act)
    question = person.server.session.question()["question"]
    assert question["guesses"]
    person.press("q")
    person.asked()
    person.shown("#question .single[aria-pressed=true]")
    below = "return document.querySelector('.answers').getBoundingClientRect().bottom - innerHeight"
    for width in (390, 2560, 1280):
        person.resize(width)
        assert person.run(OUTSIDE) == []
        assert person.run(below) <= 1  # the answers are in view, however many groups there are
    offered = [one["group"] for one in question["candidates"]]
    other = next(group for group in offered if group != question["guesses"][0])
    person.press(str(other))
    person.press("s")
    person.press("c")
    person.hears("Answered for")
    groups, rows = person.server.session.groups, question["rows"]
    assert groups.group[rows[0]] == other
    assert groups.decided[rows].tolist() == [True, False, *[True] * (len(rows) - 2)][: len(rows)]


def test_nothing_half_typed_is_saved_by_leaving_the_window(person: Person) -> None:
    def leave_and_return() -> None:
        here = person.driver.current_window_handle
        person.driver.switch_to.new_window("tab")
        person.driver.close()
        person.driver.switch_to.window(here)

    person.press("b")
    row = person.until(person.tiles)[0]
    person.press("r")
    person.press("abc")
    leave_and_return()
    person.server.session.act({"op": "name", "group": 2, "name": "by another tab"})
    person.until(lambda: "by another tab" in person.groups())
    assert ops(person) == ["start", "name"]
    person.press("d")
    assert person.shown("#name").get_attribute("value") == "abcd"
    person.click(f"#image-{row}")  # whoever goes on elsewhere has named it
    person.hears("Named")
    assert "abcd" in person.groups()
    person.press(Keys.ENTER)
    person.until(lambda: person.text(".image-id"))
    person.press("N")
    person.press("half a thou")
    leave_and_return()
    person.press("ght")
    assert ops(person) == ["start", "name", "name"]
    person.press(Keys.CONTROL + Keys.ENTER)
    person.until(lambda: ops(person)[-1] == "note")
    assert "half a thought" in str(person.journal()[-1])
    person.press(Keys.ESCAPE)


def test_a_note_on_a_group_is_seen(person: Person) -> None:
    person.press("b")
    person.until(person.tiles)
    person.press("N")
    person.shown(".dialog textarea")
    person.press("look again", Keys.CONTROL + Keys.ENTER)
    person.hears("Noted on")
    assert person.text(".group-note") == "look again"
    person.press("N")
    person.shown(".dialog textarea")
    person.press(Keys.CONTROL + "a")
    person.press(Keys.DELETE)
    person.press(Keys.CONTROL + Keys.ENTER)
    person.hears("Took the note")
    assert person.text(".group-note") == ""


def test_long_names_can_be_read_in_a_narrow_list(person: Person) -> None:
    name = "surfaces that were scratched in May 2019, and some that look like it"
    person.server.session.act({"op": "name", "group": 2, "name": name})
    person.resize(390)
    person.press("b")
    person.click("#group-list .group")
    person.until(person.tiles)
    person.press("m")
    person.until(lambda: name in person.text(".choices"))
    cut = """return [...document.querySelectorAll(".choices button > span:first-child")]
        .filter((one) => one.scrollWidth > one.clientWidth + 1).length"""
    assert person.run(cut) == 0
    assert person.run(OUTSIDE) == []
    person.press(Keys.ESCAPE)


def test_a_narrow_bar_of_actions_shows_all_of_them_on_demand(person: Person) -> None:
    person.resize(390)
    person.press("b")
    person.click("#group-list .group")
    person.until(person.tiles)
    out = """const {bottom} = document.getElementById("actions").getBoundingClientRect();
        return [...document.querySelectorAll("#actions button:not(:disabled)")].map((one) =>
            one.getBoundingClientRect()).filter((one) => one.bottom > bottom || one.right > 390)"""
    assert person.run(out)
    person.click("#actions .more")
    assert not person.run(out)
    person.click("#actions [data-command=dissolve]")
    person.sees(".dialog .choice")
    person.press(Keys.ESCAPE)
    person.click("#actions .more")
    assert person.run(out)


def test_a_key_shows_the_group_that_a_narrow_list_hides(person: Person) -> None:
    person.resize(390)
    person.press("b")
    person.shown("#group-list .group")
    person.press("p")
    person.shown(".heads .head")
    person.press("g", Keys.ESCAPE)
    person.shown("#group-list .group")
    person.press("r")
    person.press("stripes", Keys.ENTER)
    person.hears("Named")
    person.press(Keys.ESCAPE)
    person.shown("#group-list .group")
    person.press("c")
    person.shown("#tiles")
    assert ops(person) == ["start", "name"], "nobody confirms what is not on the screen"
    person.press("c")
    person.hears("Confirmed")


@pytest.mark.parametrize("width", [390, 1366])
def test_what_is_said_covers_no_button_of_a_dialog(person: Person, width: int) -> None:
    session = person.server.session
    person.press("b")
    person.click("#group-list [data-group='2'] .group")
    person.until(person.tiles)
    part = session.act({"op": "split", "group": 1, "parts": 9})["entry"]["to"][0]
    session.act({"op": "name", "group": part, "name": "surfaces scratched in May 2019, and like"})
    covered = """return [...document.querySelectorAll("dialog button")].filter((one) => {
            const {left, right, top, bottom} = one.getBoundingClientRect();
            const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
            const end = one.closest(".choices")?.getBoundingClientRect().bottom ?? innerHeight;
            return !one.closest(".toast") && bottom <= end && found?.closest(".toasts *");
        }).map((one) => one.textContent)"""
    low = {"width": width, "height": 560, "deviceScaleFactor": 1, "mobile": width < 600}
    for key, there in (("m", ".dialog .choices button"), (Keys.ENTER, "dialog.image")):
        person.click(f"#group-list [data-group='{part}'] input")
        person.click(f"#image-{person.until(person.tiles)[0]}")
        person.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", low)
        person.press(key)
        person.sees(there)
        session.act({"op": "undo_to", "entry": 1})
        person.shown(".toast")
        assert person.run(covered) == []
        person.press(Keys.ESCAPE)
        person.until(lambda: not person.all("dialog[open]"))
        person.click(".toast .close")
        session.act({"op": "redo"})
        session.act({"op": "redo"})
        person.until(lambda: person.all(f"#group-list [data-group='{part}']"))
        person.resize(1366)


def test_the_images_like_the_selected_one_come_first(person: Person) -> None:
    person.press("b")
    row = person.until(person.tiles)[5]
    person.click(f"#image-{row}")
    person.press("o", "o")
    person.until(lambda: person.tiles()[0] == row)


def test_a_finger_selects_and_opens(person: Person) -> None:
    person.press("b")
    person.until(lambda: person.tiles())
    emulate = "Emulation.setTouchEmulationEnabled"
    person.driver.execute_cdp_cmd(emulate, {"enabled": True})
    rows = person.tiles()
    for row in rows[:2]:
        box = person.run(
            "return document.getElementById(arguments[0]).getBoundingClientRect().toJSON()",
            f"image-{row}",
        )
        point = {"x": box["left"] + 9, "y": box["top"] + 9}
        touch = "Input.dispatchTouchEvent"
        person.driver.execute_cdp_cmd(touch, {"type": "touchStart", "touchPoints": [point]})
        person.driver.execute_cdp_cmd(touch, {"type": "touchEnd", "touchPoints": []})
    person.until(lambda: sorted(person.selected()) == sorted(rows[:2]))
    person.driver.execute_cdp_cmd(emulate, {"enabled": False})
    person.command("open")
    person.until(lambda: person.text(".image-id") in map(str, rows[:2]))


def test_a_lasso_selects_on_the_map(person: Person) -> None:
    person.press("b")
    person.press("w")
    canvas = person.shown("#map canvas")
    person.until(lambda: person.run("return document.querySelector('#map canvas').width > 300"))
    wide, high = canvas.size["width"] // 2 - 4, canvas.size["height"] // 2 - 4
    chain = person.chain().move_to_element_with_offset(canvas, -wide, -high)
    chain.click_and_hold()
    for x, y in ((wide, -high), (wide, high), (-wide, high)):
        chain.move_to_element_with_offset(canvas, x, y)
    chain.release().perform()
    person.until(lambda: person.text(".chosen") == "64 images selected")  # of this group alone


def test_a_full_disk_is_said_and_what_was_said_is_saved_when_there_is_room(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    person.press("b")
    person.until(person.tiles)
    monkeypatch.setattr("shoal.corrections.journal.os.fsync", full)
    person.press("c")
    person.until(lambda: "the disk is full" in person.text("#banner"))
    assert person.text("#banner").startswith("Cannot write ")
    assert "1 action is not saved yet" in person.text("#banner")
    assert "run the command again" not in person.text("#banner")
    assert person.text("#saved") == "1 action not saved"
    assert ops(person) == ["start"]
    person.press("n")  # without images: nothing to say
    monkeypatch.undo()
    person.hears("Confirmed")
    assert not person.driver.find_element("id", "banner").is_displayed()
    assert ops(person) == ["start", "confirm"]
    person.complaints()  # of requests that failed


def test_what_cannot_be_saved_any_more_is_told_in_words(person: Person) -> None:
    session = person.server.session
    first, second = session.view.ids[:2]
    rows = session.view.members(second)[:3].tolist()
    person.press("b")
    person.until(person.tiles)
    offline(person, off=True)
    send = "window.dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))"
    acts = [
        {"op": "answer", "question": 7, "rows": rows, "to": [first, None, second], "act": "a"},
        {"op": "name", "group": second, "name": "dogs", "act": "b"},
        {"op": "undo", "act": "c", "words": "Undo: Named group 2 'cats'."},
    ]
    person.run(
        """const [pile, acts] = arguments;
        acts.forEach((act, i) => localStorage.setItem(`shoal unsent ${pile} ${act.act}`,
            JSON.stringify({page: "gone", at: [i, 0], act})))""",
        session.identity, acts,
    )  # fmt: skip
    person.press("r")
    person.press("typed while away", Keys.ENTER)
    person.until(lambda: person.text("#saved") == "1 action not saved")
    offline(person, off=False)
    person.until(lambda: person.text("#saved") == "Saved")
    session.act({"op": "merge", "groups": [first, second]})
    person.run(send)  # this page may stay in the browser's memory, and is not open any more
    person.driver.switch_to.new_window("tab")
    person.driver.get(person.server.new_address())
    person.until(lambda: person.run("return document.documentElement.dataset.ready"))
    box = person.shown("#unsent")
    assert "3 images, each by itself: 1 to Group" in box.text
    assert "Undo: Named group 2" in box.text  # of something that is not the last thing any more
    person.click("#unsent .main")
    person.until(lambda: "do not fit what was done meanwhile" in box.text)
    assert "Name Group 2 “dogs”. There is no group 2" in box.text
    person.click("#unsent li button")
    person.click(".choices button:first-child")
    person.until(lambda: "2 actions do not fit" in box.text)
    assert "Undo: Named group 2 'cats'. Something else was done" in box.text
    assert len(ops(person)) == 4
    assert session.groups.decided[rows].tolist() == [True, False, True]
    person.driver.refresh()
    person.until(lambda: "dogs" in person.text("#unsent"))  # until it is thrown away
    person.click("#unsent .choice button:first-child")
    assert person.run("return localStorage.length") == 0
    person.driver.close()
    person.driver.switch_to.window(person.driver.window_handles[0])
    person.complaints()


def test_a_page_that_was_left_is_not_open_any_more(person: Person) -> None:
    """The browser may keep it in its memory, with its lock."""
    held = "return navigator.locks.query().then(({held}) => held.length)"
    person.until(lambda: person.run(held) == 1)
    for event, locks in (("pagehide", 0), ("pageshow", 1)):
        person.run("dispatchEvent(new PageTransitionEvent(arguments[0], {persisted: true}))", event)
        person.until(lambda locks=locks: person.run(held) == locks)


def test_conflicts_are_told_beside_the_buttons_until_they_are_settled(
    person: Person, run_folder: Path
) -> None:
    session = person.server.session
    first, second = session.view.ids[:2]
    name = "surfaces that were scratched in May 2019, and some that look like it"
    for group in (first, second):
        session.act({"op": "name", "group": group, "name": f"{name} {group}"})
    rows = session.view.members(second)[:4]
    session.act({"op": "confirm", "rows": rows.tolist()})
    labels = session.groups.group.copy()
    labels[rows] = first
    table = ImageTable.of_labels(list(session.groups.ids), labels)
    entry = carry(session.groups, table).entry
    session.journal.append(entry)
    session._view = session._seen({})
    person.resize(390)
    person.driver.refresh()
    notice = person.shown("#contrary")
    assert f"{name} {first}" in notice.text
    person.press("q")
    person.asked()
    assert person.run(OUTSIDE) == []
    assert person.text(".toasts") == ""
    assert person.bottom("#contrary") < person.bottom("#question .answers") - 40
    person.press("s")
    person.press("h")
    listed = person.shown(".conflicts li")
    assert listed.text == notice.text.removesuffix("×").strip()
    cut = "return arguments[0].scrollWidth > arguments[0].clientWidth + 1"
    assert not person.run(cut, listed)
    person.press("h")
    session.act({"op": "merge", "groups": [first, second]})
    person.until(lambda: not notice.is_displayed())
    session.act({"op": "undo"})
    person.until(notice.is_displayed)
    person.click("#contrary .close")
    person.driver.refresh()
    person.shown("#tools [data-command=history]")
    assert not person.driver.find_element("id", "contrary").is_displayed()  # it was read


def test_the_name_of_a_group_can_be_read_in_a_narrow_window(person: Person) -> None:
    name = "surfaces that were scratched in May 2019, and some that look like it"
    group = person.server.session.view.ids[0]
    person.server.session.act({"op": "name", "group": group, "name": name})
    person.resize(390)
    person.press("b")
    person.click("#group-list .group")
    person.until(person.tiles)
    field = person.shown("#name")
    assert field.get_attribute("value") == name
    assert not person.run(
        """const [field] = arguments;
        return field.scrollWidth > field.clientWidth + 1
            || field.scrollHeight > field.clientHeight + 1""",
        field,
    )
    assert person.run(OUTSIDE) == []
    field.click()
    person.press(Keys.CONTROL + "a")
    person.press("in", Keys.ENTER)
    person.hears("Named")
    assert person.server.session.groups.names[group] == "in"


def test_what_was_undone_is_not_offered_to_be_undone(person: Person) -> None:
    person.press("b")
    for row in person.until(person.tiles)[:2]:
        person.click(f"#image-{row}")
        person.press("c")
        person.hears("Confirmed")
    person.until(lambda: len(ops(person)) == 3)
    assert len(person.all(".toast.done")) == 1
    person.press("u")
    person.hears("Undid")
    assert not person.all(".toast.done")
    assert ops(person) == ["start", "confirm", "confirm", "undo"]


SLOW = """
    const [slow] = arguments;
    const fetched = window.fetch;
    window.fetch = async (path, ...more) => {
        const answer = await fetched(path, ...more);
        if (path === slow) await new Promise((go) => setTimeout(go, 700));
        return answer;
    };
    window.opened = [];
    const push = history.pushState.bind(history);
    history.pushState = (...to) => { window.opened.push(to[2]); push(...to); };"""


@pytest.mark.parametrize("slow", ["/api/act", "/api/state"])
def test_answers_and_news_in_any_order_open_no_other_group(person: Person, slow: str) -> None:
    first = person.server.session.state()["groups"][0]["id"]
    person.server.session.act({"op": "split", "group": first, "parts": 2})
    person.press("b")
    person.until(lambda: sorted(person.groups()) == ["Group 2", "Group 3", "Group 4"])
    person.press("3")
    person.until(person.tiles)
    person.run(SLOW, slow)
    person.press("m")
    person.sees(".dialog .choices")
    person.press("4")
    person.sees(".dialog .moves")
    person.press(Keys.ENTER)
    person.hears("Merged")
    person.server.session.act({"op": "name", "group": 2, "name": "by another tab"})
    person.until(lambda: "by another tab" in person.groups())
    assert person.run("return window.opened") == ["#group/5"], "not even for a moment"


def test_ticked_groups_are_merged_in_a_narrow_window(person: Person) -> None:
    person.resize(390)
    person.press("b")
    for tick in person.all("#group-list input"):
        tick.click()
    merge = ".list-head [data-command=merge]"
    person.until(lambda: person.shown(merge).text == "Merge 2 groups")
    assert person.run(OUTSIDE) == []
    person.click(merge)
    person.sees(".dialog .moves")
    assert person.run(OUTSIDE) == []
    person.press(Keys.ENTER)
    person.hears("Merged")
    assert list(person.groups().values()) == [N]
    assert not person.all(".list-head [data-command=merge]:not([hidden])")
