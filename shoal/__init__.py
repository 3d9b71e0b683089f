"""shoal: sort a pile of unlabelled images by learning from that pile alone.

>>> import shoal
>>> shoal.BEST.clusterer.name
'projection_pursuit'

The straight line from images to clusters is `shoal.pipeline`; the nouns are in `shoal.protocols`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# Public names are said three times: to editors and type checkers (these imports never run), to
# ``import *`` and readers, and to Python. A test compares the three.
if TYPE_CHECKING:
    from shoal.clustering.build_tree import build_tree
    from shoal.clustering.choose_k import choose_n_clusters
    from shoal.clustering.tree import load_tree
    from shoal.corrections.predict import predict_corrected
    from shoal.distributed.fit import fit
    from shoal.embedding.embed import embed
    from shoal.embedding.reconstruction import reconstruction_mse
    from shoal.embedding.table import ImageTable
    from shoal.errors import ShoalError
    from shoal.estimator import ImageClusterer, VectorClusterer
    from shoal.export.export import export_prediction
    from shoal.export.load_corrections import load_corrections
    from shoal.export.naming import name_clusters
    from shoal.export.prediction import load_prediction
    from shoal.images.array import ArraySource
    from shoal.images.open import open_source
    from shoal.images.vectors.open import open_vectors
    from shoal.images.vectors.source import VectorSource
    from shoal.models.checkpoint import Checkpoint, load, save
    from shoal.pipeline import cluster, cluster_vectors, predict
    from shoal.portable.export_model import export_model
    from shoal.recipes.named import BASELINE, BEST, IMPROVED
    from shoal.recipes.recipe import Recipe
    from shoal.recipes.settings import override
    from shoal.reports.assembly import report
    from shoal.scoring.evaluation import score
    from shoal.scoring.examine import calibrate
    from shoal.scoring.label_free import judge
    from shoal.search.duplicates import find_duplicates
    from shoal.search.outliers import find_outliers
    from shoal.search.pairs import decide_pairs
    from shoal.search.similar import find_similar
    from shoal.tracking.tensorboard import TensorBoard
    from shoal.training.allocator import keep_large_buffers
    from shoal.training.logged import logged
    from shoal.training.loop import train

__all__ = [
    "BASELINE",
    "BEST",
    "IMPROVED",
    "ArraySource",
    "Checkpoint",
    "ImageClusterer",
    "ImageTable",
    "Recipe",
    "ShoalError",
    "TensorBoard",
    "VectorClusterer",
    "VectorSource",
    "__version__",
    "build_tree",
    "calibrate",
    "choose_n_clusters",
    "cluster",
    "cluster_vectors",
    "decide_pairs",
    "embed",
    "export_model",
    "export_prediction",
    "find_duplicates",
    "find_outliers",
    "find_similar",
    "fit",
    "judge",
    "keep_large_buffers",
    "load",
    "load_corrections",
    "load_prediction",
    "load_tree",
    "logged",
    "name_clusters",
    "open_source",
    "open_vectors",
    "override",
    "predict",
    "predict_corrected",
    "reconstruction_mse",
    "report",
    "save",
    "score",
    "train",
]

# Imported when first asked for: `import shoal` is instant, PyTorch is not.
_NAMES = {
    "clustering.build_tree": ("build_tree",),
    "clustering.choose_k": ("choose_n_clusters",),
    "clustering.tree": ("load_tree",),
    "corrections.predict": ("predict_corrected",),
    "distributed.fit": ("fit",),
    "embedding.embed": ("embed",),
    "embedding.table": ("ImageTable",),
    "embedding.reconstruction": ("reconstruction_mse",),
    "errors": ("ShoalError",),
    "estimator": ("ImageClusterer", "VectorClusterer"),
    "export.export": ("export_prediction",),
    "export.load_corrections": ("load_corrections",),
    "export.naming": ("name_clusters",),
    "export.prediction": ("load_prediction",),
    "images.array": ("ArraySource",),
    "images.open": ("open_source",),
    "images.vectors.open": ("open_vectors",),
    "images.vectors.source": ("VectorSource",),
    "models.checkpoint": ("Checkpoint", "load", "save"),
    "pipeline": ("cluster", "cluster_vectors", "predict"),
    "portable.export_model": ("export_model",),
    "scoring.examine": ("calibrate",),
    "recipes.named": ("BASELINE", "BEST", "IMPROVED"),
    "recipes.recipe": ("Recipe",),
    "recipes.settings": ("override",),
    "reports.assembly": ("report",),
    "scoring.evaluation": ("score",),
    "scoring.label_free": ("judge",),
    "search.duplicates": ("find_duplicates",),
    "search.outliers": ("find_outliers",),
    "search.pairs": ("decide_pairs",),
    "search.similar": ("find_similar",),
    "training.allocator": ("keep_large_buffers",),
    "tracking.tensorboard": ("TensorBoard",),
    "training.logged": ("logged",),
    "training.loop": ("train",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # type checkers would give any misspelt name the type that this returns

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'shoal' has no attribute {name!r}")
        return getattr(importlib.import_module(f"shoal.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
