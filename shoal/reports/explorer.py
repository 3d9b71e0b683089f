"""The interactive map of a page: every image a dot, a legend that filters, and a gallery.

```
table ──order along a curve──▶ places, clusters, confidence, names ─┐
source ──thumbnails──▶ `sprites` ───────────────────────────────────┴▶ one fragment of HTML
```

The scripts that bring it to life are `templates/explorer/*.js`; `html.render` adds them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from shoal.embedding.neighbours import most_typical
from shoal.embedding.table import NOWHERE_NAME, ImageTable, equally_sure
from shoal.images.csv_files import as_text
from shoal.plots import colours
from shoal.plots.sheets import worth_reading
from shoal.protocols import Array, FloatArray, ImageSource, IntArray, Track, silent
from shoal.reports import sprites, templates
from shoal.reports.explorer_texts import spoken, texts
from shoal.reports.wording import Wording

MOST_SHOWN = 200_000
"""Images on a map; of more, a fair sample."""
_LEAST_BUDGET, _MOST_BUDGET = 5_000_000, 20_000_000
_SMALL, _SMALL_BYTES, _LARGE_BYTES = 64, 200, 3_000
"""Bytes for an image of at most 64 pixels a side, and of a larger one, between these budgets."""
_STEPS = 65_535
"""Places and confidences are rounded to this many parts of their range."""


def fragment(
    source: ImageSource,
    table: ImageTable,
    *,
    wording: Wording,
    budget: int | None = None,
    folder: str | None = None,
    track: Track = silent,
) -> str:
    """The map as HTML without scripts, which `html.render` takes.

    Args:
        source: the images of ``table``.
        table: with ``xy``.
        wording: the page's language.
        budget: bytes it may take; by default 5 MB and more for larger piles, up to 20 MB.
        folder: the URL of the folder that holds the images, from the page; see `originals`.
        track: shows progress.
    """
    assert table.xy is not None  # the caller lays out the map
    count = len(table.labels)
    from_originals = worth_reading(source)
    if budget is None:
        large = from_originals or max(source.shape[:2]) > _SMALL
        per_image = _LARGE_BYTES if large else _SMALL_BYTES
        budget = int(np.clip(per_image * count, _LEAST_BUDGET, _MOST_BUDGET))
    shown = np.arange(count)
    if count > MOST_SHOWN:
        shown = np.sort(np.random.default_rng(0).permutation(count)[:MOST_SHOWN])
    places = _places(table.xy[shown])
    curve = np.argsort(_along_curve(places), kind="stable")
    shown, places = shown[curve], places[curve]

    arrays = {
        "places": places,
        "labels": _smallest(table.labels[shown]),
        "confidence": np.rint(np.clip(table.confidence[shown], 0, 1) * _STEPS).astype("<u2"),
        "ranks": _smallest(_typicality(table)[shown]),
        "rows": _smallest(shown),
    }
    data = {name: (array.itemsize, _base64(array.tobytes())) for name, array in arrays.items()}
    names = _json(_names(table.ids, shown))
    taken = len(names.encode()) + sum(len(text) for _, text in data.values()) + 16_384
    sheets = sprites.pack(
        source, shown, budget=(budget - taken) * 3 // 4, from_originals=from_originals, track=track
    )
    return templates.load("explorer.html.j2").render(
        say=texts(wording),
        same=equally_sure(table.confidence),
        aspect=f"{_aspect(places):.3f}",
        notes=_notes(wording, sheets, budget, len(shown), count),
        clusters=_clusters(table, wording),
        facts=_json(_facts(table, sheets, folder, wording)),
        names=names,
        data=data,
        sheets=[_base64(file) for file in sheets.files],
    )


def _notes(
    wording: Wording, sheets: sprites.Sheets, budget: int, shown: int, count: int
) -> list[str]:
    """Notes on images that are left out of the map, and on the size of its pictures."""
    notes = []
    if shown < count:
        notes.append(
            wording("{shown:,} of {total:,} images are here, drawn at random.",
                    shown=shown, total=count)
        )  # fmt: skip
    size = {"width": sheets.width, "height": sheets.height}
    if sheets.quality is None:
        notes.append(wording("Pictures have {width} × {height} pixels.", **size))
    else:
        notes.append(
            wording("Pictures have {width} × {height} pixels and are compressed, so that this map "
                    "takes no more than {megabytes:.0f} MB.", **size, megabytes=budget / 1e6)
        )  # fmt: skip
    return notes


def _clusters(table: ImageTable, wording: Wording) -> list[dict[str, Any]]:
    """The legend's entry for each cluster that is not empty."""
    sizes, called, aside = np.bincount(table.labels), table.called(), _aside(table)
    return [
        {
            "number": int(cluster),
            "name": wording(NOWHERE_NAME)
            if cluster == aside
            else wording("cluster {number}", number=called[int(cluster)]),
            "size": f"{sizes[cluster]:,}",
            "colours": colours.on_page(colours.colour(int(cluster), len(sizes))),
        }
        for cluster in np.flatnonzero(sizes)
    ]


