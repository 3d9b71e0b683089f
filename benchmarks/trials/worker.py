"""The process in which trials are made: reads ``kind seed`` lines, answers each with a JSON line.

It may crash or hang: `fuzzing` watches over it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

_CEILING = 6 * 2**30
"""Bytes of address space: what wants more is a failure, not the end of this machine."""


def _peak_mb() -> float:
    """The most memory that was resident since `_forget_peak`, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def trial(kind: str, seed: int, root: Path) -> dict[str, Any]:
    """One trial, with how long it took and how much memory."""
    from trials import documents, verdicts

    folder = Path(tempfile.mkdtemp(dir=root))
    assets = Path(os.environ["SHOAL_TRIALS"])
    if kind in documents.KINDS and not any(assets.iterdir()):
        documents.prepare(assets)
    _forget_peak()
    began = time.monotonic()
    try:
        judge = documents.give_damaged if kind in documents.KINDS else verdicts.open_damaged
        outcome, what = judge(kind, seed, folder), ""
    except verdicts.WrongError as error:
        outcome, what = "failure", str(error)
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        outcome = "failure"
        what = "".join(traceback.format_exception(error, limit=-6))
    seconds = time.monotonic() - began
    for path in root.rglob("*"):  # a damaged archive may not have taken rights away
        if path.is_dir() and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "kind": kind, "seed": seed, "outcome": outcome, "what": what[-3000:],
        "seconds": round(seconds, 3), "mb": round(_peak_mb()),
    }  # fmt: skip


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if len(sys.argv) < 2 or sys.argv[1] != "--loud":
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff complains there
    resource.setrlimit(resource.RLIMIT_AS, (_CEILING, _CEILING))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="shoal-trials-") as root:
        os.environ["XDG_CACHE_HOME"] = str(Path(root) / "cache")
        os.environ["TMPDIR"] = root
        tempfile.tempdir = None
        for line in sys.stdin:
            kind, seed = line.split()
            found = trial(kind, int(seed), Path(root))
            answers.write(json.dumps(found) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
