"""What the numbers of a checkpoint history say, as sentences whose every number is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import spearmanr

from shoal.protocols import FloatArray
from shoal.reports.measurements import Point
from shoal.reports.wording import Wording

_Z = 1.959964


def conclusion(points: Sequence[Point], wording: Wording) -> str:
    """What the checkpoints say, in a sentence or two.

    Args:
        points: of the checkpoint history, oldest first, at least 4.
        wording: the language.
    """
    first, last = points[0], points[-1]
    mse = np.array([point.mse for point in points])
    fall = wording(
        "While training from epoch {a:.1f} to {b:.1f} the reconstruction MSE goes from {first:.4f} "
        "to {last:.4f}",
        a=first.epoch, b=last.epoch, first=first.mse, last=last.mse,
    )  # fmt: skip
    if first.accuracy is None or last.accuracy is None:
        return fall + wording(".")
    accuracy = np.array([point.accuracy for point in points], dtype=float)
    rho, low, high = rank_correlation(mse, accuracy)
    rise = wording(
        ", and the accuracy from {first:.3f} to {last:.3f}. ", first=first.accuracy,
        last=last.accuracy,
    )  # fmt: skip
    lowest = float(accuracy[int(mse.argmin())])
    if np.isnan(rho) or low <= 0 <= high:
        together = wording("Over the {n} checkpoints the two do not clearly go together: ",
                           n=len(points))  # fmt: skip
    elif rho < 0:
        together = wording("Over the {n} checkpoints the accuracy rises as the MSE falls, yet ",
                           n=len(points))  # fmt: skip
    else:
        together = wording("Over the {n} checkpoints the accuracy falls as the MSE falls: ",
                           n=len(points))  # fmt: skip
    best = wording(
        "the lowest MSE has an accuracy of {lowest:.3f}, the most accurate checkpoint {best:.3f}.",
        lowest=lowest, best=float(accuracy.max()),
    )  # fmt: skip
    return fall + rise + together + best


def observations(
    points: Sequence[Point], n_images: int | None, wording: Wording
) -> tuple[str, ...]:
    """Trend, swing, rank correlations with what they are worth, and the best by each, as sentences.

    Args:
        points: of the checkpoint history, oldest first, at least 4.
        n_images: how many were labelled; None if none were.
        wording: the language.
    """
    mse = np.array([point.mse for point in points])
    sentences = [_trend(wording("The reconstruction MSE"), "{:.4f}", points, mse, wording)]
    scores = {
        name: np.array([point.label_free[name] for point in points])
        for name in points[0].label_free
    }
    if n_images is None:
        sentences += [
            _trend(
                wording("The label-free score"),
                "{:.3f}",
                points,
                scores["label-free score"],
                wording,
            ),
            _best(points, mse, scores, None, wording),
        ]
        return tuple(sentences)
    accuracy = np.array([point.accuracy for point in points], dtype=float)
    half = np.mean([(p.interval[1] - p.interval[0]) / 2 for p in points if p.interval])
    sentences.append(_trend(wording("The accuracy"), "{:.3f}", points, accuracy, wording))
    swings = np.abs(np.diff(accuracy))
    most = int(swings.argmax())
    sentences.append(
        wording(
            "From one checkpoint to the next the accuracy changes by {mean:.3f} on average and by "
            "{most:.3f} at most (epoch {a:.1f} to {b:.1f}); with {n:,} labelled images, {half:.3f} "
            "either way is within the 95 % interval of a single one.",
            mean=swings.mean(), most=swings[most], a=points[most].epoch, b=points[most + 1].epoch,
            n=n_images, half=half,
        )
    )  # fmt: skip
    sentences.append(_correlation(wording("the MSE"), mse, accuracy, wording))
    sentences += [
        _correlation(wording("the {what}", what=wording(name)), values, accuracy, wording)
        for name, values in scores.items()
    ]
    sentences.append(
        wording(
            "These intervals take the checkpoints for independent of one another. Those of one run "
            "are not: what merely rises or falls with training goes together, and the intervals "
            "are too narrow rather than too wide."
        )
    )
    sentences.append(_best(points, mse, scores, accuracy, wording))
    return tuple(sentences)


def rank_correlation(a: FloatArray, b: FloatArray) -> tuple[float, float, float]:
    """Spearman's rank correlation of float (n,) and float (n,), n > 3, with its 95 % interval.

    The interval is Bonett and Wright's (2000, doi:10.1007/BF02294183): Fisher's z with the
    variance (1 + ρ²/2) / (n - 3). NaN where one of them is constant.

    >>> x = np.arange(12.0)
    >>> [round(value, 2) for value in rank_correlation(x, x * x)]
    [1.0, 1.0, 1.0]
    """
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan"), float("nan"), float("nan")
    rho = float(spearmanr(a, b).statistic)
    if abs(rho) > 1 - 1e-12:
        return rho, rho, rho
    half = _Z * np.sqrt((1 + rho * rho / 2) / (len(a) - 3))
    centre = np.arctanh(rho)
    return rho, float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _trend(
    what: str, form: str, points: Sequence[Point], values: FloatArray, wording: Wording
) -> str:
    steps = np.diff(values)
    falls = int((steps < 0).sum())
    show: Callable[[float], str] = form.format
    return wording(
        "{what} goes from {first} (epoch {a:.1f}) to {last} (epoch {b:.1f}), its lowest {low} at "
        "epoch {at_low:.1f}, its highest {high} at epoch {at_high:.1f}; from one checkpoint to the "
        "next it falls {falls} of {n} times and rises {rises}.",
        what=what, first=show(values[0]), last=show(values[-1]), a=points[0].epoch,
        b=points[-1].epoch, low=show(values.min()), high=show(values.max()),
        at_low=points[int(values.argmin())].epoch, at_high=points[int(values.argmax())].epoch,
        falls=falls, rises=int((steps > 0).sum()), n=len(steps),
    )  # fmt: skip


def _correlation(what: str, values: FloatArray, accuracy: FloatArray, wording: Wording) -> str:
    rho, low, high = rank_correlation(values, accuracy)
    if np.isnan(rho):
        return wording("Rank correlation of {what} with the accuracy: none, as one of them does "
                       "not change.", what=what)  # fmt: skip
    sentence = wording(
        "Rank correlation (Spearman) of {what} with the accuracy: {rho:+.2f}, 95 % interval "
        "{low:+.2f} to {high:+.2f} over {n} checkpoints",
        what=what, rho=rho, low=low, high=high, n=len(values),
    )  # fmt: skip
    if low <= 0 <= high:
        return sentence + wording("; it may as well be none.")
    return sentence + wording(".")


def _best(
    points: Sequence[Point], mse: FloatArray, scores: dict[str, FloatArray],
    accuracy: FloatArray | None, wording: Wording,
) -> str:  # fmt: skip
    chosen = {wording("the lowest MSE"): int(mse.argmin())}
    chosen |= {
        wording("the highest {what}", what=wording(name)): int(values.argmax())
        for name, values in scores.items()
    }
    if accuracy is None:
        listed = [
            wording("{what}: epoch {epoch:.1f}", what=what, epoch=points[i].epoch)
            for what, i in chosen.items()
        ]
        return wording("The best checkpoint by {listed}.", listed="; ".join(listed))
    best = int(accuracy.argmax())
    listed = [
        wording("{what}: epoch {epoch:.1f}, accuracy {accuracy:.3f}",
                what=what, epoch=points[i].epoch, accuracy=accuracy[i])
        for what, i in chosen.items()
    ]  # fmt: skip
    return wording(
        "The most accurate checkpoint is that of epoch {epoch:.1f} ({accuracy:.3f}). Chosen by "
        "{listed}.",
        epoch=points[best].epoch, accuracy=accuracy[best], listed="; ".join(listed),
    )  # fmt: skip
