"""Damage to a file: what happens to disks and downloads, and what nobody but an attacker does.

Every mutation is drawn from a generator, so that a seed brings the same file back.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from trials.samples import SIDE

EXTREME = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000,
           0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)  # fmt: skip
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
_SIDES = (0, 1, 23, 25, 48, 255, 256, 3000, 9459, 9460, 20000, 30000, 32768, 65535, 3_700_000,
          2**31 - 1, 2**31, 2**32 - 1)  # fmt: skip
_NUMBERS = ("0", "-1", "1", "7", "65535", "65536", "2147483648", "4294967296", "99999999999999",
            "9223372036854775807", "18446744073709551616", "1e9", "nan", "", "True", "(1,)",
            "1" * 5000)  # fmt: skip
_TEXTS = ("|O", "|O8", "<f8", "|u1", "<U9", "|S3", "<c16", "<M8[s]", "|b1", ">f2", "|V4",
          "[('a','<f4')]", "../../etc/passwd", "/dev/zero", "/dev/stdin", "a" * 300, "\0", "\n",
          '"', "💥", "..", ".", "~", "http://localhost/a.png")  # fmt: skip

Mutation = Callable[[bytes, np.random.Generator], bytes]


def mutate(content: bytes, others: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """``content`` damaged once to three times; ``others`` lend their parts."""
    for _ in range(1 + int(generator.integers(0, 3))):
        number = int(generator.integers(0, len(_MUTATIONS) + 2))
        if number < len(_MUTATIONS):
            content = _MUTATIONS[number](content, generator)
        else:
            content = _splice(content, others[int(generator.integers(len(others)))], generator)
    if content[:8] == b"\x89PNG\r\n\x1a\n" and generator.random() < 0.6:
        content = _png_sums(content)
    if content[257:262] == b"ustar" and generator.random() < 0.6:
        content = _tar_sums(content)
    return content


def _place(content: bytes, generator: np.random.Generator) -> int:
    """Half of the time among the first bytes, where headers are, or the last, where tables are."""
    n = len(content)
    if n == 0:
        return 0
    where = generator.random()
    if where < 0.4:
        return int(generator.integers(0, min(n, 128)))
    if where < 0.55:
        return n - 1 - int(generator.integers(0, min(n, 256)))
    return int(generator.integers(0, n))


def _flip(content: bytes, generator: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(2 ** int(generator.integers(0, 6))):
        if changed:
            changed[_place(content, generator)] ^= 1 << int(generator.integers(0, 8))
    return bytes(changed)


def _truncate(content: bytes, generator: np.random.Generator) -> bytes:
    return content[: int(generator.integers(0, len(content) + 1))]


def _overwrite(content: bytes, generator: np.random.Generator) -> bytes:
    start, n = _place(content, generator), 2 ** int(generator.integers(0, 10))
    fill = (bytes(n), b"\xff" * n, generator.bytes(n))[int(generator.integers(0, 3))]
    return content[:start] + fill[: len(content) - start] + content[start + n :]


def _forge(content: bytes, generator: np.random.Generator) -> bytes:
    start = _place(content, generator)
    width = (1, 2, 4, 8)[int(generator.integers(0, 4))]
    value = EXTREME[int(generator.integers(0, len(EXTREME)))] & (256**width - 1)
    forged = value.to_bytes(width, _ORDERS[int(generator.integers(0, 2))])
    return content[:start] + forged + content[start + width :]


def _resize(content: bytes, generator: np.random.Generator) -> bytes:
    """Other sides for an image's: numbers that equal its side, wherever they stand."""
    found = []
    for width in (2, 4):
        for order in _ORDERS:
            side = SIDE.to_bytes(width, order)
            places = [one.start() for one in re.finditer(re.escape(side), content)]
            found += [(place, width, order) for place in places]
    if not found:
        return _forge(content, generator)
    for _ in range(1 + int(generator.integers(0, 2))):
        place, width, order = found[int(generator.integers(0, len(found)))]
        side = _SIDES[int(generator.integers(0, len(_SIDES)))] & (256**width - 1)
        content = content[:place] + side.to_bytes(width, order) + content[place + width :]
    return content


