"""Errors in the command line's words: a library error names a parameter, a person typed a flag."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Collection

FLAGS = {
    "after": "--after",
    "array": "--array",
    "before": "--before",
    "by": "--by",
    "cache": "--no-cache",
    "channels": "--channels",
    "checkpoint": "--checkpoint",
    "column": "--column",
    "composite": "--composite",
    "colours": "--colours",
    "every": "--every",
    "pages": "--pages",
    "corrections": "--corrections",
    "device": "--device",
    "epochs": "--epochs",
    "fit": "--fit",
    "force": "--force",
    "groups": "--corrections",
    "id_column": "--id",
    "high": "--to",
    "images": "--images",
    "intensity": "--intensity",
    "kind": "--as",
    "labels": "--labels",
    "language": "--lang",
    "low": "--from",
    "metric": "--metric",
    "minutes": "--minutes",
    "n": "-n",
    "n_clusters": "-k",
    "n_leaves": "--leaves",
    "nodes": "--at",
    "noise": "--noise",
    "numbers": "--numbers",
    "opset": "--opset",
    "orientation": "--orientation",
    "pairs": "--pairs",
    "pixel_range": "--range",
    "port": "--port",
    "ray": "--ray",
    "recipe": "--recipe",
    "resume": "--resume",
    "seed": "--seed",
    "settings": "--set",
    "show": "--show",
    "size": "--size",
    "space": "--space",
    "split": "--split",
    "tensorboard": "--tensorboard",
    "threshold": "--threshold",
    "trust": "--trust",
    "workers": "--workers",
    "z": "--embedding",
}
"""The flag of each parameter."""
OF_COMMAND = {("duplicates", "threshold"): "--max-distance"}
"""Where a command has another flag for it."""

_SUBJECT = (
    r"(?:(?<=^)|(?<=[:;.,] )|(?<=and )|(?<=or ))({names})"
    r"(?= (?:must|needs?|cannot|is (?:only )?for|and [^.;]* cannot)\b)"
)
_GIVEN = r"(?<![\w.'\"-])(?<!--set )({names})=('[^']*'|\"[^\"]*\"|[\w.+-]*\w)"

_FIELD = (
    r"(?<![\w.'\"-])(?<!--set )((?:views|encoder)\.\w+|checkpoints|learning_rate|clusterer)"
    r"(=[^\s,;]*[^\s,;.])"
)
"""A field of a recipe with its value, which ``--set`` takes."""


_OUTPUT = re.compile(
    r"(?P<path>.+(?P<suffix>\.csv|\.png|\.pdf|\.svg))(: no such checkpoint|.* not a checkpoint)"
)
"""An error on a file that is no checkpoint, and by its name one to write."""


def of_output(message: str, options: Collection[str]) -> str:
    """An error on an output in the place of CHECKPOINT, with the option that is for it.

    >>> of_output("out.csv: no such checkpoint; check the path.", {"--csv"})
    'out.csv stands in the place of CHECKPOINT, which is read; to write it, give --csv out.csv.'
    >>> of_output("out.png is empty, not a checkpoint.", {"--csv"})
    'out.png is empty, not a checkpoint.'
    """
    found = _OUTPUT.match(message)
    flag = "--csv" if found and found["suffix"] == ".csv" else "--picture"
    if found is None or flag not in options:
        return message
    path = found["path"]
    return (
        f"{path} stands in the place of CHECKPOINT, which is read; to write it, give {flag} "
        f"{shlex.quote(path)}."
    )


def in_flags(message: str, command: str, options: set[str], *, but: Collection[str] = ()) -> str:
    """An error's message with flags where it names parameters.

    A parameter is taken as such where it is the subject of what must be, as in "size must be …", or
    has a value, as in "device='cpu'".

    Args:
        message: of a `ShoalError`.
        command: the command's name.
        options: the flags that this command has; others are left as parameters.
        but: parameters that were typed by their own names.

    >>> in_flags("n_clusters must be at least 1, got 0.", "run", {"-k"})
    '-k must be at least 1, got 0.'
    >>> in_flags("no CUDA device; give device='cpu'.", "run", {"--device"})
    'no CUDA device; give --device cpu.'
    >>> in_flags("seed and the setting seed=… cannot both be given.", "run", {"--seed"})
    '--seed and --set seed=… cannot both be given.'
    >>> in_flags("too few; train again with checkpoints=12.", "report", set())
    'too few; train again with --set checkpoints=12.'
    """
    message = re.sub(
        _FIELD, lambda match: ("" if match[1] in but else "--set ") + match[0], message
    )
    known = {name: OF_COMMAND.get((command, name), flag) for name, flag in FLAGS.items()}
    known = {name: flag for name, flag in known.items() if flag in options}
    # Here both the flag and the field were typed.
    message = re.sub(
        r"\b(\w+) and the setting (?=\w+=)",
        lambda match: f"{known.get(match[1], match[1])} and --set ",
        message,
    )
    known = {name: flag for name, flag in known.items() if name not in but}
    if not known:
        return message
    names = "|".join(map(re.escape, known))
    message = re.sub(_SUBJECT.format(names=names), lambda match: known[match[1]], message)
    return re.sub(
        _GIVEN.format(names=names), lambda match: _with(known[match[1]], match[2]), message
    )


def _with(flag: str, value: str) -> str:
    """A flag with a value as Python writes it.

    >>> _with("--device", "'cpu'"), _with("--resume", "True"), _with("-k", "10")
    ('--device cpu', '--resume', '-k 10')
    """
    try:
        known = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        known = value
    return flag if known is True else f"{flag} {known}"
