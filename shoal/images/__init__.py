"""Where images come from: formats, decoding, the cache, and what every room shares of files.

`open.open_source` opens a pile. Imports nothing of shoal but the nouns and the errors. Nothing that
learns enters: worker processes import this room and must start without torch.
"""
