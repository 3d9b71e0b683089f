"""Readers of the kinds of files that Pillow alone cannot read: one module for each kind.

A module names the suffixes and the first bytes of its files, lists the images inside a file, and
returns one of them as numbers: see `raw.Reader`. `find` picks the module for a file. Libraries that
are extras of shoal are imported here alone, inside functions, so that a missing one is a plain
sentence. Worker processes import this package, so nothing in it imports torch.
"""

from shoal.images.readers.registry import find, installed, is_plain, reader_of

__all__ = ["find", "installed", "is_plain", "reader_of"]
