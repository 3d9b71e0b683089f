"""What pyproject.toml cannot say: README and links of a release, with the address of its source.

PyPI shows README apart from the files beside it. So its pictures and links are made absolute, with
``SHOAL_URL`` for the address, as in ``SHOAL_URL=https://host/owner/shoal python -m build``. Without
one, README stays as it is and the package names no address.
"""

import os
import re
from pathlib import Path

from setuptools import setup

url = os.environ.get("SHOAL_URL", "").rstrip("/")
readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
if url:
    readme = re.sub(r"!\[([^\]]*)\]\((?!https?:)", rf"![\1]({url}/raw/HEAD/", readme)
    readme = re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)", rf"[\1]({url}/blob/HEAD/", readme)

setup(
    long_description=readme,
    long_description_content_type="text/markdown",
    project_urls={
        "Source": url,
        "Documentation": f"{url}/tree/HEAD/docs",
        "Issues": f"{url}/issues",
        "Changelog": f"{url}/blob/HEAD/CHANGELOG.md",
    }
    if url
    else {},
)
