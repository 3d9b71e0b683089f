"""A place in a store, as a path: what a person typed, and what may be shown of it."""

from __future__ import annotations

import os
import re
import sys
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if sys.platform == "win32":
    from pathlib import WindowsPath as _OwnPath
else:
    from pathlib import PosixPath as _OwnPath

if TYPE_CHECKING:
    from shoal.images.remote.store import About

SCHEMES = ("s3", "gs", "http", "https", "memory")
"""The stores that piles may lie in."""
_ALSO = {"s3a": "s3", "gcs": "gs"}
_URL = re.compile(r"(?i)([a-z][a-z0-9+.-]{1,15}):(//?)(?![\\])")
_URL_IN_TEXT = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,15}://[^\s'\"]*")


@dataclass(frozen=True)
class Part:
    """A shard of a pile, for `Location.parts`."""

    name: str
    """Its path below the folder that all share."""
    first: int = 0
    """The number of its first row among those of the whole pile, for Parquet."""


@dataclass(frozen=True)
class _Url:
    """A URL, taken apart."""

    scheme: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    host: str
    path: str
    query: str = field(repr=False)

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"


class Location(_OwnPath):
    """A place in a store: a `Path` whose text is its URL without anything secret.

    User, password and the query, which signs a link, are kept apart, in `url`. On this machine
    nothing is there: `exists`, `is_file` and `is_dir` are false. `open` and `stat` ask the store.

    >>> place = Location("https://me:pw@host/a/b-{0..1}.tar?sig=xyz")
    >>> print(place, place.name, place.suffix, place.parent)
    https://host/a/b-{0..1}.tar b-{0..1}.tar .tar https://host/a
    """

    _taken: _Url
    about: About | None
    """What the store said of the file when the pile was listed."""
    prefix: str
    """How the ids of its images begin, where it is a shard of several."""
    only: tuple[Part, ...]
    """The shards that are meant; empty: all."""

    def __new__(cls, url: str) -> Location:
        taken = _take_apart(url)
        self = super().__new__(cls, taken.shown)
        self._taken = taken
        self.about, self.prefix, self.only = None, "", ()
        return self

    if sys.version_info >= (3, 12):

        def __init__(self, url: str) -> None:
            super().__init__(_take_apart(url).shown)

        def with_segments(self, *segments: Any) -> Any:
            return Path(*segments)

    @property
    def url(self) -> str:
        """With all that the store needs, secrets among them. Never to be shown or kept."""
        taken = self._taken
        user = taken.user + (f":{taken.password}" if taken.password else "")
        query = f"?{taken.query}" if taken.query else ""
        at = f"{user}@" if user else ""
        return f"{taken.scheme}://{at}{taken.host}{taken.path}{query}"

    @property
    def scheme(self) -> str:
        return self._taken.scheme

    @property
    def host(self) -> str:
        """The bucket, or the server."""
        return self._taken.host

    @property
    def key(self) -> str:
        """The path below the bucket or the server, without a slash at its beginning."""
        return self._taken.path.lstrip("/")

    @property
    def login(self) -> tuple[str, str]:
        """User and password, where the URL has them."""
        unquote = urllib.parse.unquote
        return unquote(self._taken.user), unquote(self._taken.password)

    def at(self, path: str) -> Location:
        """Another path in the same bucket or on the same server."""
        taken, bare = self._taken, path.lstrip("/")
        at = self.url.split("://", 1)[1].split("@", 1)
        login = f"{at[0]}@" if len(at) == 2 and taken.user else ""
        query = f"?{taken.query}" if taken.query else ""
        return Location(f"{taken.scheme}://{login}{taken.host}/{bare}{query}")

    def open(self, mode: str = "rb", *_: Any, **__: Any) -> IO[Any]:  # type: ignore[override]
        """Open the file for reading.

        Raises:
            StoreError: it cannot be read.
        """
        from shoal.images.remote.files import open_file

        assert mode == "rb", mode
        return open_file(self)

    def exists(self, *_: Any, **__: Any) -> bool:
        return False

    def is_file(self, *_: Any, **__: Any) -> bool:
        return False

    def is_dir(self, *_: Any, **__: Any) -> bool:
        return False

    def absolute(self) -> Any:
        return self

    def resolve(self, strict: bool = False) -> Any:
        return self

    def expanduser(self) -> Any:
        return self

    def is_absolute(self) -> bool:
        return True

    @property
    def parent(self) -> Any:
        return self.at(self._taken.path.rstrip("/").rpartition("/")[0])

    def __truediv__(self, name: Any) -> Any:
        return self.at(f"{self._taken.path.rstrip('/')}/{name}")

    def with_name(self, name: str) -> Any:
        return self.parent / name

    def __str__(self) -> str:
        return self._taken.shown

    def __fspath__(self) -> str:
        return self._taken.shown

    def as_posix(self) -> str:
        return self._taken.shown

    def __repr__(self) -> str:
        return f"Location({self._taken.shown!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Location) and self.url == other.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __reduce__(self) -> Any:
        return _again, (self.url, self.about, self.prefix, self.only)


