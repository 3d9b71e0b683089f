"""A damaged journal: a refusal names a way on, which keeps the file and all that can be read."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.corrections import say
from shoal.corrections.carry import carry
from shoal.corrections.entry import Entry
from shoal.corrections.groups import Groups
from shoal.corrections.journal import Journal
from shoal.corrections.journal_file import read_journal, start_entry
from shoal.corrections.mend import Mended, mend
from shoal.embedding.table import ImageTable
from shoal.errors import DataError, OutputError
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.review.opening import open_review

IDS = [f"{row}.png" for row in range(12)]
LABELS = np.arange(12) % 3
Word = Callable[[Groups], Entry]


def journal_of(path: Path, *words: Word | str) -> list[bytes]:
    """The lines of a journal in which the words were said; "undo" and "redo" are words, too."""
    with Journal(path, start_entry(IDS, LABELS)) as journal:
        for word in words:
            if isinstance(word, str):
                getattr(journal, word)()
            else:
                journal.append(word(journal.history.groups))
    return path.read_bytes().splitlines(keepends=True)


def mended(path: Path, content: bytes) -> Mended:
    """What comes of the content, which is damaged; the file with it is kept."""
    path.write_bytes(content)
    found = mend(path, lambda piece: None)
    assert found is not None
    assert found.kept.read_bytes() == content
    if found.history is None:
        assert not path.exists()
    else:
        assert (
            read_journal(path).history.groups.group.tolist() == found.history.groups.group.tolist()
        )
        assert not read_journal(path).torn
        assert mend(path, lambda piece: None) is None
    return found


def move(row: int, target: int) -> Word:
    return lambda groups: say.move(groups, np.array([row]), target)


def merge(groups: Groups) -> Entry:
    return say.merge(groups, [1, 2], "cats")


@pytest.mark.parametrize("how", ["overwritten", "cut", "gone", "with its end"])
def test_what_was_said_after_a_lost_line_counts(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.corrections.jsonl"
    lines = journal_of(path, merge, move(2, 4), move(5, 4), move(0, 3))
    lines[2] = {
        "overwritten": lines[2][:20] + b"\0" * 30 + lines[2][50:], "cut": lines[2][:70] + b"\n",
        "gone": b"", "with its end": lines[2][:70],
    }[how]  # fmt: skip
    found = mended(path, b"".join(lines))
    assert found.history is not None
    assert found.history.groups.group.tolist() == [3, 4, 3, 4, 4, 4, 4, 4, 3, 4, 4, 3]
    assert [entry.n for entry in found.history.entries] == [1, 2, 3, 4]
    assert path.read_bytes().splitlines(keepends=True)[:2] == lines[:2]
    assert found.notes[0].startswith(
        "entry 3 is missing" if how == "gone" else "line 3 cannot be read"
    )
    # Where nothing tells what the line said, it may have undone the line before.
    assert ("it may have undone this" in found.notes[0]) == (how in ("overwritten", "gone"))
    with Journal(path) as journal:
        journal.append(move(1, 3)(journal.history.groups))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda one, two: [one, b"\n", b"\r\n", two], "lines 3 and 4 of the file are blank"),
        (lambda one, two: [one, b"hello\n", two], "line 3 of the file holds no whole entry"),
        (lambda one, two: [one.rstrip(), two], "line 2 of the file holds several entries"),
        (lambda one, two: [one.rstrip() + b" " + two], "line 2 of the file holds several entries"),
        (lambda one, two: [two, one], "entry 2 stands behind a later one"),
        (lambda one, two: [one, two, one, two], "entries 2 and 3 are there more than once"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_nothing_is_lost(
    tmp_path: Path, change: Any, fault: str
) -> None:
    path = tmp_path / "x.corrections.jsonl"
    lines = journal_of(path, merge, move(2, 4), move(5, 4))
    found = mended(path, b"".join([lines[0], *change(*lines[1:3]), lines[3]]))
    assert path.read_bytes() == b"".join(lines)
    assert found.notes == (fault, "nothing is lost")


def test_of_an_empty_file_and_of_a_readable_entry_with_a_tail_the_truth_is_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.corrections.jsonl"
    lines = journal_of(path, merge, move(2, 4), move(5, 4))
    assert mended(path, b"").notes == ("the file is empty: all that it held is lost",)
    far = lines[3].replace(b'"n":4', b'"n":400000000000000')  # no list of all these is made
    assert "are missing" in mended(path, b"".join([*lines[:3], far])).notes[0]
    found = mended(path, b"".join([*lines[:2], lines[2].rstrip() + lines[3][:40]]))
    assert found.history is not None
    assert path.read_bytes() == b"".join(lines[:3])  # the first of the two on one line is whole
    assert found.notes[0].startswith("line 4 cannot be read")


def test_undo_and_redo_after_a_lost_line_are_of_what_they_name(tmp_path: Path) -> None:
    path = tmp_path / "x.corrections.jsonl"
    lines = journal_of(path, merge, move(2, 4), move(5, 4), "undo", "undo", "redo")
    counts = {2: [3], 3: [2], 4: [2, 3], 5: [2, 3], 6: [2, 3]}  # without that line these do
    says = {entry.n: entry.says for entry in read_journal(path).history.entries}
    for lost, lasting in counts.items():
        found = mended(path, b"".join(lines[: lost - 1] + lines[lost:]))
        assert found.history is not None
        assert [entry.says for entry in found.history.done] == [says[n] for n in lasting], lost


def test_a_name_stays_with_one_group(tmp_path: Path) -> None:
    path = tmp_path / "x.corrections.jsonl"
    lines = journal_of(
        path,
        lambda groups: say.name(groups, 1, "cats"),
        lambda groups: say.name(groups, 1, "dogs"),
        lambda groups: say.name(groups, 2, "cats"),
    )
    found = mended(path, b"".join([*lines[:2], b"\n", *lines[3:]]))
    assert found.history is not None
    assert found.history.groups.names == {2: "cats"}


def test_what_does_not_fit_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "x.corrections.jsonl"
    lines = journal_of(path, move(2, 1), move(5, 1), move(0, 2))
    found = mended(path, b"".join(lines).replace(b'["5.png"]', b'["?.png"]'))
    assert found.history is not None
    assert found.history.groups.group[[2, 5, 0]].tolist() == [1, 3, 2]
    (note,) = found.notes
    assert "line 3 is left out" in note
    assert "'?.png'" in note
    other = lines[1].replace(b"2.png", b"3.png")
    found = mended(path, b"".join([*lines, other]))  # two files put together
    assert found.history is not None
    assert found.history.groups.group[[2, 3]].tolist() == [1, 1]
    assert found.notes == (f"a second line 2 is left out: {read_says(other)}",)


def read_says(line: bytes) -> str:
    found = re.search(rb'"says":"([^"]*)"', line)
    assert found is not None
    return found[1].decode()


def test_without_the_first_line_what_was_carried_over_shows_the_groups(tmp_path: Path) -> None:
    path = tmp_path / "x.corrections.jsonl"
    journal_of(path, merge, lambda groups: say.move(groups, np.array([2]), 4))
    table = ImageTable.of_labels([*IDS[2:], "new.png"], np.arange(11) % 2)
    with Journal(path) as journal:
        about = {"images": "abc", "result": "x"}
        journal.append(carry(journal.history.groups, table, about=about).entry)
        journal.append(say.confirm(journal.history.groups, np.array([10])))
        whole = journal.history
    lines = path.read_bytes().splitlines(keepends=True)
    found = mended(path, b"".join([lines[0][:50], b"\n", *lines[1:]]))
    assert found.history is not None
    assert found.history.groups.group.tolist() == whole.groups.group.tolist()
    assert found.history.groups.decided.tolist() == whole.groups.decided.tolist()
    assert found.history.groups.names == whole.groups.names
    assert found.history.began.about["images"] == "abc"
    assert any("line 4 shows the images" in note for note in found.notes)
    nothing = mended(path, b"".join([lines[0][:50], b"\n", *lines[1:3]]))
    assert nothing.history is None


def test_what_is_no_damaged_journal_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.corrections.jsonl"
    with pytest.raises(DataError, match="no such file"):
        mend(path, lambda piece: None)
    lines = journal_of(path, merge)
    for content, says in (
        (b"id,label\n0,1\n", "not a file of corrections"),
        (lines[0].replace(b'"version":1', b'"version":2') + lines[1], "newer version"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=says):
            mend(path, lambda piece: None)
        assert path.read_bytes() == content
    path.write_bytes(b"".join(lines))
    with Journal(path):
        path.write_bytes(b"".join(lines)[:-9])
        with pytest.raises(OutputError, match="another shoal process"):
            mend(path, lambda piece: None)
    assert list(tmp_path.iterdir()) == [path]


# --- as a person meets it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "as_before"),
    [
        (lambda lines: [lines[0][:300], b"\n", *lines[1:]], True),
        (lambda lines: [lines[0][:300], *lines[1:]], True),
        (lambda lines: [lines[0][:30], b"\0" * 40, lines[0][70:], *lines[1:]], True),
        (lambda lines: lines[1:], True),
        (lambda lines: [*lines[:2], b"{}\n", *lines[3:]], False),
        (lambda lines: [*lines[:2], *lines[3:]], False),
        (lambda lines: [lines[0], *lines[2:]], False),
    ],
)  # fmt: skip
def test_the_command_that_a_refusal_names_is_a_way_on(
    change: Any, as_before: bool, checkpoint_file: Path, images_file: Path,
    run_cli: Callable[..., Any], tmp_path: Path,
) -> None:  # fmt: skip
    folder = tmp_path / "my found"
    folder.mkdir()
    checkpoint = Path(shutil.copy(checkpoint_file, folder / "checkpoint.pth"))
    review = open_review(open_source(images_file), checkpoints.load(checkpoint), checkpoint)
    with review.journal as journal:
        first, second = sorted(journal.history.groups.sizes)
        journal.append(say.name(journal.history.groups, first, "reds"))
        journal.append(say.name(journal.history.groups, second, "stripes"))
        rows = journal.history.groups.members(first)[:1]
        journal.append(say.move(journal.history.groups, rows, second))
    path = journal.path
    whole = path.read_bytes()
    before = run_cli("predict", images_file, checkpoint, tmp_path / "before.csv")
    assert before.code == 0, before.err
    damaged = b"".join(change(whole.splitlines(keepends=True)))
    path.write_bytes(damaged)
    refusals = [
        run_cli("predict", images_file, checkpoint, tmp_path / "p.csv").err,
        run_cli("review", images_file, checkpoint).err,
        run_cli("train", images_file, tmp_path / "t.pth", "--corrections", path).err,
        run_cli("info", checkpoint).out,
    ]
    for said in refusals:
        assert "Restore it from a copy" in said, said
        (command,) = set(re.findall(r"'shoal (mend [^']*)'", said))
    assert path.read_bytes() == damaged
    told = run_cli(*shlex.split(command))
    assert told.code == 0, told.err
    (kept,) = folder.glob("*.damaged")
    assert kept.read_bytes() == damaged
    after = run_cli("predict", images_file, checkpoint, tmp_path / "after.csv")
    assert after.code == 0, after.err
    if as_before:
        assert path.read_bytes().splitlines()[1:] == whole.splitlines()[1:]
        assert (tmp_path / "after.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
    assert run_cli("mend", folder).err.endswith("is whole; there is nothing to mend\n")
    with open_review(open_source(images_file), checkpoints.load(checkpoint), checkpoint).journal:
        pass


def test_without_any_first_line_the_review_begins_anew(
    checkpoint_file: Path, images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    checkpoint = Path(shutil.copy(checkpoint_file, tmp_path / "checkpoint.pth"))
    review = open_review(open_source(images_file), checkpoints.load(checkpoint), checkpoint)
    with review.journal as journal:
        journal.append(say.confirm(journal.history.groups, np.array([0])))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[1])
    (tmp_path / "checkpoint.reviewed.parquet").unlink()
    told = run_cli("mend", journal.path)
    assert (told.code, "the next 'shoal review' begins anew" in told.err) == (0, True), told.err
    assert not journal.path.exists()
    with open_review(open_source(images_file), checkpoints.load(checkpoint), checkpoint).journal:
        assert journal.path.exists()
