"""The commands. Each checks what it was given before any work, then walks the straight line.

Heavy imports wait until a command needs them, so that ``--help`` is instant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from shoal.cli import cluster, evaluate, export, report, search, train

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
    train.run: "shoal run photos/ found/ -k 10 --minutes 15",
    train.train: "shoal train trainX.npy checkpoints/best.pth --minutes 10",
    evaluate.predict: "shoal predict new.npy checkpoints/best.pth prediction.csv",
    evaluate.splits: "shoal splits photos/ found/checkpoint.pth splits.png",
    evaluate.evaluate: "shoal evaluate checkpoints/best.pth valX.npy valY.npy",
    report.report: "shoal report report.pdf --train trainX.npy --best best.pth",
    cluster.clusters: "shoal clusters photos/ found/checkpoint.pth n_clusters.png --to 30",
    cluster.tree: "shoal tree photos/ found/checkpoint.pth tree.json tree.png",
    cluster.cut: "shoal cut tree.json prediction.csv --at 57,12,3",
    search.pairs: "shoal pairs photos/ found/checkpoint.pth pairs.csv decided.csv",
    search.similar: "shoal similar photos/ found/checkpoint.pth 2019/cat.jpg new.jpg -n 12",
    search.duplicates: "shoal duplicates photos/ --csv copies.csv --picture copies.png",
    search.outliers: "shoal outliers photos/ found/checkpoint.pth -n 100",
    export.name: "shoal name found/table.parquet names.csv",
    export.export: "shoal export photos/ found/table.parquet sorted/ --as folders",
    evaluate.info: "shoal info checkpoints/best.pth",
    train.demo: "shoal demo",
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
