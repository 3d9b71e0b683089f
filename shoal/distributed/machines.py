"""Whether each machine of a cluster has the shoal of the command, asked before any work."""

from __future__ import annotations

from typing import Any

from shoal import __version__
from shoal.distributed.order import check_machine
from shoal.errors import DistributedError

_SECONDS = 60.0
"""How long machines have to answer; of one that is silent its workers find out."""


def check_machines(ray: Any, kind: str) -> None:
    """Ask each machine that may work for its shoal.

    Args:
        ray: the module, joined to a cluster.
        kind: CPU or GPU: what a machine must have of to work.

    Raises:
        DistributedError: a machine has no shoal, or that of another version.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def of_machine() -> tuple[str, str]:  # in a function, Ray sends it whole: no shoal is needed
        import platform

        try:
            from shoal import __version__ as version
        except ImportError:
            version = ""
        return platform.node(), version

    asked = ray.remote(of_machine)
    answers = [
        asked.options(
            num_cpus=0, max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        ).remote()
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get(kind, 0) >= 1
    ]  # fmt: skip
    there, _ = (
        ray.wait(answers, num_returns=len(answers), timeout=_SECONDS) if answers else ([], [])
    )
    for answer in there:
        try:
            machine, version = ray.get(answer)
        except ray.exceptions.RayError:  # a machine that has just gone
            continue
        if not version:
            raise DistributedError(
                f"there is no shoal on {machine}; install the same version on each machine."
            )
        check_machine(machine, version, __version__)
