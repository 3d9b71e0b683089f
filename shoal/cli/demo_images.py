"""The demo: real images that ship inside scikit-learn, and what simpler methods make of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from shoal.errors import OutputError
from shoal.images.files import atomic_path
from shoal.protocols import ImageSource, IntArray
from shoal.scoring import evaluation


def write_digits(out_dir: Path) -> Path:
    """Write the 1,797 digits (Alpaydin and Kaynak 1998, UCI) as uint8 (1797, 8, 8); no labels.

    Raises:
        OutputError: another file is there, or it cannot be written.
    """
    from sklearn.datasets import load_digits

    buffer = io.BytesIO()
    np.save(buffer, np.rint(load_digits().images * (255 / 16)).astype(np.uint8))
    path = out_dir / "digits.npy"
    if path.exists():
        if path.read_bytes() != buffer.getvalue():
            raise OutputError(f"{path} exists and holds something else; name another folder.")
        return path
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return path


def print_scores(source: ImageSource, labels: IntArray, seconds: float) -> None:
    """Print accuracy, NMI and ARI of k-means on pixels and on PCA beside shoal's.

    Only here, after all is done, are the digits' labels read.
    """
    from rich.console import Console
    from rich.table import Table
    from sklearn.datasets import load_digits

    from shoal.clustering.clusterers import kmeans
    from shoal.embedding.reducers import pca

    truth = load_digits().target.astype(np.int64)
    pixels = source.read(np.arange(len(source))).reshape(len(source), -1).astype(np.float32)
    reduced = pca.build(n_components=20).fit_transform(pixels)
    rows = {
        "pixels + k-means": kmeans.build(n_clusters=10).fit(pixels).predict(pixels),
        "PCA (20) + k-means": kmeans.build(n_clusters=10).fit(reduced).predict(reduced),
        f"shoal ({seconds:.0f} s of training)": labels,
    }
    table = Table(title="1,797 digits, 10 clusters, no labels used", title_justify="left")
    table.add_column("method")
    for name in ("accuracy", "NMI", "ARI"):
        table.add_column(name, justify="right")
    for method, predicted in rows.items():
        scores = evaluation.score(predicted, truth)
        table.add_row(
            method, *(f"{value:.3f}" for value in (scores.accuracy, scores.nmi, scores.ari))
        )
    Console().print(table)
