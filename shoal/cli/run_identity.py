"""Which run a folder is of: its settings, where they differ from others, and its images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shoal.cli.request import Request
from shoal.errors import OutputError
from shoal.export.record import Record, read_record
from shoal.images.remote.location import is_remote, location
from shoal.images.shards import is_there
from shoal.recipes.asked_views import AUTO
from shoal.recipes.augmentation import Views
from shoal.recipes.noise import OFF
from shoal.recipes.recipe import OF_VECTORS
from shoal.scoring.training_command import TrainingCommand, trained_by

_VIEWS = "views"
"""The setting that every run of images has, and none of vectors."""
_BY_PILE = "views_by_pile"
"""Whether shoal chooses views by the pile."""


def identity_of(request: Request) -> dict[str, Any]:
    """The settings of a run, as JSON values; without what is only chosen while it trains."""
    resolved = request.resolve()
    recipe = resolved.to_dict()
    if not resolved.has_encoder:
        recipe = {name: recipe[name] for name in OF_VECTORS}
    if request.minutes is not None:
        recipe.pop("epochs")  # chosen when training begins
    if request.auto:
        recipe.pop("n_clusters")
    if not resolved.has_encoder:
        shown = {} if request.pictures is None else {"images": request.pictures.name}
        metric = AUTO if request.auto_metric else request.metric
        return {"settings": recipe | shown | {"metric": metric}}
    asked = {
        "orientation": request.orientation, "intensity": request.intensity,
        "colours": request.colours,
    }  # fmt: skip
    said: dict[str, Any] = {name: it for name, it in asked.items() if it not in (None, AUTO)}
    said[_BY_PILE] = request.views.leaves_choice
    return {"settings": recipe | {"minutes": request.minutes} | said}


def completed(settings: Any, wanted: dict[str, Any]) -> Any:
    """Settings that an older version wrote, with the fields that it did not know yet.

    >>> completed({"views": {"hue": 0.1}}, {})["views"]["free_orientation"]
    False
    """
    if isinstance(settings, dict) and "metric" in wanted and _VIEWS not in settings:
        return {"metric": wanted["metric"]} | settings
    if not isinstance(settings, dict) or not isinstance(settings.get(_VIEWS), dict):
        return settings
    unknown = {name: wanted[name] for name in (_BY_PILE,) if name in wanted} | {"noise": OFF}
    return unknown | settings | {_VIEWS: asdict(Views()) | settings[_VIEWS]}


def first_difference(known: Any, wanted: dict[str, Any]) -> str:
    """The first setting of ``known`` that is not as ``wanted``, as it would be typed.

    What decides others goes before them: whether images or vectors were clustered, and the recipe.

    >>> first_difference({"n_clusters": 3}, {"n_clusters": 2})
    'it has -k 3'
    >>> first_difference({"views": {}, "batch_size": 64}, {"metric": "auto"})
    'it is of images'
    >>> first_difference({"name": "best", "seed": 1}, {"name": "digits", "seed": 0})
    'its recipe is best'
    """
    known = known if isinstance(known, dict) else {}
    of_images = _VIEWS in known
    if known and of_images != (_VIEWS in wanted):
        return of_another_kind(vectors=not of_images)
    if known.get("name") != wanted.get("name") and known.get(_BY_PILE):
        return as_typed(_BY_PILE, True)
    name = next(
        name
        for name in ["name", "minutes", *sorted({*known, *wanted})]
        if known.get(name) != wanted.get(name)
    )
    return as_typed(name, known.get(name))


def of_another_kind(*, vectors: bool) -> str:
    """How a run differs from one of what it is not of: ``vectors``, or images."""
    return f"it is of {'vectors' if vectors else 'images'}"


def as_typed(name: str, value: Any) -> str:
    """A setting of a run as it would be typed.

    >>> as_typed("learning_rate", 0.1), as_typed("minutes", None), as_typed("n_clusters", None)
    ('it has --set learning_rate=0.1', 'it has no --minutes', 'it has -k auto')
    """
    option = {
        "n_clusters": "-k", "epochs": "--epochs", "seed": "--seed", "minutes": "--minutes",
        "noise": "--noise",
        "orientation": "--orientation", "intensity": "--intensity",
        "colours": "--colours", "images": "--images", "metric": "--metric",
    }  # fmt: skip
    if value is None and name == "n_clusters":
        return "it has -k auto"
    if name == "name":
        return f"its recipe is {value}"
    if name == _BY_PILE:
        return "it has no --recipe" if value else "its views are those of its recipe"
    if value is None and name in option:
        return f"it has no {option[name]}"
    setting = f"{option[name]} " if name in option else f"--set {name}="
    return f"it has {setting}{_written(value)}"


def _written(value: Any) -> str:
    """A field of a recipe's JSON as ``--set`` takes it.

    >>> _written([{"name": "unit_norm", "options": {}}, {"name": "pca", "options": {"n": 2}}])
    'unit_norm+pca(n=2)'
    """
    if isinstance(value, list):
        return "+".join(map(_written, value))
    if isinstance(value, dict) and {"name", "options"} == value.keys():
        options = ", ".join(f"{name}={option}" for name, option in value["options"].items())
        return f"{value['name']}({options})" if options else str(value["name"])
    return str(value)


def data_of_run(folder: Path) -> Path | None:
    """What the images of the run in ``folder`` were opened from; None if nobody knows, or it is
    not there.

    An absolute path is not recorded. The way from the folder to images beside it is, and else the
    path as it was typed, which is right from the same place.
    """
    return _first_there(places_of_data(folder))


def begun_again(folder: Path) -> str:
    """The command line of 'shoal run' that began in ``folder`` last and has not ended; else ''."""
    record, training = _recorded(folder)
    if record is None or record.finished or training is None or training.verb != "run":
        return ""
    return record.command


def places_of_data(folder: Path) -> list[Path]:
    """Where the images of the run in ``folder`` were, the likeliest place first."""
    record, training = _recorded(folder)
    places = [] if record is None or not record.data else [_from(folder, record.data)]
    if training is not None:
        places.append(location(training.data))
    return [place if is_remote(place) else Path(os.path.normpath(place)) for place in places]


def pictures_of_run(folder: Path) -> Path | None:
    """The images that are shown for the vectors of the run in ``folder``; see `data_of_run`."""
    record, training = _recorded(folder)
    places = [] if record is None or not record.images else [_from(folder, record.images)]
    if training is not None:
        places += [location(value) for name, *values in training.options for value in values
                   if name == "--images"]  # fmt: skip
    return _first_there(places)


def _recorded(folder: Path) -> tuple[Record | None, TrainingCommand | None]:
    """The record of a run, and the command that made it, taken apart."""
    try:
        record = read_record(folder)
        known = None if record is None else trained_by(record.command)
    except OutputError:
        return None, None
    return record, known


def _first_there(places: Sequence[Path]) -> Path | None:
    """The first that is there; of a place in a store it is believed."""
    for place in places:
        if is_remote(place):
            return place
        if is_there(place):
            return Path(os.path.normpath(place))
    return None


def _from(folder: Path, way: str) -> Path:
    """Where a recorded way leads to from a folder."""
    place = location(way)
    return place if is_remote(place) else folder / place
