"""Opening the page in the person's browser."""

from __future__ import annotations

import os
import sys
import webbrowser


def opened(address: str) -> bool:
    """Open an address in a browser with windows; whether there is one.

    Without a display the system would offer a browser for the terminal, which shows no images.
    """
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, displays)):
        return False
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
