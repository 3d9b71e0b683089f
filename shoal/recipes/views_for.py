"""Views that suit what the images are: with an up or without, colours or channels, intensity.

Each function returns other `Views` and leaves what it does not speak of as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shoal.images.channels import ChannelKind
from shoal.recipes.augmentation import Views

COLOUR_FIELDS = ("brightness", "contrast", "saturation", "hue", "grey_probability")
"""The fields that change the colours of an image as a whole."""
CHANNEL_FIELDS = ("channel_gain", "channel_offset", "channel_gamma", "channel_drop")
"""The fields that change the intensity of each channel by itself."""
INTENSITY_FIELDS = (*COLOUR_FIELDS, *CHANNEL_FIELDS)
"""All fields that change intensity. Noise does not: it leaves the amount as it is."""

_COLOUR_VARIES = {"brightness": 0.5, "contrast": 0.5}
_HUE_VARIES = {"saturation": 0.5, "hue": 0.125, "grey_probability": 0.2}
_ANY_COLOUR = {
    "brightness": 0.8, "contrast": 0.8, "saturation": 0.5, "hue": 0.5, "grey_probability": 0.8,
}  # fmt: skip
_CHANNELS_VARY = {
    "channel_gain": 0.5, "channel_offset": 0.1, "channel_gamma": 0.5, "channel_noise": 0.05,
}  # fmt: skip


def with_orientation(views: Views, free: bool) -> Views:
    """Views of images without an up (``free``), or of images that have one.

    An up says nothing of left and right: horizontal flips stay as they are.

    >>> with_orientation(Views(), True).free_orientation
    True
    """
    if not free:
        return replace(views, free_orientation=False)
    return replace(views, free_orientation=True, horizontal_flip=True)


def with_intensity(views: Views, matters: bool, kind: ChannelKind) -> Views:
    """Views that keep the intensity of every channel (``matters``), or that change it.

    What changes by chance from image to image, such as the light or the dye, the encoder should
    learn to ignore. What tells one kind of image from another it must not.

    Args:
        views: the views. Changes that are stronger already stay as strong.
        matters: whether the intensity tells one kind of image from another.
        kind: what the channels are.

    >>> with_intensity(Views(brightness=0.2, noise=0.1), True, "rgb") == Views(noise=0.1)
    True
    >>> with_intensity(Views(brightness=0.7), False, "grey").brightness
    0.7
    """
    if matters:
        return replace(views, **_none_of(INTENSITY_FIELDS))
    views = for_channels(views, kind)
    least = {
        "grey": _COLOUR_VARIES,
        "rgb": _COLOUR_VARIES | _HUE_VARIES,
        "channels": _CHANNELS_VARY,
    }
    return _at_least(views, least[kind])


def recoloured(views: Views, kind: ChannelKind) -> Views:
    """Views of photographs, changed so that light and colours tell nothing of what is shown.

    >>> recoloured(Views(hue=0.1), "rgb").hue, recoloured(Views(), "channels").channel_gain
    (0.5, 0.8)
    """
    return for_channels(_at_least(views, _ANY_COLOUR), kind)


def for_channels(views: Views, kind: ChannelKind) -> Views:
    """Views of which no field means colours where the channels are none.

    Channels get gain, offset, gamma and noise each by itself, as strong as the brightness and the
    contrast would have been; hue, saturation and grey would mix them. Views of grey and of colour
    images stay as they are.

    >>> views = for_channels(Views(brightness=0.5, contrast=0.5, hue=0.1), "channels")
    >>> views.hue, views.brightness, views.channel_gain, views.channel_gamma
    (0.0, 0.0, 0.5, 0.5)
    >>> for_channels(views, "channels") == views
    True
    """
    if kind != "channels" or not any(getattr(views, name) for name in COLOUR_FIELDS):
        return views
    share = max(views.brightness, views.contrast)
    plain = replace(views, **_none_of(COLOUR_FIELDS))
    return _at_least(
        plain,
        {
            "channel_gain": views.brightness,
            "channel_offset": share / 5,
            "channel_gamma": views.contrast,
            "channel_noise": share / 10,
        },
    )


def _none_of(names: tuple[str, ...]) -> dict[str, Any]:
    return dict.fromkeys(names, 0.0)


def _at_least(views: Views, least: dict[str, Any]) -> Views:
    return replace(views, **{name: max(low, getattr(views, name)) for name, low in least.items()})
