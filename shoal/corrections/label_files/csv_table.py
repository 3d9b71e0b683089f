"""A table of images and labels, a row an image: CSV, with commas, semicolons or tabs.

The columns may be called as other tools call them. Hugging Face's ``metadata.csv`` is such a table.
`shoal export --as csv` writes one: its column ``name`` counts where a cluster has a name, and its
column ``decided`` tells which labels are a person's.
"""

from __future__ import annotations

from shoal.corrections.labels import Label, LabelFile
from shoal.errors import DataError

TITLE = "CSV"
_IMAGE = ("id", "file_name", "filename", "image", "filepath", "path", "file")
_LABEL = ("name", "label", "class", "category", "choice", "cluster")
_NO = ("false", "no", "0")


def read(file: LabelFile) -> list[Label] | None:
    """The label of each row."""
    if len(file.rows) < 2 or len(file.rows[0]) < 2:
        return None
    header = _header(file)
    image = _image(header)
    places = [header.index(name) for name in _LABEL if name in header]
    places = [place for place in places if place != image]
    if image is None or not places:
        raise DataError(
            f"{file.path} needs a column id and a column label, got {', '.join(header[:8])}."
        )
    labels = []
    for number, row in enumerate(file.rows[1:], 2):
        if len(row) <= max(image, *places):
            raise DataError(
                f"{file.path}: row {number} has {len(row)} of {len(header)} cells; complete it."
            )
        labels.append((row[image], next((row[p].strip() for p in places if row[p].strip()), "")))
    return labels


def guessed(file: LabelFile) -> set[str]:
    """The images that nobody decided, by the column ``decided``."""
    header = _header(file)
    image = _image(header)
    if image is None or "decided" not in header:
        return set()
    decided = header.index("decided")
    return {
        row[image] for row in file.rows[1:]
        if len(row) > decided and row[decided].strip().lower() in _NO
    }  # fmt: skip


def _header(file: LabelFile) -> list[str]:
    return [cell.strip().lower() for cell in file.rows[0]]


def _image(header: list[str]) -> int | None:
    """The column with the names of images."""
    return next((header.index(name) for name in (*_IMAGE, "name") if name in header), None)
