"""Vectors and groups too many for memory: k-means in blocks, on two levels, and `shoal cluster`."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import shoal
from shoal import large
from shoal.cli import app
from shoal.clustering import streamed, two_levels
from shoal.clustering.centres import Centres, train
from shoal.clustering.clusterers import projection_pursuit, spectral
from shoal.clustering.vector_blocks import ROWS, Halves
from shoal.embedding.neighbours import nearest
from shoal.errors import DataError
from shoal.export.large_tables import LargeTable
from shoal.images.vectors import columns, names, source
from shoal.images.vectors.open import holds_vectors
from shoal.protocols import Array, FloatArray, IntArray, silent
from shoal.recipes.named import VECTORS

K, D = 12, 16


class Watched:
    """Vectors that note how many of them are asked for at a time."""

    def __init__(self, x: FloatArray) -> None:
        self.x, self.n_dimensions, self.most, self.read = x, x.shape[1], 0, 0

    def __len__(self) -> int:
        return len(self.x)

    def vectors(self, indices: Array) -> FloatArray:
        self.most = max(self.most, len(indices))
        self.read += len(indices)
        return self.x[indices]


def made(n: int = 3000, k: int = K, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Groups far apart, of uneven sizes."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(k, D)) * 10
    weight = np.arange(1, k + 1) / np.arange(1, k + 1).sum()
    kinds = generator.choice(k, n, p=weight)
    return (centres[kinds] + generator.normal(size=(n, D))).astype(np.float32), kinds


def objective(x: FloatArray, centres: FloatArray) -> float:
    return float(np.square(nearest(centres, x, 1)[0].astype(np.float64)).mean())


def test_it_reads_blocks_and_loses_less_than_a_hundredth() -> None:
    """From a sample of 500 a group the objective is that of all vectors, within 1 %."""
    x, _ = made(25_000)
    watched = Watched(x)
    found = streamed.k_means(watched, 40)
    assert watched.most <= ROWS
    assert watched.read == 20_000 + len(x)  # the sample, and a pass
    whole = objective(x, train(x, 40, 0))
    assigned = streamed.assign(watched, found.centres)
    assert assigned.objective == pytest.approx(objective(x, found.centres.points), rel=1e-4)
    assert assigned.objective < 1.01 * whole
    assert "20,000 of 25,000 vectors" in found.describe()


def test_a_pass_makes_each_centre_the_mean_of_its_vectors() -> None:
    x, _ = made()
    found = streamed.k_means(Watched(x), K, seed=1)
    label = Centres(found.centres.points).nearest(x)[1][:, 0]
    means = np.stack([x[label == g].mean(axis=0) for g in range(K)])
    if (np.bincount(label, minlength=K) > 0).all():
        assert objective(x, means) <= objective(x, found.centres.points) * (1 + 1e-6)


def test_an_empty_group_gets_half_of_a_large_one() -> None:
    means = np.float32([[1, 1], [5, 5], [9, 9]])
    moved = streamed._refilled(means, np.array([0, 100, 0]), np.random.default_rng(0))
    halves = np.sort(moved[:2, 0])
    assert np.abs(halves - 5).max() < 0.1
    assert halves[0] < 5 < halves[1]
    assert moved[2].tolist() == [9, 9]  # there is only one to share


def test_two_levels_are_nearly_as_good_as_one() -> None:
    x, _ = made(8000, 40)
    centres = two_levels.fit(Halves.of(x), 200, seed=0)
    assert len(centres) == 200
    assert len(centres.coarse) == 14
    squared, _ = centres.nearest(x)
    assert squared.mean() < 1.15 * objective(x, train(x, 200, 0))
    exact = objective(x, centres.points)
    assert 0.999 * exact <= squared.mean() < 1.01 * exact


def test_halves_are_off_by_a_thousandth_whatever_the_scale() -> None:
    x = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    x[::2] *= np.float32(1e12)
    taken = Halves.of(x).take(np.arange(50))
    assert (np.abs(taken - x) <= 1e-3 * np.abs(x).max(axis=1, keepdims=True)).all()


@pytest.fixture
def in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pile of vectors is too large."""
    monkeypatch.setattr(large, "AT_ONCE", 0)
    monkeypatch.setattr(large, "SHOWN", 200)


