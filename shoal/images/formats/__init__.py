"""Where a pile may come from, one format a file; `shoal.images.open_source` asks each in turn.

A new format is a new module with ``accepts(path) -> bool`` and ``open_images(path, wanted) ->
ImageSource``. Formats may import the rest of `shoal.images`, but not one another: what the archives
share is in `shoal.images.archives`.
"""
