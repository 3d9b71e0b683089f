"""Label Studio's JSON of tasks (https://labelstud.io/guide/task_format), and its shorter JSON_MIN.

The choices of a person's annotations are read, predictions are not: they are no person's. Clusters
are written as predictions, for a labelling interface with ``<Choices name="choice"
toName="image">`` and ``<Image name="image" value="$image"/>``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shoal.corrections.labels import Label, LabelFile, LabelledImage
from shoal.images.csv_files import as_text
from shoal.images.files import atomic_path

TITLE = "Label Studio JSON"
SUFFIX = ".json"
WITHOUT = " Its predictions, if it has any, are no person's and are not read."
_LOCAL = "/data/local-files/?d="
"""How Label Studio serves files below its LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT."""


def read(file: LabelFile) -> list[Label] | None:
    """The choices of each task."""
    tasks = file.json
    if not isinstance(tasks, list) or not tasks or not all(isinstance(t, dict) for t in tasks):
        return None
    if all(isinstance(task.get("data"), dict) for task in tasks):
        return [(_image(task["data"]), label) for task in tasks for label in _choices(task)]
    if all("image" in task and "annotation_id" in task for task in tasks):
        return [(_image(task), label) for task in tasks for label in _short_choices(task)]
    return None


def write(out: Path, images: Sequence[LabelledImage], pile: str) -> None:
    """Write a task an image, with its cluster as a prediction."""
    tasks = []
    for image in images:
        place = "/".join(part for part in (as_text(pile), as_text(image.name)) if part)
        prediction: dict[str, Any] = {
            "model_version": "shoal",
            "result": [
                {
                    "from_name": "choice",
                    "to_name": "image",
                    "type": "choices",
                    "value": {"choices": [as_text(image.label)]},
                }
            ],
        }
        if image.confidence is not None:
            prediction["score"] = round(image.confidence, 6)
        tasks.append({"data": {"image": _LOCAL + quote(place)}, "predictions": [prediction]})
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as target:
        json.dump(tasks, target, ensure_ascii=False)


def _image(data: Mapping[str, Any]) -> str:
    value = data.get("image")
    if not isinstance(value, str):  # the interface may call it otherwise
        value = next(text for text in data.values() if isinstance(text, str))
    return value


def _choices(task: Mapping[str, Any]) -> list[str]:
    annotations = task.get("annotations", task.get("completions", []))
    choices = [
        str(choice)
        for annotation in annotations if not annotation.get("was_cancelled")
        for result in annotation["result"] if result.get("type") == "choices"
        for choice in result["value"]["choices"]
    ]  # fmt: skip
    return choices or [""]


def _short_choices(task: Mapping[str, Any]) -> list[str]:
    choice = task.get("choice", "")
    if isinstance(choice, dict):
        return [str(one) for one in choice["choices"]]
    return [str(choice)]
