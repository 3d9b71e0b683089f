"""The ids of very many vectors, as sequences that hold no Python string for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

MANY = 1_000_000
"""More ids than this are not held as Python strings, which take 60 bytes each and more."""


class RowNames(Sequence[str]):
    """The row numbers 0 to n - 1 as text.

    >>> RowNames(3)[1], list(RowNames(2))
    ('1', ['0', '1'])
    """

    def __init__(self, n: int) -> None:
        self._rows = range(n)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [str(number) for number in self._rows[row]]
        return str(self._rows[int(row)])

    def __iter__(self) -> Iterator[str]:
        return map(str, self._rows)


class ArrowNames(Sequence[str]):
    """A column of text of Arrow arrays.

    >>> import pyarrow as pa
    >>> ArrowNames(pa.chunked_array([["a"], ["b", "c"]]))[2]
    'c'
    """

    def __init__(self, column: Any) -> None:
        """``column`` is a chunked array of strings, without holes."""
        self._column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return self._column[row].to_pylist()
        return self._column[int(row)].as_py()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 65_536):
            yield from self[start : start + 65_536]

    def twice(self) -> tuple[str, int] | None:
        """An id that is given more than once, and how often; None if there is none."""
        import pyarrow.compute as pc

        if pc.count_distinct(self._column).as_py() == len(self):
            return None
        counts = self._column.value_counts()
        worst = pc.index(counts.field("counts"), pc.max(counts.field("counts"))).as_py()
        return counts.field("values")[worst].as_py(), counts.field("counts")[worst].as_py()
