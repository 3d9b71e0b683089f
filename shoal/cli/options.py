"""Arguments and options that several commands share: each means the same in all of them.

Inputs come first, DATA before CHECKPOINT. What a command must be told to write comes last; what it
writes by default has an option.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from shoal.images.remote.location import location

if TYPE_CHECKING:
    Place: TypeAlias = Path
else:
    Place = Any  # a path of this machine or a place in a store; typer makes a plain Path of a Path
_IMAGES = (
    "Images: a folder; a .zip, .tar(.gz) or .parquet file, several by a pattern in quotes "
    "('train-*.parquet', 'data-{000..099}.tar'); a .csv or .txt list of paths; a .npy or .npz file "
    "(N, H, W), (N, H, W, C) or (N, C, H, W), C from 1 to 64. All but lists may lie at s3://, "
    "gs:// or https://."
)
Images = Annotated[
    Place, typer.Argument(metavar="DATA", parser=location, help=_IMAGES, show_default=False)
]
Data = Annotated[
    Place,
    typer.Argument(metavar="DATA", parser=location, show_default=False,
                   help=f"{_IMAGES} Or the vectors that 'shoal cluster' takes."),
]  # fmt: skip
Vectors = Annotated[
    Place,
    typer.Argument(metavar="VECTORS", show_default=False, parser=location,
                   help="Vectors, a row each: a .npy or .npz file (N, D); or a .parquet file with "
                   "a list of numbers in each row, several by a pattern in quotes. They may lie at "
                   "s3://, gs:// or https://."),
]  # fmt: skip
CheckpointPath = Annotated[
    Path, typer.Argument(metavar="CHECKPOINT", help="A checkpoint file.", show_default=False)
]
PredictionPath = Annotated[
    Path,
    typer.Argument(metavar="PREDICTION", help="A prediction.csv, or a table.parquet, which holds "
                   "more columns.", show_default=False),
]  # fmt: skip
Csv = Annotated[Path, typer.Option("--csv", metavar="FILE", help="The CSV to write.")]
PICTURE = "The picture to write: .png, .pdf or .svg."
Picture = Annotated[Path, typer.Option("--picture", metavar="FILE", help=PICTURE)]
HowMany = Annotated[int, typer.Option("-n", help="How many images to list.")]
METRICS = "cosine or euclidean."
Metric = Annotated[str, typer.Option(help=METRICS)]
Size = Annotated[
    int | None,
    typer.Option(help="Pixels a side that image files are resized to: 32, 48, 64, 96 or 128.",
                 show_default="their own size if it is the same and at most 96; else 64 for at "
                 "most 6,000 images of 192 or more; else 32"),
]  # fmt: skip
FIT = (
    "How image files of other shapes are brought to a square: crop (cut to the centre), pad "
    "(framed) or stretch."
)
Fit = Annotated[str | None, typer.Option(help=FIT, show_default="crop, unless much is lost")]
ArrayName = Annotated[
    str | None,
    typer.Option("--array", metavar="NAME", help="Which array of a .npz file.", show_default=False),
]
Channels = Annotated[
    str | None,
    typer.Option(metavar="first|last|PATTERN", help="Which axis of an array holds the channels; or "
                 "how files are named that are the channels of one image, such as "
                 "'{id}_Ch{channel}.tif'.", show_default="as its shape shows"),
]  # fmt: skip
Composite = Annotated[
    str | None,
    typer.Option(metavar="R,G,B", help="The channels that pictures show as red, green and blue, "
                 "counted from 1, such as 4,3,2; or one, as grey.",
                 show_default="as the checkpoint has it, or the first three that vary"),
]  # fmt: skip
PixelRange = Annotated[
    str | None,
    typer.Option("--range", metavar="LOW:HIGH", help="The numbers that are black and white in "
                 "images of more than 8 bits; for each channel with commas between.",
                 show_default="learned from the pile"),
]  # fmt: skip
Every = Annotated[
    str | None,
    typer.Option("--every", metavar="SECONDS|cuts", help="Which frames of a video, or of an "
                 "animated picture, are images: at these intervals, or one of each shot.",
                 show_default="1; of an animated picture in a folder "
                 "the first frame, of one by itself all"),
]  # fmt: skip
Pages = Annotated[
    str,
    typer.Option("--pages", metavar="images|channels", help="What the pages of a TIFF or the "
                 "frames of a medical image are.", show_default="as their shapes show"),
]  # fmt: skip
NoCache = Annotated[
    bool,
    typer.Option("--no-cache", help="Do not keep decoded images for the next command."),
]


@dataclass(frozen=True)
class OpenOptions:
    """What a person asks of how DATA is opened, as they write it."""

    array: str | None = None
    channels: str | None = None
    composite: str | None = None
    every: str | None = None
    pages: str = "auto"
    cache: bool = True
    colours: str | None = None


RecipeName = Annotated[
    str | None,
    typer.Option("--recipe", help="baseline, improved, best or digits.",
                 show_default="best, with views chosen by the pile"),
]  # fmt: skip
Orientation = Annotated[
    str | None,
    typer.Option(help="free: the images have no up, as seen through a microscope or from above; "
                 "upright: they have one; auto: as the pile shows.",
                 show_default="auto, or as the named recipe has it"),
]  # fmt: skip
Intensity = Annotated[
    str | None,
    typer.Option(help="Whether light tells kinds of images apart. matters: brightness and colours "
                 "do; varies: brightness does not, it changes with the light or the dye; ignored: "
                 "neither do, any thing may have any colour; auto: as the pile shows.",
                 show_default="auto, or as the named recipe has it"),
]  # fmt: skip
Colours = Annotated[
    str | None,
    typer.Option(metavar="yes|no|auto", help="Whether three channels are colours; if not, they are "
                 "measurements, each by itself.", show_default="as the files or the pile show"),
]  # fmt: skip
Epochs = Annotated[
    float | None,
    typer.Option(help="How many times every image is seen.", show_default="the recipe's"),
]
Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="A first look: a third of the epochs; --epochs and --minutes go before.",
        show_default=False,
    ),
]
Thorough = Annotated[
    bool,
    typer.Option("--thorough", show_default=False,
                 help="Twice the epochs; large images are seen at 64 pixels a side."),
]  # fmt: skip


def effort_of(quick: bool, thorough: bool) -> str:
    """The effort that the flags ask for, see `shoal.recipes.efforts`.

    Raises:
        RecipeError: both are given.
    """
    from shoal.errors import RecipeError

    if quick and thorough:
        raise RecipeError("--quick and --thorough cannot both be given; give one.")
    return "quick" if quick else "thorough" if thorough else "default"


Minutes = Annotated[
    float | None,
    typer.Option(help="Be done in this time: train for as many epochs as fit.", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="The seed of everything random.", show_default="0")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Force = Annotated[
    bool, typer.Option("--force", help="Replace what is there already.", show_default=False)
]


def _known_device(name: str) -> str:
    """Fails before any work; PyTorch is loaded only to ask it about a device by name."""
    if name not in ("auto", "cpu"):
        from shoal.training.devices import resolve_device

        resolve_device(name)
    return name


Device = Annotated[str, typer.Option(help="auto, cpu or cuda.", callback=_known_device)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", show_default=False,
                 help="Change a field of the recipe; may be repeated."),
]  # fmt: skip
LowMemory = Annotated[
    bool,
    typer.Option(
        "--low-memory",
        help="Give memory back to the system after every step; this is slower.",
    ),
]
TensorBoardFolder = Annotated[
    Path | None,
    typer.Option("--tensorboard", metavar="DIR", show_default=False,
                 help="The folder to write to what TensorBoard shows of the training."),
]  # fmt: skip
Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="[ADDRESS]", show_default=False,
                 help="Spread the work over the cores or GPUs of a Ray cluster at ADDRESS, such as "
                 "head:6379, or auto; without ADDRESS over those of this machine."),
]  # fmt: skip
Workers = Annotated[
    int | None,
    typer.Option("--workers", show_default="one a core, or GPU",
                 help="With --ray: how many processes work at a time."),
]  # fmt: skip


def check_ray(ray: str | None, workers: int | None, device: str = "cpu") -> None:
    """Fail before any work where ``--ray`` and ``--workers`` cannot be followed.

    Raises:
        DistributedError: ``workers`` without ``ray``, or not at least 1; no Ray is installed; or
            the cluster at its address does not answer, has another version, or too few cores.
    """
    if ray is None and workers is None:
        return
    from shoal.distributed.engine import check_engine, rehearse

    if ray is None:
        check_engine(ray, workers)
    else:
        rehearse(ray, workers, device=device)


Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", help="Print errors only; 'shoal info' shows the warnings of a training run."
    ),
]


def _number_or_auto(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not an integer, nor auto.", param_hint="'-k'"
        ) from None


# Any, because typer knows no int | str.
Clusters = Annotated[
    Any,
    typer.Option("-k", "--clusters", parser=_number_or_auto, metavar="INTEGER|auto",
                 show_default="as the recipe says",
                 help="How many clusters; auto: as many as 'shoal clusters' would choose."),
]  # fmt: skip
MetricOfVectors = Annotated[
    str | None,
    typer.Option("--metric", metavar="cosine|euclidean|auto", show_default="auto",
                 help="How vectors are compared. cosine: by their directions, as embeddings mostly "
                 "are; euclidean: as they are, lengths too; auto: as their clusters show."),
]  # fmt: skip
Noise = Annotated[
    str | None,
    typer.Option("--noise", metavar="SHARE|auto", show_default="off",
                 help="Images that belong nowhere get a group of their own: a share such as 10%, "
                 "or auto: those far beyond the rest."),
]  # fmt: skip
LABELS = (
    "Labels of the images: .npy, or .csv with a column label (numbers or words), and best another "
    "one, file or id, that says of which image."
)
OutDir = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="The folder to write the results to.", show_default=False
    ),
]
CORRECTED = "What a person corrected in 'shoal review'."
Corrections = Annotated[
    Path | None,
    typer.Option("--corrections", metavar="FILE", help=CORRECTED,
                 show_default="the .corrections.jsonl beside the checkpoint"),
]  # fmt: skip
NoCorrections = Annotated[
    bool, typer.Option("--no-corrections", help="Leave corrections out.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
