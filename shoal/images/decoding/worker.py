"""A worker process: decodes the chunks of images that its standard input brings.

`parallel.Worker` starts it. It ends with its standard input, so that it never outlives its master.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings

from shoal.images.decoding.image import decode_chunk


def main() -> None:
    """Answer each (contents, form) with its `Chunk`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the master
    warnings.simplefilter("ignore")
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stderr.fileno())  # libtiff complains there of each bad file
    while True:
        try:
            contents, form = pickle.load(requests)
            pickle.dump(decode_chunk(contents, form), answers, protocol=5)
            answers.flush()
        except (EOFError, BrokenPipeError):
            os._exit(0)  # nobody is there to read what is still buffered
