"""What becomes of work when things go wrong: kills, full disks, damaged files, two at once.

    python benchmarks/robustness.py                      # everything: about an hour on one core
    python benchmarks/robustness.py kills disks          # some parts; --trials N for other numbers
    python benchmarks/robustness.py --only png --seed 7  # one trial again, with all that it says
    python benchmarks/robustness.py --table              # only print what has been measured

Parts of real commands (with --forked in forks of one process, which have imported what they need,
four times as fast), each trial in a folder of its own and compared with an undisturbed run:
``kills`` (SIGKILL), ``interrupts`` (Ctrl-C), ``disks`` (full), ``caches`` (damaged), ``together``
(two at once), ``places`` (moved, read-only, long names, no free file numbers), ``review`` (SIGKILL
while a person's actions come in; always in forks). Parts of damaged
files: ``images`` (encoded images, archives, tables, arrays, lists) and ``documents`` (checkpoints
and what else shoal writes and reads), each file opened in a process that is watched. ``commands``
gives some of the damaged files to real commands.

A trial is drawn from its seed. A row for each kind of trial is appended to
results/robustness.jsonl: how many trials, what came of them, and which failed. How each part
judges stands in `trials`.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from machine import HERE, append, commit, machine, rows
from trials import documents, fuzzing, reviews
from trials.disturbances import PARTS, disturbed
from trials.photographs import PHOTOGRAPHS
from trials.samples import CONTAINERS, IMAGES
from trials.scientific import SCIENTIFIC

RESULTS = HERE / "results" / "robustness.jsonl"
PACKED = ("packed-zip", "packed-tar", "packed-parquet")
IMAGE_KINDS = (*IMAGES, *CONTAINERS, *PACKED, "odd-npy")
SCIENTIFIC_KINDS = (*SCIENTIFIC, "zarr")
FUZZED = {
    "scientific": (SCIENTIFIC_KINDS, 4_000),
    "photographs": (tuple(PHOTOGRAPHS), 4_000),
    "images": (IMAGE_KINDS, 10_000),
    "documents": (tuple(documents.KINDS), 1_000),
}
"""Kinds of damaged files, and how many in all."""
N_TRIALS = (
    {part: n for part, (n, _) in PARTS.items()}
    | {part: n for part, (_, n) in FUZZED.items()}
    | {"review": 100}
)


def fuzz(part: str, n: int, start: int) -> Iterator[dict[str, Any]]:
    """Trials of damaged files, of each kind as many, until there are ``n``."""
    kinds = FUZZED[part][0]
    yield from fuzzing.trials(
        (kinds[number % len(kinds)], start + number // len(kinds)) for number in range(n)
    )


def summary(part: str, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each kind of trial; failures are printed as they come."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    with contextlib.suppress(KeyboardInterrupt):  # what was tried until then counts
        for one in found:
            by_kind.setdefault(str(one["kind"]), []).append(one)
            if one["outcome"] == "failure":
                print(
                    f"{part}: --only {one['kind']} --seed {one['seed']}: {one['what']}", flush=True
                )
    forked = {"forked": True} if os.environ.get("SHOAL_TRIALS_FORKED") else {}
    about = forked | {
        "commit": commit(),
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
    }
    return [
        {"part": part, "kind": kind, "n": len(ones), "first": ones[0]["seed"]}
        | {"outcomes": dict(Counter(str(one["outcome"]) for one in ones))}
        | {"failed": [one["seed"] for one in ones if one["outcome"] == "failure"]}
        | {"longest_seconds": max(one.get("seconds", 0) for one in ones)}
        | {"most_mb": max(one.get("mb", 0) for one in ones)}
        | about
        for kind, ones in by_kind.items()
    ]


def table(found: list[dict[str, Any]]) -> str:
    """What has been measured last of each kind from each first seed on, part by part."""
    last = {(row["part"], row["kind"], row["first"], row.get("forked")): row for row in found}
    ours: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(last.values(), key=lambda row: list(N_TRIALS).index(row["part"])):
        how = ""
        if row["part"] in PARTS:
            how = "forks" if row.get("forked") else "commands"
        ours.setdefault((row["part"], how), []).append(row)
    lines = ["| part | trials | right | failures | what came of it | commit |"]
    lines.append("|---|---|---|---|---|---|")
    for (part, how), some in ours.items():
        outcomes: Counter[str] = sum((Counter(row["outcomes"]) for row in some), Counter())
        failures, n = outcomes.pop("failure", 0), sum(row["n"] for row in some)
        came = ", ".join(f"{name} {count:,}" for name, count in outcomes.most_common())
        if part in FUZZED:
            seconds, mb = (
                max(row[name] for row in some) for name in ("longest_seconds", "most_mb")
            )
            came += f"; at most {seconds:.1f} s, {mb:,} MB"
        name = f"{part} ({how})" if how else part
        commits = ", ".join(sorted({row["commit"] for row in some}))
        lines.append(f"| {name} | {n:,} | {n - failures:,} | {failures:,} | {came} | {commits} |")
    return "\n".join([*lines, "", "; ".join(sorted({row["machine"] for row in found}))])


def main() -> None:
    """Run the parts asked for, and say how many trials failed.

    An end on request (SIGTERM, Ctrl-C) still gives the rows of the trials that were made.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *N_TRIALS], help="all by default")
    parser.add_argument("--trials", type=int, help="another number of them than usual")
    parser.add_argument("--images", type=int, default=250, help="in the pile of the runs")
    parser.add_argument("--forked", action="store_true", help="faster: in forks of one process")
    parser.add_argument("--only", help="one kind of damaged file, or one part of runs")
    parser.add_argument("--seed", type=int, default=0, help="where seeds begin, or the only one")
    parser.add_argument("--dry", action="store_true", help="append nothing to the results")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    asked = parser.parse_args()
    if asked.table:
        print(table(rows(RESULTS)))
        return
    if asked.only in (*SCIENTIFIC_KINDS, *PHOTOGRAPHS, *IMAGE_KINDS, *documents.KINDS):
        (found,) = fuzzing.trials([(asked.only, asked.seed)], loud=True)
        print(json.dumps(found | {"what": ""}), found["what"], sep="\n")
        sys.exit(found["outcome"] == "failure")
    if asked.forked:
        os.environ["SHOAL_TRIALS_FORKED"] = "1"
    parts = [asked.only] if asked.only else asked.parts or list(N_TRIALS)
    n_failed = 0
    with tempfile.TemporaryDirectory(prefix="shoal-robustness-", dir="/var/tmp") as folder:
        # Matplotlib looks for fonts for a second wherever it finds no list of them.
        os.environ["MPLCONFIGDIR"] = str(Path(folder) / "matplotlib")
        for part in parts:
            n = 1 if asked.only else asked.trials or N_TRIALS[part]
            began = time.monotonic()
            trials: Iterable[dict[str, Any]]
            if part == "review":
                trials = reviews.campaign(Path(folder), n, asked.seed)
            elif part in FUZZED:
                trials = fuzz(part, n, asked.seed)
            else:
                trials = disturbed(part, n, Path(folder), asked.images, asked.seed)
            made = summary(part, trials)
            n_failed += sum(len(row["failed"]) for row in made)
            print(f"{part}: {time.monotonic() - began:.0f} s", *made, sep="\n", flush=True)
            if not (asked.dry or asked.only):
                append(RESULTS, made)
    print(f"{n_failed} failures")
    sys.exit(n_failed > 0)


if __name__ == "__main__":
    main()
