"""What the page is told, in the noun of its pile: vectors without pictures are no images."""

from __future__ import annotations

from typing import Any

from shoal.corrections.nouns import said_of_vectors
from shoal.images.vectors.source import has_pictures
from shoal.protocols import ImageSource

_SAID = ("says", "undo", "redo", "conflicts", "error")
"""The fields that hold sentences of shoal; names and ids stand in fields of their own."""


def noun_shown(source: ImageSource) -> str:
    """What one thing of the pile is called where it is shown: an image, or a vector without one."""
    return "image" if has_pictures(source) else "vector"


def in_noun(reply: Any, noun: str) -> Any:
    """A reply as JSON values, its sentences about what the pile holds.

    >>> in_noun({"says": "Moved 2 images to 'my images'.", "name": "images"}, "vector")
    {'says': "Moved 2 vectors to 'my images'.", 'name': 'images'}
    >>> in_noun({"entries": [{"says": "Noted on 'a': an image"}]}, "vector")
    {'entries': [{'says': "Noted on 'a': an image"}]}
    """
    if noun == "image":
        return reply
    if isinstance(reply, list) and reply and isinstance(reply[0], dict):
        return [in_noun(part, noun) for part in reply]
    if not isinstance(reply, dict):
        return reply
    return {
        name: _said(value) if name in _SAID else in_noun(value, noun)
        for name, value in reply.items()
    }


def _said(value: Any) -> Any:
    if isinstance(value, list):
        return [_said(sentence) for sentence in value]
    if not isinstance(value, str):
        return value
    return said_of_vectors(value)