def _aside(table: ImageTable) -> int:
    """The number that images have which belong nowhere; -1 if there are none."""
    return int(table.labels[table.nowhere].max(initial=-1))


def _facts(
    table: ImageTable, sheets: sprites.Sheets, folder: str | None, wording: Wording
) -> dict[str, Any]:
    count, aside = int(table.labels.max()) + 1, _aside(table)
    called = table.called() | ({} if aside < 0 else {aside: wording(NOWHERE_NAME)})
    return {
        **({} if table.names is None else {"called": called}),
        "nowhere": aside,
        "colours": [
            colours.on_page(colours.colour(cluster, count)) for cluster in range(count)
        ],
        "steps": _STEPS,
        "folder": folder,
        "tile": {
            "width": sheets.width, "height": sheets.height, "columns": sheets.columns,
            "perSheet": sheets.per_sheet,
        },
        "texts": spoken(wording),
    }  # fmt: skip


def _places(xy: FloatArray) -> Array:
    """Places float32 (n, 2) as uint16, the same scale along both axes, the second one downward."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    span = max(float((high - low).max()), 1e-30)
    centred = (xy - (low + high) / 2) / span * (1, -1) + 0.5
    return np.rint(np.clip(centred, 0, 1) * _STEPS).astype("<u2")


def _aspect(places: Array) -> float:
    """Width of the map by its height, within what suits a page."""
    width, height = np.ptp(places.astype(np.float64), axis=0) / _STEPS + 0.1
    return float(np.clip(width / height, 0.9, 1.6))


def _along_curve(places: Array) -> Array:
    """Where places uint16 (n, 2) stand along Morton's curve (1966): neighbours share a sheet."""
    bits = places.astype(np.uint64)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | bits << np.uint64(shift)) & np.uint64(mask)
    return bits[:, 0] | bits[:, 1] << np.uint64(1)


def _typicality(table: ImageTable) -> IntArray:
    """Each image's rank in its cluster, int64 (n,), the nearest to the median of ``z`` first."""
    ranks = np.empty(len(table.labels), dtype=np.int64)
    for cluster in np.unique(table.labels):
        members = np.flatnonzero(table.labels == cluster)
        ranks[most_typical(table.embedding, members)] = np.arange(len(members))
    return ranks


def _smallest(values: IntArray) -> Array:
    """The same numbers, from 0 up, in the smallest of uint8, uint16 and uint32 that holds them."""
    return values.astype(np.min_scalar_type(int(values.max())).newbyteorder("<"))


def _names(ids: Sequence[str], shown: IntArray) -> list[str] | None:
    """Names of the images ``shown``; None if they are but their numbers."""
    if all(name == str(row) for row, name in enumerate(ids)):
        return None
    return [as_text(ids[row]) for row in shown.tolist()]


def _base64(content: bytes) -> Markup:
    return Markup(base64.b64encode(content).decode())


def _json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
