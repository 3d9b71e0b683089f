"""`Views`: the settings of the augmentations, which `training.augment` applies."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.errors import RecipeError
from shoal.images.checks import check_interval

OLDER_NAMES = {
    "mirror": "horizontal_flip", "n_small": "n_local_crops", "small_side": "local_crop_side",
}  # fmt: skip
"""Fields of `Views` as older checkpoints spell them, and as they are called now."""


@dataclass(frozen=True)
class Views:
    """How images are augmented before the encoder sees them. The defaults change nothing.

    The ranges follow SimCLR (Chen et al. 2020, arXiv:2002.05709, appendix A) where it has them.
    """

    n_views: int = 1
    """How many views of each image are drawn."""
    min_crop: float = 1.0
    """Smallest area of a random crop, as a fraction of the image, in (0, 1]; 1 crops nothing."""
    horizontal_flip: bool = False
    """Whether every second view, drawn at random, is flipped left and right."""
    free_orientation: bool = False
    """Whether each view is turned and flipped at random: one of the eight symmetries of the square.
    Of images that are not square, one of the four that keep their shape. For images without an up,
    such as cells or tiles seen from above."""
    rotation: float = 0.0
    """Largest rotation, in degrees."""
    zoom: float = 0.0
    """Each axis is scaled by a factor drawn from [1 - zoom, 1 + zoom]; zoom is in [0, 0.9]."""
    shear: float = 0.0
    """Largest shear, as a fraction of the side."""
    shift: float = 0.0
    """Largest shift, as a fraction of the side."""
    brightness: float = 0.0
    """Brightness is multiplied by a factor drawn from [1 - brightness, 1 + brightness]."""
    contrast: float = 0.0
    """Differences from the image's mean grey are multiplied by a factor drawn likewise. Of images
    with other than 1 or 3 channels: differences from the mean of their channel."""
    saturation: float = 0.0
    """Differences from grey are multiplied by a factor drawn likewise; colour images only."""
    hue: float = 0.0
    """Largest rotation of the hue, as a fraction of the circle, in [0, 0.5]; colour images only."""
    colour_probability: float = 0.8
    """Probability that an image's colours (the four above) change at all."""
    grey_probability: float = 0.0
    """Probability that a colour image turns grey."""
    noise: float = 0.0
    """Largest standard deviation of Gaussian noise, as a fraction of the pixel range."""
    channel_gain: float = 0.0
    """Each channel by itself is multiplied by a factor drawn from [1 - gain, 1 + gain]."""
    channel_offset: float = 0.0
    """The largest number added to or taken from a channel, as a fraction of the pixel range."""
    channel_gamma: float = 0.0
    """Each channel is raised to a power drawn from [1 / (1 + gamma), 1 + gamma]."""
    channel_noise: float = 0.0
    """Like ``noise``, with a standard deviation drawn for each channel by itself."""
    channel_drop: float = 0.0
    """Probability that one channel, drawn at random, is emptied; not of images that have one."""
    resolution: float = 1.0
    """Side of a view, as a fraction of the image's, in (0, 1]. Smaller views take less time, and
    crops that show things larger than the whole image does show them as large again (Touvron et
    al. 2019, arXiv:1906.06423). Targets keep the image's size. Reconstructions suffer."""
    n_local_crops: int = 0
    """How many local crops of each image: small views of its parts, for objectives that learn from
    them and encoders that take images of any size. With others there are none."""
    local_crop_side: float = 0.625
    """Side of a local crop, as a fraction of a view's, in (0, 1]."""

    def check(self) -> None:
        """Raise `RecipeError` on a value out of range."""
        limits = {
            "n_views": (1, 8), "rotation": (0, 180), "zoom": (0, 0.9), "shear": (0, 1),
            "shift": (0, 1), "brightness": (0, 1), "contrast": (0, 1), "saturation": (0, 1),
            "hue": (0, 0.5), "colour_probability": (0, 1), "grey_probability": (0, 1),
            "noise": (0, 1), "channel_gain": (0, 1), "channel_offset": (0, 1),
            "channel_gamma": (0, 4), "channel_noise": (0, 1), "channel_drop": (0, 1),
            "n_local_crops": (0, 8),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            check_interval(f"views.{name}", getattr(self, name), low, high, RecipeError)
        for name in ("min_crop", "resolution", "local_crop_side"):
            check_interval(f"views.{name}", getattr(self, name), 0, 1, RecipeError, open_low=True)
