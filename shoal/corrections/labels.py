"""Labels given elsewhere: read from a file of any format that shoal knows, and written."""

from __future__ import annotations

import csv
import importlib
import json
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from shoal.corrections import label_files
from shoal.errors import DataError
from shoal.images.csv_files import decode_text, parse_rows

Label = tuple[str, str]
"""The name of an image, as the file has it, and its label; "" of an image without one."""


@dataclass(frozen=True)
class Labels:
    """What a file says of images."""

    path: Path
    format: str
    """Its format, as a person calls it."""
    labels: tuple[Label, ...]
    """An image may be there several times."""
    guessed: frozenset[str] = frozenset()
    """The names of the images whose label is no person's word, where the file tells."""


@dataclass(frozen=True)
class LabelledImage:
    """An image, as `write_labels` writes it."""

    name: str
    label: str
    confidence: float | None
    stem: str
    """The name without the suffix of its file; an id such as ``a.b`` may have a dot and none."""


@dataclass(frozen=True)
class LabelFile:
    """A file, or folder, whose format is to be found; parsed once."""

    path: Path

    @cached_property
    def text(self) -> str:
        """Its content; empty for a folder.

        Raises:
            DataError: it cannot be read.
        """
        if self.path.is_dir():
            return ""
        try:
            return decode_text(self.path.read_bytes())
        except FileNotFoundError:
            raise DataError(f"{self.path}: no such file of labels; check the path.") from None
        except OSError as error:
            raise DataError(f"cannot read {self.path}: {error.strerror or error}.") from error

    @cached_property
    def json(self) -> Any:
        """Its content as JSON; None where it is not."""
        try:
            return json.loads(self.text) if self.text.lstrip()[:1] in ("{", "[") else None
        except (ValueError, RecursionError):
            return None

    @property
    def rows(self) -> list[list[str]]:
        """Its content as the rows of a CSV file; empty where it is not."""
        return self._csv[0]

    @property
    def csv_error(self) -> str:
        """Why it is not whole CSV, where it looks like CSV; else empty."""
        return self._csv[1]

    @cached_property
    def _csv(self) -> tuple[list[list[str]], str]:
        first = self.text.partition("\n")[0]
        if "\0" in self.text or first.lstrip()[:1] in ("{", "["):
            return [], ""
        delimiter = max(",;\t", key=first.count)
        try:
            return parse_rows(self.text, delimiter, strict=True), ""
        except csv.Error as error:
            return [], str(error) if delimiter in first else ""

    def inside(self, name: str) -> LabelFile:
        """A file of this folder."""
        return LabelFile(self.path / name)


def read_labels(path: str | Path) -> Labels:
    """Read the labels of images from a file of any format that shoal knows, or from a folder.

    Raises:
        DataError: it cannot be read, is of no format that shoal knows, or holds no label.
    """
    file = LabelFile(Path(path))
    for module in formats():
        try:
            labels = module.read(file)
        except DataError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise DataError(f"{path} is damaged: it is not whole {module.TITLE}.") from error
        if labels is not None:
            if not any(label for _, label in labels):
                why = getattr(module, "WITHOUT", "")
                raise DataError(f"{path} holds no label: it is {module.TITLE} without any.{why}")
            guessed = module.guessed(file) if hasattr(module, "guessed") else ()
            return Labels(file.path, module.TITLE, tuple(labels), frozenset(guessed))
    raise DataError(_why_not(file))


def _why_not(file: LabelFile) -> str:
    """Why a file is of no format, as a sentence."""
    path, text = file.path, file.text
    if path.is_dir():
        return f"{path} holds neither images in folders nor a file of labels."
    if not text.strip():
        return f"{path} is empty."
    if text.lstrip()[0] in "{[" and path.suffix.lower() != ".jsonl":
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            return f"{path} is damaged: it is not whole JSON: {where}: {error.msg}."
        except (ValueError, RecursionError):
            return f"{path} is damaged: it is not JSON that can be read."
    elif file.csv_error:
        return f"{path} is damaged: {file.csv_error}."
    elif len(file.rows) == 1 and len(file.rows[0]) > 1:
        return f"{path} holds no label: it has a first line only."
    titles = ", ".join(module.TITLE for module in formats())
    return f"{path} is of no format that shoal reads labels from: {titles}."


def write_labels(name: str, out: Path, images: Sequence[LabelledImage], pile: str = "") -> None:
    """Write labels for another tool, atomically.

    Args:
        name: one of `written_formats`.
        out: the file.
        images: of which each is written.
        pile: the name of the folder of the images, if they are in one.

    Raises:
        DataError: the format cannot tell two of the images apart.
        OutputError: the file cannot be written.
    """
    module = importlib.import_module(f"{label_files.__name__}.{name.replace('-', '_')}")
    module.write(out, images, pile)


def written_formats() -> dict[str, str]:
    """The formats that shoal writes, as a person types them, and the suffix of a file of each."""
    return {
        module.__name__.rpartition(".")[2].replace("_", "-"): module.SUFFIX
        for module in formats() if hasattr(module, "write")
    }  # fmt: skip


def formats() -> list[ModuleType]:
    """The formats, in the order in which they are tried."""
    found = sorted(info.name for info in pkgutil.iter_modules(label_files.__path__))
    return [importlib.import_module(f"{label_files.__name__}.{name}") for name in found]
