"""Views chosen by the pile: from what its images show, without labels and within seconds."""

from __future__ import annotations

from dataclasses import replace

from shoal.images.channels import ChannelKind
from shoal.images.pile_evidence import Symmetry, find_symmetry
from shoal.protocols import ImageSource
from shoal.recipes.augmentation import Views
from shoal.recipes.views_for import with_intensity, with_orientation

NO_UP = 0.6
"""Turned images that are told from upright ones less often than this are members of the pile as
well. Piles without an up have 0.48 to 0.53, others 0.70 or more (benchmarks/LOG.md)."""
_TURN_NOTHING = "views turn nothing (--orientation free: they turn images)"
_MILD_CROP, _NOISE = 0.6, 0.02
"""Views of measurements: mild crops, which keep how large things are, and a little noise."""


def choose_views(
    source: ImageSource, views: Views, kind: ChannelKind, *, orientation: bool, intensity: bool
) -> tuple[Views, list[str]]:
    """Views that suit the images, and a line for each choice with its evidence.

    Args:
        source: the images.
        views: those of ordinary photographs, from which the choice starts.
        kind: what the channels are.
        orientation: whether to decide if the images have an up.
        intensity: whether to decide if the intensity tells kinds of images apart.
    """
    said = []
    if intensity and kind == "channels":
        views = with_intensity(views, True, kind)
        crop = max(_MILD_CROP, views.min_crop)
        views = replace(views, min_crop=crop, noise=_NOISE, channel_noise=0.0)
        said.append(
            "views keep the intensity of channels that are measurements, and crop little "
            "(--intensity varies if the light or the dye changes)"
        )
    symmetry = find_symmetry(source) if orientation else None
    if symmetry is not None:
        views, line = _oriented(views, symmetry, kind)
        said.append(line)
    return views, said


def _oriented(views: Views, symmetry: Symmetry, kind: ChannelKind) -> tuple[Views, str]:
    """Views that turn measurements without an up. Of grey and colour images that is only said.

    Of these, turning all was far worse on tiles with rare defects (benchmarks/LOG.md).
    """
    told = (
        f"turned images are told from upright ones {symmetry.up:.0%} of the time (50% is chance), "
        f"flipped ones {symmetry.flipped:.0%}"
    )
    if symmetry.up < NO_UP and kind != "channels":
        return views, f"{told}: no up is seen, but {_TURN_NOTHING}"
    if symmetry.up < NO_UP:
        views = with_orientation(views, True)
        turn = "views turn images (--orientation upright: they turn nothing)"
        return views, f"{told}: no up is seen, and {turn}"
    return views, f"{told}: an up is seen, and {_TURN_NOTHING}"
