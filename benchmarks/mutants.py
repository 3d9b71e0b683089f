"""Which wrong lines no test sees: small modules changed in one place, against their own tests.

    pip install cosmic-ray
    python benchmarks/mutants.py              # every module below: about 25 minutes on one core
    python benchmarks/mutants.py tree -v      # one of them, and each change that no test saw

cosmic-ray makes the changes (``+`` to ``-``, ``<`` to ``<=``, ``and`` to ``or``, a number one more,
a condition negated …). It would start a process that imports PyTorch for each; here a process that
has imported it is forked, and the changed module stands where the other is imported.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import doctest
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 60
"""Seconds. A change that makes a test run for ever is seen."""

# Module: its tests, as pytest takes them. The examples in its docstrings are run, too.
MODULES: dict[str, list[str]] = {
    "plural": ["tests/test_verdict.py", "-k", "one_is_not_many"],
    "images/sampling": ["tests/test_sampling.py"],
    "images/file_names": ["tests/test_archives.py", "tests/test_sources.py", "-k",
                          "together or same_pile or escape or hidden or sort_the_images or lists"],
    "images/pixel_range": ["tests/test_pixel_range.py", "-k", "not of_training"],
    "recipes/parts": ["tests/test_recipes.py", "-k", "setting or travel or difference"],
    "recipes/settings": ["tests/test_recipes.py", "-k", "setting"],
    "training/schedule": ["tests/test_recipes.py", "tests/test_time_limit.py", "-k",
                          "rate or ten_steps or papers"],
    "training/optimizers": ["tests/test_optimizers.py"],
    "models/pace": ["tests/test_time_limit.py"],
    "embedding/linear_algebra": ["tests/test_splits.py", "tests/test_degenerate_piles.py", "-k",
                                 "whitening or r_squared or unit_rows"],
    "embedding/neighbours": ["tests/test_degenerate_piles.py", "tests/test_quality.py", "-k",
                             "neighbours or nearest or copies or slow or thousandth"],
    "clustering/partitions": ["tests/test_splits.py", "tests/test_quality.py", "-k",
                              "overlap or r_squared or distinct or lot or ranges or one_cluster"],
    "clustering/tree": ["tests/test_tree.py", "-k", "not mistake and not named_groups"],
    "scoring/quality": ["tests/test_quality.py"],
    "scoring/accuracy": ["tests/test_calibration.py", "-k",
                         "estimate or trusted or chance or evidence or decimals or range"],
    "export/safe_names": ["tests/test_export.py", "-k", "places or names_of_clusters or long_name"],
    "search/pixel_distance": ["tests/test_duplicates.py", "-k",
                              "definition or any_size or thumbnails"],
    "search/thresholds": ["tests/test_similarity.py", "-k", "threshold or pairs_of_two"],
}  # fmt: skip

OPERATORS = (
    *(f"ReplaceBinaryOperator_{a}_{b}" for a, b in (
        ("Add", "Sub"), ("Sub", "Add"), ("Mul", "Div"), ("Div", "Mul"), ("FloorDiv", "Div"),
        ("Mod", "Add"), ("Pow", "Mul"), ("BitOr", "BitAnd"), ("BitAnd", "BitOr"))),
    *(f"ReplaceComparisonOperator_{a}_{b}" for a, b in (
        ("Eq", "NotEq"), ("NotEq", "Eq"), ("Lt", "LtE"), ("LtE", "Lt"), ("Gt", "GtE"),
        ("GtE", "Gt"), ("Lt", "GtE"), ("Gt", "LtE"), ("Is", "IsNot"), ("IsNot", "Is"))),
    "ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not", "AddNot",
    "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "NumberReplacer",
    "ZeroIterationForLoop",
)  # fmt: skip


class _Plain(ast.NodeTransformer):
    """Without docstrings and annotations, in which a change changes nothing."""

    def visit(self, node: ast.AST) -> Any:
        for name in ("annotation", "returns"):
            if name in getattr(node, "_fields", ()) and not isinstance(node, ast.AnnAssign):
                setattr(node, name, None)
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
        return self.generic_visit(node)


def mutants(code: str) -> Iterator[str]:
    """The code with one place changed, each way once; what says the same is left out."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    seen = {ast.dump(_Plain().visit(ast.parse(code)))}
    for name in OPERATORS:
        operator, occurrence = get_operator(f"core/{name}")(), 0
        while (changed := mutate_code(code, operator, occurrence)) is not None:
            occurrence += 1
            try:
                meaning = ast.dump(_Plain().visit(ast.parse(changed)))
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                yield changed


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports ``code`` where the module ``name`` is asked for."""

    def __init__(self, name: str, path: Path, code: str) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, fullname: str, *_: Any) -> Any:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.code, str(self.path), "exec"), vars(module))


def seen_by(tests: Sequence[str], name: str, path: Path, code: str) -> bool:
    """Whether a test fails with this code in the module's place. In a process of its own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    import pytest

    signal.alarm(TIMEOUT)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    failed = True
    with contextlib.suppress(BaseException):
        sys.meta_path.insert(0, Instead(name, path, code))
        module = importlib.import_module(name)
        # Its examples first. Not by pytest, which would import the file itself.
        flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
        failed = bool(doctest.testmod(module, optionflags=flags).failed) or bool(
            pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
        )
    os._exit(int(failed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of names; all by default")
    parser.add_argument("--most", type=int, default=60, help="changes a module, drawn at random")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what no test saw")
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for heavy in ("torch", "sklearn.cluster", "sklearn.decomposition", "scipy.sparse.csgraph",
                  "hypothesis.extra.numpy", "pyarrow.parquet", "faiss", "PIL.Image"):  # fmt: skip
        importlib.import_module(heavy)
    print("| module | changes | unseen |\n|---|---|---|")
    for module, tests in MODULES.items():
        if asked.modules and not any(part in module for part in asked.modules):
            continue
        path = ROOT / "shoal" / f"{module}.py"
        name, code = f"shoal.{module.replace('/', '.')}", path.read_text(encoding="utf-8")
        if seen_by(tests, name, path, code):
            raise SystemExit(f"{module}: its tests fail as it is")
        made = list(mutants(code))
        chosen = random.Random(0).sample(made, min(asked.most, len(made)))
        unseen = [changed for changed in chosen if not seen_by(tests, name, path, changed)]
        share = f"{len(unseen)} ({len(unseen) / len(chosen):.0%})"
        print(f"| `{module}.py` | {len(chosen)} of {len(made)} | {share} |", flush=True)
        for changed in unseen if asked.verbose else ():
            lines = zip(code.splitlines(), changed.splitlines(), strict=False)
            number, (old, new) = next((i, p) for i, p in enumerate(lines, 1) if p[0] != p[1])
            print(f"  {number}: {old.strip()}\n   → {new.strip()}", flush=True)


if __name__ == "__main__":
    main()
