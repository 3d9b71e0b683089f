"""--quick, default and --thorough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.cli.request import Request
from shoal.errors import RecipeError
from shoal.estimator.image_clusterer import ImageClusterer
from shoal.estimator.parameters import recipe_of
from shoal.recipes.efforts import EFFORTS, with_effort
from shoal.recipes.named import BEST


def test_each_effort_trains_longer_and_sees_more_than_the_one_before() -> None:
    efforts = [EFFORTS[name] for name in ("quick", "default", "thorough")]
    assert [effort.times for effort in efforts] == sorted({effort.times for effort in efforts})
    assert with_effort(BEST, "default") == BEST


@pytest.mark.parametrize("effort", EFFORTS)
def test_what_is_asked_besides_goes_before(effort: str) -> None:
    wanted = round(BEST.epochs * EFFORTS[effort].times)
    assert Request(effort=effort).resolve().epochs == wanted
    asked = Request(effort=effort, epochs=5)
    assert asked.resolve().epochs == 5
    assert asked.priority.startswith(f"--epochs goes before --{effort}") == (effort != "default")
    assert Request(effort=effort, settings=("epochs=6",)).resolve().epochs == 6
    others: dict[str, Any] = {
        "n_clusters": 2, "minutes": None, "settings": [], "random_state": None,
    }  # fmt: skip
    assert recipe_of(None, effort=effort, epochs=None, **others).epochs == wanted
    assert recipe_of(None, effort=effort, epochs=5, **others).epochs == 5


def test_a_run_says_what_the_other_efforts_take(
    images_file: Path, tmp_path: Path, run_cli: Callable[..., Any]
) -> None:
    small = ["--set", "encoder.widths=(8,16)", "--set", "checkpoints=1", "--recipe", "digits"]
    quick = run_cli("train", images_file, tmp_path / "quick.pth", *small, "--quick", "-k", "2")
    assert quick.code == 0
    assert "27 epochs" in quick.err
    assert "--thorough" not in quick.err
    both = run_cli("train", images_file, tmp_path / "b.pth", "--quick", "--thorough")
    assert (both.code, len(both.err.strip().splitlines())) == (2, 1)
    assert "--quick and --thorough cannot both be given" in both.err
    plain = run_cli(
        "train", images_file, tmp_path / "plain.pth", *small[:4], "-k", "2",
        "--set", "batch_size=4", "--recipe", "improved",
    )  # fmt: skip
    assert "--quick takes about 33% of that, --thorough about 2 times as long" in plain.err


def test_an_unknown_effort_is_one_sentence() -> None:
    with pytest.raises(RecipeError, match="effort must be one of quick, default, thorough, got 'f"):
        ImageClusterer(effort="fast").fit(np.zeros((4, 8, 8), np.uint8))
