"""Taking it away: everything arrives, nothing is replaced, nothing is left half done."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from shoal.embedding.reduce import reduce
from shoal.export.export import export_prediction
from shoal.export.naming import write_template
from shoal.export.prediction import load_prediction
from shoal.export.safe_names import distinct_names, places, safe_name
from shoal.images.array import ArraySource
from shoal.images.decoding.listing import Listing
from shoal.images.open import open_source
from shoal.images.originals import EncodedOriginals
from shoal.models import checkpoint as checkpoints

NAMES = [
    "01.png", "sub/02.png", "sub/deeper/03.jpg", "SUB/02.PNG", "spaces and ünïcode.png",
    os.fsdecode(b"caf\xe9.png"), os.fsdecode(b"caf\xe8.png"), "new\nline.png", 'q"uote?.png',
    "con.png", "a.png", "a.png.d/x.png",
]  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes to the cache of whoever runs them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def photos(tmp_path: Path, images: np.ndarray) -> Path:
    """A folder of twelve files under hostile names."""
    folder = tmp_path / "photos"
    for name, image in zip(NAMES, images, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((11, 9)).save(folder / name)
    return folder


def write_csv(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file).writerows(rows)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def prediction(photos: Path, tmp_path: Path) -> Path:
    """Its images in three clusters, by turns."""
    rows = [[name, number % 3] for number, name in enumerate(NAMES)]
    return write_csv(tmp_path / "prediction.csv", [["id", "label"], *rows])


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        os.fsdecode(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def by_content(folder: Path) -> dict[bytes, list[str]]:
    found: dict[bytes, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            found.setdefault(path.read_bytes(), []).append(name)
    return found


# --- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["copy", "hardlink", "symlink"])
def test_folders_hold_each_file_once_under_its_cluster(
    by: str, photos: Path, prediction: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    before = snapshot(photos)
    out = tmp_path / "new" / "sorted"
    result = run_cli("export", photos, prediction, out, "--by", by)
    assert result.code == 0, result.err
    assert result.out == ""
    assert snapshot(photos) == before
    assert json.loads((out / "shoal.json").read_text())["format"] == "shoal export"
    (out / "shoal.json").unlink()
    files = [path for path in out.rglob("*") if not path.is_dir()]
    assert len(files) == len(NAMES)
    assert len({str(path).casefold() for path in files}) == len(NAMES)
    wanted = Counter((f"cluster-{i % 3}", (photos / name).read_bytes()) for i, name in
                     enumerate(NAMES))  # fmt: skip
    assert wanted == Counter((p.relative_to(out).parts[0], p.read_bytes()) for p in files)
    assert (out / "cluster-2" / "sub" / "deeper" / "03.jpg").exists()
    originals = {path.stat().st_ino for path in photos.rglob("*") if path.is_file()}
    if by == "copy":
        assert not {path.stat().st_ino for path in files} & originals
        shutil.rmtree(out)
        assert snapshot(photos) == before
    else:
        assert {path.stat().st_ino for path in files} == originals
        assert all(path.is_symlink() == (by == "symlink") for path in files)
    assert [path.name for path in out.parent.iterdir() if path != out] == []


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    photos: Path, prediction: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    before = snapshot(tmp_path)
    out = tmp_path / "new" / "sorted"
    result = run_cli("export", photos, prediction, out, "--dry-run")
    assert result.code == 0, result.err
    assert snapshot(tmp_path) == before
    assert not out.parent.exists()
    assert "would write 12 images" in result.out
    named = [line.split(" -> ")[1] for line in result.out.splitlines() if " -> " in line]
    assert run_cli("export", photos, prediction, out).code == 0
    assert len(named) == 9  # three of each cluster
    assert all((out / name).exists() for name in named)


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_an_export_that_fails_leaves_nothing(
    stop: BaseException,
    photos: Path,
    prediction: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = []

    def fails(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 4:
            raise stop
        Path(target).write_bytes(Path(source).read_bytes())

    before = snapshot(tmp_path)
    (tmp_path / "out").mkdir()  # an empty folder may be there
    monkeypatch.setattr(shutil, "copyfile", fails)
    result = run_cli("export", photos, prediction, tmp_path / "out", "--quiet")
    assert result.code == (2 if isinstance(stop, OSError) else 130)
    assert "Traceback" not in result.err
    assert len(copied) == 4
    assert snapshot(tmp_path) == before
    assert list((tmp_path / "out").iterdir()) == []
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".shoal-")] == []


def test_arrays_become_png_and_come_back_the_same(
    images: np.ndarray, images_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    rows = [[i, i % 2] for i in range(39)]  # one image is left out
    listed = write_csv(tmp_path / "p.csv", [["id", "label"], *rows])
    result = run_cli("export", images_file, listed, tmp_path / "out")
    assert result.code == 0, result.err
    assert "1 that the prediction does not mention" in result.err
    assert len(list((tmp_path / "out").rglob("*.png"))) == 39
    for i, cluster in rows:
        path = tmp_path / "out" / f"cluster-{cluster}" / f"{i}.png"
        assert np.array_equal(np.asarray(Image.open(path)), images[i])


def test_a_source_with_originals_gives_them(images: np.ndarray, tmp_path: Path) -> None:
    def jpeg(index: int) -> bytes:
        file = io.BytesIO()
        Image.fromarray(images[index]).resize((30, 20)).save(file, "jpeg")
        return file.getvalue()

    names = ["0", "1", "x.JPG", "3"]
    pile = Listing(names, lambda: map(jpeg, range(4)), jpeg)
    originals = EncodedOriginals(tmp_path / "pile.tar", lambda _: pile, names)
    source = ArraySource(images[:4], ids=names, originals=originals)
    listed = load_prediction(write_csv(tmp_path / "p.csv", [["id", "label"], *[
        [name, 0] for name in source.ids]]))  # fmt: skip
    export_prediction(source, listed, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out" / "cluster-0").iterdir()) == [
        "0.jpg", "1.jpg", "3.jpg", "x.JPG",
    ]  # fmt: skip
    assert (tmp_path / "out" / "cluster-0" / "1.jpg").read_bytes() == jpeg(1)
    export_prediction(source, listed, tmp_path / "out.parquet", kind="parquet")
    assert pq.read_table(tmp_path / "out.parquet")["image"][1].as_py()["bytes"] == (jpeg(1))
    export_prediction(source, listed, tmp_path / "out.json", kind="json")
    first = json.loads((tmp_path / "out.json").read_text())["images"][0]
    assert (first["width"], first["height"]) == (30, 20)


@pytest.mark.parametrize("kind", ["folders", "csv", "parquet", "json"])
def test_images_that_are_gone_are_named_and_the_others_exported(
    kind: str, photos: Path, prediction: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    (photos / "01.png").unlink()
    (photos / "con.png").write_bytes(b"")
    plan = run_cli("export", photos, prediction, tmp_path / "out", "--as", kind, "--dry-run")
    assert plan.code == 0
    assert "would write 10 images" in plan.out
    assert "2 of 12 images of" in plan.out
    result = run_cli("export", photos, prediction, tmp_path / "out", "--as", kind, "--quiet")
    assert (result.code, result.out) == (0, "")
    assert "2 of 12 images of" in result.err
    assert "were left out: 01.png, con.png (" in result.err
    if kind == "folders":
        assert len([p for p in (tmp_path / "out").glob("cluster-*/**/*") if p.is_file()]) == 10
    elif kind == "csv":
        rows = [[row["id"], int(row["cluster"])] for row in read_csv(tmp_path / "out")]
        kept = [name for name in NAMES if name not in ("01.png", "con.png")]
        assert rows == [[name, NAMES.index(name) % 3] for name in kept]
    loaded = load_prediction(prediction)
    (tmp_path / "again").mkdir()
    assert export_prediction(open_source(photos), loaded, tmp_path / "again") == [
        "01.png", "con.png"
    ]  # fmt: skip


# --- names of files -----------------------------------------------------------------------------

ANY_NAME = st.text(
    st.characters(exclude_characters="\0", codec=None) | st.sampled_from("/\\.: aA\udce9ßéé"),
    min_size=1, max_size=30,
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("xy"), ANY_NAME), min_size=1, max_size=12, unique=True))
@example([("x", "a"), ("x", "a/b"), ("x", "A/B"), ("x", "a.png/c"), ("x", "../../etc/passwd")])
@example(
    [("x", "ß.png"), ("x", "ss.png"), ("x", "SS.png"), ("x", "COM1"), ("x", "..."), ("x", " ")]
)
@example([("x", "n" * 300), ("x", "n" * 300 + ".png"), ("x", "é" * 200), ("x", "é" * 200)])
@settings(deadline=None, max_examples=150)
def test_places_are_safe_and_all_different(wanted: list[tuple[str, str]]) -> None:
    folders, ids = zip(*wanted, strict=True)
    found = places(folders, ids, [".png"] * len(ids))

    def key(path: str) -> str:
        return unicodedata.normalize("NFKC", path).casefold()

    keys = [key(path) for path in found]
    assert len(set(keys)) == len(keys)
    parents = {key(str(p)) for path in found for p in PurePosixPath(path).parents}
    assert not parents & set(keys)  # no file is where a folder has to be
    for folder, path in zip(folders, found, strict=True):
        first, *parts = path.split("/")
        assert first == folder
        assert parts
        for part in parts:
            assert part not in ("", ".", "..")
            assert len(part.encode()) <= 255
            assert not set(part) & set('<>:"\\|?*')
            assert part.isprintable()
            assert part[-1] not in " ."
            assert part.split(".")[0].casefold() not in ("con", "nul", "com1", "aux", "prn")
            assert safe_name(part) == part
        assert path.endswith(".png")


def test_a_long_name_is_cut_and_stays_apart_with_its_suffix() -> None:
    assert safe_name("n" * 150) == "n" * 150
    cut = safe_name("n" * 151 + ".png")
    assert re.fullmatch(r"n{130}_[0-9a-f]{12}\.png", cut)
    assert cut != safe_name("n" * 152 + ".png")
    assert re.fullmatch(r"n{130}_[0-9a-f]{12}", safe_name("n" * 150 + ".no suffix"))
    assert re.fullmatch(r"n{130}_[0-9a-f]{12}\.jpg_large"[:-1], safe_name("n" * 150 + ".jpg_larg"))
    with pytest.raises(ValueError, match="zip"):
        places(["x"], ["1", "2"], [".png"] * 2)


def test_names_of_clusters_stay_apart() -> None:
    names = ["a/b", "a:b", "A_B", "..", "."]
    assert len({name.casefold() for name in distinct_names(names)}) == 5


# --- one file -----------------------------------------------------------------------------------


@pytest.fixture
def known(
    images_file: Path, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> Path:
    """A table of the tiny pile, with its embedding; prediction.csv beside it."""
    path = tmp_path / "found" / "table.parquet"
    result = run_cli(
        "predict", images_file, checkpoint_file, path.with_name("prediction.csv"), "--table", path
    )
    assert result.code == 0, result.err
    return path


def test_parquet_holds_all_and_is_a_pile_again(
    images: np.ndarray,
    images_file: Path,
    checkpoint_file: Path,
    known: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    out = tmp_path / "out.parquet"
    result = run_cli("export", images_file, known, out, "--as", "parquet")
    assert result.code == 0, result.err
    table = pq.read_table(out)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "id": "string",
        "image": "struct<bytes: binary, path: string>",
        "cluster": "int64",
        "confidence": "float",
        "x": "float",
        "y": "float",
        "neighbors": "struct<ids: list<element: int64>, distances: list<element: float>>",
    }
    about = json.loads(table.schema.metadata[b"huggingface"])
    assert about["info"]["features"]["image"] == {"_type": "Image"}
    again = open_source(out)
    assert again.shape == (8, 8, 3)
    assert np.array_equal(again.read(np.arange(40)), images)
    assert table["cluster"].to_pylist() == pq.read_table(known)["label"].to_pylist()
    assert np.isfinite(table["x"].to_numpy()).all()
    z = reduce(ArraySource(images), checkpoints.load(checkpoint_file))
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    for row, found in enumerate(table["neighbors"].to_pylist()):
        alike = unit @ unit[row]
        alike[row] = -np.inf
        nearest = np.argsort(-alike, kind="stable")[:15]
        assert found["distances"] == pytest.approx(1 - alike[nearest], abs=1e-5)
        assert len(found["ids"]) == 15
        assert row not in found["ids"]


def test_parquet_of_files_holds_the_very_files(
    photos: Path, prediction: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    result = run_cli("export", photos, prediction, out, "--as", "parquet")
    assert result.code == 0, result.err
    assert "holds no embedding" in result.err
    table = pq.read_table(out)
    assert table.column_names == ["id", "image", "cluster"]
    stored = {row["bytes"] for row in table["image"].to_pylist()}
    assert stored == {(photos / name).read_bytes() for name in NAMES}


def test_a_table_finds_its_images_though_text_cannot_hold_their_names(
    photos: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    kept = [name for name in NAMES if name != NAMES[6]]  # without it, "caf?.png" is clear
    (photos / NAMES[6]).unlink()
    ids = [name.encode("utf-8", "replace").decode() for name in kept]
    columns = {"id": ids, "label": [number % 2 for number in range(len(kept))]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    result = run_cli("export", photos, tmp_path / "t.parquet", tmp_path / "out")
    assert result.code == 0, result.err
    (tmp_path / "out" / "shoal.json").unlink()
    wanted = Counter((f"cluster-{i % 2}", (photos / name).read_bytes()) for i, name in
                     enumerate(kept))  # fmt: skip
    assert wanted == Counter(
        (path.split("/")[0], content)
        for content, paths in by_content(tmp_path / "out").items()
        for path in paths
    )


def test_csv_and_json(
    images_file: Path, known: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    names = write_csv(tmp_path / "n.csv", [["name", "cluster"], ["sea, sky", 1], ["réd", 0]])
    assert run_cli("name", known, names).code == 0
    for kind in ("csv", "json"):
        result = run_cli("export", images_file, known, tmp_path / f"out.{kind}", "--as", kind)
        assert result.code == 0, result.err
    table = pq.read_table(known).to_pydict()
    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["id", "cluster", "name", "confidence"]
    assert [row["id"] for row in rows] == table["id"]
    assert [int(row["cluster"]) for row in rows] == table["label"]
    assert [row["name"] for row in rows] == [["réd", "sea, sky"][k] for k in table["label"]]
    coco = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert set(coco) == {"info", "images", "categories", "annotations"}
    assert [image["file_name"] for image in coco["images"]] == table["id"]
    assert len({image["id"] for image in coco["images"]}) == 40
    categories = {one["id"]: one["name"] for one in coco["categories"]}
    assert 0 not in categories
    for image, annotation, row in zip(coco["images"], coco["annotations"], rows, strict=True):
        assert annotation["image_id"] == image["id"]
        assert categories[annotation["category_id"]] == row["name"]
        assert annotation["bbox"] == [0, 0, 8, 8]
        assert annotation["score"] == pytest.approx(float(row["confidence"]), abs=1e-5)


# --- names of clusters --------------------------------------------------------------------------


def test_two_clusters_of_one_name_become_one(
    photos: Path, prediction: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    rows = read_csv(prediction)
    extra = [[row["id"], row["label"], f"note {i}"] for i, row in enumerate(rows)]
    write_csv(prediction, [["id", "label", "note"], *extra])
    names = write_csv(tmp_path / "n.csv", [["cluster", "name"], [0, "a/b"], [1, "c"], [2, "a/b"]])
    result = run_cli("name", prediction, names)
    assert f"in place of DATA: shoal export DATA {prediction} {tmp_path / 'sorted'}" in result.err
    assert result.code == 0, result.err
    assert "1 merged" in result.err
    named = read_csv(prediction)
    assert [[row["id"], row["label"], row["note"]] for row in named] == extra
    assert [row["name"] for row in named] == [["a/b", "c", "a/b"][i % 3] for i in range(12)]
    names = write_csv(names, [["cluster", "name"], [0, "x"], [1, "y"], [2, "x"]])
    before = prediction.read_bytes()
    refused = run_cli("name", prediction, names)
    assert (refused.code, prediction.read_bytes()) == (2, before)
    assert "has other names already" in refused.err
    assert run_cli("name", prediction, names, "--force").code == 0  # named anew, not twice
    assert list(read_csv(prediction)[0]) == ["id", "label", "note", "name", "result"]
    assert run_cli("export", photos, prediction, tmp_path / "out").code == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["shoal.json", "x", "y"]
    assert len([p for p in (tmp_path / "out" / "x").rglob("*") if p.is_file()]) == 8
    assert run_cli("export", photos, prediction, tmp_path / "o.json", "--as", "json").code == 0
    categories = json.loads((tmp_path / "o.json").read_text())["categories"]
    assert [(one["name"], one["clusters"]) for one in categories] == [("x", [0, 2]), ("y", [1])]


def test_names_are_for_a_clustering_whatever_its_images(
    images: np.ndarray, checkpoint_file: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    new = tmp_path / "new.npy"
    np.save(new, images[:7])
    np.save(tmp_path / "old.npy", images)

    def predict(pile: str, out: str, *options: Any) -> Path:
        path = tmp_path / out
        done = run_cli("predict", tmp_path / pile, checkpoint_file, path, *options)
        assert done.code == 0, done.err
        return path

    predict("old.npy", "old.csv", "--table", tmp_path / "old.parquet")
    predict("new.npy", "new.csv", "--table", tmp_path / "new.parquet")
    np.save(tmp_path / "one.npy", images[:1])
    alone = predict("one.npy", "alone.csv")
    write_template(tmp_path / "old.csv", names := tmp_path / "names.csv")
    header, *rows = names.read_text().splitlines()
    assert header == "cluster,name,images,result,clustering"
    names.write_text("\n".join([header, *(row.replace(",,", f",n{row[0]},") for row in rows)]))
    for path in (tmp_path / "old.csv", tmp_path / "new.csv", tmp_path / "new.parquet"):
        given = run_cli("name", path, names)
        assert given.code == 0, given.err
        table = load_prediction(path)
        assert list(table.names or ()) == [f"n{label}" for label in table.labels]
    refused = run_cli("name", alone, names)
    assert refused.code == 2
    assert "names the clusters of another result" in refused.err
    assert "add --checkpoint FILE if" in refused.err
    assert run_cli("name", alone, names, "--checkpoint", checkpoint_file).code == 0
    assert load_prediction(alone).names is not None
    others = predict("old.npy", "three.csv", "-k", "3", "--table", tmp_path / "three.parquet")
    for path in (others, others.with_suffix(".parquet")):
        assert run_cli("name", path, names, "--checkpoint", checkpoint_file).code == 2


# --- mistakes -----------------------------------------------------------------------------------

MISTAKES = [
    (
        "export PHOTOS P.csv OUT --as coco",
        "--as must be one of folders, csv, parquet, json, fiftyone, hugging-face, label-studio, "
        "got 'coco'",
    ),
    (
        "export PHOTOS P.csv OUT --by move",
        "--by must be one of copy, hardlink, symlink, got 'move'",
    ),
    (
        "export PHOTOS P.csv OUT --as csv --by symlink",
        "--by must be 'copy' with --as csv, got 'symlink'",
    ),
    ("export PHOTOS P.csv full", "is not an empty folder"),
    ("export PHOTOS P.csv P.csv", "is not an empty folder"),
    ("export PHOTOS P.csv P.csv --as csv", "exists; an export replaces nothing"),
    ("export PHOTOS P.csv full --as csv", "exists; an export replaces nothing"),
    ("export PHOTOS P.csv dangling --as csv", "exists; an export replaces nothing"),
    ("export PHOTOS P.csv dangling", "is not an empty folder"),
    ("export PHOTOS P.csv photos/sorted", "it lies in the pile"),
    ("export PHOTOS P.csv P.csv/out", "not a folder"),
    ("export ARRAY A.csv OUT --by hardlink", "--by must be 'copy' for images that are not files"),
    ("export ARRAY P.csv OUT", "names '01.png', which is not in the pile"),
    ("export ARRAY P.csv OUT --dry-run", "names '01.png', which is not in the pile"),
    ("export ARRAY no.csv OUT", "no such file"),
    ("export ARRAY empty.csv OUT", "it is empty"),
    ("export ARRAY head.csv OUT", "has no rows"),
    ("export ARRAY other.csv OUT", "it has no column 'id'"),
    ("export ARRAY short.csv OUT", "row 3 has 1 of 2 cells"),
    ("export ARRAY twice.csv OUT", "has '1' in more than one row"),
    ("export ARRAY words.csv OUT", "clusters must be whole numbers, got 'sky'"),
    ("export ARRAY bad.parquet OUT", "it is damaged"),
    ("export ARRAY other.parquet OUT", "must have the columns id and label, and has a, b"),
    ("export ARRAY null.parquet OUT", "a column holds something else"),
    ("export PHOTOS full OUT", "is a folder; name a prediction"),
    ("name A.csv n-missing.csv", "has no name for cluster 1 of A.csv; add a row"),
    ("name A.csv n-unknown.csv", "names cluster 7, but A.csv has only the clusters 0, 1"),
    ("name A.csv n-twice.csv", "cluster 1 has two names, 'a' and 'b'"),
    ("name A.csv n-empty.csv", "the name of cluster 1 is empty"),
    ("name A.csv n-words.csv", "clusters must be whole numbers, got 'one'"),
    ("name A.csv no.csv", "no such file"),
    ("name A.csv A.csv", "is an input of this command"),
    ("name no.csv n-twice.csv", "no such file"),
    ("name bad.parquet n-twice.csv", "it is damaged"),
]


@pytest.mark.parametrize(("command", "fragment"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    command: str,
    fragment: str,
    photos: Path,
    prediction: Path,
    images_file: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    prediction.rename("P.csv")
    texts = {
        "A": "id,label\n0,0\n1,1\n", "empty": "", "head": "id,label\n", "other": "a,b\n1,2\n",
        "short": "id,label\n0,0\n1\n", "twice": "id,label\n1,0\n1,1\n",
        "words": "id,label\n0,sky\n", "n-missing": "cluster,name\n0,a\n",
        "n-unknown": "cluster,name\n0,a\n1,b\n7,c\n", "n-twice": "cluster,name\n0,a\n1,a\n1,b\n",
        "n-empty": "cluster,name\n0,a\n1, \n", "n-words": "cluster,name\none,a\n",
    }  # fmt: skip
    for name, text in texts.items():
        Path(f"{name}.csv").write_text(text)
    Path("bad.parquet").write_bytes(b"PAR1" + bytes(50))
    pq.write_table(pa.table({"a": [1], "b": [2]}), "other.parquet")
    pq.write_table(pa.table({"id": ["0", "1"], "label": [0, None]}), "null.parquet")
    Path("full").mkdir()
    Path("full/a.txt").write_text("mine")
    Path("dangling").symlink_to("nowhere")
    given = {"PHOTOS": photos, "ARRAY": images_file, "OUT": tmp_path / "out"}
    before, entries = snapshot(tmp_path), sorted(tmp_path.rglob("*"))
    result = run_cli(*(given.get(word, word) for word in command.split()))
    assert result.code == 2, result
    assert result.out == ""
    assert result.err.startswith("shoal: ")
    assert result.err.count("\n") == 1
    assert fragment in result.err
    assert snapshot(tmp_path) == before
    assert sorted(tmp_path.rglob("*")) == entries
