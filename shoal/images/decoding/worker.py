"""A worker process: computes what its standard input brings.

`processes.Worker` starts it. It ends with its standard input, so that it never outlives its master.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings

import shoal.images.decoding.image  # noqa: F401 - while the first request is on its way
from shoal.images.decoding import time_limit


def main() -> None:
    """Answer each (function, arguments) with its result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the master
    warnings.simplefilter("ignore")
    time_limit.begin()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stderr.fileno())  # libtiff complains there of each bad file
    while True:
        try:
            function, arguments = pickle.load(requests)
            pickle.dump(function(*arguments), answers, protocol=5)
            answers.flush()
        except (EOFError, BrokenPipeError):
            os._exit(0)  # nobody is there to read what is still buffered
