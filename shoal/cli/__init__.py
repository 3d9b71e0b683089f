"""The commands. Each checks what it was given before any work, then walks the straight line.

Heavy imports wait until a command needs them, so that ``--help`` is instant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from shoal.cli import grouping, handing_over, judging, learning, questions, reporting

app = typer.Typer(
    help="Sort a pile of unlabelled images, learning from that pile alone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order of --help, each with an example.
_COMMANDS: dict[Callable[..., None], str] = {
    learning.run: "shoal run photos/ found/ -k 10 --minutes 15",
    learning.train: "shoal train trainX.npy checkpoints/best.pth --minutes 10",
    judging.predict: "shoal predict new.npy checkpoints/best.pth prediction.csv",
    judging.splits: "shoal splits photos/ found/checkpoint.pth splits.png",
    judging.evaluate: "shoal evaluate checkpoints/best.pth valX.npy valY.npy",
    reporting.report: "shoal report report.pdf --train trainX.npy --best best.pth",
    grouping.clusters: "shoal clusters photos/ found/checkpoint.pth n_clusters.png --to 30",
    grouping.tree: "shoal tree photos/ found/checkpoint.pth tree.json tree.png",
    grouping.cut: "shoal cut tree.json prediction.csv --at 57,12,3",
    questions.pairs: "shoal pairs photos/ found/checkpoint.pth pairs.csv decided.csv",
    questions.similar: "shoal similar photos/ found/checkpoint.pth 2019/cat.jpg new.jpg -n 12",
    questions.duplicates: "shoal duplicates photos/ --csv copies.csv --picture copies.png",
    questions.outliers: "shoal outliers photos/ found/checkpoint.pth -n 100",
    handing_over.name: "shoal name found/table.parquet names.csv",
    handing_over.export: "shoal export photos/ found/table.parquet sorted/ --as folders",
    judging.info: "shoal info checkpoints/best.pth",
    learning.demo: "shoal demo",
}
for _command, _example in _COMMANDS.items():
    app.command(epilog=f"Example: {_example}")(_command)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from shoal import __version__

        print(f"shoal {__version__}")
        raise typer.Exit
