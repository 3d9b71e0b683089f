"""How long a run takes, and how much training fits into the minutes asked for."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal import budget, open_source
from shoal.budget import Speed
from shoal.cli import app, fit, minutes
from shoal.images.array import ArraySource
from shoal.plots import reading_time
from shoal.recipes.named import BEST
from shoal.recipes.recipe import Recipe
from shoal.recipes.settings import override
from shoal.training.loop import train
from shoal.training.time_limit import TimeLimit

PILE = ArraySource(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))
RECIPE = override(BEST, ["encoder.widths=(4,8)", "epochs=2"])


def test_measuring_leaves_the_run_as_it_would_be() -> None:
    *_, last = train(PILE, RECIPE)
    _, recipe, speed = budget.limit_for(PILE, RECIPE, minutes=0.001)
    assert speed.step > 0
    assert recipe.epochs >= 1  # an epoch has ten steps here
    *_, again = train(PILE, RECIPE)
    assert last.weights_digest() == again.weights_digest()


def test_the_speed_is_that_of_steps_and_of_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, embedded = itertools.count(), []

    def monotonic() -> float:
        return 0.1 * next(ticks) + 2.0 * len(embedded)

    def embed(source: object, *_: object, **__: object) -> None:
        embedded.append(source)

    monkeypatch.setattr(budget.time, "monotonic", monotonic)
    monkeypatch.setattr(budget, "embed", embed)
    monkeypatch.setattr(budget, "BATCH", 40)  # so that half of the images are embedded
    speed = budget.measure(PILE, RECIPE)
    assert speed.step == pytest.approx(0.1)
    assert speed.image == pytest.approx(2.1 / 20)  # and a tick of the clock
    assert {len(source) for source in embedded} == {20}


@pytest.mark.parametrize(
    ("speed", "follows", "epochs"),
    # An epoch takes 1 s. Of the 60 s clustering takes 2.2; the 40 images are embedded eight times,
    # and once more for a report, which takes 6.1 s and a tenth of the time besides.
    [
        (Speed(0.1, 0.0), {}, 57.8),
        (Speed(0.1, 0.1), {}, 25.8),
        (Speed(0.1, 0.1), {"reports": True}, 9.6),
        (Speed(0.1, 0.0), {"reports": True}, 45.6),
        (Speed(0.1, 0.0), {"reports": True, "pictures": 5.0}, 40.6),
        (Speed(0.1, 0.0), {"reports": True, "pictures": 90.0}, 36.6),
        (Speed(0.1, 9.0), {}, 1),
    ],
)
def test_what_follows_training_is_left_free(
    speed: Speed, follows: dict[str, Any], epochs: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "measure", lambda *_, **__: speed)
    limit, recipe, _ = budget.limit_for(PILE, RECIPE, minutes=1, **follows)
    assert recipe == replace(RECIPE, epochs=recipe.epochs)
    assert recipe.epochs == pytest.approx(epochs, abs=0.2)
    assert limit.seconds == 60


def test_a_forecast_counts_every_stage_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    speed = Speed(0.5, 0.1)
    monkeypatch.setattr(budget, "measure", lambda *_, **__: speed)
    least, most = budget.forecast(PILE, RECIPE)  # two epochs of ten steps
    assert least == pytest.approx(20 * 0.5 + 40 * 8 * 0.1 + speed.clustering(PILE, 2))
    assert least < most < 2 * least
    half_way, _ = budget.forecast(PILE, RECIPE, epochs_before=1.0)
    assert half_way == pytest.approx(least - 5)
    reported, longest = budget.forecast(PILE, RECIPE, reports=True)
    assert reported == pytest.approx(least + 4 + speed.drawing(PILE))
    assert longest > reported + 10
    read_again, _ = budget.forecast(PILE, RECIPE, reports=True, pictures=7.0)
    assert read_again == pytest.approx(reported + 7)


def test_originals_that_are_read_again_for_pictures_are_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert reading_time.seconds_to_draw(PILE) == 0.0  # pixels are at hand
    for number in range(20):
        Image.new("RGB", (50 + number, 90)).save(tmp_path / f"{number}.png")
    source, now = open_source(tmp_path, size=32, cache=False), [0.0]

    def thumbnails(_: object, rows: np.ndarray) -> None:
        now[0] += 0.1 * len(rows)

    monkeypatch.setattr(reading_time, "thumbnails", thumbnails)
    monkeypatch.setattr(reading_time.time, "monotonic", lambda: now[0])
    assert reading_time.seconds_to_pack(source) == pytest.approx(20 * 0.1)
    assert reading_time.seconds_to_draw(source) == pytest.approx((3 * 20 + 20) * 0.1)
    assert now[0] < 1.5  # once, and no more than a second or so is spent on it


def test_what_is_foretold_is_what_is_left_after_views_were_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trials take a part of the minutes; so it is measured anew, with the views they took."""
    np.save(tmp_path / "a.npy", PILE.read(np.arange(40)))
    seen, stop = [], RuntimeError("far enough")

    def limit_for(_: object, recipe: Recipe, **__: Any) -> tuple[TimeLimit, Recipe, Speed]:
        seen.append(recipe.views)
        return TimeLimit(60.0), replace(recipe, epochs=50.0 / len(seen)), Speed(0.01, 0.0)

    def try_views(
        _: object, recipe: Recipe, *__: object, **___: object
    ) -> tuple[Recipe, str, list[str]]:
        views = replace(recipe.views, hue=0.5)
        return replace(recipe, views=views), "stronger", ["views were tried"]

    def train(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr(minutes, "limit_for", limit_for)
    monkeypatch.setattr(fit, "try_views", try_views)
    monkeypatch.setattr(fit.pipeline, "fit", train)
    command = ["train", str(tmp_path / "a.npy"), str(tmp_path / "c.pth"), "--minutes", "1"]
    with pytest.raises(RuntimeError):
        app(command, standalone_mode=False)
    told = capsys.readouterr().err
    assert [views.hue for views in seen][1:] == [0.5]
    assert told.index("views were tried") < told.index("enough for about 18 to 25 epochs")
    assert "50" not in told
