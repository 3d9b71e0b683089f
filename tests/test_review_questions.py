"""A question stays until it is answered, and so do answers about single images, in a browser."""

from __future__ import annotations

from typing import Any

import chromium
import pytest
import reviewing
from reviewing import OUTSIDE, Person, ops

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
Keys = webdriver.Keys
pytestmark = chromium.needed
browser, run_folder, person = chromium.browser, reviewing.run_folder, reviewing.person

IMAGES = """
    return [...document.querySelectorAll("#question .asked .picture")]
        .map((one) => one.dataset.picture).join()"""
NUMBERS = """
    return [...document.querySelectorAll("#question .candidate")].map((one) =>
        `${one.querySelector("kbd").textContent} ${one.querySelector(".name").textContent}`)"""
GUESSES = """
    return [...document.querySelectorAll("#question .guess .name")].map((one) => one.textContent)"""


def asked(person: Person) -> dict[str, Any]:
    """Have a pile of four groups, and be at its first question; the question."""
    session = person.server.session
    for _ in range(2):
        session.act({"op": "split", "group": session.view.ids[0], "parts": 2})
    person.press("b")
    person.until(person.tiles)
    person.press("q")
    person.asked()
    return session.question()["question"]


def test_answers_about_single_images_outlast_undo_a_merge_elsewhere_and_escape(
    person: Person,
) -> None:
    question, session = asked(person), person.server.session
    images, numbers = person.run(IMAGES), person.run(NUMBERS)
    said = len(ops(person))
    person.press("e")
    person.asked()
    assert person.run(NUMBERS)[: len(numbers)] == numbers
    guesses = person.run(GUESSES)
    person.press("n", "n", "s")
    person.press("u")  # takes back the last answer alone
    assert person.run(GUESSES) == ["a new group"] * 2 + guesses[2:]
    assert len(ops(person)) == said

    first, second = (one["group"] for one in question["candidates"][:2])
    session.act({"op": "merge", "groups": [first, second]})
    merged = f"Group {session.groups.next_group - 1}"
    person.until(lambda: merged in person.text("#question .news"))
    assert person.run(GUESSES)[:2] == ["a new group"] * 2
    assert set(person.run(GUESSES)[2:]) == {merged}
    assert person.run(NUMBERS)[0] == f"{merged.split()[1]} {merged}"
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.all(".single"))
    assert "2 of 12 answered" in person.text("[data-command=each]")
    person.press("b")
    person.hears("2 answers to the question are kept")
    person.click(".toast:last-child button:not(.close)")
    person.asked()
    person.press(merged.split()[1])  # one answer for all of them would replace both
    person.shown(".dialog")
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.all(".dialog"))
    person.press("e")
    person.asked()
    assert person.run(GUESSES)[:2] == ["a new group"] * 2
    assert person.run(IMAGES) == images
    person.press("c")
    person.sees(".dialog input")
    person.press(Keys.ENTER)  # without a name
    person.hears("Answered for 12 images")
    rows = question["rows"]
    assert session.groups.decided[rows].all()
    assert session.groups.decided.sum() == len(rows)
    assert set(session.groups.group[rows[:2]]) == {session.groups.next_group - 1}


def test_a_group_that_is_gone_has_no_card_while_nobody_can_tell_what_became_of_it(
    person: Person,
) -> None:
    question, session = asked(person), person.server.session
    person.press("e")
    person.asked()
    numbers = person.run(NUMBERS)
    first, second = (one["group"] for one in question["candidates"][:2])
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/labels*"]})
    session.act({"op": "merge", "groups": [first, second]})
    gone = {f"Group {first}", f"Group {second}"}
    person.until(lambda: not gone & set(person.groups()))
    person.until(lambda: len(person.run(NUMBERS)) == len(numbers) - 2)
    assert not any(line.endswith(tuple(gone)) for line in person.run(NUMBERS))
    for key in (number.split()[0] for number in numbers[:2]):
        person.press(key)
        person.until(lambda: "No group that is shown here has the key" in person.said())
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    person.complaints()  # of requests that failed


