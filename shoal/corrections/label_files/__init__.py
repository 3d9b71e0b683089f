"""Labels from and for other tools, one format a file; `shoal.corrections.labels` asks each in turn.

A format is a module with ``TITLE``, its name for a person, and ``read(file) -> labels or None``:
None where the file is of another format. A format that shoal also writes has ``write(out, images,
pile)`` and ``SUFFIX``. A format knows names of images and of labels alone, and nothing of groups.
"""
