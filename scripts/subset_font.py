"""Cut the font of Chinese reports down to the characters that their fixed wording uses.

    python scripts/subset_font.py /usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf

The font is Debian's package fonts-droid-fallback (Apache License 2.0). Run it again whenever
shoal/reports/translations/zh-TW.json gains a character; a test says so.
"""

from __future__ import annotations

import sys

from fontTools import subset

from shoal.reports.fonts import CHINESE
from shoal.reports.wording import translations


def main() -> None:
    """Write the subset to where reports look for it."""
    options = subset.Options(layout_features=[], hinting=False, name_IDs=[0, 1, 2, 4, 6, 13, 14])
    font = subset.load_font(sys.argv[1], options)
    cutter = subset.Subsetter(options)
    templates = translations("zh-TW").values()
    cutter.populate(text="".join("".join(translated.values()) for translated in templates))
    cutter.subset(font)
    subset.save_font(font, str(CHINESE), options)
    print(f"{CHINESE}: {CHINESE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
