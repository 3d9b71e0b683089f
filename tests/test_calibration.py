"""Confidence: what a membership is worth, and how far clusters can be trusted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shoal import pipeline
from shoal.errors import CheckpointError, DataError
from shoal.estimator import ImageClusterer
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.scoring import accuracy, calibration, signals
from shoal.scoring.assignment import calibration_of
from shoal.scoring.calibration import Calibration
from shoal.scoring.examine import calibrate
from shoal.scoring.signals import Reclusterings, Signals, ViewSignals


def calibrated(
    k: int, *, wrong: float = 0.0, overlap: float = 0.4, seed: int = 0
) -> tuple[np.ndarray, Calibration]:
    """Memberships of 600 points in k tight groups, and their calibration.

    Of the points a share ``wrong`` is put elsewhere by each half.
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(600) % k
    z = (8 * np.eye(k)[labels] + generator.normal(size=(600, k))).astype(np.float32)
    membership = generator.dirichlet(np.ones(k), 600) * 0.9
    membership[np.arange(600), labels] += 1 - membership.sum(axis=1) + 1.0
    membership = (membership / membership.sum(axis=1, keepdims=True)).astype(np.float32)

    def other() -> np.ndarray:
        moved = generator.random(600) < wrong
        return np.where(moved, generator.integers(0, k, 600), labels)

    reclusterings = Reclusterings([[other()] for _ in range(3)], [other()])
    return membership, calibration.calibrate(
        z, membership, reclusterings, ViewSignals(overlap, 0.9), []
    )


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("wrong", [0.0, 0.5, 1.0])
def test_probabilities_sum_to_one_and_keep_the_label(k: int, wrong: float) -> None:
    membership, found = calibrated(k, wrong=wrong)
    generator = np.random.default_rng(1)
    certain = np.eye(k, dtype=np.float32)  # nothing is left over to be divided
    even = np.full((1, k), 1 / k, dtype=np.float32)
    torn = np.zeros((1, k), dtype=np.float32)
    torn[0, :2] = 0.5
    anything = generator.dirichlet(np.full(k, 0.2), 500).astype(np.float32)
    for asked in (membership, anything, certain, even, torn):
        worth = found.apply(asked)
        assert worth.dtype == np.float32
        np.testing.assert_allclose(worth.sum(axis=1), 1.0, atol=1e-5)
        np.testing.assert_array_equal(worth.argmax(axis=1), asked.argmax(axis=1))
        assert worth.min() >= 0.0
        assert worth.max() < 1.0
        assert worth.max(axis=1).min() > 1 / k
        np.testing.assert_array_equal(worth, found.apply(asked))


def test_confidence_rises_with_the_membership_within_a_cluster() -> None:
    membership, found = calibrated(4, wrong=0.3)
    confidence = found.apply(membership).max(axis=1)
    labels, own = membership.argmax(axis=1), membership.max(axis=1)
    for cluster in range(4):
        members = np.flatnonzero(labels == cluster)
        order = members[np.argsort(own[members], kind="stable")]
        assert (np.diff(confidence[order]) >= 0).all()


def test_the_mean_is_the_expected_accuracy() -> None:
    membership, found = calibrated(3, wrong=0.2)
    expected = found.estimate.expected_accuracy
    assert found.apply(membership).max(axis=1).mean() == pytest.approx(expected, abs=0.01)
    assert found.estimate.low <= expected <= found.estimate.high


def test_what_is_not_found_again_is_not_trusted() -> None:
    k = 5
    means = [calibrated(k, wrong=wrong)[1].estimate.expected_accuracy for wrong in (0, 0.3, 1)]
    assert means[0] > 0.9 > means[1] > means[2]
    assert means[2] < 1 / k + 0.1
    untrained = calibrated(k, overlap=0.05)[1].estimate.expected_accuracy
    assert untrained < means[0] - 0.1


def test_other_names_of_clusters_make_no_difference() -> None:
    labels = np.arange(60) % 3
    renamed = (labels + 1) % 3
    reclusterings = Reclusterings([[np.zeros(60, dtype=np.int64), renamed]], [renamed])
    np.testing.assert_array_equal(reclusterings.stability(labels), np.ones(60))
    assert reclusterings.method_agreement(labels) == 1.0


def test_noise_gets_near_chance_and_clear_groups_do_not() -> None:
    """From embeddings to the estimate, with k-means as the clusterer."""
    from shoal.clustering.clusterers import kmeans

    generator = np.random.default_rng(0)
    centres = generator.normal(size=(4, 16)) * 3

    def refit(points: np.ndarray, seed: int):  # type: ignore[no-untyped-def]
        fitted = kmeans.build(n_clusters=4, n_init=1, random_state=seed).fit(points)
        return lambda asked: [fitted.predict(asked)]

    means = []
    for groups, moved in ((centres, 0.1), (np.zeros((4, 16)), 5.0)):
        z = (groups[np.arange(800) % 4] + generator.normal(size=(800, 16))).astype(np.float32)
        views = [(z + moved * generator.normal(size=z.shape)).astype(np.float32) for _ in "ab"]
        clusterer = kmeans.build(n_clusters=4).fit(z)
        reclusterings = signals.recluster(z, np.arange(800), 4, refit, seed=0)
        found = calibration.calibrate(
            z, clusterer.predict_proba(z), reclusterings, signals.compare_views(*views), []
        )
        means.append(found.estimate.expected_accuracy)
    assert means[0] > 0.9
    assert means[1] < 0.4


