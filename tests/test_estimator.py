"""`ImageClusterer`: what scikit-learn asks of an estimator, and that it is shoal underneath."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from small_encoder import SMALL_ENCODER

import shoal
from shoal.clustering.partitions import agreement
from shoal.errors import CheckpointError, DataError, DeviceError, Interrupted, RecipeError
from shoal.estimator import ImageClusterer
from shoal.estimator import image_clusterer as estimators
from shoal.images import cache
from shoal.images.array import ArraySource
from shoal.recipes.recipe import Recipe
from shoal.training.time_limit import TimeLimit

SMALL = (
    *SMALL_ENCODER, "checkpoints=1", "clusterer.n_starts=10",
    "clusterer.n_steps=40",
)  # fmt: skip

# Checks of scikit-learn's that are not passed, each with its reason: none. It leaves out by itself
# what needs the array API switched on (SCIPY_ARRAY_API) or pandas or polars installed.
NOT_PASSED: dict[str, str] = {}


def small(**parameters: Any) -> ImageClusterer:
    """The default recipe, so small that 40 tiny images take a fraction of a second."""
    given = {"epochs": 1, "settings": SMALL, "device": "cpu"} | parameters
    return ImageClusterer(**given)


@pytest.fixture(autouse=True, scope="module")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test writes to the cache of whoever runs them."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "folder", lambda: folder)
        yield folder


@pytest.fixture(scope="module")
def fitted(images: np.ndarray) -> ImageClusterer:
    """Fitted on `images`. Do not change it."""
    return small(epochs=4).fit(images)


@pytest.fixture(scope="module")
def photographs(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """`images` as files in a folder, one below another, with names as people give them."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "more").mkdir()
    odd = {3: 'a, "b"; c.png', 4: "a\tb.png", 5: "# ü.png"}
    paths = []
    for number, image in enumerate(images):
        path = folder / ("more" if number % 3 else "") / odd.get(number, f"{number:02}.png")
        Image.fromarray(image).save(path)
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    """float64 (30, 6), two kinds of rows, in a range of their own."""
    generator = np.random.default_rng(0)
    return np.repeat([[-3.0], [40.0]], 15, axis=0) + generator.normal(size=(30, 6))


# --- scikit-learn's own suite -------------------------------------------------------------------


