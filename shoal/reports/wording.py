"""The fixed wording of reports in the languages they are written in.

Sections say English templates. ``translations/zh-TW.json`` holds what stands for them in Chinese:
the ``wording`` of this program; the ``changes`` that `benchmarks/contributions.py` keeps in
checkpoints; and the ``warnings`` of `scoring` and the reasons for a metric, which come as finished
English sentences or clauses.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources

from shoal.errors import DataError
from shoal.plural import fill, of_images, of_vectors

LANGUAGES = ("en", "zh-TW")


class Wording:
    """Says an English template in its language, with values filled in.

    Args:
        language: one of `LANGUAGES`.
        vectors: whether the report is about vectors without pictures, which are not called images.

    >>> Wording("en")("{n:,} images", n=8500)
    '8,500 images'
    >>> Wording("en", vectors=True)("{n:,} images in {name}", n=8500, name="images.npy")
    '8,500 vectors in images.npy'

    Raises:
        DataError: there is no wording for the language.
    """

    def __init__(self, language: str = "en", *, vectors: bool = False) -> None:
        if language not in LANGUAGES:
            raise DataError(f"language must be {' or '.join(LANGUAGES)}, got {language!r}.")
        self.language, self.vectors = language, vectors
        translation = translations(language)
        self._templates = translation["wording"] | translation["changes"]
        self._warnings = translation["warnings"]

    def __call__(self, template: str, **values: object) -> str:
        translated = self._templates.get(template) or self._of_vectors(template)
        if self.vectors:
            translated = self._in_vectors(translated)
        # The text of a checkpoint may hold braces.
        return fill(translated, **values) if values else translated

    def warning(self, sentence: str) -> str:
        """A warning of `scoring` in this language; in English if it is not known.

        >>> Wording("zh-TW").warning("5 images are few: and so on")
        '5 images are few: and so on'
        """
        for template, translated in self._warnings.items():
            match = _pattern(template).fullmatch(sentence)
            if match is not None:
                return fill(translated, **{name: self(v) for name, v in match.groupdict().items()})
        as_images = of_images(sentence)
        return sentence if as_images == sentence else self._in_vectors(self.warning(as_images))

    def _of_vectors(self, template: str) -> str:
        """What is said of vectors, by what is said of images; in English if that is not known."""
        known = self._templates.get(of_images(template))
        return template if known is None else self._in_vectors(known)

    def _in_vectors(self, translated: str) -> str:
        if self.language == "en":
            return of_vectors(translated)
        return re.sub("(?<!整)張", "個", translated.replace("影像", "向量"))


@cache
def translations(language: str) -> dict[str, dict[str, str]]:
    """The translations of English templates to a language, by where the templates come from."""
    if language == "en":
        return {"wording": {}, "changes": {}, "warnings": {}}
    file = resources.files("shoal.reports").joinpath("translations", f"{language}.json")
    templates: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return templates


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """The pattern of the sentences that a template with named fields gives."""
    parts = re.split(r"\{(\w+)\}", template)
    fields = parts[1::2]
    escaped = [re.escape(text) for text in parts[::2]]
    names = [f"(?P<{name}>.+?)" for name in fields]
    return re.compile("".join(a + b for a, b in zip(escaped, [*names, ""], strict=True)))
