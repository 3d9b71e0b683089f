"""Checkpoints of every earlier shoal open: those committed, and one of each format there was.

The files of earlier formats are written here by hand, as `torch.save` wrote them at the time, and
what they should predict is computed here too. Nothing in this file may follow a change of format.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from shoal import pipeline
from shoal.images.array import ArraySource
from shoal.models import checkpoint as checkpoints
from shoal.recipes import parts
from shoal.recipes.parts import Part
from shoal.recipes.recipe import Recipe
from shoal.scoring.examine import calibrate
from shoal.training.loop import train

ROOT = Path(__file__).parents[1]

FORMATS = {
    1: "2026-11-23: the first",
    2: "2026-11-24: several ways to divide the pile, a joint embedding, warnings",
    3: "2026-11-24: what familiar images look like, views of another resolution",
    4: "2026-11-24: several optimizers",
    5: "2026-11-25: images embedded larger, checkpoints compared",
    6: "2026-11-26: small views",
    7: "2026-11-27: calibrated memberships",
    8: "2026-11-27: one pixel range for the whole pile",
    9: "2026-11-27: the length of a run decided on the way",
}
N_FLAT = 20
DIGEST = "355da310997dab5c9dc81def694ef15fa7fc7523ca7c00aa675a9a8cddde6d68"
"""Of `pile`, as shoal computed it from the first day."""


@pytest.fixture(scope="module")
def pile(images: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """uint8 (32, 8, 8, 3): 20 flat images, then 12 striped ones."""
    return np.concatenate([images[kinds == 0], images[kinds == 1][:12]])


def recipe_of(version: int, **changes: Any) -> dict[str, Any]:
    """The recipe as JSON had it, with the fields of that time alone."""
    views: dict[str, Any] = {
        "n_views": 2, "min_crop": 0.5, "mirror": True, "rotation": 0.0, "zoom": 0.0, "shear": 0.0,
        "shift": 0.0, "brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.125,
        "colour_probability": 0.8, "grey_probability": 0.2, "noise": 0.0,
    }  # fmt: skip
    recipe: dict[str, Any] = {
        "name": "best",
        "encoder": {"name": "vgg", "options": {"widths": [8, 16]}},
        "views": views,
        "objectives": [
            {"name": "nt_xent", "options": {"dim": 12}},
            {"name": "reconstruction", "options": {"fraction": 0.25}},
        ],
        "epochs": 1,
        "batch_size": 512,
        "optimizer": "adamw",
        "learning_rate": 0.001,
        "weight_decay": 0.0001,
        "schedule": "cosine",
        "warmup_steps": 60,
        "embedding": "projection",
        "reducers": [
            {"name": "unit_norm", "options": {}},
            {"name": "pca", "options": {"n_components": 5}},
        ],
        "clusterer": {"name": "spectral", "options": {}},
        "n_clusters": 2,
        "precision": "fp32",
        "checkpoints": 3,
        "seed": 0,
    }
    if version >= 2:
        recipe |= {
            "embedding": "joint",
            "reducers": recipe["reducers"][1:],
            "clusterer": {"name": "projection_pursuit", "options": {}},
        }
    if version >= 3:
        views["resolution"] = 1.0
    if version >= 4:
        recipe |= {"optimizer": "muon", "learning_rate": 0.006}
    if version >= 5:
        recipe["embedding_resolution"] = 1.5
    if version >= 6:
        views |= {"n_small": 2, "small_side": 0.625}
    return recipe | changes


def provenance_of(version: int) -> dict[str, Any]:
    known: dict[str, Any] = {
        "command": "shoal train trainX.npy best.pth --recipe best --seed 0",
        "fingerprint": DIGEST,
        "precision": "fp32",
        "device": "cpu",
        "threads": 2,
        "machine": "Linux x86_64",
        "python": "3.11.7",
        "torch": "2.13.0+cpu",
        "numpy": "2.4.6",
        "seconds": 989.613,
    }
    if version >= 2:
        splits = [
            {"sizes": [20, 12], "separation": 0.877, "pixel_share": 0.568},
            {"sizes": [16, 16], "separation": 0.759, "pixel_share": 0.258},
        ]
        known |= {"allocator": "keeps large buffers", "shoal": "0.1.0"}
        known |= {"splits": splits, "warnings": ["one of the clusters is small."]}
    if version >= 3:
        known["peak_memory_gb"] = 1.33
    if version >= 5:
        known["steadiness"] = {"5": 0.8738, "10": 0.8689}
    if version >= 7:
        known |= {"n_clusters": "2 clusters were chosen.", "n_clusters_strength": {"2": 0.9}}
    return known


def about(version: int, step: int, recipe: dict[str, Any]) -> dict[str, Any]:
    row = {"step": step, "epoch": step / 10, "seconds": 1.5, "learning_rate": 0.001, "loss": 3.7,
           "nt_xent": 3.71, "reconstruction": 0.018}  # fmt: skip
    if version >= 2:
        row["spread"] = 0.99
    known = {
        "recipe": recipe,
        "image_shape": [8, 8, 3],
        "n_images": 32,
        "step": step,
        "total_steps": 10,
        "epoch": step / 10,
        "history": [row],
        "provenance": provenance_of(version),
    }
    if version >= 8:
        known["pixel_range"] = {"integers": None, "floats": None, "eight_bit": True}
    if version >= 9:
        known["pace"] = {"decisions": [[0, 0.0, 8], [4, 0.5, 10]], "seconds": 3.25}
    return known


def half(x: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    scale = np.abs(x).max()
    return torch.tensor((x / scale).astype(np.float16)), torch.tensor(np.float32(scale))


@torch.inference_mode()
def embedded(version: int, encoder: Any, head: Any, images: np.ndarray) -> np.ndarray:
    """The embedding before it is reduced, float32 (n, d), by the formulas of that time."""
    x = torch.tensor(images).permute(0, 3, 1, 2).float() / 255

    def seen(x: torch.Tensor) -> torch.Tensor:
        z = encoder.encode(x)
        if version == 1:
            return head.project(z)
        return torch.cat([F.normalize(z, dim=1), F.normalize(head.project(z), dim=1)], dim=1)

    if version < 5:  # one look; today a joint embedding is the mean over the mirror image, too
        looks = [(1.0, x)]
    else:
        larger = F.interpolate(x, [12, 12], mode="bicubic", align_corners=False).clamp(0, 1)
        looks = [(144 / 208, larger), (64 / 208, x.flip(3))]
    return sum(share * seen(look) for share, look in looks).numpy()  # type: ignore[union-attr]


def finished(version: int, pile: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
    """What a finished file of that time held, and the reduced embedding of ``pile`` (n, 5).

    The clusters are stored with the smaller one first: shoal numbers them by size.
    """
    torch.manual_seed(version)
    encoder = parts.build("encoders", Part("vgg", {"widths": (8, 16)}), (8, 8, 3))
    head, plain = (
        parts.build("objectives", part, encoder)
        for part in (Part("nt_xent", {"dim": 12}), Part("reconstruction", {"fraction": 0.25}))
    )
    for module in (encoder, head):
        module.eval()
    raw = embedded(version, encoder, head, pile)
    if version == 1:
        raw = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    mean = raw.mean(0)
    components = np.linalg.svd(raw - mean, full_matrices=False)[2][:5]
    z = (raw - mean) @ components.T
    smaller_first = np.r_[np.ones(N_FLAT, dtype=np.int64), np.zeros(12, dtype=np.int64)]
    reference, scale = half(z)
    clusterer = {"reference_": reference, "reference_scale_": scale,
                 "reference_labels_": torch.tensor(smaller_first)}  # fmt: skip
    if version >= 2:
        flat, striped = z[:N_FLAT].mean(0), z[N_FLAT:].mean(0)
        towards_flat = 200 * (flat - striped)
        clusterer |= {
            "weights_": torch.tensor(np.stack([towards_flat, np.eye(5)[4]]).astype(np.float32)),
            "offset_": torch.tensor(
                np.array([-towards_flat @ (flat + striped) / 2, 0.0]).astype(np.float32)
            ),
            "candidate_labels_": torch.tensor(
                np.stack([smaller_first, z[:, 4] > 0]).astype(np.uint16)
            ),
            "separation_": torch.tensor([0.877, 0.759]),
        }
    pca = {"mean_": torch.tensor(mean), "components_": torch.tensor(components),
           "scale_": torch.ones(5)}  # fmt: skip
    content: dict[str, Any] = {
        "format": "shoal checkpoint",
        "format_version": 1,
        "about": json.dumps(about(version, 10, recipe_of(version))),
        "encoder": encoder.state_dict(),
        "objectives": [head.state_dict(), plain.state_dict()],
        "optimizer": None,
        "reducers": [{}, pca] if version == 1 else [pca],
        "clusterer": clusterer,
    }
    if version >= 3:
        content["familiar"] = {
            "mean": torch.tensor(mean),
            "variances": torch.tensor((raw - mean) @ components[:2].T).var(0),
            "noise": torch.tensor([1e-3]),
            "components": torch.tensor(components[:2].astype(np.float16)),
            "surprise": torch.linspace(0.5, 2.0, 16),
            "reconstruction": torch.linspace(0.01, 0.3, 16),
        }
    if version >= 7:
        content["calibration"] = {
            "memberships": torch.linspace(0.5, 1.0, 21).expand(2, 2, 21).clone(),
            "confidences": torch.tensor([[0.91, 0.81], [0.71, 0.61]])[..., None].repeat(1, 1, 21),
            "estimates": torch.tensor([[0.9, 0.8, 0.95], [0.7, 0.6, 0.8]], dtype=torch.float64),
            "signals": torch.full((2, 7), 0.8, dtype=torch.float64),
        }
    return content, z


@pytest.mark.parametrize("version", FORMATS, ids=FORMATS.values())
def test_a_finished_checkpoint_of_each_format_predicts(
    version: int, pile: np.ndarray, tmp_path: Path, run_cli: Any
) -> None:
    path = tmp_path / "older.pth"
    content, z = finished(version, pile)
    torch.save(content, path)
    opened = checkpoints.load(path)
    assert opened.finished
    assert (opened.n_images, opened.step, opened.total_steps) == (32, 10, 10)
    assert opened.image_shape == (8, 8, 3)
    assert opened.pixel_range is None if version < 8 else opened.pixel_range is not None
    assert opened.pace is None if version < 9 else opened.pace is not None

    flat_first = np.r_[np.zeros(N_FLAT), np.ones(12)]
    table = pipeline.predict(ArraySource(pile), opened, familiarity=True)
    if version not in (2, 3, 4):
        np.testing.assert_allclose(table.embedding, z, atol=1e-5)
    np.testing.assert_array_equal(table.labels, flat_first)
    assert (table.familiarity is None) == (version < 3)
    if version < 7:  # the membership as it is
        assert table.confidence.min() > 0.95
    else:  # as stored: of the cluster that was stored second, and is the larger, first
        np.testing.assert_allclose(table.confidence, np.where(flat_first, 0.81, 0.91), atol=1e-6)
    if version >= 2:
        other = pipeline.predict(ArraySource(pile), opened, split=2).labels
        agree = np.mean(other == (table.embedding[:, 4] > 0))
        assert max(agree, 1 - agree) > 0.9  # rounded to half precision
    # Another number of clusters, from the points it remembers.
    three = pipeline.predict(ArraySource(pile), opened, n_clusters=3).labels
    assert sorted(set(three)) == [0, 1, 2]

    checkpoints.save(opened, tmp_path / "again.pth")
    again = pipeline.predict(
        ArraySource(pile), checkpoints.load(tmp_path / "again.pth"), familiarity=True
    )
    np.testing.assert_array_equal(again.labels, table.labels)
    np.testing.assert_array_equal(again.confidence, table.confidence)
    assert (again.familiarity is None) == (version < 3)

    told = run_cli("info", path)
    assert (told.code, told.err) == (0, "")
    assert "32" in told.out


@pytest.mark.parametrize("version", FORMATS, ids=FORMATS.values())
def test_a_checkpoint_of_each_format_can_be_calibrated_on_its_own_images(
    version: int, pile: np.ndarray, tmp_path: Path
) -> None:
    """Its digest of them is the one of today."""
    path = tmp_path / "older.pth"
    torch.save(finished(version, pile)[0], path)
    source = ArraySource(pile)
    before = checkpoints.load(path)
    after = calibrate(source, before)
    labels = pipeline.predict(source, after).labels
    np.testing.assert_array_equal(labels, np.r_[np.zeros(N_FLAT), np.ones(12)])
    assert len(after.calibration["estimates"]) == (1 if version == 1 else 2)


@pytest.mark.parametrize("version", FORMATS, ids=FORMATS.values())
def test_a_run_of_each_format_is_resumed(version: int, pile: np.ndarray, tmp_path: Path) -> None:
    """After 5 of 10 steps, by another shoal; the weights are those of one that went through."""
    values = recipe_of(version)
    recipe = Recipe.from_dict(values)
    source = ArraySource(pile)
    for reached in train(source, recipe):
        if reached.step == 5:
            middle = copy.deepcopy(reached)
    assert middle.optimizer_states is not None
    assert len(middle.optimizer_states) == (1 if version < 4 else 2)
    known = about(version, 5, values)
    if version >= 9:
        known["pace"] = {"decisions": [[0, 0.0, 10]], "seconds": 3.25}
    content = {
        "format": "shoal checkpoint",
        "format_version": 1,
        "about": json.dumps(known),
        "encoder": middle.encoder_state,
        "objectives": middle.objective_states,
        "optimizer": middle.optimizer_states[0] if version < 4 else middle.optimizer_states,
        "reducers": [],
        "clusterer": {},
    }
    content |= {"familiar": {}} if version >= 3 else {}
    content |= {"calibration": {}} if version >= 7 else {}
    path = tmp_path / "older.pth"
    torch.save(content, path)

    opened = checkpoints.load(path)
    assert not opened.finished
    assert opened.recipe == recipe
    *_, resumed = train(source, recipe, resume=opened)
    assert resumed.step == 10
    assert resumed.weights_digest() == reached.weights_digest()


# --- those committed ----------------------------------------------------------------------------


def photographs() -> np.ndarray:
    """uint8 (60, 32, 32, 3): pieces of the two photographs that come with scikit-learn."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    pieces = []
    for image in load_sample_images().images:
        side = 64
        pieces += [
            np.asarray(Image.fromarray(image[y : y + side, x : x + side]).resize((32, 32)))
            for y in range(20, 350, 70)
            for x in range(20, 560, 93)
        ]
    return np.stack(pieces)


# Of each piece its cluster; a dot where it is least sure, so that another processor's last bits may
# decide.
LABELS = [
    ("baseline", 1, "11111111.111100111000011.00010000100100001110001100000000000"),
    ("improved", 1, "111111110111100.110000111000101.11..110001110001110001...001"),
    ("best", 1, ".10.11.01111...011011011.0.0.0000100.000011000011.00000.00.."),
    ("best", 2, ".....0..0.00..0...100.0...01...1..1...111.0.111...11.....1.."),
]


@pytest.mark.parametrize(("name", "split", "labels"), LABELS)
def test_a_committed_checkpoint_predicts_the_labels_it_did(
    name: str, split: int, labels: str
) -> None:
    checkpoint = checkpoints.load(ROOT / "checkpoints" / f"{name}.pth")
    table = pipeline.predict(ArraySource(photographs()), checkpoint, split=split)
    told = "".join(map(str, table.labels))
    assert (
        "".join(now if then != "." else "." for now, then in zip(told, labels, strict=True))
        == labels
    )
