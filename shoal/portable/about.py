"""What a portable model says about itself: texts by name, in the file's metadata."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from shoal import __version__
from shoal.clustering.digest import clustering_digest
from shoal.embedding.table import result_digest
from shoal.errors import DataError
from shoal.export.clustering_digest import clustering_of
from shoal.export.naming import read_names
from shoal.export.prediction import load_prediction
from shoal.export.written import MODEL
from shoal.images.csv_files import as_text, column_if_there
from shoal.models.checkpoint import Checkpoint
from shoal.portable.model import PortableModel


def about(
    checkpoint: Checkpoint, model: PortableModel, split: int, names: Mapping[int, str]
) -> dict[str, str]:
    """The metadata of a model: how to feed it, and what its clusters are.

    Args:
        checkpoint: the checkpoint.
        model: made of it.
        split: which way to divide the pile, counted from 1.
        names: the names of clusters, as far as they have any.
    """
    pixels, (height, width, channels) = model.pixels, checkpoint.image_shape
    clusters = [
        {"id": cluster, "name": names.get(cluster, "")} for cluster in range(len(model.order))
    ]
    return {
        "format": MODEL,
        "shoal": __version__,
        "recipe": checkpoint.recipe.name,
        "clustering": clustering_digest(checkpoint, split=split),
        "clusters": json.dumps(clusters, ensure_ascii=False),
        "corrections": "not included: clusters are as they were found, with the names above",
        "input": f"images ({pixels.type_name}): batch, height, width, {channels}; {pixels.numbers}",
        "range": json.dumps({"black_white": pixels.bounds, "levels": int(pixels.white) + 1}),
        "size": f"{height} x {width}: other sizes are scaled to cover it, and cut to the centre",
        "confidence": "calibrated" if checkpoint.calibration else "memberships as they are",
    }


def names_for(
    checkpoint: Checkpoint, beside: Path, given: Path | None, split: int
) -> tuple[dict[int, str], Path | None]:
    """The names of a checkpoint's clusters, and the file that has them; none where there is none.

    Args:
        checkpoint: the checkpoint.
        beside: its file. A table or a prediction beside it that 'shoal name' wrote to has names.
        given: a file that a person gave: a CSV with the columns cluster and name, or a prediction
            with names.
        split: which way to divide the pile; names beside a checkpoint are of split 1.

    Raises:
        DataError: the file given has no names, or names of other clusters.
    """
    if given is not None:
        return _names_of(given, checkpoint, split), given
    for path in (beside.with_name("table.parquet"), beside.with_name("prediction.csv")):
        if path.is_file() and split == 1:
            try:
                return _names_of(path, checkpoint, split), path
            except DataError:
                continue
    return {}, None


def _names_of(path: Path, checkpoint: Checkpoint, split: int) -> dict[int, str]:
    wanted = clustering_digest(checkpoint, split=split)
    if path.suffix.lower() == ".csv" and not column_if_there(path, "id"):
        named = read_names(path)
        known = {value for value in column_if_there(path, "clustering") if value}
    else:
        table = load_prediction(path, trust="label")
        digest = result_digest(table.ids, table.labels)
        known = {clustering_of(path, digest)} - {""}
        counts = Counter(zip(table.labels.tolist(), table.names or (), strict=False))
        named = {cluster: as_text(name) for (cluster, name), _ in reversed(counts.most_common())}
        named = {cluster: name for cluster, name in named.items() if name}
    if not named:
        raise DataError(f"{path} has no names of clusters; 'shoal name' writes them.")
    if known - {wanted}:
        raise DataError(
            f"{path} names the clusters of another clustering than the checkpoint's; predict with "
            "it, and name that prediction."
        )
    unknown = sorted(set(named) - set(range(checkpoint.recipe.n_clusters)))
    if unknown:
        raise DataError(
            f"{path} names cluster {unknown[0]}, but the checkpoint has clusters 0 to "
            f"{checkpoint.recipe.n_clusters - 1}; remove that row."
        )
    return dict(sorted(named.items()))
