"""Where a pile may come from, one format a file; `shoal.images.open_source` asks each in turn.

A new format is a new module with ``accepts(path) -> bool`` and ``open_images(path, wanted) ->
ImageSource``. Imports the rest of `shoal.images`. Formats do not import one another, but for the
archives, which share `_archive`.
"""
