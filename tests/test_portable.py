"""Models taken elsewhere: each part gives the numbers of shoal's own, and so does the whole."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import make_blobs

import shoal
from shoal.clustering.clustering import clustering_of
from shoal.embedding.pixel_components import PixelComponents, fit_components
from shoal.errors import CheckpointError, DataError, OutputError
from shoal.images.decoding.fitting import FITS, fitted
from shoal.images.decoding.form import Decoded, Form
from shoal.images.decoding.raw_pixels import bring_raw
from shoal.images.pixel_range import PixelRange
from shoal.images.readers.raw import Raw
from shoal.portable.agreement import RandomImages, compare
from shoal.portable.calibrated import CalibrationModule
from shoal.portable.clusterers import clusterer_module
from shoal.portable.model import PortableModel, pixels_of
from shoal.portable.pixels import AreaPixels, Resize, Shares
from shoal.portable.reducers import reducer_module
from shoal.recipes import parts
from shoal.recipes.parts import Part
from shoal.scoring.calibration import Calibration

ROOT = Path(__file__).parents[1]


def blobs(n: int = 150, k: int = 3, d: int = 5, seed: int = 3) -> np.ndarray:
    return make_blobs(n, d, centers=k, cluster_std=1.0, random_state=seed)[0].astype(np.float32)


def run(module: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return module(torch.from_numpy(x)).numpy()


REDUCERS = [Part(name) for name in parts.names("reducers") if name != "tsne"]


@pytest.mark.parametrize(
    "part",
    [*REDUCERS, Part("pca", {"whiten": True}), Part("kernel_pca", {"n_landmarks": 40})],
    ids=str,
)
def test_reducers(part: Part) -> None:
    reducer = parts.build("reducers", part, random_state=0)
    reducer.fit_transform(blobs())
    new = np.concatenate([blobs(40, seed=4), np.zeros((1, 5), np.float32)])
    found = run(reducer_module(part, reducer.get_arrays()), new)
    np.testing.assert_allclose(found, reducer.transform(new), atol=1e-5)


def test_tsne_is_refused() -> None:
    with pytest.raises(CheckpointError, match="tsne cannot be exported: it places an image by"):
        reducer_module(Part("tsne"), {})


CLUSTERERS = [Part(name) for name in parts.names("clusterers")]
COVARIANCES = [
    Part("gaussian_mixture", {"covariance": kind}) for kind in ("full", "tied", "spherical")
]


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("part", [*CLUSTERERS, *COVARIANCES], ids=str)
def test_clusterers(part: Part, k: int) -> None:
    fitted = parts.build("clusterers", part, n_clusters=k, random_state=0).fit(blobs(k=k))
    new = np.concatenate([blobs(60, k, seed=4), fitted.reference[:20]])  # distance 0 among them
    for candidate in range(fitted.n_candidates):
        membership = fitted.predict_proba(new, candidate)
        found = run(clusterer_module(fitted, candidate), new)
        np.testing.assert_allclose(found, membership, atol=1e-4)
        ordered = np.sort(membership, axis=1)
        clear = ordered[:, -1] - ordered[:, -2] > 1e-3
        assert clear.sum() > 60
        assert np.array_equal(found.argmax(1)[clear], membership.argmax(1)[clear])


@pytest.mark.parametrize("part", CLUSTERERS, ids=str)
def test_piles_of_copies(part: Part) -> None:
    new = blobs(20)
    for copies in (np.repeat(blobs(2), 30, axis=0), np.repeat(blobs(12), 30, axis=0)):
        fitted = parts.build("clusterers", part, n_clusters=3, random_state=0).fit(copies)
        found = run(clusterer_module(fitted), new)
        np.testing.assert_allclose(found, fitted.predict_proba(new), atol=1e-4)


def test_an_unknown_clusterer_is_refused() -> None:
    with pytest.raises(CheckpointError, match="clusters of object cannot be exported"):
        clusterer_module(object())  # type: ignore[arg-type]


def test_calibration() -> None:
    draw = np.random.default_rng(0)
    at = np.sort(draw.random((4, 9)), axis=1).astype(np.float32)
    at[:, 3] = at[:, 4]  # a step
    worth = np.sort(draw.uniform(0.25, 1, (4, 9)), axis=1).astype(np.float32)
    calibration = Calibration(None, None, at, worth)  # type: ignore[arg-type]
    membership = draw.dirichlet([0.3] * 4, 300).astype(np.float32)
    membership[:4] = np.eye(4)
    found = run(CalibrationModule(calibration), membership)
    np.testing.assert_allclose(found, calibration.apply(membership), atol=1e-6)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(50, 90), (31, 8), (8, 8), (5, 4), (64, 48), (2, 90)])
def test_resizing_is_pillows(size: tuple[int, int], fit: str) -> None:
    """The same filter. Pillow may take columns before rows, and rounds and cuts off between."""
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (3, 6, 6, 3), dtype=np.uint8)
    images = np.stack([np.asarray(Image.fromarray(x).resize(size[::-1])) for x in noise])
    for height, width in ((8, 8), (12, 7)):
        pillow = [fitted(Image.fromarray(x), (width, height), fit) for x in images]
        resize = Resize(height, width, 255.0, eight_bit=True, fit=fit)
        found = run(resize, images.astype(np.float32))
        difference = np.abs(found - np.stack([np.asarray(x) for x in pillow]))
        assert difference.max() <= 2
        assert difference.mean() < 0.3
        if size == (height, width):
            assert not difference.any()


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("size", [(60, 60), (40, 100), (8, 8)])
def test_components_of_pixels(size: tuple[int, int], symmetric: bool) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (9, *size, 2), dtype=np.uint8)
    arrays = fit_components(shoal.ArraySource(images), symmetric)
    original = PixelComponents(arrays, symmetric)
    x = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    np.testing.assert_allclose(run(AreaPixels(original, *size), x), run(original, x), atol=1e-4)


@pytest.mark.parametrize("kind", ["pixels", "joint_pixels"])
def test_embeddings_with_pixels(
    kind: str, checkpoint_file: Path, images: np.ndarray, tmp_path: Path
) -> None:
    source, loaded = shoal.ArraySource(images), shoal.load(checkpoint_file)
    recipe = replace(loaded.recipe, embedding=kind)
    pixels = fit_components(source, recipe.views.free_orientation)
    finished, _ = shoal.cluster(source, replace(loaded, recipe=recipe, pixels=pixels))
    model = PortableModel(finished)
    assert compare(lambda x: _outputs(model, x), source, finished, model.pixels).good


def test_the_range_of_each_channel_is_in_the_graph() -> None:
    bounds = ((0.0, 10.0), (-5.0, 5.0))
    numbers = np.array([[[[0.0, 0.0], [5.0, 99.0]]]], np.float32)
    assert run(Shares(bounds, 255.0), numbers).ravel().tolist() == [0, 127.5, 127.5, 255]


def test_which_numbers_a_model_takes(checkpoint_file: Path) -> None:
    loaded = shoal.load(checkpoint_file)
    assert pixels_of(loaded).numbers == "8-bit"
    with pytest.raises(DataError, match="numbers must be 8-bit with this checkpoint"):
        pixels_of(loaded, "floats")
    with pytest.raises(DataError, match="numbers must be 8-bit, integers or floats, got '12'"):
        pixels_of(loaded, "12")
    bounds = ((1000.0, 3100.0), (0.0, 9.0), (-1.0, 1.0))
    for levels, white in ((8, 255), (16, 65535)):
        wide = replace(loaded, pixel_range=PixelRange(integers=bounds, levels=levels))
        pixels = pixels_of(wide)
        assert (pixels.numbers, pixels.type_name) == ("integers", "float32")
        assert (pixels.bounds, pixels.white) == (bounds, white)
        model = PortableModel(wide)
        source = RandomImages(6, loaded.image_shape, model.pixels)
        assert compare(lambda x, m=model: _outputs(m, x), source, wide, model.pixels).good


def test_wide_images_of_other_sizes_are_brought_as_files_are(checkpoint_file: Path) -> None:
    bounds = ((0.0, 40.0), (10.0, 50.0), (0.0, 65535.0))
    known = PixelRange(integers=bounds)
    wide = replace(shoal.load(checkpoint_file), pixel_range=known)
    image = np.random.default_rng(0).integers(0, 60, (13, 21, 3)).astype(np.uint16)
    brought = bring_raw(Raw(image), Form(8, 8, 3, pixel_range=known, wide=True))
    assert isinstance(brought, Decoded)
    model = PortableModel(wide)
    found = run(torch.nn.Sequential(model.shares, model.resize), image[None].astype(np.float32))
    assert np.abs(found[0] - brought.pixels).max() <= 1


def test_vectors_from_elsewhere_are_refused(checkpoint_file: Path) -> None:
    with pytest.raises(CheckpointError, match="this checkpoint takes vectors from elsewhere"):
        PortableModel(replace(shoal.load(checkpoint_file), n_dimensions=3))


def _outputs(model: torch.nn.Module, images: np.ndarray) -> tuple[np.ndarray, ...]:
    with torch.inference_mode():
        return tuple(part.numpy() for part in model(torch.from_numpy(images)))


@pytest.mark.parametrize("name", ["best", "improved"])
def test_the_courses_checkpoints(name: str) -> None:
    loaded = shoal.load(ROOT / "checkpoints" / f"{name}.pth")
    for split in (1, clustering_of(loaded).n_candidates):
        model = PortableModel(loaded, split)
        source = RandomImages(16, loaded.image_shape, model.pixels)
        assert compare(lambda x, m=model: _outputs(m, x), source, loaded, model.pixels, split).good


def test_a_difference_is_noticed(checkpoint_file: Path) -> None:
    loaded = shoal.load(checkpoint_file)
    model = PortableModel(loaded)
    source = RandomImages(6, loaded.image_shape, model.pixels)

    def swapped(images: np.ndarray) -> tuple[np.ndarray, ...]:
        embedding, cluster, confidence, probabilities = _outputs(model, images)
        return embedding, 1 - cluster, confidence, probabilities

    assert not compare(swapped, source, loaded, model.pixels).good
    off = replace(loaded, encoder_state={k: 1.1 * v for k, v in loaded.encoder_state.items()})
    assert not compare(lambda x: _outputs(model, x), source, off, model.pixels).good


def test_onnx(
    run_cli: Callable[..., Any], checkpoint_file: Path, images: np.ndarray, images_file: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The command; its file in onnxruntime; batches and images of any size; names; --force."""
    onnx = pytest.importorskip("onnx", reason="shoal[onnx] is not installed")
    onnxruntime = pytest.importorskip("onnxruntime", reason="shoal[onnx] is not installed")
    out = tmp_path / "model.onnx"
    names = tmp_path / "names.csv"
    names.write_text("cluster,name\n0,grün\n1,striped\n", encoding="utf-8")
    done = run_cli(
        "export-model",
        checkpoint_file,
        out,
        "--check",
        images_file,
        "--names",
        names,
        "--opset",
        "20",
    )
    assert done.code == 0, done.err
    assert f"compared with predict on {images_file}: embedding differs by at most " in done.err
    assert "the same cluster for 40 of 40 images" in done.err
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    table = shoal.predict(shoal.ArraySource(images), shoal.load(checkpoint_file))
    for n in (1, 2, 40):
        embedding, cluster, confidence, probabilities = session.run(None, {"images": images[:n]})
        np.testing.assert_allclose(embedding, table.embedding[:n], atol=1e-4)
        assert cluster.tolist() == table.labels[:n].tolist()
        np.testing.assert_allclose(confidence, table.confidence[:n], atol=1e-4)
        np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    large = images.repeat(3, axis=1).repeat(4, axis=2)
    assert session.run(None, {"images": large})[1].shape == (40,)
    assert onnx.load(out).opset_import[0].version == 20
    about = {prop.key: prop.value for prop in onnx.load(out).metadata_props}
    assert json.loads(about["clusters"])[0] == {"id": 0, "name": "grün"}
    for path in (tmp_path, ROOT, Path.home()):
        assert str(path).encode() not in out.read_bytes()
    before = out.read_bytes()
    again = run_cli("export-model", checkpoint_file, out)
    assert (again.code, out.read_bytes() == before) == (2, True)
    assert (
        again.err
        == f"shoal: {out} exists already; name another file, or add --force to replace it.\n"
    )
    out.write_bytes(b"somebody's own")
    foreign = run_cli("export-model", checkpoint_file, out, "--force")
    assert "shoal did not write it" in foreign.err


