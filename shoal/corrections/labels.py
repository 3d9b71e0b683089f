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


@dataclass(frozen=True)
class LabelledImage:
    """An image, as `write_labels` writes it."""

    name: str
    label: str
    confidence: float | None


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

    @cached_property
    def rows(self) -> list[list[str]]:
        """Its content as the rows of a CSV file; empty where it is not."""
        first = self.text.partition("\n")[0]
        if "\0" in self.text or first.lstrip()[:1] in ("{", "["):
            return []
        delimiter = max(",;\t", key=first.count)
        try:
            return parse_rows(self.text, delimiter, strict=True)
        except csv.Error:
            return []

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
                raise DataError(f"{path} holds no label: it is {module.TITLE} without any.")
            return Labels(file.path, module.TITLE, tuple(labels))
    titles = ", ".join(module.TITLE for module in formats())
    raise DataError(f"{path} is of no format that shoal reads labels from: {titles}.")


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
