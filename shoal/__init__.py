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
    from shoal.allocator import keep_large_buffers
    from shoal.checkpoint import Checkpoint, load, save
    from shoal.embedding import EmbeddingTable, embed
    from shoal.errors import ShoalError
    from shoal.estimator import ImageClusterer
    from shoal.evaluation import score
    from shoal.exporting.export import export_prediction
    from shoal.exporting.naming import name_clusters
    from shoal.exporting.prediction import load_prediction
    from shoal.label_free import judge
    from shoal.pipeline import fit, predict
    from shoal.quality import reconstruction_mse
    from shoal.questions.duplicates import find_duplicates
    from shoal.questions.growing import grow_tree
    from shoal.questions.n_clusters import choose_n_clusters
    from shoal.questions.outliers import find_outliers
    from shoal.questions.pairs import decide_pairs
    from shoal.questions.similar import find_similar
    from shoal.questions.tree import load_tree
    from shoal.recipes import BASELINE, BEST, IMPROVED, Recipe
    from shoal.reporting.assembly import report
    from shoal.settings import override
    from shoal.sources import ArraySource, open_source
    from shoal.training import train

__all__ = [
    "BASELINE",
    "BEST",
    "IMPROVED",
    "ArraySource",
    "Checkpoint",
    "EmbeddingTable",
    "ImageClusterer",
    "Recipe",
    "ShoalError",
    "__version__",
    "choose_n_clusters",
    "decide_pairs",
    "embed",
    "export_prediction",
    "find_duplicates",
    "find_outliers",
    "find_similar",
    "fit",
    "grow_tree",
    "judge",
    "keep_large_buffers",
    "load",
    "load_prediction",
    "load_tree",
    "name_clusters",
    "open_source",
    "override",
    "predict",
    "reconstruction_mse",
    "report",
    "save",
    "score",
    "train",
]

# Imported when first asked for: `import shoal` is instant, PyTorch is not.
_NAMES = {
    "allocator": ("keep_large_buffers",),
    "checkpoint": ("Checkpoint", "load", "save"),
    "embedding": ("EmbeddingTable", "embed"),
    "errors": ("ShoalError",),
    "estimator": ("ImageClusterer",),
    "evaluation": ("score",),
    "exporting.export": ("export_prediction",),
    "exporting.naming": ("name_clusters",),
    "exporting.prediction": ("load_prediction",),
    "label_free": ("judge",),
    "pipeline": ("fit", "predict"),
    "quality": ("reconstruction_mse",),
    "questions.duplicates": ("find_duplicates",),
    "questions.growing": ("grow_tree",),
    "questions.n_clusters": ("choose_n_clusters",),
    "questions.outliers": ("find_outliers",),
    "questions.pairs": ("decide_pairs",),
    "questions.similar": ("find_similar",),
    "questions.tree": ("load_tree",),
    "recipes": ("BASELINE", "BEST", "IMPROVED", "Recipe"),
    "reporting.assembly": ("report",),
    "settings": ("override",),
    "sources": ("ArraySource", "open_source"),
    "training": ("train",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # type checkers would give any misspelt name the type that this returns

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'shoal' has no attribute {name!r}")
        return getattr(importlib.import_module(f"shoal.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
