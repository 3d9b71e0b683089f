"""The fixed wording of reports, in the languages they are written in."""

from __future__ import annotations

from shoal.errors import DataError
from shoal.plural import fill
from shoal.reports.chinese import OF_CHECKPOINTS, TRADITIONAL

LANGUAGES = ("en", "zh-TW")


class Wording:
    """Says an English template in its language, with values filled in.

    >>> Wording("en")("{n:,} images", n=8500)
    '8,500 images'

    Raises:
        DataError: a language there is no wording for.
    """

    def __init__(self, language: str = "en") -> None:
        if language not in LANGUAGES:
            raise DataError(
                f"a language among {', '.join(LANGUAGES)} is expected, and {language!r} came."
            )
        self.language = language

    def __call__(self, template: str, **values: object) -> str:
        said = _TRANSLATIONS[self.language].get(template, template)
        return fill(said, **values) if values else said  # a checkpoint's text may hold braces


_TRANSLATIONS: dict[str, dict[str, str]] = {"en": {}, "zh-TW": TRADITIONAL | OF_CHECKPOINTS}
