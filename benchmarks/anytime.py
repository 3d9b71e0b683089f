"""What more time buys: validation accuracy of `best` after 1, 2, 5, 10, 20 and 30 minutes.

    python benchmarks/anytime.py                   # six runs a seed, 68 minutes; seeds 0, 1, 2
    python benchmarks/anytime.py --seeds 3 --minutes 1 2
    python benchmarks/anytime.py --table           # only print and draw what has been measured

Each run is `shoal train --minutes M`, which measures the machine and chooses the epochs, so let
nothing else compute beside it. Rows are appended to results/anytime.jsonl when they are done and
are skipped when they are there for this machine; ../docs/anytime.png is drawn from that file alone,
from those of `best` as it is now, of the machine that has most, beside them, in grey, what the last
older `best` had there where that was given lengths that it was not. Rows of an older `best` say
before which change of it they were measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from machine import (
    DATA,
    HERE,
    append,
    between,
    command,
    commit,
    grouped,
    is_there,
    machine,
    now,
    program,
    rows,
    sources,
    spread,
    threads,
)
from quality import evaluate

RESULTS = HERE / "results" / "anytime.jsonl"
PICTURE = HERE.parent / "docs" / "anytime.png"
MINUTES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


def measure(minutes: float, seed: int, data: Path) -> dict[str, Any]:
    """Train for that long and evaluate."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.pth"
        seconds, cpu, memory, _ = command(
            "train", str(data / "trainX.npy"), str(path), "--recipe", "best", "--seed", str(seed),
            "--minutes", str(minutes), "--quiet",
        )  # fmt: skip
        *_, output = command("info", str(path), "--json")
        recipe = json.loads(output)["recipe"]
        return {
            "minutes": minutes, "seed": seed, "commit": commit(), "machine": machine(),
            "threads": threads(), "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1),
            "train_gb": round(memory, 2), "epochs": recipe["epochs"],
        } | evaluate(path, data)  # fmt: skip


def print_table(found: list[dict[str, Any]]) -> None:
    """In Markdown, a row for each length of run."""
    groups = grouped(found, "minutes")
    print("| `--minutes` | seeds | epochs | took | validation accuracy |")
    print("|---|---|---|---|---|")
    for minutes, group in sorted(groups.items()):
        epochs = between([row["epochs"] for row in group], digits=0)
        took = between([row["seconds"] / 60 for row in group], digits=1)
        accuracy = spread([row["accuracy"] for row in group])
        print(f"| {minutes:g} | {len(group)} | {epochs} | {took} min | {accuracy} |")
    print(f"\n`best` {program(found[0])}, measured on {sources(found)}\n")


def draw(found: list[dict[str, Any]]) -> None:
    """The curve: a dot a run, a line through the means; ``found`` are one machine's rows."""
    from matplotlib.figure import Figure

    from shoal.plots import figures

    figure = Figure(figsize=(6.5, 4.0), layout="constrained")
    ax = figure.subplots()
    as_it_is = now(found)
    lengths = {row["minutes"] for row in as_it_is}
    *_, older = [[], *grouped([row for row in found if "before" in row], "before").values()]
    if {row["minutes"] for row in older} - lengths:
        draw_means(ax, older, "0.6", f"mean, {program(older[0])}")
        lengths |= {row["minutes"] for row in older}
    draw_means(ax, as_it_is, "#0072B2", "mean over seeds")
    ax.plot([r["minutes"] for r in as_it_is], [r["accuracy"] for r in as_it_is], "o",
            color="#E69F00", label="a run")  # fmt: skip
    ax.set_xscale("log")
    ticks = sorted(lengths)
    ax.set_xticks(ticks, [f"{length:g}" for length in ticks])
    ax.minorticks_off()
    ax.set_xlabel("minutes of training asked for (2 cores, log scale)")
    ax.set_ylabel("accuracy of 500 validation images")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="lower right")
    figures.write(figure, PICTURE)


def draw_means(ax: Any, found: list[dict[str, Any]], colour: str, label: str) -> None:
    """A line through the means over seeds."""
    groups = sorted(grouped(found, "minutes").items())
    means = [mean(row["accuracy"] for row in group) for _, group in groups]
    ax.plot([minutes for minutes, _ in groups], means, color=colour, label=label)


def main() -> None:
    """Measure what is missing, then print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--minutes", nargs="+", type=float, default=list(MINUTES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--table", action="store_true", help="only print and draw")
    options = parser.parse_args()
    if not options.table:
        if not (options.data / "trainX.npy").exists():
            sys.exit(f"no trainX.npy in {options.data}; name the folder with --data")
        for seed in options.seeds:
            for minutes in options.minutes:
                wanted = {"machine": machine(), "minutes": minutes, "seed": seed}
                if not is_there(wanted, now(rows(RESULTS))):
                    row = measure(minutes, seed, options.data)
                    append(RESULTS, [row])
                    print(f"{minutes:g} min, seed {seed}: {row['accuracy']:.3f}", flush=True)
    told = [row | {"program": program(row)} for row in rows(RESULTS)]
    for on_one in grouped(told, "machine").values():
        for found in grouped(on_one, "program").values():
            print_table(found)
    as_it_is = grouped(now(told), "machine")
    if as_it_is:
        most = max(as_it_is, key=lambda machine: len(as_it_is[machine]))
        draw(grouped(told, "machine")[most])


if __name__ == "__main__":
    main()
