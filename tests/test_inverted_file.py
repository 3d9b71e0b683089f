"""Neighbours and copies among very many vectors, against exact search."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import shoal
from shoal.embedding.neighbours import nearest
from shoal.protocols import FloatArray
from shoal.search import duplicates, inverted_file, large_copies, similar, summaries

N, D = 6000, 16


@pytest.fixture(scope="module")
def vectors() -> FloatArray:
    """Groups that are spread along three directions, as embeddings are."""
    generator = np.random.default_rng(0)
    kinds = generator.integers(40, size=N)
    along = generator.normal(size=(N, 3)) @ generator.normal(size=(3, D))
    x = 4 * generator.normal(size=(40, D))[kinds] + along + 0.1 * generator.normal(size=(N, D))
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def shard(vectors: FloatArray) -> inverted_file.Shard:
    source = shoal.VectorSource(vectors)
    learned = inverted_file.learn(source, n_cells=30)
    shard = inverted_file.Shard(learned, source)
    inverted_file.tuned(learned, shard, 10)
    return shard


def share(found: np.ndarray, true: np.ndarray) -> float:
    return float((found[:, :, None] == true[:, None, :]).any(axis=1).mean())


def test_enough_of_the_true_neighbours_are_found_and_their_distances_are_exact(
    shard: inverted_file.Shard, vectors: FloatArray
) -> None:
    queries = vectors[::30] + np.float32(0.01)
    distances, rows = shard.search(queries, 10)
    true = nearest(vectors, queries, 10)
    assert shard.learned.recall >= 0.95
    assert share(rows, true[1]) >= 0.95
    own = np.linalg.norm(vectors[rows] - queries[:, None], axis=2)
    assert np.allclose(distances, own, rtol=1e-3, atol=1e-4)
    assert (np.diff(distances, axis=1) >= 0).all()
    assert "of the true neighbours" in shard.learned.describe(N)


def test_shards_searched_apart_and_merged_find_what_one_search_finds(
    shard: inverted_file.Shard, vectors: FloatArray
) -> None:
    learned = pickle.loads(pickle.dumps(shard.learned))  # as it travels to a worker
    halves = [range(2500), range(2500, N)]
    parts = [inverted_file.Shard(learned, shard.vectors, rows) for rows in halves]
    queries = vectors[:200]
    merged = inverted_file.merge([part.search(queries, 10) for part in parts], 10)[1]
    assert share(merged, nearest(vectors, queries, 10)[1]) >= shard.learned.recall - 0.01
    tiny = inverted_file.Shard(learned, shard.vectors, range(3))
    distances, rows = tiny.search(queries[:2], 10)
    assert (rows[:, 3:] == -1).all()
    assert np.isinf(distances[:, 3:]).all()


def test_the_others_of_every_vector_leave_itself_out(shard: inverted_file.Shard) -> None:
    asked = 0
    for rows, _, found in inverted_file.all_others(shard, 5):
        assert (found != rows[:, None]).all()
        asked += len(rows)
    assert asked == N


def test_exact_search_in_blocks_is_exact(
    vectors: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inverted_file, "row_blocks", lambda n: np.array_split(np.arange(n), 7))
    distances, rows = inverted_file.exact(shoal.VectorSource(vectors), vectors[:20], 6)
    true = nearest(vectors, vectors[:20], 6)
    assert rows.tolist() == true[1].tolist()
    assert np.allclose(distances, true[0], atol=1e-2)


def test_copies_among_very_many_are_those_of_the_search_in_memory(
    vectors: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exact copies, more of one than there are neighbours, and near ones."""
    x = vectors.copy()
    x[100:112] = x[7]
    x[3000:3050] = x[50:100] + np.random.default_rng(1).normal(size=(50, D)).astype("f4") * 0.003
    source = shoal.VectorSource(x)
    plain = duplicates.find_duplicates(source, threshold=0.01)
    monkeypatch.setattr(large_copies, "AT_ONCE", 0)
    many = duplicates.find_duplicates(source, threshold=0.01)
    assert many.n_copies >= 62
    told = [
        {(group.kept, row) for group in found.groups for row in group.others.tolist()}
        for found in (plain, many)
    ]
    assert len(told[0] ^ told[1]) <= 2
    assert many.groups[0].kept == 7
    assert many.groups[0].exact.all()
    assert plain.sought == ""
    assert re.search(r"finds (9[5-9]|100)\.\d% of the true neighbours of 500 vectors\.$",
                     summaries.of_duplicates(many))  # fmt: skip
    only_exact = duplicates.find_duplicates(source, threshold=0.0)
    assert only_exact.n_copies == 12


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_what_is_similar_among_very_many_is_what_is_similar_in_memory(
    vectors: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    from dataclasses import replace

    from shoal import pipeline
    from shoal.recipes.named import VECTORS
    from shoal.recipes.parts import Part

    source = shoal.VectorSource(vectors[:500])
    recipe = replace(VECTORS, clusterer=Part("kmeans"))
    checkpoint, _ = pipeline.cluster_vectors(source, recipe)
    plain = similar.find_similar(source, checkpoint, ["3", "77"], n=5, metric=metric)
    monkeypatch.setattr(similar, "_AT_ONCE", 0)
    many = similar.find_similar(source, checkpoint, ["3", "77"], n=5, metric=metric)
    assert many.indices.tolist() == plain.indices.tolist()
    assert np.allclose(many.similarity, plain.similarity, atol=1e-3)