def test_a_half_answered_question_is_asked_anew_when_a_merge_is_undone_elsewhere(
    person: Person,
) -> None:
    question, session = asked(person), person.server.session
    first, second = (one["group"] for one in question["candidates"][:2])
    merged = session.act({"op": "merge", "groups": [first, second]})["entry"]["to"][0]
    person.until(lambda: f"Group {merged}" in person.groups())
    person.until(lambda: f"Group {merged}" in str(person.run(NUMBERS)))
    person.press("e")
    person.asked()
    images = person.run(IMAGES)
    person.press(next(line.split()[0] for line in person.run(NUMBERS) if f"Group {merged}" in line))
    person.press("n")

    session.act({"op": "undo"})
    person.until(lambda: f"Group {merged} is no more." in person.text("#question .news"))
    assert "What you said of 1 of these images fits no more" in person.text("#question .news")
    guesses, there = person.run(GUESSES), {f"Group {first}", f"Group {second}"}
    assert guesses[:2] == ["left open", "a new group"]
    assert set(guesses[2:]) <= there
    assert there <= {line.split(maxsplit=1)[1] for line in person.run(NUMBERS)}
    assert person.run(IMAGES) == images
    person.press("u", "u")  # what was there before the answers is true of now, too
    assert set(person.run(GUESSES)) <= there
    person.press(Keys.ESCAPE)
    person.asked()
    assert there <= {line.split(maxsplit=1)[1] for line in person.run(NUMBERS)}


def test_the_next_key_is_about_the_images_that_were_shown(person: Person) -> None:
    question, session = asked(person), person.server.session
    images = person.run(IMAGES)
    other = next(
        one["group"] for one in question["candidates"] if one["group"] != question["group"]
    )
    session.act({"op": "answer", "question": question["id"], "to": other})
    person.until(lambda: "decided meanwhile" in person.text("#question .news"))
    assert person.run(IMAGES) == images
    person.press("n")
    person.sees(".dialog input")
    person.press(Keys.ESCAPE)  # and nothing happens
    person.until(lambda: not person.all(".dialog"))
    assert (ops(person)[-1], person.run(IMAGES)) == ("answer", images)
    person.press("n")
    person.sees(".dialog input")
    person.press("stains", Keys.ENTER)
    person.hears("Made 'stains'")
    assert session.groups.names[session.groups.next_group - 1] == "stains"
    rows = question["rows"]
    assert set(session.groups.group[rows]) == {session.groups.next_group - 1}
    person.until(lambda: person.run(IMAGES) not in ("", images))
    answered = person.run(IMAGES)
    person.press("u")  # what this page undoes is asked again
    person.hears("Undid")
    person.until(lambda: person.run(IMAGES) not in ("", answered))


HINTS = """
    return Object.fromEntries([...document.querySelectorAll(arguments[0])]
        .filter((one) => one.querySelector(".key")).map((one) =>
            [one.querySelector(arguments[1]).textContent, one.querySelector(".key").textContent]))
"""


def test_a_group_has_the_same_key_in_the_list_a_question_and_a_dialog(person: Person) -> None:
    asked(person)
    session = person.server.session
    hints = [person.run(HINTS, "#group-list li", ".name")]
    hints.append(person.run(HINTS, "#question .candidate", ".name"))
    person.press("t")
    person.sees(".choices button")
    hints.append(person.run(HINTS, ".choices button", "span"))
    person.press(Keys.ESCAPE)
    expected = {f"Group {group}": f"key {group}" for group in session.view.ids}
    assert hints[0] == hints[2] == expected
    assert hints[1].items() <= expected.items()
    other = max(int(title.split()[1]) for title in hints[1])
    rows = session.question()["question"]["rows"]
    person.press(str(other))
    person.hears("Moved")
    assert set(session.groups.group[rows]) == {other}


