"""The field ``noise`` of a recipe: which share of a pile belongs nowhere."""

from __future__ import annotations

from shoal.errors import RecipeError

OFF, AUTO = "off", "auto"
_MOST = 0.5
"""The greatest share that may be set aside."""


def parse(noise: str) -> float | None:
    """The share that a recipe's field says; None for `AUTO`, 0 for `OFF`.

    Raises:
        RecipeError: it says something else.

    >>> parse("off"), parse("0.1"), parse("10%"), parse("auto")
    (0.0, 0.1, 0.1, None)
    """
    if noise == OFF:
        return 0.0
    if noise == AUTO:
        return None
    try:
        share = float(noise[:-1]) / 100 if noise.endswith("%") else float(noise)
    except ValueError:
        share = -1.0
    if not 0.0 < share <= _MOST:
        raise RecipeError(
            f"noise must be off, auto, or a share above 0 and up to {_MOST:g} such as 0.1 or 10%, "
            f"got {noise!r}."
        )
    return share
