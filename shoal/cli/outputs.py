"""What commands may write: nothing that is there already, unless told to, and never an input."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from shoal.errors import OutputError, ShoalError
from shoal.images.csv_files import printable
from shoal.images.files import atomic_path, digest_of, free_name
from shoal.images.output_checks import already_there, check_distinct, check_writable

if TYPE_CHECKING:
    from shoal.protocols import ImageSource


def check_outputs(
    outputs: Sequence[Path | None], inputs: Sequence[Path], *, force: bool = False,
    kept: bool = False, perhaps: Sequence[Path] = (), first: Callable[[], object] | None = None,
    named_by: Mapping[str, Path | None] = MappingProxyType({}),
) -> list[Path]:  # fmt: skip
    """Fail now if one of ``outputs`` should not be written.

    A file that is there is only replaced with ``force``, and only if shoal wrote such files. An
    image of a pile, the file of an input or a folder is never replaced.

    Args:
        outputs: files; None stands for one that is not asked for.
        inputs: files, folders, and patterns of files, that the command reads.
        force: whether files may be replaced.
        kept: whether a copy of what is replaced is kept, so that it may be anything.
        perhaps: other words that may be files which the command reads.
        first: fails if what was asked for cannot be done. It is called before it is said that a
            file is there: a person mends the question before anything makes room for its answer.
        named_by: the options by which outputs are named, where options do that.

    Returns:
        The files that will be replaced.

    Raises:
        OutputError: naming the file, and what to do.
        DataError: a file is there, and an input is not.
    """
    from shoal.corrections.journal_file import REVIEWED, SUFFIX
    from shoal.images.shards import check_there  # it brings NumPy

    read = [file for path in (*inputs, *perhaps) for file in _files(path)]
    check_distinct(outputs, read)
    wanted = [path for path in outputs if path is not None]
    for path in wanted:
        if path.name.endswith((SUFFIX, REVIEWED)):
            raise OutputError(
                f"cannot write {path}: files of this name hold what a person corrected; name "
                "another file."
            )
        check_writable(path)
        for pile in inputs:
            if is_image_in(path, pile):
                raise OutputError(f"cannot write {path}: it is one of the images in {pile}.")
    replaced = [path for path in wanted if os.path.lexists(path)]
    if replaced and not force:
        for path in inputs:
            check_there(path)
        if first is not None:
            first()
        options = [option for option, path in named_by.items() if path == replaced[0]]
        raise already_there(replaced[0], *options[:1])
    if not replaced:
        return []
    from shoal.export.written import is_foreign

    foreign = next((path for path in replaced if not kept and is_foreign(path)), None)
    if foreign is not None:
        raise OutputError(
            f"{printable(str(foreign))} exists, and shoal did not write it: --force does not "
            "replace it; name another file."
        )
    return replaced


def replacing(paths: Sequence[Path]) -> list[str]:
    """A line on what `check_outputs` found, none where nothing is replaced."""
    return [f"replaced {', '.join(printable(str(path)) for path in paths)}"] if paths else []


def check_suffix(path: Path, suffixes: Sequence[str], what: str) -> None:
    """Fail if ``path`` has another suffix than one of ``suffixes``; a name without any will do.

    Raises:
        OutputError: naming the first suffix.
    """
    if path.suffix.lower() not in ("", *suffixes):
        right = printable(path.with_suffix(suffixes[0]).name)
        raise OutputError(
            f"the file of {what} must end in {suffixes[0]}, got {printable(str(path))}; name it "
            f"{right}, for one."
        )


def listed_in(source: ImageSource, skipped: Path) -> list[str]:
    """A line on where the images that are left out are listed, if there are any."""
    return [f"what was left out is listed in {skipped}"] if source.skipped else []


@contextlib.contextmanager
def kept_aside(paths: Sequence[Path]) -> Iterator[list[tuple[Path, Path]]]:
    """Keep copies of files that the block replaces, as ``NAME.1.csv`` and so on.

    Yields a list that afterwards holds each file with its copy; where the block wrote the very
    same content again, there is no copy.
    """
    kept: list[tuple[Path, Path]] = []
    copies = copied_aside(paths)
    try:
        yield kept
    finally:
        for path, copy in copies.items():
            if path.is_file() and digest_of(path) == digest_of(copy):
                copy.unlink()
            else:
                kept.append((path, copy))


def copied_aside(paths: Sequence[Path]) -> dict[Path, Path]:
    """Copy files beside themselves, as ``NAME.1.csv`` and so on; each with its copy."""
    copies = {path: free_name(path) for path in paths}
    for path, copy in copies.items():
        with atomic_path(copy) as temporary:
            shutil.copyfile(path, temporary)
    return copies


def is_image_in(path: Path, pile: Path) -> bool:
    """Whether a file is there that belongs to the images of a folder, by its name or its content.

    Pictures that shoal drew do not.
    """
    from shoal.images.decoding.image import look
    from shoal.images.file_kinds import head_of, image_suffix
    from shoal.images.file_names import is_image
    from shoal.images.left_out import DRAWN

    real = Path(os.path.realpath(path))
    if not (pile.is_dir() and real.is_file() and Path(os.path.realpath(pile)) in real.parents):
        return False
    is_one = is_image(real.name) or image_suffix(head_of(real)) != ""
    return is_one and look(real) != DRAWN


def _files(path: Path) -> list[Path]:
    """The files that an input names: itself, those of a pattern, those that a list of paths has."""
    from shoal.images.formats import path_list
    from shoal.images.remote.location import is_remote
    from shoal.images.shards import shards  # it brings NumPy

    if is_remote(path):
        return [path]
    try:
        files = shards(path)
        if path_list.accepts(path) and path.is_file():
            files += path_list.named_files(path)
    except (ShoalError, OSError, ValueError):
        return [path]  # whoever opens it says what is wrong
    return files
