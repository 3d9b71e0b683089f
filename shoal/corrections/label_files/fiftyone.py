"""FiftyOne's ``labels.json`` (FiftyOneImageClassificationDataset), or a folder that holds one.

``{"classes": ["cat", "dog"], "labels": {"a": 0, "b": 1}}``: an image goes by its name without the
suffix; without classes the labels are texts. An image with several classes has a list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shoal.corrections.labels import Label, LabelFile, LabelledImage
from shoal.errors import DataError
from shoal.images.csv_files import as_text, quoted
from shoal.images.files import atomic_path

TITLE = "FiftyOne's labels.json"
SUFFIX = ".json"


def read(file: LabelFile) -> list[Label] | None:
    """The classes of each image."""
    if file.path.is_dir():
        inside = file.inside("labels.json")
        return read(inside) if inside.path.is_file() else None
    content = file.json
    if not isinstance(content, dict) or not isinstance(content.get("labels"), dict):
        return None
    classes = content.get("classes")
    return [
        (name, label)
        for name, target in content["labels"].items()
        for label in _labels(target, classes)
    ]


def write(out: Path, images: Sequence[LabelledImage], pile: str) -> None:
    """Write the class of each image."""
    del pile
    classes = sorted({as_text(image.label) for image in images})
    number = {label: place for place, label in enumerate(classes)}
    labels: dict[str, int] = {}
    for image in images:
        stem = as_text(image.stem)
        if stem in labels:
            raise DataError(
                f"FiftyOne tells images apart by their names without the suffix, and several are "
                f"called {quoted(stem)}; rename them, or write another format."
            )
        labels[stem] = number[as_text(image.label)]
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as target:
        json.dump({"classes": classes, "labels": labels}, target, ensure_ascii=False)


def _labels(target: Any, classes: Any) -> list[str]:
    if target is None:
        return [""]
    if isinstance(target, list):
        return [label for part in target for label in _labels(part, classes)] or [""]
    if isinstance(target, dict):
        return _labels(target["label"], classes)
    if isinstance(target, int) and not isinstance(target, bool) and classes is not None:
        if target < 0:
            raise IndexError(target)
        return [str(classes[target])]
    return [str(target)]
