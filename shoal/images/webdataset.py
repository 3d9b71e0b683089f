"""WebDataset shards: tar files in which ``KEY.cls`` or ``KEY.json`` stands beside ``KEY.jpg``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from shoal.images.archives import Member
from shoal.images.file_names import is_image

_COMPANIONS = ("cls", "json", "txt")
"""A file beside an image, with its name and this suffix, makes a tar file a WebDataset shard."""
_SECOND = "another image of its sample counts"


def as_samples(members: Sequence[Member]) -> list[Member]:
    """The members of a shard, with a fault for each image of a sample but one.

    A sample is what shares a key. The image with the shortest ending counts, and the sample's
    ``.cls`` file is its class. The members of any other archive are returned as they are.
    """
    names = [_split(member.name) for member in members]
    images = [is_image(member.name) for member in members]
    keys = {key for (key, _), image in zip(names, images, strict=True) if image}
    samples = keys & {key for key, ending in names if ending in _COMPANIONS}
    if not samples:
        return list(members)
    # An ending such as seg.png is a part of samples if many have it; of one, it may be a name.
    endings = Counter(
        ending for (key, ending), image in zip(names, images, strict=True)
        if image and key in samples and "." in ending
    )  # fmt: skip
    often = max(2, len(samples) / 2)
    images = [
        image and ("." not in ending or endings[ending] >= often)
        for image, (_, ending) in zip(images, names, strict=True)
    ]
    labels = {key: m.label for (key, _), m in zip(names, members, strict=True) if m.label}
    best: dict[str, tuple[int, str]] = {}
    for (key, ending), image in zip(names, images, strict=True):
        if image:
            best[key] = min(best.get(key, (999, "")), (ending.count("."), ending))
    return [
        member if not image
        else replace(member, label=labels.get(key, "")) if best[key][1] == ending
        else replace(member, fault=member.fault or _SECOND)
        for member, image, (key, ending) in zip(members, images, names, strict=True)
    ]  # fmt: skip


def _split(name: str) -> tuple[str, str]:
    """The key of a name's sample, and the ending.

    >>> _split("a.b/0001.seg.PNG")
    ('a.b/0001', 'seg.png')
    """
    folder, slash, base = name.rpartition("/")
    stem, _, ending = base.partition(".")
    return folder + slash + stem, ending.lower()
