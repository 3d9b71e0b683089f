"""The files for Slurm and Kubernetes in examples/: their options exist, and they are sound."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from shoal.cli import app

EXAMPLES = Path(__file__).parent.parent / "examples"
SLURM, KUBERAY = EXAMPLES / "slurm.sbatch", EXAMPLES / "kuberay.yaml"
if not EXAMPLES.is_dir():
    pytest.skip("the examples are not installed with shoal", allow_module_level=True)
SBATCH = {
    "job-name", "nodes", "ntasks-per-node", "cpus-per-task", "mem", "time", "signal", "requeue",
    "open-mode", "output",
}  # fmt: skip
"""The options of Slurm's sbatch that the file may use; each is in its manual."""

TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}


def closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """The schema of an object without other properties."""
    return {
        "type": "object", "properties": properties, "required": list(required),
        "additionalProperties": False,
    }  # fmt: skip


AMOUNTS = {
    "type": "object",
    "properties": {
        "cpu": {"type": "string", "pattern": r"^\d+(\.\d+|m)?$"},
        "memory": {"type": "string", "pattern": r"^\d+(Ki|Mi|Gi|Ti)$"},
        "nvidia.com/gpu": NUMBER,
    },
    "additionalProperties": False,
}
CONTAINER = closed(
    ("name", "image"),
    name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
    image=TEXT,
    env={"type": "array", "items": closed(("name",), name=TEXT, value=TEXT)},
    envFrom={"type": "array", "items": closed(secretRef=closed(("name",), name=TEXT))},
    resources=closed(requests=AMOUNTS, limits=AMOUNTS),
    volumeMounts={
        "type": "array",
        "items": closed(("name", "mountPath"), name=TEXT, mountPath=TEXT),
    },
)
POD = closed(
    ("spec",),
    spec=closed(
        ("containers",),
        containers={"type": "array", "items": CONTAINER, "minItems": 1},
        volumes={
            "type": "array",
            "items": closed(
                ("name", "persistentVolumeClaim"), name=TEXT,
                persistentVolumeClaim=closed(("claimName",), claimName=TEXT),
            ),
        },
    ),
)  # fmt: skip
START = {"type": "object", "additionalProperties": TEXT}
RAY_JOB = closed(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=closed(("name",), name=TEXT),
    spec=closed(
        ("entrypoint", "rayClusterSpec"),
        entrypoint=TEXT, shutdownAfterJobFinishes={"type": "boolean"},
        ttlSecondsAfterFinished=NUMBER, activeDeadlineSeconds=NUMBER, backoffLimit=NUMBER,
        rayClusterSpec=closed(
            ("rayVersion", "headGroupSpec"),
            rayVersion=TEXT,
            headGroupSpec=closed(
                ("rayStartParams", "template"), rayStartParams=START, template=POD
            ),
            workerGroupSpecs={
                "type": "array",
                "items": closed(
                    ("groupName", "rayStartParams", "template", "maxReplicas", "minReplicas"),
                    groupName=TEXT, replicas=NUMBER, minReplicas=NUMBER, maxReplicas=NUMBER,
                    rayStartParams=START, template=POD,
                ),
            },
        ),
    ),
)  # fmt: skip
"""What of a RayJob of KubeRay the manifest uses, written after the fields and types of KubeRay's
custom resource definition `rayjobs.ray.io`, version v1; stricter, as nothing else is allowed. What
any version of v1 asks for is asked for: older ones want `rayStartParams` in each group."""


def options_of(command: str) -> set[str]:
    """The long options of a command of shoal."""
    group = typer.main.get_command(app)
    found = group.commands[command]  # type: ignore[attr-defined]
    return {option for parameter in found.params for option in parameter.opts}


def check_shoal(words: list[str]) -> None:
    """Fail unless ``words`` are a command of shoal with options that it has."""
    assert words[0] == "shoal"
    known = options_of(words[1])
    assert {word for word in words[2:] if word.startswith("--")} <= known


def joined(text: str) -> list[str]:
    """The lines of a shell script, without comments, those that go on joined."""
    whole = text.replace("\\\n", " ")
    return [line.strip() for line in whole.splitlines() if line.strip()[:1] not in ("", "#")]


def test_the_file_for_slurm_is_a_script_and_its_options_exist() -> None:
    done = subprocess.run(["bash", "-n", str(SLURM)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = SLURM.read_text()
    asked = re.findall(r"^#SBATCH --([a-z-]+)", text, re.MULTILINE)
    assert len(asked) > 5
    assert set(asked) <= SBATCH
    step = next(line for line in joined(text) if line.startswith("srun"))
    before, _, after = step.partition(" -- ")
    check_shoal(shlex.split(after.replace('"${resume[@]}" &', "--resume")))
    click = pytest.importorskip("ray.scripts.scripts", reason="Ray is not installed")
    run = click.cli.commands["symmetric-run"]
    start = {o for parameter in click.start.params for o in parameter.opts}
    known = {o for parameter in run.params for o in parameter.opts} | start
    used = set(re.findall(r"--[a-z-]+", before.partition("symmetric-run")[2]))
    assert used <= known


def test_the_manifest_for_kuberay_is_a_rayjob_and_its_command_exists() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    job = yaml.safe_load(KUBERAY.read_text())
    jsonschema.Draft202012Validator.check_schema(RAY_JOB)
    jsonschema.validate(job, RAY_JOB)
    check_shoal(shlex.split(job["spec"]["entrypoint"]))
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    images = {c["image"] for g in groups for c in g["template"]["spec"]["containers"]}
    assert len(images) == 1  # workers with another shoal would be refused
    scripts = pytest.importorskip("ray.scripts.scripts", reason="Ray is not installed")
    start = {o.removeprefix("--") for parameter in scripts.start.params for o in parameter.opts}
    for group in groups:
        assert set(group["rayStartParams"]) <= start


def test_a_manifest_with_a_field_that_kuberay_does_not_know_is_refused() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    job = yaml.safe_load(KUBERAY.read_text())
    job["spec"]["rayClusterSpec"]["workerGroupSpec"] = []
    with pytest.raises(jsonschema.ValidationError, match="workerGroupSpec"):
        jsonschema.validate(job, RAY_JOB)