@parametrize_with_checks(
    [small(settings=("encoder.widths=(8,8)", *SMALL[1:]))],
    expected_failed_checks=lambda estimator: NOT_PASSED,
)
def test_scikit_learn_checks(estimator: ImageClusterer, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_parameters_are_stored_untouched() -> None:
    given = {
        "n_clusters": "auto", "recipe": object(), "orientation": 3, "effort": 0.5,
        "intensity": object(), "epochs": -1, "minutes": "soon",
        "settings": ["nonsense"], "random_state": np.random.RandomState(0), "device": "tpu",
        "corrections": object(), "channels": object(), "verbose": None,
    }  # fmt: skip
    made = ImageClusterer(**given)
    assert all(made.get_params()[name] is value for name, value in given.items())
    assert set(made.get_params()) == set(given)
    assert clone(made.set_params(recipe=shoal.BEST)).recipe == shoal.BEST


# --- fit, and what it leaves --------------------------------------------------------------------


def test_finds_two_kinds(fitted: ImageClusterer, images: np.ndarray, kinds: np.ndarray) -> None:
    assert agreement(fitted.labels_, kinds) == 1.0
    assert fitted.labels_.dtype == np.int64
    assert fitted.confidence_.dtype == np.float32
    assert fitted.confidence_.shape == (40,)
    assert 0.5 <= fitted.confidence_.min() <= fitted.confidence_.max() <= 1.0
    assert fitted.n_features_in_ == 8 * 8 * 3
    assert fitted.n_iter_ == fitted.checkpoint_.step == fitted.checkpoint_.total_steps
    assert list(fitted.ids_) == [str(i) for i in range(40)]
    np.testing.assert_array_equal(fitted.predict(images), fitted.labels_)
    np.testing.assert_array_equal(fitted.score_samples(images), fitted.confidence_)
    np.testing.assert_array_equal(clone(fitted).fit_predict(images), fitted.labels_)


def test_is_the_pipeline(fitted: ImageClusterer, images: np.ndarray, tmp_path: Path) -> None:
    """The same recipe gives the same weights and table as `shoal.fit` and `shoal.predict`."""
    source = ArraySource(images)
    recipe = shoal.override(shoal.BEST, [*SMALL, "epochs=4"])
    expected = shoal.fit(source, tmp_path / "a.pth", recipe)[0]
    assert fitted.checkpoint_.weights_digest() == expected.weights_digest()
    found = shoal.predict(source, expected)
    np.testing.assert_array_equal(fitted.labels_, found.labels)
    np.testing.assert_array_equal(fitted.confidence_, found.confidence)
    np.testing.assert_array_equal(fitted.transform(images), found.embedding)


def test_each_argument_arrives(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = replace(shoal.IMPROVED, name="mine", batch_size=8)
    made = small(
        n_clusters=np.int64(3), recipe=chosen, epochs=np.float32(1.5), random_state=np.int64(9),
        settings=["checkpoints=1", "encoder.widths=(8,16)"],
    ).fit(images)  # fmt: skip
    recipe = made.checkpoint_.recipe
    assert (recipe.name, recipe.batch_size, recipe.checkpoints) == ("mine", 8, 1)
    assert (recipe.n_clusters, recipe.epochs, recipe.seed) == (3, 1.5, 9)
    assert set(made.labels_) <= {0, 1, 2}
    devices = []
    monkeypatch.setattr(estimators, "resolve_device", lambda name: devices.append(name) or "cpu")
    small(device="cuda").fit(images)
    assert devices == ["cuda"]


def test_minutes_decide_the_epochs(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def limit_for(
        source: object, recipe: Recipe, *, minutes: float, began: float, device: str, **_: bool
    ) -> tuple[TimeLimit, Recipe, None]:
        asked.append((minutes, device))
        return TimeLimit(0.0, began=began), replace(recipe, epochs=50), None

    monkeypatch.setattr(estimators, "limit_for", limit_for)
    made = small(epochs=None, minutes=3).fit(images)
    assert asked == [(3, "cpu")]
    assert 1 <= made.n_iter_ < 10  # of 500 steps: the limit has ended the run
    assert made.checkpoint_.recipe.epochs < 1


def test_auto_chooses_the_number(
    fitted: ImageClusterer, images: np.ndarray, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nine = ["n_clusters=9", "clusterer=spectral", *SMALL[:2], "epochs=4"]  # what it starts from
    recipe = shoal.override(shoal.BEST, nine)
    made = small(n_clusters="auto", recipe=recipe, epochs=None, settings=(), verbose=True)
    made.fit(images)
    source = ArraySource(images)
    expected, _ = shoal.fit(source, tmp_path / "9", recipe, auto_k=True)
    assert made.n_clusters_ == expected.recipe.n_clusters == len(np.unique(made.labels_)) < 9
    assert made.checkpoint_.facts.chosen == expected.facts.chosen
    assert made.checkpoint_.facts.chosen.reason in capfd.readouterr().err
    np.testing.assert_array_equal(made.predict(images), made.labels_)
    assert made.get_params()["n_clusters"] == "auto"  # chosen anew by another fit
    made.save(tmp_path / "auto.pth")
    assert ImageClusterer.load(tmp_path / "auto.pth").n_clusters_ == made.n_clusters_
    assert fitted.n_clusters_ == 2


def test_auto_needs_images_enough_before_it_trains(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimators.pipeline, "fit", lambda *_, **__: pytest.fail("it trained"))
    with pytest.raises(DataError, match="needs at least 20 images"):
        small(n_clusters="auto").fit(images[:19])


def test_y_is_never_read(fitted: ImageClusterer, images: np.ndarray) -> None:
    class Untouchable:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"y was asked for {name}")

    again = clone(fitted).fit(images, Untouchable())
    assert again.checkpoint_.weights_digest() == fitted.checkpoint_.weights_digest()
    assert again.score(images, Untouchable()) == fitted.score(images)


def test_random_state(images: np.ndarray) -> None:
    def digest(state: Any) -> str:
        return small(random_state=state).fit(images).checkpoint_.weights_digest()

    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert digest(None) == digest(0) == digest(0) != digest(1)  # the recipe's own seed is 0
    assert digest(np.random.RandomState(5)) == digest(np.random.RandomState(5))
    state = np.random.RandomState(5)
    assert digest(state) != digest(state)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_leaves_nothing_behind(
    photographs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    small().fit(photographs).predict(photographs[:3])
    assert list(tmp_path.iterdir()) == []


def test_verbose(
    images: np.ndarray, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = small().fit(images)
    assert capfd.readouterr() == ("", "")
    clone(quiet).set_params(verbose=True).fit(images)
    told = capfd.readouterr()
    assert told.out == ""
    assert quiet.checkpoint_.facts.warnings
    assert all(f"warning: {text}" in told.err for text in quiet.checkpoint_.facts.warnings)


def test_ctrl_c_is_a_keyboard_interrupt(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a ValueError, which a grid search would take for a bad setting, and go on."""

    def stop(*_: Any, **__: Any) -> None:
        raise Interrupted("stopped")

    monkeypatch.setattr(estimators.pipeline, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        small(verbose=True).fit(images)


# --- what X may be ------------------------------------------------------------------------------


def test_every_kind_of_images(
    fitted: ImageClusterer, images: np.ndarray, images_file: Path, photographs: list[Path]
) -> None:
    expected = fitted.transform(images)
    strings = [str(path) for path in photographs]
    kinds = [
        list(images), images / 255.0, images_file, str(images_file), ArraySource(images),
        photographs, strings, tuple(photographs), np.array(strings), np.array(photographs, object),
    ]  # fmt: skip
    for kind in kinds:
        np.testing.assert_array_equal(fitted.transform(kind), expected)
    again = clone(fitted).fit(photographs)
    assert again.checkpoint_.weights_digest() == fitted.checkpoint_.weights_digest()
    assert list(again.ids_) == strings
    shuffled = np.random.default_rng(0).permutation(40)
    np.testing.assert_array_equal(
        fitted.predict([photographs[row] for row in shuffled]), fitted.labels_[shuffled]
    )
    assert fitted.predict(images[0][None]).shape == (1,)


def test_wrapped_images_and_paths(
    fitted: ImageClusterer, images: np.ndarray, photographs: list[Path]
) -> None:
    expected = fitted.predict(images)
    wrapped = np.empty(40, object)
    wrapped[:] = list(images)
    column = np.array([[str(path)] for path in photographs])
    kinds = [wrapped, column, column.astype(object), images.astype(np.float64), images / 255]
    for kind in kinds:
        np.testing.assert_array_equal(fitted.predict(kind), expected)
    assert fitted.predict([photographs[3]]).tolist() == [expected[3]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers_are_filled_and_told(
    fitted: ImageClusterer, images: np.ndarray, value: float
) -> None:
    holed = images / 255
    holed[3, 2, 2] = value
    with pytest.warns(UserWarning, match="X has NaN or infinity in 3 pixels of 1 image; the med"):
        made = clone(fitted).fit(holed)
    with pytest.warns(UserWarning, match="in 3 pixels of 1 image"):
        np.testing.assert_array_equal(made.predict(holed), made.labels_)
    with pytest.raises(DataError, match="X: all pixels are NaN or infinite"):
        clone(fitted).fit(np.full_like(holed, value))


def test_a_folder(
    fitted: ImageClusterer, photographs: list[Path], tmp_path: Path, images: np.ndarray
) -> None:
    folder = photographs[0].parent
    again = clone(fitted).fit(folder)
    rows = [photographs.index(folder / name) for name in again.ids_]
    np.testing.assert_array_equal(again.predict(images[rows]), again.labels_)
    for number in range(2):
        Image.fromarray(images[number]).resize((20, 30)).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"of 3 files 1 cannot be used \(first broken.png:"):
        assert fitted.predict(tmp_path).shape == (2,)


def test_grey_images_without_an_axis_of_channels(images: np.ndarray) -> None:
    made = small().fit(images[..., 0])
    np.testing.assert_array_equal(made.predict(images[..., :1]), made.labels_)
    assert made.reconstruct(images[..., 0]).shape == (40, 8, 8, 1)


def test_decoded_once(photographs: list[Path], cache_folder: Path) -> None:
    made = small().fit(photographs)
    kept = sorted(cache_folder.rglob("*"))
    assert kept
    made.predict(photographs)
    assert sorted(cache_folder.rglob("*")) == kept


# --- codes, pictures, scores --------------------------------------------------------------------


def test_reconstruction(fitted: ImageClusterer, images: np.ndarray) -> None:
    encoder = fitted.checkpoint_.build_encoder()
    x = torch.tensor(images).permute(0, 3, 1, 2) / 255.0
    with torch.inference_mode():
        codes, expected = encoder.encode(x), encoder(x).permute(0, 2, 3, 1).numpy() * 255
    np.testing.assert_allclose(fitted.encode(images), codes.numpy(), rtol=1e-5, atol=1e-6)
    found = fitted.inverse_transform(fitted.encode(images))
    assert found.dtype == np.uint8
    assert found.shape == images.shape
    assert np.abs(found - expected).max() <= 0.501
    np.testing.assert_array_equal(fitted.reconstruct(images), found)
    fitted.predict(found)
    embedding = fitted.transform(images)
    assert embedding.shape[1] != fitted.encode(images).shape[1]
    with pytest.raises(DataError, match=r"codes of 16 numbers.*got \d+\..*reconstruct"):
        fitted.inverse_transform(embedding)


def test_names_of_the_embedding(fitted: ImageClusterer, images: np.ndarray) -> None:
    names = fitted.get_feature_names_out()
    assert len(names) == fitted.transform(images).shape[1]
    assert names[0] == "imageclusterer0"


def test_score_is_label_free(fitted: ImageClusterer, images: np.ndarray) -> None:
    scores = shoal.judge(ArraySource(images), fitted.checkpoint_)
    assert fitted.score(images) == scores.combined
    with pytest.raises(DataError, match="at least 20 images"):
        fitted.score(images[:5])


# --- in company ---------------------------------------------------------------------------------


def test_pipelines(fitted: ImageClusterer, images: np.ndarray, kinds: np.ndarray) -> None:
    last = make_pipeline(FunctionTransformer(lambda x: x[:, ::-1]), clone(fitted))
    labels = last.fit_predict(images)
    np.testing.assert_array_equal(last.predict(images), labels)
    np.testing.assert_array_equal(last.score_samples(images), last[-1].confidence_)
    first = make_pipeline(clone(fitted), KMeans(2, random_state=0))
    assert agreement(first.fit(images).predict(images), kinds) == 1.0


def test_grid_search(images: np.ndarray, photographs: list[Path]) -> None:
    grid = {"n_clusters": [np.int64(2), "auto"]}
    search = GridSearchCV(small(), grid, cv=KFold(2)).fit(images)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.labels_.shape == (40,)

    def sureness(made: ImageClusterer, X: Any, y: Any = None) -> float:
        return float(made.score_samples(X).mean())

    search = GridSearchCV(small(), {"epochs": [1, 2]}, scoring=sureness, cv=KFold(2))
    best = search.fit(photographs).best_estimator_
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) > 0.5
    assert best.checkpoint_.recipe.epochs == search.best_params_["epochs"]


# --- files --------------------------------------------------------------------------------------


def test_save_and_load(fitted: ImageClusterer, images: np.ndarray, tmp_path: Path) -> None:
    fitted.save(tmp_path / "new" / "mine.pth")
    loaded = ImageClusterer.load(tmp_path / "new" / "mine.pth")
    for other in (loaded, pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(other.predict(images), fitted.labels_)
        np.testing.assert_array_equal(other.transform(images), fitted.transform(images))
        np.testing.assert_array_equal(other.reconstruct(images), fitted.reconstruct(images))
        assert (other.n_features_in_, other.n_iter_) == (192, fitted.n_iter_)
    assert not hasattr(loaded, "labels_")
    again = clone(loaded).fit(images)
    assert again.checkpoint_.weights_digest() == fitted.checkpoint_.weights_digest()


def test_files_are_the_command_lines(
    fitted: ImageClusterer, images: np.ndarray, images_file: Path, checkpoint_file: Path,
    run_cli: Callable[..., Any], tmp_path: Path,
) -> None:  # fmt: skip
    fitted.save(tmp_path / "mine.pth")
    result = run_cli("predict", images_file, tmp_path / "mine.pth", tmp_path / "a.csv", "--quiet")
    assert result.code == 0, result.err
    told = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1, dtype=int)[:, 1]
    np.testing.assert_array_equal(told, fitted.labels_)
    expected = shoal.predict(ArraySource(images), shoal.load(checkpoint_file))
    loaded = ImageClusterer.load(checkpoint_file)
    np.testing.assert_array_equal(loaded.predict(images_file), expected.labels)
    np.testing.assert_array_equal(loaded.score_samples(images), expected.confidence)


def test_load_wants_a_finished_checkpoint(checkpoint_file: Path, tmp_path: Path) -> None:
    along_the_way = shoal.load(checkpoint_file)
    along_the_way.clusterer = {}
    shoal.save(along_the_way, tmp_path / "early.pth")
    with pytest.raises(CheckpointError, match="kept along the way and has no clusters"):
        ImageClusterer.load(tmp_path / "early.pth")


# --- tables -------------------------------------------------------------------------------------


def test_tables(table: np.ndarray, tmp_path: Path) -> None:
    made = small(epochs=3).fit(table)
    assert made.n_features_in_ == 6
    assert made.checkpoint_.image_shape == (1, 6, 1)
    np.testing.assert_array_equal(made.predict(table.tolist()), made.labels_)
    back = made.reconstruct(table)
    assert back.shape == table.shape
    assert back.dtype == np.float32
    assert table.min() - 1e-4 <= back.min() <= back.max() <= table.max() + 1e-4
    made.save(tmp_path / "table.pth")
    loaded = ImageClusterer.load(tmp_path / "table.pth")
    np.testing.assert_array_equal(loaded.reconstruct(table), back)
    # The range is of fit: a part of the table is seen as it was, and what lies outside is cut off.
    np.testing.assert_array_equal(loaded.predict(table[:1]), made.labels_[:1])
    np.testing.assert_array_equal(
        loaded.transform(np.full((1, 6), 1e9)), loaded.transform(np.full((1, 6), table.max()))
    )


def test_a_table_of_one_number() -> None:
    assert small(n_clusters=1).fit(np.full((4, 3), 7.0)).labels_.tolist() == [0] * 4


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": "many"}, "n_clusters must be a whole number or 'auto', got 'many'"),
        (
            {"n_clusters": "auto", "settings": ["n_clusters=3"]},
            "n_clusters and the setting n_clusters=… cannot",
        ),
        ({"n_clusters": 2.5}, "n_clusters must be a whole number, got 2.5"),
        ({"n_clusters": 0}, "n_clusters must be from 2 to 1,000,000"),
        ({"n_clusters": 41}, "n_clusters must be from 2 to 40, the number of images, got 41"),
        ({"recipe": "bst"}, "did you mean 'best'"),
        ({"recipe": 3}, "recipe must be the name of a recipe or a Recipe, got 3"),
        ({"epochs": -1}, "epochs must be above 0"),
        ({"epochs": 1, "minutes": 1}, "epochs and minutes cannot both be given"),
        ({"epochs": None, "minutes": 0}, r"minutes must be above 0 and at most 100,000, got 0"),
        ({"settings": "epochs=1"}, "settings must be a list of texts"),
        ({"settings": None}, "settings must be a list of texts"),
        ({"settings": [3]}, "settings must be a list of texts"),
        ({"epochs": None, "minutes": "soon"}, "minutes must be a number, got 'soon'"),
        ({"settings": ["epoch=1"]}, "did you mean 'epochs'"),
        ({"settings": ["epochs=1"]}, "epochs and the setting epochs=… cannot"),
        ({"settings": ["n_clusters=3"]}, "n_clusters and the setting n_clusters=… cannot"),
        ({"settings": [" seed = 3"], "random_state": 1}, "random_state and the setting seed=…"),
        (
            {"settings": ["epochs=1"], "epochs": None, "minutes": 1},
            "minutes and the setting epochs=… cannot",
        ),
        ({"random_state": -1}, "seed must be from 0"),
        ({"random_state": "x"}, "cannot be used to seed"),
    ],
)
def test_mistaken_parameters(images: np.ndarray, parameters: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        small(**parameters).fit(images)
    foreign = parameters == {"random_state": "x"}  # a sentence of scikit-learn's
    assert isinstance(caught.value, RecipeError | DataError) != foreign


def test_unknown_device(images: np.ndarray) -> None:
    with pytest.raises(DeviceError, match="auto, cpu or cuda, got"):
        small(device="tpu").fit(images)


def test_mistaken_images_in_fit(images: np.ndarray, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.png")
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    here = str(tmp_path / "a.png")
    cases = {
        "at least 2 images to learn from, got 1": images[:1],
        "could be \\(N, C, H, W\\)": np.zeros((9, 8, 8, 8), np.uint8),
        "X must be images of one shape, got ": [images[0], images[0][:4]],
        "no such file or folder": tmp_path / "nothing",
        "of 2 paths 1 cannot be used .*nowhere.png: no such file": [here, nowhere],
        "it stands twice": [here, here],
        "X must be paths of image files, but none of them exists, such as .*nowhere.png": [nowhere],
    }
    for message, given in cases.items():
        with pytest.raises(DataError, match=message) as caught:
            small().fit(given)
        assert "shoal-" not in str(caught.value)  # the list that was written for the occasion


def test_mistaken_images_later(fitted: ImageClusterer, images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"images of shape \(8, 8, 3\).*, got \(4, 8, 3\)"):
        fitted.predict(images[:, :4])
    with pytest.raises(DataError, match=r"reshape a table of pixels to \(n, 8, 8, 3\)"):
        fitted.predict(images.reshape(40, -1))
    with pytest.raises(DataError, match="at least 1 image, got 0"):
        fitted.predict(images[:0])


def test_neither_images_nor_a_table(
    fitted: ImageClusterer, images: np.ndarray, photographs: list[Path]
) -> None:
    shapes = np.empty(40, object)
    shapes[:] = [image[: 4 + row % 4] for row, image in enumerate(images)]
    cases: list[tuple[str, Any]] = [
        (
            r"got 20 paths among 40 items; item 20 is of type ndarray",
            [*photographs[:20], *images[20:]],
        ),
        (
            r"got 20 paths among 40 items; item 0 is of type ndarray",
            [*images[:20], *photographs[20:]],
        ),
        (r"got 1 path among 2 items; item 1 is of type NoneType", [photographs[0], None]),
        (r"X must be images of one shape, got ", shapes),
        (r"got dtype object", images.astype(object)),
        (r"got NoneType", None),
        (r"got dict", {"a": images}),
        (r"got generator", (image for image in images)),
        (r"got an empty list", []),
        (r"got bytes", [path.read_bytes() for path in photographs]),
        (r"got text; give only the column of paths", np.array([["a.png", "cat"]] * 40)),
        (r"got one image file '.*png'; give a folder", photographs[0]),
        (r"got one photograph of shape", images[0]),
    ]
    for message, given in cases:
        for method in (small().fit, fitted.predict):
            with pytest.raises(DataError, match=message) as caught:
                method(given)
            assert str(caught.value).count("\n") == 0
    with pytest.raises(DataError, match=r"got one photograph of shape \(8, 8\)"):
        fitted.predict(images[0, :, :, 0])
    with pytest.raises(DataError, match=r"got \(8, 8, 1\)"):
        fitted.predict(images[..., 0])
    with pytest.raises(DataError, match=r"got \(8, 8, 4\)"):
        fitted.predict(np.concatenate([images, images[..., :1]], axis=-1))


def test_not_fitted(images: np.ndarray, tmp_path: Path) -> None:
    made = small()
    methods = [made.predict, made.transform, made.encode, made.inverse_transform, made.score]
    for method in (*methods, made.reconstruct, made.score_samples):
        with pytest.raises(NotFittedError):
            method(images)
    with pytest.raises(NotFittedError):
        made.save(tmp_path / "a.pth")
    with pytest.raises(NotFittedError):
        made.get_feature_names_out()


def test_no_warnings(images: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit(images).transform(images)
