"""The tables of what speed.py measured, in Markdown, from the file of results alone."""

from __future__ import annotations

from statistics import median
from typing import Any

from machine import grouped

Row = dict[str, Any]


def print_tables(rows: list[Row]) -> None:
    """Of each machine: a table of ratios, one of seconds and memory, one of growth, their sources.

    Of a case measured several times the last counts; tries (``--quick``) do not.
    """
    machines = grouped([row for row in rows if not row["quick"]], "machine")
    if not machines:
        print("nothing measured yet")
    for machine, measured in machines.items():
        print(f"\n## {machine}\n")
        print_machine({(row["piece"], row["case"]): row for row in measured})


def print_machine(last: dict[tuple[str, str], Row]) -> None:
    """What was measured on one machine: a row for each piece and case."""
    print_ratios(last)
    print_seconds(last)
    print_growth(last)
    sources = {
        f"commit {row['commit']}, {row['threads']} threads, PyTorch {row['torch']}, {row['images']}"
        for row in last.values()
    }
    loads = [row["load"] for row in last.values()]
    print("\nMeasured at " + "; ".join(sorted(sources)))
    print(f"Load before each measurement: {min(loads):.1f} to {max(loads):.1f}")


def print_ratios(last: dict[tuple[str, str], Row]) -> None:
    """How many times as fast, with the time of both sides."""
    lines = []
    for (piece, case), row in last.items():
        if piece == "training":
            sides = row["shoal_seconds_per_step"], row["usual_seconds_per_step"]
            lines.append((f"training `best`; fp32, NCHW, {case}", sides, row))
        elif piece == "allocator":
            sides = row["kept_seconds_per_step"], row["given_back_seconds_per_step"]
            lines.append(("training `best`; buffers given back", sides, row))
        elif piece == "clustering":
            sides = row["once_seconds"], row["twice_seconds"]
            lines.append((f"clustering {row['n']:,} images; embedded once more", sides, row))
        elif piece == "course":
            sides = row["shoal_seconds"], row["sklearn_seconds"]
            lines.append((f"{case}, {row['n']:,} codes; scikit-learn's", sides, row))
    if not lines:
        return
    print("| what; compared with | shoal | the other | times as fast (range) | memory |")
    print("|---|---|---|---|---|")
    for text, (ours, others), row in lines:
        low, high = row["ratio_range"]
        print(
            f"| {text} | {_seconds(ours)} | {_seconds(others)} "
            f"| **{row['ratio']:.2f}** ({low:.2f} to {high:.2f}) "
            f"| {row['gb'][0]:.1f}, {row['gb'][1]:.1f} GB |"
        )
    for (piece, case), row in last.items():
        if piece == "course":
            stages = "; ".join(
                f"{name} {a:g} and {b:g} s" for name, (a, b) in row["stages"].items()
            )
            trust = " and ".join(f"{value:.3f}" for value in row["trustworthiness"])
            text = f"{case}, shoal's and scikit-learn's: {stages}; trustworthiness "
            text += f"of the maps {trust}; NMI between the two clusterings {row['nmi_between']:.3f}"
            if "accuracy" in row:
                text += "; accuracy " + " and ".join(f"{value:.3f}" for value in row["accuracy"])
            print(f"\n{text}.")


def print_seconds(last: dict[tuple[str, str], Row]) -> None:
    """What one waits for, and how much memory it takes."""
    if not {"prediction", "memory", "start"} & {piece for piece, _ in last}:
        return
    print("\n| what | seconds (range) | of it work | memory |")
    print("|---|---|---|---|")
    for (piece, case), row in last.items():
        if piece == "prediction":
            print(f"| `shoal predict` of {row['n']:,} images, {case} | {_range(row['seconds'])} "
                  f"| {_range(row['work_seconds'])} | {row['gb']:.2f} GB |")  # fmt: skip
        elif piece == "memory":
            print(f"| `{case}` of {row['n']:,} images, `best`, {row['epochs']} epochs "
                  f"| {row['seconds']:.0f} | | {row['gb']:.2f} GB |")  # fmt: skip
        elif piece == "start":
            print(f"| `{case}` | {_range(row['seconds'])} | | |")


def print_growth(last: dict[tuple[str, str], Row]) -> None:
    """Microseconds an image of each stage: constant where the cost is linear."""
    lines = [row for (piece, _), row in last.items() if piece == "growth"]
    if not lines:
        return
    stages = list(lines[0]["seconds"])
    print("\n| µs an image | a training step | " + " | ".join(stages) + " | memory |")
    print("|---|---|" + "---|" * (len(stages) + 1))
    for row in lines:
        cells = [f"{row['seconds'][stage] / row['n'] * 1e6:,.0f}" for stage in stages]
        print(f"| {row['case']} | {row['training_us_per_image']:,.0f} | " + " | ".join(cells)
              + f" | {row['gb']:.1f} GB |")  # fmt: skip


def _seconds(values: list[float]) -> str:
    return f"{median(values):.3g} s"


def _range(values: list[float]) -> str:
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
