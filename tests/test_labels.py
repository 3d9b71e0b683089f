"""Labels given in other tools come in as one entry of the journal, and go out as they read them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from shoal.corrections import say
from shoal.corrections.corrected import corrected
from shoal.corrections.entry import NOWHERE
from shoal.corrections.groups import Groups, apply, start
from shoal.corrections.image_names import SEVERAL, UNKNOWN, ImageNames
from shoal.corrections.imported import import_labels
from shoal.corrections.journal_file import journal_beside, read_journal, start_entry
from shoal.corrections.labels import Labels, formats, read_labels, written_formats
from shoal.embedding.table import ImageTable
from shoal.errors import DataError
from shoal.export.export import export_prediction
from shoal.export.safe_names import places
from shoal.images.array import ArraySource
from shoal.images.open import open_source

IDS = ["a/x.png", "a/y.png", "b/y.png", "b/z ü.png", "c.png"]
GIVEN = dict(zip(IDS, ["cats", "dogs", "cats", "dogs", "cats"], strict=True))


def beginning() -> Groups:
    return start(start_entry(IDS, np.zeros(len(IDS), np.int64)))


def coco() -> dict[str, Any]:
    return {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(IDS)],
        "categories": [{"id": 3, "name": "cats"}, {"id": 7, "name": "dogs"}],
        "annotations": [
            {"id": n, "image_id": n % 5, "category_id": 3 if n % 2 == n // 5 else 7}
            for n in range(5)
        ],
    }


def label_studio(address: str = "/data/local-files/?d=pile/") -> list[dict[str, Any]]:
    def choice(label: str) -> dict[str, Any]:
        value = {"choices": [label]}
        return {"from_name": "c", "to_name": "i", "type": "choices", "value": value}

    cancelled = {"was_cancelled": True, "result": [choice("birds")]}
    return [
        {"id": n, "data": {"image": address + name.replace(" ", "%20")},
         "annotations": [cancelled, {"result": [choice(label)]}],
         "predictions": [{"result": [choice("birds")]}]}
        for n, (name, label) in enumerate(GIVEN.items())
    ]  # fmt: skip


def short() -> list[dict[str, Any]]:
    return [
        {"image": f"/data/upload/1/e875f554-{name.replace('/', '-')}", "annotation_id": n,
         "choice": label}
        for n, (name, label) in enumerate(GIVEN.items())
    ]  # fmt: skip


CLASSES = ["cats", "dogs"]
FILES = {
    "labels.csv": "id,label\n" + "".join(f"{name},{label}\n" for name, label in GIVEN.items()),
    "semicolons.csv": "Label;File\n" + "".join(f"{v};{k}\n" for k, v in GIVEN.items()),
    "names.csv": "name,class\n" + "".join(f"{k},{v}\n" for k, v in GIVEN.items()),
    "metadata.csv": "file_name,caption,label\n" + "".join(f"{k},,{v}\n" for k, v in GIVEN.items()),
    "metadata.jsonl": "".join(
        json.dumps({"file_name": k, "label": v}) + "\n" for k, v in GIVEN.items()
    ),
    "coco.json": json.dumps(coco()),
    "label_studio.json": json.dumps(label_studio()),
    "fiftyone.json": json.dumps(
        {"classes": CLASSES, "labels": {k[:-4]: CLASSES.index(v) for k, v in GIVEN.items()}}
    ),
    "without_classes.json": json.dumps(
        {"labels": {k[:-4]: {"label": v, "confidence": 0.5} for k, v in GIVEN.items()}}
    ),
}


def labels_in(groups: Groups) -> dict[str, str]:
    return {
        name: groups.title(int(group)) if decided else ""
        for name, group, decided in zip(groups.ids, groups.group, groups.decided, strict=True)
    }


@pytest.mark.parametrize("name", FILES)
def test_labels_of_every_format_come_in(tmp_path, name):
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    imported = import_labels(beginning(), read_labels(tmp_path / name))
    assert imported.notes == ()
    groups = apply(beginning(), imported.entry)
    assert labels_in(groups) == GIVEN
    assert imported.entry.says == (
        f"Imported the labels of 5 images from {name}: 2 groups, 1 of them new."
    )
    again = import_labels(groups, read_labels(tmp_path / name))
    assert labels_in(apply(groups, again.entry)) == GIVEN
    assert not again.entry.names


def test_folders_of_labels_come_in(tmp_path):
    for layout, split in (("tree", ""), ("split", "train")):
        for name, label in GIVEN.items():
            path = tmp_path / layout / split / label / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (2, 2)).save(path)
        (tmp_path / layout / split / "notes.txt").write_text("no image")
        labels = read_labels(tmp_path / layout)
        assert labels_in(apply(beginning(), import_labels(beginning(), labels).entry)) == GIVEN
    for name in ("metadata.csv", "metadata.jsonl"):
        folder = tmp_path / f"of {name}" / "train"
        folder.mkdir(parents=True)
        (folder / name).write_text(FILES[name], encoding="utf-8")
        labels = read_labels(folder.parent)
        assert labels.format == "Hugging Face's metadata"
        assert labels_in(apply(beginning(), import_labels(beginning(), labels).entry)) == GIVEN
    shutil.rmtree(tmp_path / "tree")
    (tmp_path / "tree" / "data").mkdir(parents=True)
    (tmp_path / "tree" / "labels.json").write_text(FILES["fiftyone.json"], encoding="utf-8")
    assert read_labels(tmp_path / "tree").format == "FiftyOne's labels.json"


def test_files_that_were_uploaded_are_found_by_their_names(tmp_path):
    path = tmp_path / "short.json"
    ids = [name.replace("/", "-") for name in IDS]
    path.write_text(json.dumps(short()), encoding="utf-8")
    groups = start(start_entry(ids, np.zeros(5, np.int64)))
    groups = apply(groups, import_labels(groups, read_labels(path)).entry)
    assert list(labels_in(groups).values()) == list(GIVEN.values())


def test_a_name_that_several_images_have_is_none_of_them():
    names = ImageNames(IDS)
    assert names.row("/home/me/photos/a/y.png") == 1
    assert names.row("http://here/x.png?size=3") == 0
    assert names.row("z%20%C3%BC.png") == 3
    assert names.row("C:\\photos\\c.png") == 4
    assert names.row("elsewhere/y.png") == SEVERAL
    assert names.row("d.png") == UNKNOWN
    assert names.row("http://[") == UNKNOWN


def test_what_does_not_fit_is_counted_in_words(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "id,label\na/x.png,cats\ny.png,cats\nq.png,cats\nr.png,cats\nc.png,\n"
        "b/y.png,cats\nb/y.png,dogs\nb/z ü.png,belongs nowhere\n",
        encoding="utf-8",
    )
    groups = apply(beginning(), say.new(beginning(), np.array([0]), "dogs"))
    imported = import_labels(groups, read_labels(path))
    assert imported.notes == (
        "2 names in the file are of no image here, such as 'q.png'.",
        "1 name in the file may each be several images here, such as 'y.png'; left out.",
        "1 image has several labels, such as 'b/y.png'; left out.",
        "1 image has no label.",
        "1 image that you had put elsewhere is where the file says now.",
    )
    after = apply(groups, imported.entry)
    assert after.title(int(after.group[0])) == "cats"
    assert after.group[3] == NOWHERE
    assert after.decided.tolist() == [True, False, False, True, False]
    assert after.names[2] == "dogs"  # though nothing is left in it


def test_a_few_labels_name_the_groups_that_are_there(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n0,cats\n1,dogs\n2,cats\n3,cats\n4,birds\n5,dogs\n")
    groups = start(start_entry([str(row) for row in range(60)], np.arange(60) % 2))
    after = apply(groups, import_labels(groups, read_labels(path)).entry)
    assert {after.title(group): size for group, size in after.sizes.items()} == {
        "cats": 30, "dogs": 29, "birds": 1,
    }  # fmt: skip
    named = apply(groups, say.name(groups, 1, "mine"))
    after = apply(named, import_labels(named, read_labels(path)).entry)
    assert {after.title(group): size for group, size in after.sizes.items()} == {
        "dogs": 29, "mine": 27, "cats": 3, "birds": 1,
    }  # fmt: skip


BAD = {
    "empty.csv": ("", "is empty"),
    "first.csv": ("id,label\n", "holds no label: it has a first line only"),
    "quote.csv": ('id,label\na,"b\n', "is damaged: line 2"),
    "other.json": ("{}", "is of no format that shoal reads labels from"),
    "columns.csv": ("a,b\n1,2\n", "needs a column id and a column label, got a, b"),
    "short.csv": ("id,label\na/x.png,cats\nb/y.png\n", "row 3 has 1 of 2 cells"),
    "nothing.csv": ("id,label\na/x.png,\n", "holds no label"),
    "others.csv": ("id,label\nq.png,cats\n", "names none of these images: 'q.png'"),
    "long.csv": ("id,label\na/x.png," + "x" * 201 + "\n", "at most 200 characters, got 201"),
    "binary.csv": ("id,label\n\0,1\n", "of no format"),
    "broken.json": ('{"images": [', "is damaged: it is not whole JSON: line 1, column 13"),
    "deep.json": ("[" * 100_000, "is damaged: it is not JSON that can be read"),
    "coco.json": ('{"images": [{"id": 1}], "annotations": []}', "not whole COCO JSON"),
    "fiftyone.json": ('{"classes": ["a"], "labels": {"a/x": 3}}', "not whole FiftyOne"),
    "studio.json": ('[{"data": {"image": "x"}, "annotations": [3]}]', "not whole Label Studio"),
    "predictions.json": (
        '[{"data": {"image": "x"}, "predictions": []}]',
        "holds no label: it is Label Studio JSON without any",
    ),
    "lines.jsonl": ('{"file_name": "a"}\n{', "is damaged: line 2 is not JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_of_labels_is_refused_in_a_sentence(tmp_path, name):
    content, says = BAD[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        import_labels(beginning(), read_labels(tmp_path / name))


def test_every_format_says_what_it_is():
    assert list(written_formats()) == ["fiftyone", "hugging-face", "label-studio"]
    for module in formats():
        assert module.TITLE
        assert module.__doc__


@pytest.fixture
def pile(tmp_path: Path, images: np.ndarray) -> Path:
    for number, image in enumerate(images):
        path = tmp_path / "pile" / ("a" if number % 2 else "b") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "pile"


def exported(source, labels, called, folder, kind):
    """The file or folder of an export, in which a person accepted what was predicted."""
    out = folder / ("out" + (written_formats() | {"csv": ".csv", "json": ".json"}).get(kind, ""))
    table = ImageTable.of_labels(source.ids, labels, names=called)
    export_prediction(source, table, out, kind=kind)
    if kind == "label-studio":
        tasks = json.loads(out.read_text())
        for task in tasks:
            task["annotations"] = task.pop("predictions")
        out.write_text(json.dumps(tasks))
    return out


def check_they_come_in(source, called, out):
    groups = start(start_entry(source.ids, np.zeros(len(source), np.int64)))
    imported = import_labels(groups, read_labels(out))
    assert imported.notes == ()
    assert labels_in(apply(groups, imported.entry)) == dict(zip(source.ids, called, strict=True))


@pytest.mark.parametrize("kind", ["csv", "json", "folders", *written_formats()])
def test_what_was_exported_comes_in_again(tmp_path, pile, kind):
    source = open_source(pile)
    labels = np.arange(len(source)) % 3
    called = [["cats", "dogs", "belongs nowhere"][label] for label in labels]
    out = exported(source, labels, called, tmp_path, kind)
    if kind == "label-studio":
        for task in json.loads(out.read_text()):
            assert task["data"]["image"].startswith("/data/local-files/?d=pile/")
    check_they_come_in(source, called, out)


@pytest.mark.parametrize("kind", ["csv", "json", "folders", *written_formats()])
def test_frames_that_were_exported_come_in_again(tmp_path, kind):
    pytest.importorskip("av")
    frames = [Image.new("RGB", (12, 12), (n * 20, 250 - n * 20, n * 9)) for n in range(12)]
    gif = tmp_path / "anim.gif"
    frames[0].save(gif, save_all=True, append_images=frames[1:], duration=100)
    source = open_source(gif, cache=False)
    assert {"anim.gif#t=0.7", "anim.gif#t=1"} <= set(source.ids)
    called = [["cats", "dogs"][number % 2] for number in range(len(source))]
    labels = np.arange(len(source)) % 2
    out = exported(source, labels, called, tmp_path, kind)
    check_they_come_in(source, called, out)


def test_ids_with_dots_are_found_by_the_files_that_were_written_of_them():
    ids = ["a.b", "a.c", "x#t=12", "x#t=12.5", "p.tif#3", "p.tif#4", "in/v.mp4#t=1.5"]
    names = ImageNames(ids)
    written = places(["group 1"] * len(ids), ids, [".png"] * len(ids))
    assert [names.row(name) for name in written] == list(range(len(ids)))
    assert [names.row(name) for name in ids] == list(range(len(ids)))
    assert names.row("s3://bucket/p.tif#4") == 5
    for other in ("a.png", "x#t=12.7.png", "x#t=12.7", "p.tif#9.png", "p.tif#9", "p.jpg"):
        assert names.row(other) < 0, other


def test_fiftyone_knows_the_files_of_ids_with_dots(tmp_path):
    ids = ["a.b", "a.c", "in/v.mp4#t=1.5", "x.PNG"]
    source = ArraySource(np.zeros((4, 4, 4), np.uint8), ids=ids)
    table = ImageTable.of_labels(ids, np.array([0, 1, 0, 1]))
    for kind, out in (("fiftyone", "labels.json"), ("folders", "sorted")):
        export_prediction(source, table, tmp_path / out, kind=kind)
    known = json.loads((tmp_path / "labels.json").read_text())["labels"]
    for folder in (tmp_path / "sorted").glob("cluster-*"):
        files = [path.relative_to(folder) for path in folder.rglob("*.*") if path.is_file()]
        assert files
        for file in files:  # FiftyOne takes off the last suffix
            stem = file.with_suffix("").as_posix()
            assert known[stem] == int(folder.name[-1]), stem


def test_fiftyone_cannot_tell_two_suffixes_apart(tmp_path, pile):
    shutil.copy(pile / "a" / "1.png", pile / "a" / "1.jpg")
    source = open_source(pile)
    table = ImageTable.of_labels(source.ids, np.zeros(len(source), np.int64))
    with pytest.raises(DataError, match="several are called 'a/1'"):
        export_prediction(source, table, tmp_path / "labels.json", kind="fiftyone")
    assert not (tmp_path / "labels.json").exists()


def test_the_command_takes_labels_over_and_keeps_them(
    tmp_path, run_cli, images_file, checkpoint_file
):
    checkpoint = Path(shutil.copy(checkpoint_file, tmp_path))
    labels = tmp_path / "labels.csv"
    labels.write_text("id,label\nnone,red\n")
    assert run_cli("import-labels", images_file, checkpoint, labels).code == 2
    assert not list(tmp_path.glob("*corrections*")) + list(tmp_path.glob("*reviewed*"))
    labels.write_text("id,label\n0,red\n1,striped\n2,red\n99,red\n")
    result = run_cli("import-labels", images_file, checkpoint, labels)
    assert result.code == 0, result.err
    journal = journal_beside(checkpoint)
    said = result.out + result.err
    assert "Imported the labels of 3 images from labels.csv: 2 groups" in said
    assert "1 name in the file is of no image here, such as '99'." in said
    assert f"next: shoal review {images_file} {checkpoint}" in said
    history = read_journal(journal).history
    assert history.groups.decided.sum() == 3
    assert [entry.op for entry in history.done] == ["import"]
    assert str(tmp_path) not in journal.read_text()
    before = journal.read_bytes()
    result = run_cli("import-labels", images_file, checkpoint, labels)
    assert result.code == 0
    assert f"nothing changed: {journal} says all of it already" in result.out + result.err
    assert journal.read_bytes() == before
    labels.write_text("id,label\nnone,red\n")
    result = run_cli("import-labels", images_file, checkpoint, labels)
    assert (result.code, result.out) == (2, "")
    assert "names none of these images" in result.err
    assert "Traceback" not in result.err
    assert journal.read_bytes() == before


def test_a_label_that_is_what_shoal_calls_a_group_makes_no_second_group_of_that_title():
    groups = start(start_entry(["a", "b", "c"], np.array([0, 0, 1])))
    labels = Labels(Path("x.csv"), "csv", (("a", "group 1"), ("b", "group 9")))
    groups = apply(groups, import_labels(groups, labels).entry)
    assert [groups.title(int(group)) for group in groups.group] == [
        "group 1", "group 9", "group 2",
    ]  # fmt: skip


def test_own_corrections_come_back_under_the_names_they_had():
    """Exported and imported again: into the same result, and into one numbered otherwise."""
    ids = [f"{row}.png" for row in range(12)]
    groups = start(start_entry(ids, np.arange(12) % 3))
    groups = apply(groups, say.split(groups, 1, np.array([0, 0, 1, 1])))  # groups 4 and 5
    groups = apply(groups, say.name(groups, 2, "cats"))
    groups = apply(groups, say.nowhere(groups, np.array([2])))
    labels = [(name, groups.title(int(groups.group[row]))) for row, name in enumerate(ids)]
    file = Labels(Path("x.csv"), "csv", tuple(labels))
    again = apply(groups, import_labels(groups, file).entry)
    assert np.array_equal(again.group, groups.group)
    assert again.names == groups.names
    fresh = start(start_entry(ids, 2 - np.arange(12) % 3))
    there = apply(fresh, import_labels(fresh, file).entry)
    assert [there.title(int(group)) for group in there.group] == [label for _, label in labels]
    assert set(there.names.values()) == {"cats"}


def test_the_same_file_again_changes_nothing():
    """Also where a number is of other images here, or where a name was new before it."""
    ids = [str(row) for row in range(12)]
    groups = start(start_entry(ids, np.arange(12) % 3))
    moved = ["cats", "group 4", "group 2", "cats", "group 1", "group 2"] * 2
    file = Labels(Path("x.csv"), "csv", tuple(zip(ids, moved, strict=True)))
    after = apply(groups, import_labels(groups, file).entry)
    assert [after.title(int(group)) for group in after.group] == moved
    merged = Labels(Path("x.csv"), "csv", tuple((name, "group 4") for name in ids[::3]))
    assert import_labels(groups, merged).entry.moves == {4: tuple(ids[::3])}
    few = Labels(Path("x.csv"), "csv", (("1", "group 3"), ("4", "group 3")))  # others are in it
    for given, before in ((file, after), (few, groups)):
        once = apply(before, import_labels(before, given).entry)
        again = import_labels(once, given)
        assert (again.changes, again.notes) == (False, ())
        assert np.array_equal(apply(once, again.entry).group, once.group)


def test_a_guess_that_comes_back_is_no_word_of_a_person(tmp_path, pile):
    source = open_source(pile)
    fresh = start(start_entry(source.ids, np.arange(len(source)) % 3))
    groups = apply(fresh, say.new(fresh, np.arange(4), "cats"))
    groups = apply(groups, say.learn(groups, np.where(np.arange(len(source)) < 8, 4, groups.group)))
    table = ImageTable.of_labels(source.ids, np.arange(len(source)) % 3)
    out = tmp_path / "out.csv"
    export_prediction(source, corrected(table, groups), out, kind="csv")
    imported = import_labels(fresh, read_labels(out))
    assert imported.notes == (
        f"{len(source) - 4} labels count as no word of yours: the column decided of the file says "
        "so.",
    )
    there = apply(apply(fresh, imported.entry), imported.guesses)
    for after in (there, apply(there, import_labels(there, read_labels(out)).entry)):
        assert np.array_equal(after.group, groups.group)
        assert np.array_equal(after.decided, groups.decided)
        assert np.array_equal(after.inferred, groups.inferred)
    again = import_labels(there, read_labels(out))
    assert (again.changes, again.guesses) == (False, None)
    moved = apply(fresh, say.move(fresh, np.array([5]), 1))  # a person's own word stays
    there = apply(apply(moved, imported.entry), import_labels(moved, read_labels(out)).guesses)
    assert (there.group[5], there.decided[5]) == (1, True)
    export_prediction(source, corrected(table, groups), tmp_path / "out.parquet", kind="parquet")
    decided = pq.read_table(tmp_path / "out.parquet")["decided"].to_pylist()
    assert decided == groups.decided.tolist()


def test_a_folder_without_images_is_told_apart(tmp_path):
    with pytest.raises(DataError, match="holds neither images in folders nor a file of labels"):
        read_labels(tmp_path)
