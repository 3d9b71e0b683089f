"""What each change between two recipes gave, out of benchmarks/results into the checkpoints.

    python benchmarks/contributions.py checkpoints

`shoal report` prints the steps as a chain from `baseline` to `best`: each begins where the one
before it ends, because all are means of the validation accuracy over the same seeds, those that
every recipe of the chain was measured with. What no two rows tell apart stays "not measured". Run
it after `quality.py`; the weights are not touched.

Most rows are of results/quality.jsonl. `baseline` with seeds 1 and 2 is in
results/contributions.jsonl: it was measured on a busy machine, so that its times say nothing.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from machine import AFTER_TRAINING, HERE, rows
from quality import RESULTS

from shoal.models import checkpoint as checkpoints
from shoal.recipes.augmentation import Views
from shoal.recipes.named import BASELINE, BEST, IMPROVED
from shoal.recipes.recipe import Recipe, differences

MORE = HERE / "results" / "contributions.jsonl"

# As `quality.ENCODERS` has it: everything of `improved` but the colours.
PLAIN = replace(IMPROVED, views=Views(horizontal_flip=True))
# `best` before it whitened patches, and before local crops, as results/quality.jsonl calls them.
LATER, EARLIER = "best before whitening", "best before small views"
LEARNED = replace(BEST, encoder=IMPROVED.encoder, views=replace(BEST.views, noise=0.0), epochs=28)
NO_CROPS = replace(
    LEARNED, views=replace(LEARNED.views, n_local_crops=0), epochs=40, batch_size=512
)
OWN_SIZE = replace(NO_CROPS, embedding_resolution=1.0)

# Of each checkpoint: what is said of a step, the rows before and after it, and the recipes whose
# differences it is, in training or after it.
STEPS: dict[str, list[tuple[str, tuple[str, str], tuple[str, str], Recipe, Recipe, bool]]] = {
    "improved": [
        ("batch norm, a short code, AdamW with cosine, in the course's clustering",
         ("baseline", "course"), ("plain", "course"), BASELINE, PLAIN, False),
        ("colours disturbed on the way in, in the course's clustering",
         ("plain", "course"), ("improved", "course"), PLAIN, IMPROVED, False),
        ("a cut of the neighbour graph in place of kernel PCA, t-SNE and k-means",
         ("improved", "course"), ("improved", "own"), BASELINE, IMPROVED, True),
    ],
    "best": [
        ("contrastive learning, in the cut of the neighbour graph",
         ("improved", "own"), (EARLIER, "graph cut"), IMPROVED, NO_CROPS, False),
        ("projection pursuit in what encoder and head see together",
         (EARLIER, "graph cut"), (EARLIER, "own size"), IMPROVED, OWN_SIZE, True),
        ("images embedded half as large again, too",
         (EARLIER, "own size"), (EARLIER, "own"), OWN_SIZE, NO_CROPS, True),
        ("two local crops more, in as much time",
         (EARLIER, "own"), (LATER, "own"), NO_CROPS, LEARNED, False),
        ("a first layer that whitens patches, noise in the views, and more epochs in as much time",
         (LATER, "own"), ("best", "own"), LEARNED, BEST, False),
    ],
}  # fmt: skip


def contributions(name: str) -> list[dict[str, Any]]:
    """The measured steps towards a checkpoint, as JSON values for its provenance."""
    accuracy: dict[tuple[str, str], dict[int, float]] = {}
    for row in [*rows(RESULTS), *rows(MORE)]:
        encoder = f"{row['encoder']} before {row['before']}" if "before" in row else row["encoder"]
        accuracy.setdefault((encoder, row["clustering"]), {})[row["seed"]] = row["accuracy"]
    ends = {end for steps in STEPS.values() for step in steps for end in step[1:3]}
    seeds = sorted(set.intersection(*(set(accuracy.get(end, {})) for end in ends)))
    if not seeds:
        sys.exit("no seed was measured with every recipe of the chain")
    steps = []
    for what, before, after, old, new, after_training in STEPS[name]:
        changed = [f for f in differences(old, new) if (f in AFTER_TRAINING) == after_training]
        steps.append(
            {
                "what": what,
                "fields": [field for field in changed if field != "name"],
                "before": round(mean(accuracy[before][seed] for seed in seeds), 4),
                "after": round(mean(accuracy[after][seed] for seed in seeds), 4),
                "seeds": seeds,
                "source": "benchmarks/quality.py",
            }
        )
    return steps


def main() -> None:
    """Write them into the checkpoints of a folder."""
    if len(sys.argv) != 2:
        sys.exit("usage: contributions.py FOLDER, which holds improved.pth and best.pth")
    for name in STEPS:
        path = Path(sys.argv[1]) / f"{name}.pth"
        loaded = checkpoints.load(path)
        found = contributions(name)
        loaded.provenance["contributions"] = found
        checkpoints.save(loaded, path, force=True)
        for step in found:
            gain = step["after"] - step["before"]
            print(f"{name}: {gain:+.3f} over seeds {step['seeds']}: {step['what']}")


if __name__ == "__main__":
    main()
