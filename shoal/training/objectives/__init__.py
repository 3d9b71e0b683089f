"""Losses. One paper a file, with ``build(encoder, **options) -> Objective``."""
