"""What Ray needs around it: that it is installed, of one version everywhere, and left as it was."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import signal
from collections.abc import Iterator
from typing import Any

from shoal.distributed.address import AUTO, LOCAL, check_address, is_address, nobody
from shoal.errors import DistributedError

_QUIET = {
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # a worker's death is no news for standard output
    "RAY_NUM_REDIS_GET_RETRIES": "8",  # seconds until nobody answers
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # as the plain command: it need not give way to other programs
    # Statistics for a dashboard, which there is not: an hour until the next.
    "RAY_metrics_report_interval_ms": "3600000",
    "REPORTER_UPDATE_INTERVAL_MS": "3600000",
}
"""Read when Ray is loaded, or when it begins."""
_THERE = re.compile(r"Ray: (\S+)\s+Python: (\S+)")


def check_installed() -> None:
    """Fail where Ray cannot be imported; it is not loaded, which takes a second.

    Raises:
        DistributedError: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise DistributedError("ray needs an extra: pip install 'shoal[ray]'.")


def importable() -> Any:
    """The module of Ray, which `check_installed` has seen."""
    with changed(**_QUIET):
        import ray
    return ray


def check_auto() -> None:
    """Fail where ``auto`` means a Ray that has ended, which Ray itself would wait for.

    A head that was killed leaves its address in a file of Ray's, and RAY_ADDRESS may name any.

    Raises:
        DistributedError: nobody answers there.
    """
    with changed(**_QUIET), contextlib.suppress(ImportError, TypeError):  # in another Ray
        from ray._private.services import get_ray_address_from_environment as address_of

        try:
            meant = address_of(AUTO, None)
        except ConnectionError as error:
            raise nobody(AUTO) from error
        if is_address(meant) and meant != AUTO:
            check_address(meant)


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Ray sets variables of the environment and takes signals: after the block all is as before."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
        for number, handler in handlers.items():
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, handler)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """A block in which Ray begins without a word, and without telling of its use.

    What Ray's core says while it tries an address goes to the file of standard error itself.
    """
    with changed(**_QUIET), open(os.devnull, "wb") as nowhere:
        kept = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def changed(**variables: str) -> Iterator[None]:
    """Variables of the environment inside the block, unless a person has set them."""
    given = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            os.environ.pop(name, None)


def version_mismatch(address: str, error: BaseException) -> DistributedError:
    """What is wrong with the Ray at ``address``, in a sentence: its version, or that it is none."""
    text = str(error)
    there = _THERE.search(text)
    if "ersion mismatch" in text and there is not None:
        import ray

        return DistributedError(
            f"the cluster at {address} runs Ray {there[1]} and Python {there[2]}, and here are Ray "
            f"{ray.__version__} and Python {platform.python_version()}; use the same versions."
        )
    if address == LOCAL:
        reason = text.strip().partition("\n")[0][:200]
        return DistributedError(f"Ray cannot start on this machine: {reason}")
    if "ray start" in text and "node" in text.lower():
        return DistributedError(
            f"this machine is no part of the cluster at {address}; run 'ray start "
            f"--address={address}' here, or run shoal on a machine of the cluster."
        )
    if address == AUTO:
        return nobody(address)
    return DistributedError(
        f"what answers at {address} is no Ray, or does not let this command in; give the port of "
        "'ray start'; if the cluster asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN."
    )
