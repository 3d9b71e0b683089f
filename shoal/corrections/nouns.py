"""Sentences about corrections, in the noun of the pile: vectors without pictures are no images."""

from __future__ import annotations

import re
from dataclasses import replace

from shoal.corrections.entry import Entry
from shoal.plural import of_vectors

_OF_A_PERSON = re.compile(
    r"""(Noted\ on\ .* | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")""", re.DOTALL | re.VERBOSE
)
"""What a person wrote, in such a sentence: the text of a note, and names, which have quotes."""
_SENTENCES = ("conflicts", "notes")
"""The facts of an entry that are lists of sentences."""


def said_of_vectors(text: str) -> str:
    """A sentence about images, said of vectors. What a person wrote stays as it is.

    >>> said_of_vectors("Moved 2 images to 'my images'.")
    "Moved 2 vectors to 'my images'."
    """
    parts = _OF_A_PERSON.split(text)
    return "".join(part if i % 2 else of_vectors(part) for i, part in enumerate(parts))


def entry_of_vectors(entry: Entry) -> Entry:
    """An entry whose sentences speak of vectors."""
    about = dict(entry.about)
    for fact in _SENTENCES:
        if isinstance(told := about.get(fact), list | tuple):
            about[fact] = [said_of_vectors(str(text)) for text in told]
    return replace(entry, says=said_of_vectors(entry.says), about=about)