def _delete(content: bytes, generator: np.random.Generator) -> bytes:
    start = _place(content, generator)
    return content[:start] + content[start + 2 ** int(generator.integers(0, 10)) :]


def _repeat(content: bytes, generator: np.random.Generator) -> bytes:
    start, n = _place(content, generator), 2 ** int(generator.integers(0, 10))
    times = 2 ** int(generator.integers(0, 4))
    return content[:start] + content[start : start + n] * times + content[start:]


def _insert(content: bytes, generator: np.random.Generator) -> bytes:
    start = _place(content, generator)
    return content[:start] + generator.bytes(2 ** int(generator.integers(0, 8))) + content[start:]


def _swap(content: bytes, generator: np.random.Generator) -> bytes:
    one, two = sorted(_place(content, generator) for _ in range(2))
    n = min(2 ** int(generator.integers(0, 8)), two - one)
    return (
        content[:one] + content[two : two + n] + content[one + n : two]
        + content[one : one + n] + content[two + n :]
    )  # fmt: skip


def _renumber(content: bytes, generator: np.random.Generator) -> bytes:
    """Another number for one written in digits: sizes in .npy, .ppm, tar, .csv and JSON."""
    found = list(re.finditer(rb"[0-9]+", content[:4096]))
    if not found:
        return _forge(content, generator)
    one = found[int(generator.integers(0, len(found)))]
    number = _NUMBERS[int(generator.integers(0, len(_NUMBERS)))].encode()
    keep = one.end() - one.start() if generator.random() < 0.5 else len(number)
    return content[: one.start()] + number.ljust(keep)[:keep] + content[one.end() :]


def _reword(content: bytes, generator: np.random.Generator) -> bytes:
    """Another word for one written in letters: types in .npy, names in tar, .csv and JSON."""
    found = list(re.finditer(rb"[-A-Za-z_./|<>]{2,}[0-9]?", content[:4096]))
    if not found:
        return _overwrite(content, generator)
    one = found[int(generator.integers(0, len(found)))]
    word = _TEXTS[int(generator.integers(0, len(_TEXTS)))].encode()
    keep = one.end() - one.start() if generator.random() < 0.5 else len(word)
    return content[: one.start()] + word.ljust(keep)[:keep] + content[one.end() :]


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _truncate, _overwrite, _forge, _resize, _resize, _delete, _repeat, _insert, _swap,
    _renumber, _reword,
)  # fmt: skip


def _splice(content: bytes, other: bytes, generator: np.random.Generator) -> bytes:
    """The beginning of one file before the rest of another."""
    end = _place(content, generator)
    start = end if generator.random() < 0.5 else _place(other, generator)
    return (
        content[:end] + other[start:] if generator.random() < 0.5 else other[:start] + content[end:]
    )


def _png_sums(content: bytes) -> bytes:
    """Right check sums in a PNG file, so that what is wrong in it is looked at."""
    changed, place = bytearray(content), 8
    while place + 12 <= len(changed):
        (n,) = struct.unpack(">I", changed[place : place + 4])
        if place + 12 + n > len(changed):
            break
        end = place + 8 + n
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(changed[place + 4 : end]))
        place = end + 4
    return bytes(changed)


def _tar_sums(content: bytes) -> bytes:
    """Right check sums in the headers of a tar file."""
    changed = bytearray(content)
    for place in range(0, len(changed) - 511, 512):
        header = changed[place : place + 512]
        if header[257:262] == b"ustar":
            total = sum(header[:148]) + 8 * 32 + sum(header[156:])
            changed[place + 148 : place + 156] = b"%06o\0 " % total
    return bytes(changed)
