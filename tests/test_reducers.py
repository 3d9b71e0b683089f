"""One conformance suite over every reducer in the folder, and what is special to some."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.decomposition import KernelPCA as SklearnKernelPCA

from shoal.embedding.reducers import kernel_pca
from shoal.recipes import parts
from shoal.recipes.parts import Part

ALL = parts.names("reducers")


def blobs(n: int = 90, d: int = 6, seed: int = 0) -> np.ndarray:
    return make_blobs(n, d, centers=3, cluster_std=0.5, random_state=seed)[0].astype(np.float32)


def build(name: str, **options: object) -> object:
    return parts.build("reducers", Part(name, options), random_state=0)


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    x, new = blobs(), blobs(seed=1)[:7]
    untouched = x.copy()
    reducer = build(name)
    reduced = reducer.fit_transform(x)
    assert reduced.dtype == np.float32
    assert reduced.shape[0] == 90
    assert np.isfinite(reduced).all()
    assert np.array_equal(x, untouched)
    assert np.array_equal(reduced, build(name).fit_transform(x))  # the same seed, the same bits
    # New images: on their own, or among others, in the same space; and after a trip through arrays.
    placed = reducer.transform(new)
    assert placed.shape == (7, reduced.shape[1])
    arrays = reducer.get_arrays()
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    assert np.array_equal(build(name).set_arrays(arrays).transform(new), placed)


@pytest.mark.parametrize("name", ALL)
def test_what_is_near_stays_near(name: str) -> None:
    x, kinds = make_blobs(90, 6, centers=3, cluster_std=0.5, random_state=0)
    reduced = build(name).fit_transform(x.astype(np.float32))
    distances = np.linalg.norm(reduced[:, None] - reduced[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (kinds[distances.argmin(axis=1)] == kinds).all()


@pytest.mark.parametrize("name", ALL)
def test_an_image_s_place_does_not_depend_on_its_number(name: str) -> None:
    reducer = build(name)
    reducer.fit_transform(blobs(d=136))
    new = blobs(23, d=136, seed=1)  # 23: no multiple of what a processor takes at once
    order = np.random.default_rng(0).permutation(len(new))
    np.testing.assert_allclose(
        reducer.transform(new[order]), reducer.transform(new)[order], rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("n", [2, 3, 9])
def test_a_handful_of_images(name: str, n: int) -> None:
    x = blobs(n)
    reducer = build(name)
    assert np.isfinite(reducer.fit_transform(x)).all()
    assert np.isfinite(reducer.transform(x[:1])).all()


def test_the_training_images_are_placed_where_they_were() -> None:
    x = blobs()
    for name in ALL:
        reducer = build(name)
        reduced = reducer.fit_transform(x)
        again = reducer.transform(x)
        # t-SNE places images anew among the old: near their places, not on them.
        limit = 0.05 * np.ptp(reduced) if name == "tsne" else 1e-4
        assert np.median(np.linalg.norm(again - reduced, axis=1)) <= limit, name


def test_kernel_pca_on_all_landmarks_is_scikit_learn_s() -> None:
    x = blobs(60) / 10
    ours = kernel_pca.build(n_components=4, gamma=0.3).fit_transform(x)
    theirs = SklearnKernelPCA(4, kernel="rbf", gamma=0.3).fit_transform(x)
    for mine, reference in zip(ours.T, theirs.T, strict=True):
        assert abs(np.corrcoef(mine, reference)[0, 1]) > 0.9999
        assert mine.std() == pytest.approx(reference.std(), rel=1e-2)


def test_kernel_pca_on_landmarks_comes_close() -> None:
    x = blobs(400) / 10
    exact = kernel_pca.build(n_components=3, gamma=0.3).fit_transform(x)
    nystrom = kernel_pca.build(n_components=3, gamma=0.3, n_landmarks=100).fit_transform(x)
    for mine, reference in zip(nystrom.T, exact.T, strict=True):
        assert abs(np.corrcoef(mine, reference)[0, 1]) > 0.99


def test_whitened_components_have_unit_variance_and_keep_their_subspace() -> None:
    x = blobs()
    plain = build("pca", n_components=4).fit_transform(x)
    white = build("pca", n_components=4, whiten=True).fit_transform(x)
    assert np.allclose(white.std(axis=0, ddof=1), 1.0, atol=1e-4)
    assert np.allclose(white * plain.std(axis=0, ddof=1), plain, atol=1e-3)


def test_a_second_reduction_stands_on_the_first() -> None:
    x = blobs()
    first = build("kernel_pca", n_components=5)
    second = build("tsne")
    plane = second.fit_transform(first.fit_transform(x))
    assert plane.shape == (90, 2)
    assert second.transform(first.transform(x[:3])).shape == (3, 2)
