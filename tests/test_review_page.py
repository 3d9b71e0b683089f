"""The page of the review without a browser: its modules by themselves, run by node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "shoal" / "review" / "page"
MODULES = sorted(PAGE.glob("*.js"))
NODE, TSC = shutil.which("node"), shutil.which("tsc")


@pytest.mark.skipif(NODE is None, reason="no node: apt-get install nodejs")
def test_the_units_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')  # what no file beside says
    shutil.copytree(PAGE, tmp_path / "shoal" / "review" / "page")
    shutil.copytree(Path(__file__).parent / "page", tmp_path / "tests" / "page")
    tests = sorted(tmp_path.glob("tests/page/*.test.js"))
    assert tests
    done = subprocess.run(
        [str(NODE), "--test", *map(str, tests)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass (\d+)", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.skipif(TSC is None, reason="no TypeScript: npm install --global typescript")
def test_the_types_of_the_page() -> None:
    done = subprocess.run(
        [str(TSC), "--project", str(Path(__file__).parents[1] / "jsconfig.json")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_modules_are_short_and_all_are_used() -> None:
    imported = set(re.findall(r'from "\./(\w+\.js)"', "".join(m.read_text() for m in MODULES)))
    for module in MODULES:
        text = module.read_text("utf-8")
        assert text.startswith("/**"), f"{module.name} does not say what it is for"
        assert len(text.splitlines()) <= 200, f"{module.name} is long"
        if module.name != "main.js":
            assert module.name in imported or f"./{module.name}" in text or "Only types" in text


@pytest.mark.parametrize("pattern", [
    r"\.innerHTML", r"\.outerHTML", r"insertAdjacentHTML", r"document\.write", r"\beval\(",
    r"new Function", r"https?://(?!www\.w3\.org)", r"setAttribute\(\s*[\"']style",
])  # fmt: skip
def test_nothing_that_a_name_could_break_out_of(pattern: str) -> None:
    for file in PAGE.iterdir():
        assert not re.search(pattern, file.read_text("utf-8")), f"{pattern} in {file.name}"


def test_the_page_holds_no_script_and_no_style_of_its_own() -> None:
    page = (PAGE / "index.html").read_text("utf-8")
    assert not re.search(r"\sstyle=|\son\w+=|<style", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    for name in re.findall(r'"/static/([^"]+)"', page):
        assert (PAGE / name).is_file(), f"{name} does not ship"
