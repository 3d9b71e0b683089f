"""A document as a list of blocks, which a PDF and an HTML page each set in their own way."""

from __future__ import annotations

from dataclasses import dataclass, field

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Heading:
    """The title of a section (level 1) or of a part of one (level 2)."""

    text: str
    level: int = 1
    without_scripts: bool = False
    """Whether a page's interactive map says the same, and better."""


@dataclass(frozen=True)
class Paragraph:
    """Plain text, no markup."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """Plain sentences, one below another."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of plain text under a header; numbers are recognised and set to the right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A figure as wide as the text, shrunk if need be, with what it shows in words."""

    figure: Figure
    caption: str
    without_scripts: bool = False
    """Whether a page's interactive map shows the same, and better."""


@dataclass(frozen=True)
class Photo:
    """An image of the pile as a person looks at it."""

    row: int
    """Its place in the pile."""
    name: str
    content: bytes
    """A JPEG or PNG file."""
    mime: str
    """image/jpeg or image/png."""
    width: int
    height: int
    """Pixels of the file."""


@dataclass(frozen=True)
class PhotoRow:
    """Images that belong together, under a name in a colour."""

    name: str
    colour: tuple[float, float, float]
    """RGB in [0, 1]."""
    photos: tuple[Photo, ...]


@dataclass(frozen=True)
class Gallery:
    """Rows of images, whose names are text that can be selected, with what they show in words."""

    rows: tuple[PhotoRow, ...]
    caption: str
    learned: bool = True
    """Whether they are of the images learned from, and not of the labelled ones."""


@dataclass(frozen=True)
class Code:
    """Lines as a person would type them, in a monospaced face, broken where they are too long."""

    text: str


Block = Heading | Paragraph | Bullets | Table | Picture | Gallery | Code


@dataclass
class Document:
    """A title and what stands under it."""

    title: str
    subtitle: str
    language: str = "en"
    """BCP 47: en or zh-TW."""
    first: list[Block] = field(default_factory=list)
    """The blocks above a page's interactive map."""
    blocks: list[Block] = field(default_factory=list)
    """The blocks below it."""

    def add(self, *blocks: Block) -> None:
        """Append blocks."""
        self.blocks.extend(blocks)
