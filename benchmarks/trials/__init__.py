"""The trials of `robustness.py`: what is done to shoal, and what must hold afterwards.

``samples`` are whole files, ``mutations`` damage them, ``verdicts`` opens one as a person would and
judges what came, ``worker`` does so in a process of its own, ``fuzzing`` watches over that process.
``runs`` is a small run with its results, ``wholeness`` says whether the files of a folder are
whole; ``kills``, ``disks``, ``caches`` and ``together`` disturb a run. Nothing of shoal imports
from here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: equal bits
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [] if str(ROOT) in sys.path else [str(ROOT)]  # shoal of this very tree
