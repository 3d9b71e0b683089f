"""The demo for real, as a stranger would run it: the slowest test, and the one that matters."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq


def test_demo_sorts_the_digits(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shoal", "demo", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if "shoal (" in line)
    accuracy, nmi, ari = (float(number) for number in re.findall(r"\d\.\d{3}", row))
    assert accuracy >= 0.95
    assert nmi > 0.9
    assert ari > 0.9
    assert "pixels + k-means" in done.stdout
    with (tmp_path / "demo" / "prediction.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [str(i) for i in range(1797)]
    assert {row["label"] for row in rows} == {str(k) for k in range(10)}
    table = pq.read_table(tmp_path / "demo" / "table.parquet")
    assert table["label"].to_pylist() == [int(row["label"]) for row in rows]
    for picture in ("clusters.png", "map.png"):
        assert (tmp_path / "demo" / picture).stat().st_size > 10_000
