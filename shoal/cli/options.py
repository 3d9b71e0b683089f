"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Argument(help="Images: a .npy or .npz file (N, H, W, 3) or (N, H, W), a .parquet file "
                   "with a column of encoded images, or a folder.",
                   show_default=False),
]  # fmt: skip
CheckpointPath = Annotated[Path, typer.Argument(help="A checkpoint file.", show_default=False)]
RecipeName = Annotated[str, typer.Option("--recipe", help="baseline, improved, best or digits.")]
Epochs = Annotated[
    float | None,
    typer.Option(help="How often every image is seen.", show_default="the recipe's"),
]
Minutes = Annotated[
    float | None,
    typer.Option(help="Choose the epochs so that the run takes this long.", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="0")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", show_default=False,
                 help="Change a field of the recipe; may be repeated."),
]  # fmt: skip
LowMemory = Annotated[
    bool,
    typer.Option(
        "--low-memory",
        help="Give memory back to the system after every step: slower.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", help="Say nothing but errors; 'shoal info' shows the warnings of a training run."
    ),
]
Clusters = Annotated[
    int | None,
    typer.Option("-k", "--clusters", show_default="the recipe's", help="How many clusters."),
]
OutDir = Annotated[Path, typer.Argument(help="Folder for the results.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
