"""What a person does in a review: every action, every question, nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from shoal.corrections.groups import Groups
from shoal.corrections.journal_file import read_journal
from shoal.errors import DataError, OutputError, ShoalError
from shoal.images.array import ArraySource
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.review.opening import open_review
from shoal.review.pictures import Thumbnails, original
from shoal.review.server import check_port
from shoal.review.session import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from trials import reviews

JOURNAL = "checkpoint.corrections.jsonl"


def opened(images: np.ndarray, path: Path) -> Session:
    reviewed = open_review(ArraySource(images), checkpoints.load(path), path)
    session = Session(reviewed, "images.npy")
    session.notes = reviewed.notes  # type: ignore[attr-defined]
    return session


@pytest.fixture
def found(checkpoint_file: Path, tmp_path: Path) -> Path:
    """A checkpoint of its own."""
    return Path(shutil.copy(checkpoint_file, tmp_path / "checkpoint.pth"))


@pytest.fixture
def session(images: np.ndarray, found: Path) -> Iterator[Session]:
    session = opened(images, found)
    yield session
    session.close()


def partition(groups: Groups) -> set[frozenset[int]]:
    return {frozenset(groups.members(group).tolist()) for group in groups.sizes}


def test_every_action_does_what_it_says(session: Session, kinds: np.ndarray) -> None:
    first, second = session.view.ids
    start = session.state()
    assert (start["version"], start["n_images"], start["n_decided"]) == (1, 40, 0)
    assert (start["divided"], start["undo"], start["redo"]) == (False, None, None)
    rows = session.view.members(first)

    def act(**action: Any) -> dict[str, Any]:
        before = session.version
        answer = session.act(action)
        assert answer["state"]["version"] == answer["entry"]["n"] > before
        assert answer["says"]
        assert sum(group["size"] for group in answer["state"]["groups"]) == 40
        return {group["id"]: group for group in answer["state"]["groups"]}

    assert act(op="name", group=first, name="cats")[first]["name"] == "cats"
    assert act(op="confirm", group=first)[first]["decided"] == len(rows)
    moved = act(op="move", rows=rows[:3].tolist(), to=second)
    assert moved[second]["size"] == 23
    assert moved[second]["decided"] == 3
    made = act(op="new", rows=rows[3:5].tolist(), name="odd")
    (odd,) = made.keys() - {first, second}
    assert (made[odd]["name"], made[odd]["size"]) == ("odd", 2)
    assert act(op="nowhere", rows=[int(rows[5])])[0]["nowhere"]
    split = act(op="split", group=second, parts=3)
    assert len(split) == 6
    assert second not in split
    parts = sorted(split.keys() - {first, odd, 0})
    merged = act(op="merge", groups=parts, name="stripes")
    (stripes,) = merged.keys() - {first, odd, 0}
    assert session.history()["entries"][-1]["to"] == [stripes]  # what the page opens
    assert (merged[stripes]["name"], merged[stripes]["size"]) == ("stripes", 23)
    assert odd not in act(op="dissolve", group=odd)
    act(op="note", row=int(rows[0]), text="look again")
    assert session.image(int(rows[0]))["note"] == "look again"
    act(op="apart", rows=rows[6:8].tolist())
    done = partition(session.groups)
    while session.state()["undo"]:
        session.act({"op": "undo"})
    assert partition(session.groups) == {
        frozenset(np.flatnonzero(kinds == kind).tolist()) for kind in (0, 1)
    }
    assert session.state()["n_decided"] == 0
    while session.state()["redo"]:
        session.act({"op": "redo"})
    assert partition(session.groups) == done
    with pytest.raises(DataError, match="nothing to redo"):
        session.act({"op": "redo"})


def test_history_can_be_gone_back_to_and_forth(session: Session) -> None:
    for place in range(4):
        session.act({"op": "new", "rows": [place], "name": f"kind {place}"})
    answer = session.act({"op": "undo_to", "entry": 3})
    assert len(answer["state"]["groups"]) == 4
    undone = {entry["n"]: entry["undone"] for entry in session.history()["entries"]}
    assert [undone[n] for n in (2, 3, 4, 5)] == [False, False, True, True]
    assert len(session.act({"op": "undo_to", "entry": 4})["state"]["groups"]) == 5
    session.act({"op": "name", "group": session.view.ids[0], "name": "x"})
    assert {entry["n"]: entry["undone"] for entry in session.history()["entries"]}[5]
    with pytest.raises(DataError, match="cannot be gone back to"):
        session.act({"op": "undo_to", "entry": 5})
    session.act({"op": "undo_to", "entry": 1})
    assert len(session.state()["groups"]) == 2


def test_an_action_that_is_sent_again_is_done_once(session: Session) -> None:
    first, _ = session.view.ids
    session.act({"op": "name", "group": first, "name": "cats", "act": "a"})
    session.act({"op": "name", "group": first, "name": "dogs", "act": "b"})
    undone = session.act({"op": "undo", "act": "c"})
    again = session.act({"op": "undo", "act": "c"})
    assert again == undone
    assert session.groups.names == {first: "cats"}
    for _ in range(100):  # the last ones are remembered, not all
        session.act({"op": "note", "row": 0, "text": "odd", "act": f"{session.version}"})
    assert session.act({"op": "undo", "act": "c"})["entry"]["n"] == session.version


def test_what_was_sent_to_an_earlier_server_is_done_once(images: np.ndarray, found: Path) -> None:
    """The journal remembers what each action was called, and an answer the images it is about."""
    session = opened(images, found)
    identity, group = session.identity, session.view.ids[0]
    session.act({"op": "name", "group": group, "name": "cats", "act": "a"})
    session.act({"op": "undo", "act": "b"})
    asked = session.question()["question"]
    session.close()
    again = opened(images, found)
    assert again.identity == identity
    n = again.version
    for act in (
        {"op": "name", "group": group, "name": "cats", "act": "a"},
        {"op": "undo", "act": "b"},
    ):
        again.act(act)
    assert again.version == n
    answer = {"op": "answer", "question": asked["id"], "to": "new", "act": "c"}
    with pytest.raises(DataError, match="no longer open"):
        again.act(answer)
    answer = again.act({**answer, "rows": asked["rows"]})
    assert set(again.groups.group[asked["rows"]]) == {answer["entry"]["to"][0]}
    assert again.question()["question"]["id"] != asked["id"]
    again.close()


def test_an_answer_that_is_not_written_changes_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = session.question()["question"]
    answer = {"op": "answer", "question": question["id"], "to": "confirm"}

    def full(entry: object) -> None:
        raise OutputError("the disk is full")

    with monkeypatch.context() as at:
        at.setattr(session.journal, "append", full)
        for _ in range(9):  # as often as would turn to single images
            with pytest.raises(OutputError):
                session.act(answer)
    session.asking._known = None
    assert session.question()["question"] == question


def test_members_in_every_order(session: Session, images: np.ndarray) -> None:
    group = session.view.ids[0]
    rows = session.view.members(group).tolist()
    for by in ("typical", "doubtful", "part"):
        answer = session.members(group, by, None)
        assert sorted(answer["rows"]) == rows
        assert len(answer["parts"]) == (len(rows) if by == "part" else 0)
    parts = session.members(group, "part", None)["parts"]
    assert parts == sorted(parts)
    assert session.members(group, "like", rows[4])["rows"][0] == rows[4]
    with pytest.raises(DataError, match="no group 99"):
        session.members(99, "typical", None)
    facts = session.image(rows[0])
    assert len(facts["neighbours"]) == 24
    assert rows[0] not in facts["neighbours"]
    version, labels = session.labels()
    assert version == 1
    assert np.frombuffer(labels, "<i4", 40).tolist() == session.groups.group.tolist()
    assert len(session.map()) == 40 * 8


def test_divisions_come_splits_first_and_can_be_taken(session: Session) -> None:
    session.start()
    assert session.divisions.wait(60)
    known = session.known_divisions()
    assert known["ready"]
    assert "On piles whose kinds were known, the way chosen was" in known["says"]
    kinds = [division["kind"] for division in known["divisions"]]
    assert kinds == sorted(kinds, reverse=True)
    assert {"split", "n_clusters"} <= set(kinds)
    for place, division in enumerate(known["divisions"]):
        assert division["index"] == place
        assert sum(division["sizes"]) == 40
        assert len(division["samples"]) == len(division["sizes"]) == division["n"]
    assert [division["chosen"] for division in known["divisions"]].count(True) == 1
    index = next(d["index"] for d in known["divisions"] if d["kind"] == "n_clusters" and d["n"] > 2)
    answer = session.act({"op": "divide", "index": index})
    assert answer["state"]["divided"]
    taken = known["divisions"][index]
    assert [group["size"] for group in answer["state"]["groups"]] == taken["sizes"]
    chosen = [division["chosen"] for division in session.known_divisions()["divisions"]]
    assert chosen == [place == index for place in range(len(chosen))]

    again = session.act({"op": "divide", "index": index})  # nothing is numbered anew
    assert again["says"].endswith("this is the division that you have. Nothing changed.")
    assert again["state"]["groups"] == answer["state"]["groups"]
    session.act({"op": "undo"})
    assert session.act({"op": "divide", "index": index})["entry"], "it is not chosen any more"


@pytest.mark.parametrize(
    "said",
    [{"op": "confirm", "group": 1}, {"op": "name", "group": 1, "name": "cats"},
     {"op": "name", "group": 2, "name": ""}],
)  # fmt: skip
def test_what_is_so_already_is_said_and_costs_no_undo(session: Session, said: Any) -> None:
    session.act({"op": "confirm", "group": 1})
    session.act({"op": "name", "group": 1, "name": "cats"})
    before = session.version
    again = session.act(said)
    assert again["says"].endswith("that is so already. Nothing changed.")
    assert again["entry"] is None
    assert session.version == before
    session.act({"op": "undo"})
    assert session.groups.names == {}, "what is undone is what changed something"


def test_questions_are_answered_one_after_the_other(session: Session) -> None:
    seen = set()
    for to in ("skip", "confirm", "mixed", "nowhere", "new", None):
        question = session.question()["question"]
        while question and question["guesses"]:  # single images, in between
            session.act({"op": "answer", "question": question["id"], "to": "skip"})
            question = session.question()["question"]
        if question is None:
            break
        assert 1 <= len(question["rows"]) <= 12
        assert set(question["rows"]) <= set(question["images"])
        assert question["group"] in [one["group"] for one in question["candidates"]]
        assert session.question()["question"]["id"] == question["id"]  # in another tab
        assert question["id"] not in seen
        seen.add(question["id"])
        before = session.version
        to = question["candidates"][0]["group"] if to is None else to
        answer = session.act({"op": "answer", "question": question["id"], "to": to})
        assert (session.version == before) == (to in ("skip", "mixed"))
        assert (answer["entry"] is None) == (to in ("skip", "mixed"))
    assert len(seen) >= 3
    with pytest.raises(DataError, match="no longer open"):
        session.act({"op": "answer", "question": 999, "to": "new"})


@pytest.mark.parametrize("most", [20_000, 25])
def test_the_same_images_are_asked_about_anew(
    session: Session, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.asking, "_sample", np.arange(40)[: min(40, most)])
    rows = np.array([30, 2, 7])  # not all are in the sample
    ids = session.view.ids
    again = session.question_again(rows)
    assert {one["group"] for one in again["candidates"]} == set(ids)
    assert sum(one["share"] for one in again["candidates"]) == pytest.approx(1.0, abs=1e-3)
    assert set(again["guesses"]) <= set(ids)
    session.act({"op": "nowhere", "rows": [2]})
    one = session.act({"op": "merge", "groups": ids})["entry"]["to"][0]
    again = session.question_again(rows)
    assert [offered["group"] for offered in again["candidates"]] == [one]
    assert (again["guesses"], again["version"]) == ([one, 0, one], session.version)
    session.act({"op": "nowhere", "rows": list(range(40))})
    again = session.question_again(rows)
    assert (again["candidates"], again["guesses"]) == ([], [0, 0, 0])


def test_single_images_are_asked_about_after_two_parts(session: Session) -> None:
    def asked() -> Any:
        return session.question()["question"]

    def tell(to: Any) -> Any:
        return session.act({"op": "answer", "question": asked()["id"], "to": to})["entry"]

    for _ in range(2):
        assert asked()["guesses"] == []
        tell("confirm")
    first = asked()
    assert len(first["guesses"]) == len(first["rows"]) <= 12
    offered = {one["group"] for one in first["candidates"]}
    assert set(first["guesses"]) <= offered
    other = {group: max(offered - {group}) for group in offered}
    told = [None, other[first["guesses"][1]], 0, *first["guesses"][3:]]
    entry = tell(told)
    assert entry["says"].startswith(f"Answered for {len(told) - 1} images")
    groups = session.groups
    assert groups.group[first["rows"][1:]].tolist() == told[1:]
    assert groups.decided[first["rows"]].tolist() == [False, *[True] * (len(told) - 1)]
    open_row = first["rows"][0]
    while (question := asked()) is not None:
        assert not question["guesses"] or open_row not in question["rows"], "it was left open"
        tell("confirm")
    session.act({"op": "undo"})
    with pytest.raises(DataError, match=r"^an answer about single images must be confirm, skip,"):
        session.act({"op": "answer", "question": first["id"], "to": "new"})
    with pytest.raises(DataError, match="there is no group 99"):
        session.act({"op": "answer", "question": first["id"], "to": [99] * len(told)})


def test_the_images_of_a_part_are_answered_one_by_one(session: Session) -> None:
    question = session.question()["question"]
    guesses, rows = question["each"]["guesses"], question["rows"]
    assert question["guesses"] == []
    assert len(guesses) == len(rows) > 3
    assert set(guesses) <= set(question["each"]["candidates"])
    act = {"op": "answer", "question": question["id"]}
    with pytest.raises(DataError, match="new for those of one new group"):
        session.act(act | {"to": ["old"] * len(rows)})
    assert session.act(act | {"to": [None] * len(rows)})["entry"] is None
    assert session.question()["question"]["id"] != question["id"], "it was left open as a whole"
    fresh = session.groups.next_group
    answer = session.act(act | {"to": ["new", "new", None, *guesses[3:]]})
    assert answer["entry"]["to"][-1] == fresh
    assert session.groups.group[rows].tolist()[3:] == guesses[3:]
    assert session.groups.group[rows[:2]].tolist() == [fresh, fresh]
    assert session.groups.decided[rows].tolist() == [True, True, False, *[True] * (len(rows) - 3)]
    session.act({"op": "undo"})
    assert not session.groups.decided.any()


def test_how_sure_shoal_is_of_the_rest_leaves_out_what_was_decided(session: Session) -> None:
    session._chance = np.linspace(0.5, 1.0, len(session.source), dtype=np.float32)
    session.act({"op": "confirm", "rows": list(range(len(session.source) // 2))})
    state, left = session.state(), session._chance[len(session.source) // 2 :]
    assert state["expected"] == pytest.approx(left.mean(), abs=1e-4)
    undecided = np.flatnonzero(~session.groups.decided)
    for group in state["groups"]:
        rows = np.intersect1d(session.view.members(group["id"]), undecided)
        assert group["expected"] == pytest.approx(session._chance[rows].mean(), abs=1e-4)
    session.act({"op": "confirm", "rows": list(range(len(session.source)))})
    assert session.state()["expected"] == 1.0


def test_how_sure_shoal_is_follows_what_is_said_and_the_page_hears_of_it(session: Session) -> None:
    heard: list[tuple[bool, float]] = []

    def listen() -> None:
        state = session.state()
        assert session.now() == {"version": state["version"], "estimated": state["estimated"]}
        heard.append((state["estimated"], state["expected"]))

    session.listeners.append(listen)
    first, second = session.view.ids
    for group in (first, second):
        session.act({"op": "confirm", "rows": session.view.members(group)[:12].tolist()})
        session.estimate()
        session.estimate()
    assert [told for told, _ in heard] == [False, True, False, True], "it is told once"
    assert heard[-1][1] > heard[1][1] > heard[0][1]
    session.act({"op": "undo"})
    learned = session._computed.learned

    def meanwhile(groups: Groups) -> Any:
        session._computed.learned = learned  # type: ignore[method-assign]
        session.act({"op": "undo"})
        return learned(groups)

    session._computed.learned = meanwhile  # type: ignore[method-assign]
    session.estimate()
    assert not session.state()["estimated"], "more was said since"


def test_of_one_group_nothing_is_asked(session: Session) -> None:
    assert session.question()["question"] is not None
    session.act({"op": "merge", "groups": session.view.ids})
    assert session.question() | {"version": 0} == {"version": 0, "question": None}


def test_the_last_note_on_a_group_is_shown_and_can_be_taken_away(session: Session) -> None:
    first, second = session.view.ids

    def noted(text: str) -> dict[int, str | None]:
        state = session.act({"op": "note", "group": first, "text": text})["state"]
        return {group["id"]: group["note"] for group in state["groups"]}

    assert noted("too dark") == {first: "too dark", second: None}
    assert noted("dark, see Anna") == {first: "dark, see Anna", second: None}
    assert noted("") == {first: None, second: None}
    assert session.journal.history.done[-1].says == f"Took the note on Group {first} away."
    with pytest.raises(DataError, match="a note needs a text"):
        noted(" ")


def test_nothing_waits_for_learning(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = session.view.ids
    computing, go_on = threading.Event(), threading.Event()
    seen = []

    def moved_by_learning() -> Any:
        groups = session.groups
        seen.append(groups.names)
        computing.set()
        assert go_on.wait(30)
        target = groups.group.copy()
        target[groups.members(first)[0]] = second
        return target

    monkeypatch.setattr(session, "learned", moved_by_learning)
    learning = threading.Thread(target=session.act, args=({"op": "learn"},), daemon=True)
    learning.start()
    assert computing.wait(30)
    naming = threading.Thread(
        target=session.act, args=({"op": "name", "group": first, "name": "cats"},), daemon=True
    )
    naming.start()
    naming.join(10)
    assert not naming.is_alive()
    assert [entry.op for entry in session.journal.history.entries] == ["start", "name"]
    go_on.set()
    learning.join(30)
    assert [entry.op for entry in session.journal.history.entries] == ["start", "name", "learn"]
    assert seen == [{}, {first: "cats"}]  # what was said meanwhile counts


def test_one_thread_computes_while_a_person_waits(session: Session) -> None:
    """On a machine that others use, threads of linear algebra wait for one another for seconds."""

    def blas() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        assert session._computed._once(("parts", b"", 2), blas) == {1}
        assert blas() == {2}


def test_learning_moves_as_it_was_shown_and_nothing_decided(session: Session) -> None:
    first, second = session.view.ids
    rows = session.view.members(first)
    session.act({"op": "move", "rows": rows[:8].tolist(), "to": second})
    shown = session.preview_learn()
    assert shown["count"] == sum(move["count"] for move in shown["moves"])
    before = session.groups
    if shown["count"]:
        session.act({"op": "learn"})
        changed = np.flatnonzero(before.group != session.groups.group)
        assert len(changed) == shown["count"]
        assert not before.decided[changed].any()
    gone = session.preview_dissolve(second)
    assert gone["count"] == len(session.view.members(second))
    assert {move["from"] for move in gone["moves"]} == {second}
    assert gone["ends"] == [second]


def test_a_group_that_learning_would_end_is_named(session: Session) -> None:
    """A new group of a few images takes all that are like them, up to the last of another group."""
    first = session.view.ids[0]
    rows = session.view.members(first)
    assert session.preview_learn()["ends"] == []
    session.act({"op": "new", "rows": rows[: len(rows) * 2 // 3].tolist()})
    ends = session.preview_learn()["ends"]
    session.act({"op": "learn"})
    assert first in ends
    assert first not in session.groups.sizes


# --- kept ----------------------------------------------------------------------------------------


def test_a_review_goes_on_where_it_ended(images: np.ndarray, found: Path) -> None:
    session = opened(images, found)
    session.act({"op": "new", "rows": [1, 2, 3], "name": "mine"})
    with pytest.raises(OutputError, match="another shoal process"):
        opened(images, found)
    before = partition(session.groups)
    session.close()
    table = found.with_name("checkpoint.reviewed.parquet").read_bytes()
    again = opened(images, found)
    assert partition(again.groups) == before
    assert again.state()["undo"]
    assert again.notes == ()  # type: ignore[attr-defined]
    assert found.with_name("checkpoint.reviewed.parquet").read_bytes() == table
    again.close()


def test_a_changed_result_is_carried_over(images: np.ndarray, found: Path) -> None:
    session = opened(images, found)
    session.act({"op": "new", "rows": [1, 2, 3], "name": "mine"})
    session.close()
    more = np.concatenate([images, images[:6]])
    grown = opened(more, found)
    assert len(grown.notes) >= 1  # type: ignore[attr-defined]
    mine = next(group for group in grown.state()["groups"] if group["name"] == "mine")
    assert {1, 2, 3} <= set(grown.members(mine["id"], "typical", None)["rows"])
    assert grown.state()["n_images"] == 46
    assert grown.state()["undo"] is None
    grown.close()
    assert opened(more, found).notes == ()  # type: ignore[attr-defined]


def test_a_journal_of_other_images_is_left_alone(images: np.ndarray, found: Path) -> None:
    opened(images, found).close()
    journal = found.with_name(JOURNAL)
    before = journal.read_bytes()
    with pytest.raises(DataError, match="other images"):
        opened(np.ascontiguousarray(images[::-1]), found)
    assert journal.read_bytes() == before


def test_a_killed_review_loses_nothing_it_acknowledged(images: np.ndarray, found: Path) -> None:
    rows = reviews.trials(reviews.in_forks(ArraySource(images), found), found.with_name(JOURNAL), 5)
    assert [row["outcome"] for row in rows] == ["kept"] * 5, rows
    assert len(read_journal(found.with_name(JOURNAL)).history.entries) > 5


def test_a_full_disk_is_said_and_nothing_changes(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = partition(session.groups)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OutputError, match="disk is full"):
            session.act({"op": "new", "rows": [1]})
    assert partition(session.groups) == before
    assert session.act({"op": "new", "rows": [1]})["entry"]["n"] == 2


def test_going_back_goes_on_where_a_full_disk_stopped_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = session.state()
    for row in range(3):
        session.act({"op": "new", "rows": [row]})
    undo, back = session.journal.undo, {"op": "undo_to", "entry": 1, "act": "once"}

    def full(about: object) -> None:
        raise OutputError("the disk is full")

    def once(about: dict[str, Any]) -> Any:
        monkeypatch.setattr(session.journal, "undo", full)
        return undo(about)

    monkeypatch.setattr(session.journal, "undo", once)
    with pytest.raises(OutputError):
        session.act(back)
    assert len(session.state()["groups"]) == len(start["groups"]) + 2  # what is written is shown
    monkeypatch.undo()
    session.act(back)
    assert [one["size"] for one in session.state()["groups"]] == [
        one["size"] for one in start["groups"]
    ]


# --- pictures -------------------------------------------------------------------------------------


def test_thumbnails_are_the_rows_in_their_order(images: np.ndarray) -> None:
    import io

    thumbnails = Thumbnails(ArraySource(images))
    sheet = np.asarray(Image.open(io.BytesIO(thumbnails.sheet(np.array([5, 0, 39])))))
    assert sheet.shape[:2] == (thumbnails.height, 3 * thumbnails.width)
    for place, row in enumerate((5, 0, 39)):
        tile = sheet[:, place * thumbnails.width : (place + 1) * thumbnails.width].astype(int)
        assert np.abs(tile.mean(axis=(0, 1)) - images[row].mean(axis=(0, 1))).max() < 12


@pytest.mark.parametrize(
    ("suffix", "mode", "kind"),
    [(".jpg", "RGB", "image/jpeg"), (".png", "RGB", "image/png"), (".gif", "P", "image/gif"),
     (".webp", "RGB", "image/webp"), (".bmp", "RGB", "image/png"), (".tif", "I;16", "image/png")],
)  # fmt: skip
def test_originals_are_shown_in_every_format(
    suffix: str, mode: str, kind: str, tmp_path: Path
) -> None:
    for place in range(2):
        Image.new(mode, (50, 40), 3 * place).save(tmp_path / f"{place}{suffix}")
    source = open_source(tmp_path)
    content, told = original(source, 1)
    assert told == kind
    assert content
    (tmp_path / f"1{suffix}").unlink()
    content, told = original(source, 1)  # gone: what the encoder sees
    assert (told, content[:4]) == ("image/png", b"\x89PNG")


# --- the command and the notebook --------------------------------------------------------------


def test_the_command_serves_until_ctrl_c_and_names_the_next(
    images_file: Path, found: Path, start_shoal: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start_shoal("review", images_file, found, "--no-browser")
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert b"<html" in opener.open(address, timeout=20).read()
    pile = opener.open(address.partition("?")[0] + "api/pile", timeout=20).read()
    assert json.loads(pile)["n"] == 40
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert not out
    assert JOURNAL in err
    assert "what you said" not in err  # nothing was
    assert err.splitlines()[-1].startswith("next: shoal ")
    assert "Traceback" not in err


@pytest.mark.parametrize("damage", ["newer", "truncated", "not ours", "line"])
def test_a_bad_journal_is_one_sentence_and_is_kept(
    damage: str, images_file: Path, images: np.ndarray, found: Path, run_cli: Callable[..., Any]
) -> None:
    session = opened(images, found)
    session.act({"op": "new", "rows": [1]})
    session.close()
    journal = found.with_name(JOURNAL)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes({
        "newer": lines[0].replace(b'"version":1', b'"version":9'),
        "truncated": lines[0][:-20] + b"\n" + lines[1],
        "not ours": b'{"n":1,"time":"x"}\n',
        "line": lines[0] + lines[1].replace(b'"1"', b'"unknown.png"'),
    }[damage])  # fmt: skip
    before = journal.read_bytes()
    result = run_cli("review", images_file, found, "--no-browser")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("shoal: ")
    assert len(result.err.splitlines()) == 1, result.err
    assert journal.read_bytes() == before


def test_what_cannot_be_reviewed_is_refused_in_one_sentence(
    images_file: Path, found: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    def refused(*words: Any) -> str:
        result = run_cli("review", *words, "--no-browser", "--quiet")
        assert (result.code, result.out) == (2, "")
        assert len(result.err.splitlines()) == 1, result.err
        return str(result.err)

    assert "--data" in refused(found.parent)
    assert "not the folder of a finished run" in refused(tmp_path / "none")
    assert "no such file" in refused(tmp_path / "none", found)
    assert "--data" in refused(images_file, found, "--data", images_file)
    assert "--port must be from 0 to 65535, got 99999" in refused(
        images_file, found, "--port", 99999
    )
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "another program uses it" in refused(images_file, found, "--port", port)
        with pytest.raises(OutputError):
            check_port(port)
    assert not found.with_name(JOURNAL).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_sentence(
    images_file: Path, found: Path, run_cli: Callable[..., Any]
) -> None:
    found.parent.chmod(0o555)
    try:
        result = run_cli("review", images_file, found, "--no-browser")
    finally:
        found.parent.chmod(0o755)
    assert result.code == 2
    assert "permission denied" in result.err


def test_a_notebook_shows_the_page_in_a_frame(
    images: np.ndarray, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal import ImageClusterer

    monkeypatch.chdir(found.parent)
    clusterer = ImageClusterer.load(found)
    with pytest.raises(DataError, match="X must be given"):
        clusterer.review()
    shown = clusterer.review(images, path="reviewed.pth")
    assert shown is clusterer.review(images, path="reviewed.pth")  # the cell runs again
    assert Path("reviewed.corrections.jsonl").exists()
    page = shown._repr_html_()
    assert f":{shown.server.port}/?token=" in page
    assert f"ssh -L {shown.server.port}:localhost:{shown.server.port} HOST" in page
    address = repr(shown).split()[2].rstrip(",")
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert b"<html" in opener.open(address, timeout=20).read()
    shown.close()
    again = clusterer.review(images, path="reviewed.pth")
    again.close()
    Path("reviewed.pth").write_bytes(b"something else")
    with pytest.raises(ShoalError):
        clusterer.review(images, path="reviewed.pth")


def test_a_notebook_goes_on_with_what_was_said_of_the_loaded_checkpoint(
    images: np.ndarray, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal import ImageClusterer

    session = opened(images, found)
    session.act({"op": "name", "group": 1, "name": "reds"})
    session.close()
    journal = found.with_name(JOURNAL)
    said = journal.read_bytes()
    (found.parent / "elsewhere").mkdir()
    monkeypatch.chdir(found.parent / "elsewhere")
    again = pickle.loads(pickle.dumps(ImageClusterer.load(found)))
    shown = again.review(images)
    shown.close()
    assert shown.journal == journal
    assert shown.server.session.journal.history.groups.names == {1: "reds"}
    assert list(Path().iterdir()) == []
    # Corrections from another place are on the page, too, and never mixed with others.
    for _ in range(2):
        shown = ImageClusterer.load(found, corrections=journal).review(images, path="copy.pth")
        shown.close()
        assert shown.server.session.journal.history.groups.names == {1: "reds"}
    assert journal.read_bytes() == said
    other = Path("other.corrections.jsonl")
    other.write_bytes(said.replace(b"reds", b"blue"))
    with pytest.raises(OutputError, match="holds other corrections than other"):
        ImageClusterer.load(found, corrections=other).review(images)
    assert journal.read_bytes() == said


def test_a_notebook_carries_corrections_over_to_another_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoal import VectorClusterer

    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    x = np.repeat(4 * generator.normal(size=(6, 8)), 20, axis=0) + generator.normal(size=(120, 8))
    first = VectorClusterer(6, random_state=0).fit(x).review()
    group = int(first.server.session.journal.history.groups.group[0])
    first.server.session.act({"op": "name", "group": group, "name": "cats"})
    first.server.session.act({"op": "confirm", "group": group})
    journal = tmp_path / "reviewed.corrections.jsonl"
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    groups = read_journal(journal).history.groups
    other = VectorClusterer(5, random_state=1).fit(x)
    with pytest.raises(OutputError, match=r"force=True keeps it as reviewed-1\.pth and carries"):
        other.review()
    # Of other vectors nothing can be carried over: all is as it was.
    with pytest.raises(DataError, match="about other vectors"):
        VectorClusterer(2).fit(x[::-1] + 1).review(force=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    shown = other.review(force=True)  # and the first review ends, if it goes on
    shown.close()
    now = shown.server.session.journal.history.groups
    assert read_journal(journal).history.entries[-1].op == "carry"
    assert now.names == {group: "cats"}
    assert np.array_equal(now.decided, groups.decided)
    assert (now.group[groups.decided] == group).all()
    for name, content in before.items():
        assert (tmp_path / name.replace("reviewed", "reviewed-1", 1)).read_bytes() == content
    old = VectorClusterer.load("reviewed-1.pth")
    assert (old.n_clusters_, old.corrections_.groups.names) == (6, groups.names)
    assert VectorClusterer.load("reviewed.pth").checkpoint_.recipe.n_clusters == 5
