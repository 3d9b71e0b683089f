"""The pictures: they can be drawn for every shape of result, and show what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.embedding.table import ImageTable
from shoal.export import summaries
from shoal.images.array import ArraySource
from shoal.images.vectors.source import VectorSource
from shoal.plots import colours, figures, maps
from shoal.plots.layout import lay_out
from shoal.reports import clusters, explorer
from shoal.reports import figures as report_figures
from shoal.reports.document import Gallery, Table
from shoal.reports.wording import Wording
from shoal.scoring.assignment import with_nowhere
from shoal.scoring.evaluation import ConfidenceBin


def findings(n: int, k: int, channels: int = 3) -> tuple[ArraySource, ImageTable]:
    """``n`` images of ``k`` kinds, kind c of grey level 20 c."""
    labels = np.arange(n) % k
    shape = (n, 9, 6) if channels == 1 else (n, 9, 6, 3)
    levels = (20 * labels).astype(np.uint8).reshape(n, *(1,) * (len(shape) - 1))
    z = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32) + 9 * labels[:, None]
    table = ImageTable(
        ids=[str(i) for i in range(n)],
        embedding=z,
        labels=labels,
        confidence=np.linspace(0.5, 1.0, n, dtype=np.float32),
        xy=z[:, :2],
    )
    return ArraySource(np.broadcast_to(levels, shape).copy()), table


@pytest.mark.parametrize(("n", "k", "channels"), [(40, 2, 3), (60, 10, 1), (50, 25, 3), (1, 1, 1)])
def test_both_figures_are_written(n: int, k: int, channels: int, tmp_path: Path) -> None:
    source, table = findings(n, k, channels)
    for name, figure in (
        ("clusters", figures.clusters(source, table)),
        ("map", maps.map_of(source, table)),
    ):
        figures.write(figure, tmp_path / f"{name}.png")
        with Image.open(tmp_path / f"{name}.png") as image:
            pixels = np.asarray(image.convert("L"))
        assert pixels.std() > 5  # not an empty page


def test_each_row_shows_its_own_cluster() -> None:
    source, table = findings(60, 3)
    axes = figures.clusters(source, table, columns=5).axes
    assert len(axes) == 9
    for row in range(3):
        for column in range(3):
            strip = np.asarray(axes[3 * row + column].images[0].get_array())
            levels = set(np.unique(strip[strip[..., 3] == 255, :3]))  # nothing between the images
            assert levels == {20 * row}


def test_what_belongs_nowhere_is_told_so_everywhere_and_is_no_cluster(tmp_path: Path) -> None:
    source, table = findings(60, 4)
    table = with_nowhere(table, 3)
    assert table.nowhere.sum() == 15
    told = summaries.prediction_summary(table)
    assert told.startswith("60 images: clusters 0: 15, 1: 15, 2: 15, 15 belong nowhere;")
    members = figures.clusters(source, table)
    assert members.get_suptitle().startswith("60 images in 3 clusters, 15 belong nowhere (")
    assert members.axes[9].get_ylabel() == "belongs\nnowhere\n15"
    for drawn, key in (
        (maps.map_of(source, table), "belongs nowhere: 15"),
        (report_figures.embeddings([("", table.xy)], table.labels, "cluster", apart=table.nowhere),
         "belongs nowhere"),
    ):  # fmt: skip
        assert [text.get_text() for text in drawn.legends[0].get_texts()][3] == key
    page = explorer.fragment(source, table, wording=Wording("en"))
    assert '<span class="legend-name">belongs nowhere</span>' in page
    assert "cluster 3" not in page
    assert "cluster belongs" not in page
    checkpoint = SimpleNamespace(n_dimensions=0)
    main = SimpleNamespace(trained=SimpleNamespace(checkpoint=checkpoint))
    inputs: Any = SimpleNamespace(train=source, main=main)
    listed, *_, gallery = clusters._clusters(inputs, table, Wording("en"))
    assert isinstance(listed, Table)
    assert isinstance(gallery, Gallery)
    assert listed.rows[-1] == ("belongs nowhere", "15", "25.0%", "0.763", "–", "–")
    assert {line[4] for line in listed.rows} <= {"0", "1", "2", "–"}
    assert [row.name for row in gallery.rows][-1] == "belongs nowhere"
    assert not any("next to belongs" in row.name for row in gallery.rows)


def test_least_certain_members_are_the_least_certain() -> None:
    _, table = findings(60, 3)
    _, _, least = figures._members(table, 1, 5, 0)
    rest = np.setdiff1d(np.flatnonzero(table.labels == 1), least)
    assert table.confidence[least].max() <= table.confidence[rest].min()


def test_where_all_are_equally_certain_none_is_drawn_as_the_least() -> None:
    source, table = findings(60, 3)
    same = replace(table, confidence=np.full(60, 0.97, np.float32))
    assert [len(each) for each in figures._members(same, 1, 5, 0)] == [5, 5, 0]
    panels = figures.clusters(source, same).axes
    said = [text.get_text() for ax in panels for text in ax.texts]
    assert said == ["all are equally certain"] * 3
    assert not any(ax.texts for ax in figures.clusters(source, table).axes)


def test_vectors_are_called_vectors() -> None:
    table = findings(60, 3)[1]
    source = VectorSource(np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32))
    for figure in (figures.clusters(source, table), figures.splits(source, [table])):
        assert "60 vectors" in figure.get_suptitle()
        assert "image" not in figure.get_suptitle()


def test_more_clusters_than_rows_says_so() -> None:
    source, table = findings(60, 30)
    assert "10 smaller clusters are not shown" in figures.clusters(source, table).get_suptitle()


def test_colours_differ() -> None:
    for k in (2, 8, 10, 20):
        assert len({colours.colour(c, k) for c in range(k)}) == k


def test_the_map_keeps_groups_apart_also_beyond_its_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.plots.layout.MOST_FITTED", 60)
    labels = np.arange(150) % 3
    z = np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)
    z[:, :3] += 12 * np.eye(3, dtype=np.float32)[labels]
    xy = lay_out(z)
    assert np.isfinite(xy).all()
    distances = np.linalg.norm(xy[:, None] - xy[None], axis=2) + 1e9 * np.eye(150)
    assert np.mean(labels[distances.argmin(axis=1)] == labels) > 0.97
    assert np.array_equal(xy, lay_out(z))


@pytest.mark.parametrize("n_bins", [1, 10])
def test_the_calibration_shows_each_part(n_bins: int, tmp_path: Path) -> None:
    bins = [ConfidenceBin(5, 0.5 + i / 20, i / n_bins) for i in range(n_bins)]
    figure = figures.calibration(bins)
    bars = [bar.get_height() for bar in figure.axes[0].patches]
    assert bars == [part.accuracy for part in bins]
    assert list(figure.axes[0].lines[0].get_ydata()) == [part.confidence for part in bins]
    figures.write(figure, tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").stat().st_size > 5000
