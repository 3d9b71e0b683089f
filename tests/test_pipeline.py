"""The straight line on piles too large for their embedding to be in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from shoal import pipeline
from shoal.clustering.partitions import agreement
from shoal.embedding import embed as embed_module
from shoal.embedding import embed as embedding
from shoal.embedding import reduce
from shoal.embedding.embed import embed
from shoal.errors import DataError
from shoal.images.array import ArraySource
from shoal.images.sampling import sample_rows
from shoal.images.subset import Subset
from shoal.models import checkpoint as checkpoints
from shoal.protocols import FloatArray, ImageSource
from shoal.recipes.named import IMPROVED
from shoal.recipes.settings import override
from shoal.scoring import examine, late_failure, representation, under_augmentation
from shoal.training import augmented_source


def test_predicting_holds_no_more_than_a_block_of_the_embedding(
    images: np.ndarray, checkpoint_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = checkpoints.load(checkpoint_file)
    few = pipeline.predict(ArraySource(images), checkpoint, familiarity=True)
    n = embedding.BLOCK + 40  # more than one block, the last one not full
    many = Subset(ArraySource(images), np.arange(n) % 40)
    seen: list[int] = []

    def watched(block: FloatArray, *arguments: object, **options: object) -> FloatArray:
        seen.append(len(block))
        return transform(block, *arguments, **options)

    transform = reduce.transform
    monkeypatch.setattr(reduce, "transform", watched)
    table = pipeline.predict(many, checkpoint, familiarity=True)
    assert seen == [embedding.BLOCK, 40]
    assert table.familiarity is not None
    assert few.familiarity is not None
    for start in (0, 40, embedding.BLOCK - embedding.BLOCK % 40, n - n % 40 - 40):
        rows = slice(start, start + 40)
        np.testing.assert_array_equal(table.labels[rows], few.labels)
        np.testing.assert_allclose(table.embedding[rows], few.embedding, atol=1e-4)
        np.testing.assert_allclose(table.familiarity[rows], few.familiarity, rtol=1e-3)
    assert len(table.ids) == len(table.confidence) == n


def test_reducers_of_a_large_pile_learn_from_a_sample(
    images: np.ndarray,
    kinds: np.ndarray,
    checkpoint_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checkpoint, source = checkpoints.load(checkpoint_file), ArraySource(images)
    codes = embed(source, checkpoint)
    monkeypatch.setattr(reduce, "_REDUCED_WHOLE", 30)
    finished = pipeline.cluster(source, checkpoint)[0]
    sample = sample_rows(40, 30, checkpoint.recipe.seed)
    assert checkpoint.recipe.reducers[-1].name == "pca"
    mean = finished.reducers[-1]["mean_"]
    np.testing.assert_allclose(mean, codes[sample].mean(axis=0), atol=1e-5)
    assert np.abs(mean - codes.mean(axis=0)).max() > 1e-4
    table = pipeline.predict(source, finished)
    assert agreement(table.labels, kinds) == 1.0
    assert sum(finished.facts.splits[0].sizes) == 40  # of all images, not the sample
    same = pipeline.cluster(source, checkpoint)[0]
    np.testing.assert_array_equal(same.reducers[-1]["mean_"], mean)


@pytest.mark.parametrize(
    ("kind", "flip", "times"),
    [("joint", True, 1.5), ("joint", False, 1.5), ("joint", True, 1.0), ("encoder", True, 1.5)],
)
def test_an_embedding_is_the_mean_of_two_looks_by_their_pixels(
    kind: str, flip: bool, times: float, images: np.ndarray, checkpoint_file: Path
) -> None:
    loaded = checkpoints.load(checkpoint_file)
    recipe = loaded.recipe
    views = replace(recipe.views, horizontal_flip=flip)
    recipe = replace(recipe, embedding=kind, embedding_resolution=times, views=views)
    got = embed(ArraySource(images), replace(loaded, recipe=recipe))

    encoder = loaded.build_encoder()
    head = next(o for o in loaded.build_objectives(encoder) if o.has_head)
    x = torch.tensor(images).permute(0, 3, 1, 2).float() / 255
    size = round(x.shape[-1] * times)
    large = F.interpolate(x, (size, size), mode="bicubic", align_corners=False).clamp(0, 1)
    small = x.flip(-1) if flip and kind == "joint" else x
    vectors = []
    with torch.inference_mode():
        for view in (large, small):
            code = encoder.encode(view)
            both = [F.normalize(z, dim=1) for z in (code, head.project(code))]
            vectors.append(torch.cat(both, 1) if kind == "joint" else code)
    expected = (times**2 * vectors[0] + vectors[1]) / (times**2 + 1)
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-5)


def test_gather_is_concatenation() -> None:
    blocks = [np.full((n, 3), n, np.float32) for n in (4, 4, 1)]
    np.testing.assert_array_equal(embedding.gather(iter(blocks), 9), np.concatenate(blocks))


def test_fitting_gives_the_table_that_predicting_gives_and_embeds_once(
    images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def watched(source: ImageSource, *arguments: object, **options: object) -> Iterator[FloatArray]:
        seen.append(len(source))
        return embed_blocks(source, *arguments, **options)  # type: ignore[arg-type]

    embed_blocks = embed_module.embed_blocks
    for module in (embed_module, reduce):
        monkeypatch.setattr(module, "embed_blocks", watched)
    recipe = override(IMPROVED, ["encoder.widths=(8,16)", "epochs=2", "checkpoints=1"])
    pile = np.tile(images, (2, 1, 1, 1))[:70]  # of more images than are looked at as views
    monkeypatch.setattr(augmented_source, "SAMPLE", 20)
    for module in (examine, late_failure, under_augmentation):
        monkeypatch.setattr(module, "SAMPLE", 20)
    source = ArraySource(pile)
    checkpoint, table = pipeline.fit(source, tmp_path / "c.pth", recipe)
    assert seen.count(70) == 1
    for made in (checkpoint, checkpoints.load(tmp_path / "c.pth")):
        predicted = pipeline.predict(source, made)
        assert list(table.ids) == list(predicted.ids)
        np.testing.assert_array_equal(table.labels, predicted.labels)
        np.testing.assert_array_equal(table.embedding, predicted.embedding)
        np.testing.assert_array_equal(table.confidence, predicted.confidence)


def test_fewer_new_images_than_clusters_are_assigned(
    images: np.ndarray, checkpoint_file: Path
) -> None:
    checkpoint = checkpoints.load(checkpoint_file)
    table = pipeline.predict(ArraySource(images[:2]), checkpoint, n_clusters=4)
    whole = pipeline.predict(ArraySource(images), checkpoint, n_clusters=4)
    assert table.labels.tolist() == whole.labels[:2].tolist()
    with pytest.raises(DataError, match="41"):  # of the images it learned from
        pipeline.predict(ArraySource(images[:2]), checkpoint, n_clusters=41)


def test_an_earlier_checkpoint_is_compared_with_the_pixels_as_the_last_one_was(
    images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    compare = representation.compare

    def watched(*arguments: Any, may_choose: bool) -> representation.Compared:
        asked.append(may_choose)
        return compare(*arguments, may_choose=may_choose)

    scores = iter([0.1, 0.9, 0.2])  # of the last checkpoint, at half of the run, at three quarters

    def survival(*_: Any, **__: Any) -> under_augmentation.Survival:
        score = next(scores)
        return under_augmentation.Survival(score, recognition=score)

    monkeypatch.setattr(representation, "compare", watched)
    monkeypatch.setattr(late_failure, "survival_of", survival)
    recipe = override(IMPROVED, ["encoder.widths=(8,16)", "epochs=4", "checkpoints=4"])
    kept, _ = pipeline.fit(ArraySource(images), tmp_path / "c.pth", recipe, keep_better=True)
    assert kept.step < kept.total_steps
    assert asked == [True, True]