def test_beyond_nine_groups_those_without_a_number_have_a_letter_in_a_question(
    person: Person,
) -> None:
    session = person.server.session
    session.act({"op": "split", "group": session.view.ids[0], "parts": 10})
    person.press("q")
    person.asked()
    person.press("e")
    person.asked()
    hints = person.run(HINTS, "#question .candidate", ".name")
    assert {key[-1] for key in hints.values()} <= set("123456789adfgjkopr")
    title, key = next((title, key) for title, key in hints.items() if not key[-1].isdigit())
    person.press(key[-1])
    assert person.run(GUESSES)[0] == title
    hidden = """
        const bar = document.querySelector("#question .answers").getBoundingClientRect();
        return [...document.querySelectorAll("#question .candidate")].filter((one) =>
            one.getBoundingClientRect().bottom > bar.top + 1).length"""
    for width in (390, 1280, 2560):
        person.resize(width)
        person.until(lambda: person.run(hidden) == 0)  # no group is behind the buttons


UNSEEN = """
    const body = document.getElementById("question-body");
    if (!("unseen" in body.dataset)) return false;
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "c", bubbles: true }));
    document.querySelector("#question .candidate").click();
    return document.querySelector("#question .answers button").click() ?? true;"""
HELD = """
    document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key: "c", bubbles: true, repeat: true }));"""


def test_no_question_is_answered_before_it_could_be_seen(person: Person) -> None:
    """The second half of a double press or double click, and a key that is held."""
    asked(person)
    images = person.run(IMAGES)
    person.press("c")
    person.until(lambda: person.run(IMAGES) not in ("", images))
    images = person.run(IMAGES)
    person.until(lambda: person.run(UNSEEN))
    person.asked()
    person.run(HELD)
    assert (person.run(IMAGES), ops(person).count("confirm")) == (images, 1)
    person.press("c")
    person.until(lambda: ops(person).count("confirm") == 2)


def test_a_second_press_says_nothing_of_images_that_were_not_meant(person: Person) -> None:
    person.press("b")
    person.click(f"#image-{person.until(person.tiles)[0]}")
    person.press("c")
    person.until(lambda: not person.selected())
    person.press("c")  # with none selected, it is about the whole group
    person.press(Keys.ENTER)
    person.until(lambda: person.text(".image-id"))
    assert ops(person) == ["start", "confirm"]


def test_a_finger_finds_the_way_back_from_single_images(person: Person) -> None:
    person.resize(390)
    asked(person)
    person.command("each")
    person.asked()
    person.command("single-new")
    assert person.run(OUTSIDE) == []
    person.command("singles-back")
    person.until(lambda: not person.all(".single"))
    person.command("each")
    assert person.run(GUESSES)[0] == "a new group"
    person.command("undo")
    assert person.run(GUESSES)[0] != "a new group"
    below = "return innerHeight - document.querySelector('.answers').getBoundingClientRect().bottom"
    assert person.run(below) <= 1


@pytest.mark.parametrize("width", [390, 720, 1280])
def test_what_was_done_is_said_above_the_groups_and_buttons(person: Person, width: int) -> None:
    person.resize(width)
    asked(person)
    person.press("c")
    person.hears("Confirmed")
    person.until(lambda: person.all(".toast.done") and person.all("#question .candidate"))
    overlaps = """
        const said = document.querySelector(".toast.done").getBoundingClientRect();
        return [...document.querySelectorAll(
            "#question button, #question .asked .picture, header button")].filter((one) => {
            const { top, bottom } = one.getBoundingClientRect();
            return top < said.bottom && bottom > said.top;
        }).length"""
    assert person.run(overlaps) == 0
    covers = """
        const said = document.querySelector(".toast.done").getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(document.getElementById("question-title"));
        const { top, bottom, left, right } = range.getBoundingClientRect();
        return top < said.bottom && bottom > said.top && left < said.right && right > said.left"""
    assert not person.run(covers)
