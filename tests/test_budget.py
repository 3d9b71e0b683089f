"""How many epochs fit into the minutes asked for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shoal import budget
from shoal.images.array import ArraySource
from shoal.recipes.named import BEST
from shoal.recipes.settings import override
from shoal.training.loop import train

PILE = ArraySource(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))
RECIPE = override(BEST, ["encoder.widths=(4,8)", "epochs=2"])


def test_measuring_leaves_the_run_as_it_would_be() -> None:
    *_, last = train(PILE, RECIPE)
    epochs, seconds = budget.epochs_for(PILE, RECIPE, minutes=0.01)
    assert seconds > 0
    assert epochs >= 1  # an epoch has ten steps here
    *_, again = train(PILE, RECIPE)
    assert last.weights_digest() == again.weights_digest()


@pytest.mark.parametrize(
    ("seconds_to_embed_half", "epochs"),
    # 60 s less a twentieth, at 0.1 s a step; the 40 images are embedded once and seven times more,
    # which is 16 times as many as are timed, and a look at the clock takes a tenth as well.
    [(0.0, 55.4), (1.0, 39.4), (5.0, 1.0)],
)
def test_what_embedding_will_take_is_left(
    seconds_to_embed_half: float, epochs: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, embedded = itertools.count(), []

    def monotonic() -> float:
        return 0.1 * next(looks) + seconds_to_embed_half * len(embedded)

    def embed(source: object, *_: object, **__: object) -> None:
        embedded.append(source)

    monkeypatch.setattr(budget.time, "monotonic", monotonic)
    monkeypatch.setattr(budget, "embed", embed)
    monkeypatch.setattr(budget, "BATCH", 40)  # so that half of the images are asked
    found, per_step = budget.epochs_for(PILE, RECIPE, minutes=1)
    assert per_step == pytest.approx(0.1)
    assert found == pytest.approx(epochs, abs=0.3)
    assert {len(source) for source in embedded} == {20}
