"""``python -m shoal`` and the command ``shoal``."""

from __future__ import annotations

import errno
import io
import os
import sys


def wait_briefly() -> None:
    """Let threads that wait for one another give up their core soon, unless the user has tuned it.

    A training step works on several threads that wait for the slowest at every layer, and GNU's
    OpenMP lets them spin meanwhile. Beside another busy program that takes the core from the very
    thread they wait for: a step took 4.1 times as long, and so 2.6 times, at no cost alone
    (`benchmarks/busy.py`). No result changes. It is read when PyTorch is loaded.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    wait_briefly()
    from shoal.distributed import torchrun
    from shoal.errors import Interrupted, LostError, ShoalError

    _print_anything()
    try:
        try:
            with torchrun.joined(sys.argv[1:]) as is_the_command:
                if is_the_command:
                    from shoal.cli import app

                    app(prog_name="shoal")
                else:
                    torchrun.follow()
        finally:
            if sys.stdout is not None:  # closed by who called
                sys.stdout.flush()
    except Interrupted as error:
        sys.exit(_say(error, 130))
    except ShoalError as error:
        from shoal.cli import in_words_of_the_command

        code = _say(in_words_of_the_command(str(error)), 2)
        if isinstance(error.__cause__, LostError):  # a Ray that has ended would not let it end so
            sys.stderr.flush()
            os._exit(code)
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(_say("stopped.", 130))
    except SystemExit as stop:
        if stop.code == 130:  # typer takes Ctrl-C for an exit without a word
            _say("stopped.", 130)
        raise
    except MemoryError:
        sys.exit(_say("the memory is not enough; close other programs, or give fewer images.", 2))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EPIPE) and error.filename is None:
            sys.exit(_cannot_print(error))
        if error.errno != errno.ENAMETOOLONG:
            raise
        sys.exit(_say(f"{str(error.filename)[:60]}…: the name is too long; shorten it.", 2))


def _print_anything() -> None:
    """Characters that an output's encoding lacks, such as × in ASCII, are written as \\xd7."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _cannot_print(error: OSError) -> int:
    # What is still to be written would fail once more, with a traceback, when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if error.errno == errno.EPIPE:  # the reader has gone: it wants to hear no more
        return 1
    return _say(f"the output cannot be written: {error.strerror}; make room.", 2)


def _say(message: object, code: int) -> int:
    from shoal.images.csv_files import printable

    print(f"shoal: {printable(str(message))}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