def test_torch_export(checkpoint_file: Path, images: np.ndarray, tmp_path: Path) -> None:
    agreement = shoal.export_model(shoal.load(checkpoint_file), tmp_path / "model.pt2")
    assert agreement.good
    for path in (tmp_path, ROOT):
        assert str(path).encode() not in (tmp_path / "model.pt2").read_bytes()
    files = {"shoal.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=files)
    assert json.loads(files["shoal.json"])["input"].startswith("images (uint8)")
    cluster = program.module()(torch.from_numpy(images[:5].copy()))[1]
    table = shoal.predict(shoal.ArraySource(images[:5]), shoal.load(checkpoint_file))
    assert cluster.tolist() == table.labels.tolist()


def test_what_cannot_be_exported_is_a_sentence(
    run_cli: Callable[..., Any], checkpoint_file: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    along = sorted(checkpoint_file.with_name("checkpoint.pth.history").glob("*.pth"))[0]
    bad_names = tmp_path / "names.csv"
    bad_names.write_text("cluster,name\n7,seven\n")
    for words, message in (
        ((along, "m.onnx"), "was kept along the way and has no clusters"),
        ((checkpoint_file, "m.h5"), "a model must end in .onnx or .pt2, got"),
        ((checkpoint_file, "m.onnx", "--opset", "12"), "--opset must be from 18 to 23, got 12."),
        ((checkpoint_file, "m.pt2", "--opset", "18"), "--opset is for .onnx files"),
        ((checkpoint_file, "m.onnx", "--split", "99"), "--split must be from 1 to"),
        ((checkpoint_file, "m.onnx", "--numbers", "floats"), "--numbers must be 8-bit"),
        ((checkpoint_file, "m.onnx", "--names", bad_names), "names cluster 7, but the checkpoint"),
        ((checkpoint_file, "m.onnx", "--check", tmp_path / "none.npy"), "no such"),
    ):
        source, target, *options = words
        done = run_cli("export-model", source, tmp_path / target, *options)
        assert (done.code, done.err.count("\n")) == (2, 1), (words, done.err)
        assert message in done.err
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    done = run_cli("export-model", checkpoint_file, tmp_path / "m.onnx")
    assert done.code == 2
    assert "pip install 'shoal[onnx]'" in done.err
    with pytest.raises(OutputError, match="needs an extra"):
        shoal.export_model(shoal.load(checkpoint_file), tmp_path / "m.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["names.csv"]
