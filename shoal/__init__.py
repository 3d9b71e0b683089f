"""shoal: sort a pile of unlabelled images by learning from that pile alone.

>>> import shoal
>>> shoal.BEST.clusterer.name
'projection_pursuit'

The straight line from images to clusters is `shoal.pipeline`; the nouns are in `shoal.protocols`.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Where each public name lives. They are imported when first asked for: `import shoal` is instant,
# PyTorch is not.
_HOMES = {
    "open_source": "sources",
    "ArraySource": "sources",
    "Recipe": "recipes",
    "BASELINE": "recipes",
    "IMPROVED": "recipes",
    "BEST": "recipes",
    "override": "settings",
    "fit": "pipeline",
    "predict": "pipeline",
    "train": "training",
    "keep_large_buffers": "allocator",
    "Checkpoint": "checkpoint",
    "load": "checkpoint",
    "save": "checkpoint",
    "embed": "embedding",
    "EmbeddingTable": "embedding",
    "reconstruction_mse": "quality",
    "judge": "label_free",
    "score": "evaluation",
    "report": "reporting.assembly",
    "choose_n_clusters": "questions.n_clusters",
    "grow_tree": "questions.growing",
    "load_tree": "questions.tree",
    "decide_pairs": "questions.pairs",
    "find_similar": "questions.similar",
    "find_duplicates": "questions.duplicates",
    "find_outliers": "questions.outliers",
    "load_prediction": "exporting.prediction",
    "name_clusters": "exporting.naming",
    "export_prediction": "exporting.export",
    "ImageClusterer": "estimator",
    "ShoalError": "errors",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'shoal' has no attribute {name!r}")
    return getattr(importlib.import_module(f"shoal.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