def _again(url: str, about: About | None, prefix: str, only: tuple[Part, ...]) -> Location:
    """The inverse of pickling."""
    place = Location(url)
    place.about, place.prefix, place.only = about, prefix, only
    return place


def location(path: str | os.PathLike[str]) -> Path:
    """What a person typed as a path: a `Location` if it is a URL of a store, else a `Path`.

    ``file://`` is a path of this machine. A URL that lost a slash as a `Path` is mended. One of no
    store that shoal knows is a `Location`, too: whoever asks the store says so.

    >>> location("photos/2019"), location("S3://bucket/x.tar"), location(Path("gs://bucket/x"))
    (PosixPath('photos/2019'), Location('s3://bucket/x.tar'), Location('gs://bucket/x'))
    """
    if isinstance(path, Location):
        return path
    text = os.fspath(path)
    if text.lower().startswith("file:/"):
        plain = urllib.parse.unquote(text[5:])
        return Path(re.sub(r"^//(localhost)?(?=/)", "", plain))
    begins = _URL.match(text)
    if begins is None:
        return Path(path)
    scheme = _ALSO.get(begins[1].lower(), begins[1].lower())
    is_url = len(begins[2]) == 2 or (scheme in SCHEMES and not isinstance(path, str))
    if not is_url or os.path.lexists(f"{begins[1]}:"):
        return Path(path)
    return Location(f"{scheme}://{text[begins.end() :]}")


def split_name(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, str | None]:
    """``file:NAME`` as (file, NAME), if the file has one of the suffixes; else (path, None).

    >>> split_name(Location("s3://b/x.npz:images"), (".npz",)), split_name(Path("a:b"), (".npz",))
    ((Location('s3://b/x.npz'), 'images'), (PosixPath('a:b'), None))
    """
    whole = path.key if isinstance(path, Location) else str(path)
    head, colon, name = whole.rpartition(":")
    if not colon or not head.lower().endswith(suffixes) or path.exists():
        return path, None
    if not isinstance(path, Location):
        return Path(head), name
    file = path.at(head)
    file.only = path.only
    return file, name


def is_remote(path: object) -> bool:
    """Whether a path is a place in a store."""
    return isinstance(path, Location)


def url_of(path: str | os.PathLike[str]) -> str | None:
    """The URL that a path is, or was before it became a path; None if it never was.

    >>> url_of(Path("s4://x/y")), url_of(Path("photos/2019"))
    ('s4://x/y', None)
    """
    text = os.fspath(path)
    begins = _URL.match(text)
    if begins is None or os.path.lexists(f"{begins[1]}:"):
        return None
    return str(Location(f"{begins[1].lower()}://{text[begins.end() :]}"))


def without_secrets(text: str) -> str:
    """A text in which URLs have lost user, password and query.

    >>> without_secrets("run --images=https://me:pw@host/x.tar?X-Amz-Signature=1 out/")
    'run --images=https://host/x.tar out/'
    """
    return _URL_IN_TEXT.sub(lambda match: _take_apart(match[0]).shown, text)


def _take_apart(url: str) -> _Url:
    scheme, rest = url.split("://", 1)
    query = ""
    if scheme.lower().startswith("http"):
        rest, _, query = rest.partition("#")[0].partition("?")
    elif re.search(r"\?[^/]*=", rest):  # else a ? of a pattern
        rest, _, query = rest.partition("?")
    host, slash, path = rest.partition("/")
    login, at, bare = host.rpartition("@")
    if at == "" and "@" in rest and ":" in host and not _is_port(host):  # a / in the password
        login, at, rest = rest.rpartition("@")
        bare, slash, path = rest.partition("/")
    user, _, password = login.partition(":")
    return _Url(
        _ALSO.get(scheme.lower(), scheme.lower()), user, password, bare, slash + path, query
    )


def _is_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit()
