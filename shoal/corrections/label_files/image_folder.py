"""A folder of images in a folder for each label: torchvision's, Hugging Face's and FiftyOne's tree.

``cats/a.jpg`` or ``train/cats/a.jpg``. `shoal export --as folders` writes one.
"""

from __future__ import annotations

import os
from pathlib import Path

from shoal.corrections.labels import Label, LabelFile
from shoal.images.file_names import is_image

TITLE = "a folder for each label"
_SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "data"}
_NONE = "_unlabeled"


def read(file: LabelFile) -> list[Label] | None:
    """The folder of each image."""
    if not file.path.is_dir():
        return None
    labels = []
    for folder, subfolders, names in os.walk(file.path):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        parts = Path(folder).relative_to(file.path).parts
        if parts and parts[0].lower() in _SPLITS:
            parts = parts[1:]
        if parts:
            label = "" if parts[0] == _NONE else parts[0]
            labels += [
                ("/".join([*parts[1:], name]), label)
                for name in sorted(names) if is_image(name)
            ]  # fmt: skip
    return labels or None