def test_the_estimate_is_what_was_fitted() -> None:
    """The line of docs/measurements.md: its constants move no expected accuracy unnoticed."""
    sizes = np.array([60, 40])
    seen = Signals(0.22, 0.9, 0.8, 0.9, 0.9, float("nan"), float("nan"))
    cohesion = 0.8 * (0.9 - 0.52) / 0.48
    odds = -3.16 + 0.96 * np.log(0.2) + 7.03 * cohesion
    found = accuracy.estimate(seen, sizes)
    assert accuracy.cohesion(seen, sizes) == pytest.approx(cohesion)
    assert found.expected_accuracy == pytest.approx(0.5 + 0.5 / (1 + np.exp(-odds)))
    three = accuracy.estimate(seen, np.array([34, 33, 33]))
    assert three.low == pytest.approx(three.expected_accuracy - 1.64 * 0.16)
    unsure = accuracy.estimate(replace(seen, stability=0.7), np.array([25] * 4))
    assert unsure.high == pytest.approx(unsure.expected_accuracy + 1.64 * 0.16)
    assert accuracy.cohesion(seen, np.array([100, 0])) == 0.0  # one cluster


@pytest.mark.parametrize(
    ("n_images", "told"), [(99, "0.9"), (100, "0.92"), (999, "0.92"), (1000, "0.923")]
)
def test_as_many_decimals_as_the_images_allow(n_images: int, told: str) -> None:
    assert accuracy.share_text(0.9234, n_images) == told
    assert accuracy.share_text(0.9999, n_images).startswith("0.9")  # never that all are right


def test_of_few_images_a_range_is_told() -> None:
    estimate = accuracy.Estimate(0.92, 0.66, 0.98)
    assert estimate.text(299) == "0.6 – 1.0"
    assert estimate.text(300) == "0.92 (0.66 – 0.98)"


def test_one_large_cluster_is_no_evidence() -> None:
    """That most images stay together is to be expected where one cluster holds nearly all."""
    seen = Signals(0.3, 0.9, 0.9, 0.9, 0.9, float("nan"), float("nan"))
    even, uneven = np.array([50, 50]), np.array([95, 5])
    assert accuracy.cohesion(seen, uneven) == 0.0 < accuracy.cohesion(seen, even)


def test_a_checkpoint_keeps_it_bit_for_bit(
    images: np.ndarray, checkpoint_file: Path, tmp_path: Path
) -> None:
    source, finished = ArraySource(images), checkpoints.load(checkpoint_file)
    table = pipeline.predict(source, finished)
    checkpoints.save(finished, tmp_path / "again.pth")
    again = checkpoints.load(tmp_path / "again.pth")
    for name, array in finished.calibration.items():
        np.testing.assert_array_equal(again.calibration[name], array)
    np.testing.assert_array_equal(pipeline.predict(source, again).confidence, table.confidence)
    np.testing.assert_array_equal(
        pipeline.cluster(source, again)[0].calibration["confidences"],
        finished.calibration["confidences"],
    )


def test_an_older_checkpoint_has_the_same_labels_and_its_memberships(
    images: np.ndarray, checkpoint_file: Path
) -> None:
    source, finished = ArraySource(images), checkpoints.load(checkpoint_file)
    older = replace(finished, calibration={})
    assert calibration_of(older) is None
    for asked in ({}, {"n_clusters": 3}):
        now, then = (pipeline.predict(source, each, **asked) for each in (finished, older))
        np.testing.assert_array_equal(now.labels, then.labels)
        assert now.confidence.max() < 1.0
        assert now.confidence.mean() < then.confidence.mean()


def test_an_older_checkpoint_is_calibrated_and_nothing_else_of_it_changes(
    images: np.ndarray, checkpoint_file: Path, tmp_path: Path
) -> None:
    source, finished = ArraySource(images), checkpoints.load(checkpoint_file)
    older = replace(finished, calibration={})
    checkpoints.save(older, tmp_path / "older.pth")
    checkpoints.save(calibrate(source, older), tmp_path / "now.pth")
    assert older.calibration == {}
    now = checkpoints.load(tmp_path / "now.pth")
    assert now.calibration.keys() == finished.calibration.keys()
    for name, array in finished.calibration.items():
        np.testing.assert_allclose(now.calibration[name], array, atol=1e-4)
    checkpoints.save(replace(now, calibration={}), tmp_path / "again.pth")
    assert (tmp_path / "again.pth").read_bytes() == (tmp_path / "older.pth").read_bytes()
    with pytest.raises(DataError, match="trained on other images"):
        calibrate(ArraySource(images[::-1].copy()), older)
    with pytest.raises(CheckpointError, match="finished"):
        calibrate(source, replace(older, clusterer={}))


@pytest.mark.parametrize("images_of", ["two images", "one picture"])
def test_where_there_is_nothing_to_tell_apart(images_of: str) -> None:
    one = np.full((30, 8, 8, 3), 90, dtype=np.uint8)
    few = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    settings = ["encoder.widths=(8,16)", "checkpoints=1"]
    pile = few if images_of == "two images" else one
    fitted = ImageClusterer(2, epochs=1, settings=settings).fit(pile)
    assert fitted.confidence_.max() < 0.7


def test_the_estimator_gives_probabilities(images: np.ndarray, checkpoint_file: Path) -> None:
    estimator = ImageClusterer.load(checkpoint_file)
    likely = estimator.predict_proba(images)
    assert likely.shape == (40, 2)
    np.testing.assert_allclose(likely.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(likely.argmax(axis=1), estimator.predict(images))
    np.testing.assert_array_equal(likely.max(axis=1), estimator.score_samples(images))