def cluster(*words: object) -> str:
    result = CliRunner().invoke(app, ["cluster", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


def labels_of(folder: Path) -> dict[str, int]:
    with (folder / "prediction.csv").open() as file:
        return {row["id"]: int(row["label"]) for row in csv.DictReader(file)}


@pytest.mark.usefixtures("in_blocks")
def test_the_command_clusters_what_does_not_fit_and_says_what_it_did(tmp_path: Path) -> None:
    """All vectors are in the tables, and the checkpoint gives them the same groups again."""
    x, kinds = made(400, 4)
    path, folder = tmp_path / "v.npy", tmp_path / "out"
    np.save(path, x.astype(np.float16))
    said = cluster(path, folder, "-k", 4)
    assert "too many for memory" in said
    assert "mean squared distance" in said
    label = labels_of(folder)
    assert list(label) == [str(row) for row in range(400)]
    found = np.array(list(label.values()))
    assert sorted(np.bincount(found)) == sorted(np.bincount(kinds))
    assert np.bincount(found).tolist() == sorted(np.bincount(found), reverse=True)
    table = pq.read_table(folder / "table.parquet")
    assert table.column_names == ["id", "label", "confidence"]
    assert table["label"].to_pylist() == found.tolist()
    again = shoal.predict(shoal.open_vectors(path), shoal.load(folder / "checkpoint.pth"))
    assert again.labels.tolist() == found.tolist()
    assert np.allclose(again.confidence, table["confidence"], atol=1e-5)
    assert {"report.html", "map.png", "clusters.png"} <= {file.name for file in folder.iterdir()}
    assert "holds the results of this run already" in cluster(path, folder, "-k", 4)


@pytest.mark.usefixtures("in_blocks")
def test_parts_give_what_one_file_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of float16 with ids, too many to be Python strings, brought to a file of float16."""
    monkeypatch.setattr(names, "MANY", 100)
    monkeypatch.setattr(columns, "MANY", 100)
    monkeypatch.setattr(source, "MANY", 100)
    monkeypatch.setattr(columns, "_IN_MEMORY", 0)
    x = made(600, 3)[0].astype(np.float16)
    np.save(tmp_path / "v.npy", x)
    for part, rows in enumerate(np.array_split(np.arange(600), 3)):
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(x[rows].ravel()), D)
        table = pa.table({"id": [f"image-{row}" for row in rows], "embedding": vectors})
        pq.write_table(table, tmp_path / f"part-{part}.parquet")
    opened = shoal.open_vectors(tmp_path / "part-*.parquet")
    assert isinstance(opened.ids, names.ArrowNames)
    assert holds_vectors(tmp_path / "part-*.parquet")
    assert opened._whole.dtype == np.float16
    assert shoal.open_vectors(tmp_path / "v.npy").digest() == opened.digest()
    recipe = replace(VECTORS, n_clusters=3)
    one = large.cluster(shoal.open_vectors(tmp_path / "v.npy"), recipe)
    parts = large.cluster(opened, recipe)
    assert one.labels.tolist() == parts.labels.tolist()
    LargeTable(opened.ids, parts.labels, parts.confidence).to_csv(tmp_path / "prediction.csv")
    assert labels_of(tmp_path)["image-599"] == parts.labels[-1]


def test_an_id_given_twice_is_named_among_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "MANY", 2)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(8.0)), 2)
    pq.write_table(pa.table({"id": ["a", "b", "b", None], "v": vectors}), tmp_path / "v.parquet")
    with pytest.raises(DataError, match=r"'b' is given 2 times"):
        shoal.open_vectors(tmp_path / "v.parquet")


@pytest.mark.usefixtures("in_blocks")
def test_what_blocks_cannot_do_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", made(100)[0])
    words = ["cluster", str(tmp_path / "v.npy"), str(tmp_path / "out"), "-k", "3"]
    result = CliRunner().invoke(app, [*words, "--noise", "10%"])
    assert result.exit_code != 0
    assert not (tmp_path / "out").exists()


def test_what_fits_is_not_clustered_in_blocks() -> None:
    few = shoal.VectorSource(np.zeros((1000, 64), np.float32))
    assert not large.is_large(few, replace(VECTORS, n_clusters=1000))
    assert large.bytes_at_once(10_000_000, 128, 1000) > large.AT_ONCE
    assert large.bytes_at_once(1_000_000, 128, 100) < large.AT_ONCE


@pytest.mark.parametrize("family", [spectral, projection_pursuit])
@pytest.mark.parametrize("k", [44, 170, 300, 519, 520])
def test_any_number_of_groups_up_to_that_of_the_points_is_found(family: object, k: int) -> None:
    """Beyond a twelfth of 500 points or more SciPy's solver refused, and a traceback was shown."""
    x = np.random.default_rng(0).normal(size=(520, 6)).astype(np.float32)
    label = family.build(n_clusters=k).fit(x).predict(x)  # type: ignore[attr-defined]
    assert label.min() >= 0
    assert label.max() < k
    assert len(np.unique(label)) > 0.6 * k


def test_the_workers_of_a_ray_find_the_groups_that_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of a .npy file, rows that are no numbers left out, and Parquet files."""
    from shoal.distributed import vectors
    from shoal.images.vectors import parts

    monkeypatch.setattr(parts, "ROWS", 150)
    monkeypatch.setattr(large, "SHOWN", 200)
    x = made(500, 4)[0].astype(np.float16)
    x[[3, 200]] = np.nan
    np.save(tmp_path / "v.npy", x)
    for part, rows in enumerate(np.array_split(np.arange(500), 2)):
        column = pa.FixedSizeListArray.from_arrays(pa.array(x[rows].ravel()), D)
        pq.write_table(pa.table({"v": column}), tmp_path / f"part-{part}.parquet")
    recipe = replace(VECTORS, n_clusters=4)
    for name, n_parts in (("v.npy", 4), ("part-*.parquet", 2)):
        source = shoal.open_vectors(tmp_path / name)
        alone = large.cluster(source, recipe)
        spread = vectors.spread(InTurn(n_parts), silent)  # type: ignore[arg-type]
        together = large.cluster(source, recipe, spread=spread)
        assert together.labels.tolist() == alone.labels.tolist()
        assert np.allclose(together.confidence, alone.confidence, atol=1e-4)
    source = shoal.open_vectors(tmp_path / "part-*.parquet")
    part = parts.parts_of(tmp_path / "part-0.parquet", source.rows_left_out, None)[0]
    (tmp_path / "part-0.parquet").write_bytes(b"another file")
    with pytest.raises(DataError, match="on a worker"):
        part.open()


class InTurn:
    """Does the tasks of an engine here, the last one first, with what a worker would be sent."""

    def __init__(self, n_parts: int) -> None:
        self.n_parts = n_parts

    def do(self, function: Any, tasks: Any) -> Iterator[Any]:
        tasks = list(tasks)
        assert len(tasks) == self.n_parts
        assert len({hash(task) for task in tasks}) == self.n_parts
        for task in reversed(tasks):
            yield task, pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(task)))))
