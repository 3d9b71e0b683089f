"""The exceptions shoal raises for a mistake that its user can mend.

```
ShoalError (ValueError)      the command line prints the message and exits with 2
├── DataError                images or labels that cannot be used
├── RecipeError              an unknown field, part or option, or a value out of range
├── CheckpointError          a file that is not a checkpoint, or does not fit the data
├── DeviceError              a device that this machine does not have
├── OutputError              a path that cannot be written
├── UsageMistake             words of a command that are missing, unknown or too many
├── TrainingError            training that cannot go on (a loss that is not finite)
├── DistributedError         Ray that does not answer, or workers that cannot do their part
│   └── LostError            workers or Ray that have ended; what is done is kept
└── Interrupted              training stopped on request, between two steps; exits with 130
```

A message is one plain sentence: what is wrong, with the value, and what to do if that is not
obvious ("n_clusters must be at least 1, got 0."). It names the parameters of Python, at its start
or as ``name=value``; the command line replaces these by its options. Any other exception that
escapes is a fault of shoal's own and keeps its traceback.
"""

from __future__ import annotations


class ShoalError(ValueError):
    """Base of every error that the user can mend."""


class DataError(ShoalError):
    """Images or labels that cannot be used."""


class RecipeError(ShoalError):
    """An unknown recipe, field, part or option, or a value out of range."""


class CheckpointError(ShoalError):
    """A file that is not a whole checkpoint of a known format, or that does not fit the data."""


class DeviceError(ShoalError):
    """A device that this machine does not have."""


class OutputError(ShoalError):
    """A path that cannot be written."""


class UsageMistake(ShoalError):
    """The words of a command: one is missing, empty, unknown or too many."""


class TrainingError(ShoalError):
    """Training that cannot go on."""


class DistributedError(ShoalError):
    """Ray is not there or does not answer, or its workers cannot do their part."""


class LostError(DistributedError):
    """Workers, or the Ray that they belong to, have ended; the work goes on from what is kept.

    Args:
        what: which have ended, as the beginning of a sentence.
        kept: what is kept of the work, as its end.
    """

    def __init__(self, what: str, kept: str = "") -> None:
        super().__init__(f"{what}; {kept}" if kept else f"{what}.")
        self.what = what

    def __reduce__(self) -> tuple[type[LostError], tuple[str]]:
        return LostError, (self.what,)


class Interrupted(ShoalError):
    """Training stopped on request between two steps; the state was saved."""
