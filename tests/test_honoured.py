"""A person's corrections last: every later command honours them, and new images join the groups."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from shoal.cli.run_folder import corrections_kept
from shoal.corrections import say
from shoal.corrections.journal import Journal
from shoal.corrections.journal_file import cut_off
from shoal.estimator.image_clusterer import ImageClusterer
from shoal.export.load_corrections import corrections_of, load_corrections
from shoal.images.open import open_source
from shoal.models import checkpoint as checkpoints
from shoal.review.opening import open_review

Cli = Callable[..., Any]


@pytest.fixture
def checkpoint(checkpoint_file: Path, tmp_path: Path) -> Path:
    """A checkpoint in a folder of its own, where a journal may lie beside it."""
    (tmp_path / "found").mkdir()
    return Path(shutil.copy(checkpoint_file, tmp_path / "found" / "checkpoint.pth"))


@pytest.fixture
def reviewed(checkpoint: Path, images_file: Path) -> Path:
    """The journal of a person who named both groups and moved image 0 to the other one."""
    source = open_source(images_file)
    review = open_review(source, checkpoints.load(checkpoint), checkpoint)
    with review.journal as journal:
        first = int(journal.history.groups.group[0])
        other = 3 - first
        journal.append(say.name(journal.history.groups, first, "reds"))
        journal.append(say.name(journal.history.groups, other, "stripes"))
        journal.append(say.move(journal.history.groups, np.array([0]), other))
        return journal.path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_without_corrections_every_output_is_as_it_was(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    content = reviewed.read_bytes()
    with_table = ["--table", tmp_path / "a.parquet"]
    told = run_cli("predict", images_file, checkpoint, tmp_path / "a.csv", *with_table,
                   "--no-corrections")  # fmt: skip
    assert told.code == 0, told.err
    reviewed.unlink()
    run_cli("predict", images_file, checkpoint, tmp_path / "b.csv", "--table",
            tmp_path / "b.parquet")  # fmt: skip
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.csv").read_text().startswith("id,label\n")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    # A review in which nothing was said changes nothing.
    reviewed.write_bytes(content.splitlines(keepends=True)[0])
    told = run_cli("predict", images_file, checkpoint, tmp_path / "c.csv")
    assert (told.code, "by hand" in told.err) == (0, False)
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_predict_gives_the_groups_and_their_names(
    checkpoint: Path, images_file: Path, reviewed: Path, kinds: np.ndarray, run_cli: Cli,
    tmp_path: Path,
) -> None:  # fmt: skip
    out, table = tmp_path / "p.csv", tmp_path / "p.parquet"
    told = run_cli("predict", images_file, checkpoint, out, "--table", table)
    assert told.code == 0, told.err
    assert f"with 3 corrections by hand from {reviewed}, " in told.err
    assert " of 40 decided; --no-corrections leaves them" in told.err
    named = [row["name"] for row in rows(out)]
    assert named == ["stripes", *("reds" if kind == 0 else "stripes" for kind in kinds[1:])]
    assert [row["label"] for row in rows(out)[:2]] == ["0", "0"]  # the largest
    assert pq.read_table(table)["name"].to_pylist() == named
    assert pq.read_table(table)["confidence"].to_pylist()[0] == 1
    exported = run_cli("export", images_file, out, tmp_path / "sorted")
    assert exported.code == 0, exported.err
    assert len(list((tmp_path / "sorted" / "stripes").iterdir())) == 21


def test_evaluate_measures_the_corrected_groups_where_it_is_asked_to(
    checkpoint: Path, images_file: Path, reviewed: Path, kinds: np.ndarray, run_cli: Cli,
    tmp_path: Path,
) -> None:  # fmt: skip
    np.save(tmp_path / "labels.npy", kinds)
    words = ("evaluate", images_file, checkpoint, tmp_path / "labels.npy", "--json")
    plain, told = run_cli(*words), run_cli(*words, "--corrections", reviewed)
    assert (plain.code, told.code) == (0, 0), told.err
    assert json.loads(plain.out)["accuracy"] == 1.0
    assert json.loads(told.out)["accuracy"] == pytest.approx(39 / 40)  # image 0 was moved wrongly
    alone = run_cli("evaluate", images_file, checkpoint, "--no-labels", "--corrections", reviewed)
    assert alone.code == 2
    assert "corrections need labels to be measured with; give LABELS." in alone.err


def test_new_images_join_the_corrected_groups_by_content_and_not_by_their_row(
    checkpoint: Path, reviewed: Path, images: np.ndarray, run_cli: Cli, tmp_path: Path
) -> None:  # fmt: skip
    np.save(tmp_path / "new.npy", images[[1, 3, 2, 0]])  # row 0 is another image than row 0 was
    told = run_cli("predict", tmp_path / "new.npy", checkpoint, tmp_path / "new.csv")
    assert told.code == 0, told.err
    named = [row["name"] for row in rows(tmp_path / "new.csv")]
    assert named == ["stripes", "stripes", "reds", "reds"]  # 0 in its row is not known as 0
    assert [row["label"] for row in rows(tmp_path / "new.csv")] == ["0", "0", "1", "1"]


def test_export_honours_the_journal_and_leaves_the_prediction_as_it_is(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tree: Any, tmp_path: Path
) -> None:
    prediction = checkpoint.with_name("prediction.csv")
    run_cli("predict", images_file, checkpoint, prediction, "--no-corrections")
    before = tree(checkpoint.parent)
    told = run_cli("export", images_file, prediction, tmp_path / "sorted")
    assert told.code == 0, told.err
    assert "with 3 corrections by hand" in told.err
    assert {path.name for path in (tmp_path / "sorted").iterdir()} >= {"reds", "stripes"}
    assert len(list((tmp_path / "sorted" / "stripes").iterdir())) == 21
    assert tree(checkpoint.parent) == before
    corrected = checkpoint.with_name("corrected.csv")  # is not corrected twice
    run_cli("predict", images_file, checkpoint, corrected)
    told = run_cli("export", images_file, corrected, tmp_path / "again")
    assert (told.code, "by hand" in told.err) == (0, False)
    assert tree(tmp_path / "again") == tree(tmp_path / "sorted")


def test_another_division_than_the_corrected_one_keeps_what_was_decided(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    told = run_cli("predict", images_file, checkpoint, tmp_path / "p.csv", "-k", "4")
    assert told.code == 0, told.err
    assert "the corrections are of split 1, but -k 4 counts: decided images keep" in told.err
    found = rows(tmp_path / "p.csv")
    assert found[0]["name"] == "stripes"
    with Journal(reviewed) as journal:
        groups = journal.history.groups
        labels = np.arange(len(groups.group)) % 2
        about = {"division": {"kind": "n_clusters", "which": 3}}
        journal.append(say.divide(groups, labels, "3 clusters", about))
    loaded = load_corrections(reviewed)
    assert loaded.division.n_clusters == 3
    told = run_cli("predict", images_file, checkpoint, tmp_path / "q.csv")
    assert (told.code, "counts:" in told.err) == (0, False), told.err
    names = {row["name"] for row in rows(tmp_path / "q.csv")}
    assert names == {loaded.groups.title(group) for group in loaded.groups.sizes}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content.replace(b'"version":1', b'"version":9'), "newer version of shoal"),
        (lambda content: content[: len(content) // 3], "not even its first line is whole"),
        (lambda content: content.replace(b'"39"', b'"elsewhere"'), None),
        (lambda content: content.replace(b'["0"]', b'["7777"]'), "an image that is not in them"),
        (lambda content: b"hello\n", "not a file of corrections"),
    ],
)
def test_a_journal_that_cannot_be_used_is_one_sentence(
    change: Any, says: str | None, checkpoint: Path, images_file: Path, reviewed: Path,
    run_cli: Cli, tmp_path: Path,
) -> None:  # fmt: skip
    reviewed.write_bytes(change(reviewed.read_bytes()))
    told = run_cli("predict", images_file, checkpoint, tmp_path / "p.csv")
    if says is None:  # one image more than was reviewed
        assert told.code == 0, told.err
        return
    assert (told.code, told.out) == (2, "")
    assert says in told.err
    assert "--no-corrections leaves them out" in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert not (tmp_path / "p.csv").exists()


def test_corrections_of_another_pile_and_other_bad_input(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    out = tmp_path / "p.csv"
    told = run_cli("predict", images_file, checkpoint, out, "--corrections", tmp_path / "no.jsonl")
    assert (told.code, "no such file of corrections" in told.err) == (2, True)
    both = ["--corrections", reviewed, "--no-corrections"]
    told = run_cli("predict", images_file, checkpoint, out, *both)
    assert (told.code, "cannot both be given" in told.err) == (2, True)
    for path in (reviewed, checkpoint.with_name("checkpoint.reviewed.parquet")):
        over = run_cli("predict", images_file, checkpoint, out, "--table", path, "--force",
                       "--no-corrections")  # fmt: skip
        assert (over.code, "hold what a person corrected" in over.err) == (2, True)
    other = tmp_path / "other.corrections.jsonl"  # of other images, and no table beside it
    from shoal.corrections.journal_file import start_entry

    with Journal(other, start_entry(["a", "b"], np.array([0, 1]))) as journal:
        journal.append(say.merge(journal.history.groups, [1, 2]))
    told = run_cli("predict", images_file, checkpoint, out, "--corrections", other)
    assert (told.code, len(told.err.strip().splitlines())) == (2, 2)
    assert f"{other} does not fit: none of these images" in told.err
    assert not out.exists()


def test_a_torn_last_line_is_said(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    whole = reviewed.read_bytes()
    reviewed.write_bytes(whole[:-20])
    cut, torn = cut_off(reviewed), reviewed.with_name(f"{reviewed.name}.torn")
    assert str(torn) in cut
    told = run_cli("predict", images_file, checkpoint, tmp_path / "p.csv")
    assert told.code == 0
    assert cut in told.err
    assert "with 2 corrections by hand" in told.err
    shown = run_cli("info", checkpoint).out
    assert f"{cut}\n2 corrections by hand" in shown
    with pytest.warns(UserWarning, match=re.escape(cut)):
        ImageClusterer.load(checkpoint)
    source, loaded = open_source(images_file), checkpoints.load(checkpoint)
    with open_review(source, loaded, checkpoint).journal:
        assert not torn.exists()  # a review in which nothing is said changes nothing
    labels = tmp_path / "labels.csv"
    labels.write_text("id,label\n3,blues\n")
    told = run_cli("import-labels", images_file, checkpoint, labels)
    assert (told.code, cut in told.err) == (0, True), told.err
    assert torn.read_bytes() == whole.split(b"\n")[-2][:-19]
    assert "cut off" not in run_cli("info", checkpoint).out
    reviewed.write_bytes(whole[:-20])
    cut = cut_off(reviewed)
    assert f"{reviewed.name}.1.torn" in cut
    told = run_cli("train", images_file, tmp_path / "t.pth", "--quick", "--corrections", reviewed)
    assert cut in told.err
    reviewed.write_bytes(reviewed.read_bytes().split(b"\n", 1)[0] + b'\n{"n":2,"ti')  # all of it
    for words in (["predict", images_file, checkpoint, tmp_path / "q.csv"], ["info", checkpoint]):
        told = run_cli(*words)
        assert cut in told.err + told.out


def test_a_journal_cut_in_its_first_line_is_told_and_a_review_begins_anew(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    reviewed.write_bytes(reviewed.read_bytes()[:60])
    kept = f"begins a new one, and keeps what is there as {reviewed.name}.torn"
    shown = run_cli("info", checkpoint)
    assert (shown.code, kept in shown.out, "Can these groups" in shown.out) == (0, True, True)
    shown = run_cli("info", checkpoint, "--json")
    assert kept in json.loads(shown.out)["corrections_lack"]
    (said,) = corrections_kept(checkpoint)
    assert kept in said
    told = run_cli("predict", images_file, checkpoint, tmp_path / "p.csv")
    assert (told.code, kept in told.err) == (2, True)
    source, loaded = open_source(images_file), checkpoints.load(checkpoint)
    with open_review(source, loaded, checkpoint).journal as journal:
        assert journal.kept is not None
        assert journal.kept.name == f"{reviewed.name}.torn"
    assert corrections_kept(checkpoint) == []  # nothing was said yet


def test_corrections_last_when_the_encoder_is_trained_again(
    checkpoint: Path, images_file: Path, images: np.ndarray, reviewed: Path, fast: Any,
    run_cli: Cli, tmp_path: Path,
) -> None:  # fmt: skip
    again = [word if word != "0" else "5" for word in fast]
    trained = run_cli("train", images_file, checkpoint, "--force", "--quiet", *again)
    assert trained.code == 0, trained.err
    assert corrections_of(checkpoint) is not None
    told = run_cli("predict", images_file, checkpoint, tmp_path / "p.csv")
    assert told.code == 0, told.err
    found = [row["name"] for row in rows(tmp_path / "p.csv")]
    assert found[0] == "stripes"
    assert {found[2], found[1]} == {"reds", "stripes"}
    # Rows of another array, and another embedding: nothing tells which images these are.
    np.save(tmp_path / "new.npy", images[:6])
    told = run_cli("predict", tmp_path / "new.npy", checkpoint, tmp_path / "n.csv")
    assert (told.code, len(told.err.strip().splitlines())) == (2, 2), told.err
    assert "are named by their row alone; --no-corrections leaves them out" in told.err


def test_similar_and_pairs_know_what_a_person_told_apart(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    with Journal(reviewed) as journal:
        groups = journal.history.groups
        journal.append(say.confirm(groups, np.array([2, 4])))  # image 0 is not of their group
        journal.append(say.apart(groups, np.array([0, 6])))
    found = ["--csv", tmp_path / "s.csv", "--picture", tmp_path / "s.png"]
    told = run_cli("similar", images_file, checkpoint, "0", "-n", "36", *found)
    assert told.code == 0, told.err
    listed = rows(tmp_path / "s.csv")
    assert len(listed) == 36
    assert not {"2", "4", "6"} & {row["id"] for row in listed}
    assert {row["name"] for row in listed} == {"reds", "stripes"}
    (tmp_path / "pairs.csv").write_text("0,1\n0,2\n2,4\n0,6\n8,10\n")
    options = ["--pairs", tmp_path / "pairs.csv", "--threshold", "-1"]
    told = run_cli("pairs", images_file, checkpoint, tmp_path / "d.csv", *options)
    assert told.code == 0, told.err
    assert [row["same"] for row in rows(tmp_path / "d.csv")] == ["1", "0", "1", "0", "1"]
    # Nobody decided image 1, and of 8 and 10 nothing was said but the name of their group.
    assert "3 pairs by images that you decided, 1 by the corrected groups, which may be" in told.err
    assert "100.0% of the 1 that similarity decides" in told.err
    assert "5 corrections by hand" in told.err


def test_names_are_no_word_on_pairs_and_a_merge_is_a_guess(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    with Journal(reviewed) as journal:
        journal.undo()  # two names are left
        plain = run_cli("pairs", images_file, checkpoint, tmp_path / "a.csv", "--no-corrections")
        told = run_cli("pairs", images_file, checkpoint, tmp_path / "b.csv")
        assert (plain.code, told.code) == (0, 0)
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
        assert "corrected groups" not in told.err
        journal.append(say.merge(journal.history.groups, [1, 2]))
    told = run_cli("pairs", images_file, checkpoint, tmp_path / "c.csv")
    assert {row["same"] for row in rows(tmp_path / "c.csv")} == {"1"}
    assert "0 pairs by images that you decided, 400 by the corrected groups" in told.err
    assert "the clusters agree on 100.0% of the 380 that similarity decides" in told.err


def test_the_report_shows_the_corrected_groups_by_their_names(
    checkpoint: Path, images_file: Path, reviewed: Path, run_cli: Cli, tmp_path: Path
) -> None:
    from shoal.images.open import open_source
    from shoal.reports.assembly import report

    loaded = load_corrections(reviewed, checkpoints.load(checkpoint))
    page = tmp_path / "r.html"
    report(page, train=open_source(images_file), best=checkpoint, whole=False, corrections=loaded)
    text = page.read_text()
    assert "3 corrections by hand are in these groups; they decide" in text
    assert "cluster reds" in text
    assert "stripes typical" in text


def test_the_estimator_and_info_honour_the_journal(
    checkpoint: Path, images: np.ndarray, reviewed: Path, run_cli: Cli
) -> None:
    from shoal import ImageClusterer

    with Journal(reviewed) as journal:
        journal.append(say.new(journal.history.groups, np.array([5, 7]), "two"))
    clusterer = ImageClusterer.load(checkpoint)
    labels = clusterer.predict(images)
    assert (clusterer.corrections, clusterer.n_clusters_) == (reviewed, 3)
    assert labels[[5, 7]].tolist() == [2, 2]
    assert labels[0] == labels[1] != labels[2]
    chances = clusterer.predict_proba(images)
    assert chances.shape == (40, 3)
    assert chances.argmax(axis=1).tolist() == labels.tolist()
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    assert chances[[0, 5], labels[[0, 5]]].tolist() == [1, 1]
    alone = clusterer.predict_proba(images[30:31])  # as it was not decided, it is as among others
    np.testing.assert_allclose(alone[0], chances[30], rtol=1e-3)
    assert ImageClusterer.load(checkpoint, corrections=False).predict_proba(images).shape == (40, 2)
    told = run_cli("info", checkpoint)
    said = f"4 corrections by hand in {reviewed}: 3 of 40 images decided; the groups are reds ("
    assert said in told.out


def test_the_estimator_is_fitted_with_corrections_of_the_same_images(
    images: np.ndarray, reviewed: Path
) -> None:
    from shoal import ImageClusterer

    settings = ["encoder.widths=(8,16)", "checkpoints=1"]
    fitted = ImageClusterer(epochs=1, settings=settings, random_state=3, corrections=reviewed)
    assert fitted.fit(images).labels_[0] == fitted.labels_[1] != fitted.labels_[2]
    assert fitted.predict(images).tolist() == fitted.labels_.tolist()


def test_training_with_corrections_is_another_run_and_without_them_the_same_bits(
    checkpoint: Path, images_file: Path, images: np.ndarray, reviewed: Path, fast: Any,
    run_cli: Cli, tmp_path: Path,
) -> None:  # fmt: skip
    with Journal(reviewed) as journal:
        journal.append(say.confirm(journal.history.groups, np.arange(8)))
    told, without = tmp_path / "told.pth", tmp_path / "without.pth"
    asked = ("--corrections", reviewed)
    trained = run_cli("train", images_file, told, *fast, *asked)
    assert trained.code == 0, trained.err
    assert f"learns from 8 images decided by hand in {reviewed}, too" in trained.err
    assert run_cli("train", images_file, without, "--quiet", *fast).code == 0
    digest = {path: checkpoints.load(path).weights_digest() for path in (told, without, checkpoint)}
    assert digest[without] == digest[checkpoint] != digest[told]
    again = run_cli("train", images_file, told, *fast, *asked)
    assert (again.code, "is the finished checkpoint of this run already" in again.err) == (0, True)
    other = run_cli("train", images_file, told, *fast)
    assert (other.code, "it was trained with other corrections" in other.err) == (2, True)
    none = run_cli("train", images_file, tmp_path / "x.pth", "--recipe", "baseline", *asked)
    assert (none.code, "cannot be learned by the objectives" in none.err) == (2, True)
    np.save(tmp_path / "more.npy", images[:30])
    none = run_cli("train", tmp_path / "more.npy", tmp_path / "x.pth", *fast, *asked)
    assert (none.code, f"{reviewed} does not fit" in none.err) == (2, True)
    assert not (tmp_path / "x.pth").exists()
