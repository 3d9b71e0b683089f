"""A little of benchmarks/robustness.py: each part small; and that it sees what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def campaign(*arguments: str) -> tuple[int, str]:
    """Exit code and output of ``robustness.py``."""
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "robustness.py", *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(("part", "n"), [("images", 88), ("documents", 20)])
def test_no_damaged_file_brings_shoal_down(part: str, n: int) -> None:
    code, said = campaign(part, "--trials", str(n), "--dry")
    assert (code, said.splitlines()[-1]) == (0, "0 failures"), said
    trials = re.findall(r"'n': (\d+)", said)
    assert sum(map(int, trials)) == n


@pytest.mark.skipif(sys.platform != "linux", reason="it forks")
def test_a_killed_run_is_gone_on_with_as_if_nothing_had_been() -> None:
    code, said = campaign("kills", "--trials", "1", "--images", "40", "--forked", "--dry")
    assert (code, said.splitlines()[-1]) == (0, "0 failures"), said


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """``import trials`` finds the parts of the campaign."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.mark.usefixtures("trials")
def test_the_campaign_sees_what_is_wrong(tmp_path: Path, checkpoint_file: Path) -> None:
    from trials import verdicts, wholeness
    from trials.disks import check_refused
    from trials.runs import Ended, differences, next_command

    (tmp_path / "a.csv").write_text("id,label\n1,2\n3")
    (tmp_path / "b.csv").write_text("id,label\n1,2\n")
    (tmp_path / "c.pth").write_bytes(checkpoint_file.read_bytes()[:-9])
    (tmp_path / "d.html").write_text("<html>")
    (tmp_path / ".shoal-x.csv").write_text("id,la")
    broken = [one.split()[1] for one in wholeness.broken(tmp_path)]
    assert broken == ["a.csv", "c.pth", "d.html"]
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]
    for message in ("two\nlines", "", "Traceback"):
        with pytest.raises(verdicts.WrongError):
            verdicts.check_message(message)
    assert not check_refused(Ended(2, "", "said before\nshoal: the disk is full.\n", 1), "full")
    for code, err in ((1, "shoal: full"), (2, "Traceback\nshoal: full"), (2, "shoal: other"),
                      (2, "shoal: a\nshoal: full"), (2, "shoal: full\nmore")):  # fmt: skip
        assert check_refused(Ended(code, "", err, 1), "full")
    said = "stopped; go on with: shoal run a b --set 'x=(1,)' --resume"
    assert next_command(said) == ("run", "a", "b", "--set", "x=(1,)", "--resume")


@pytest.mark.usefixtures("trials")
def test_a_seed_brings_the_same_damage_back() -> None:
    from trials.samples import CONTAINERS, IMAGES, whole
    from trials.verdicts import damaged

    for kind in (*IMAGES, *CONTAINERS):
        some = [damaged(kind, seed) for seed in range(8)]
        assert some == [damaged(kind, seed) for seed in range(8)]
        assert len(set(some)) > 4
        assert sum(one in whole(kind) for one in some) < 3
