"""The commands. Each checks what it was given before any work, then walks the straight line.

Inputs come first (DATA, then CHECKPOINT), outputs are last or options, and an option means the same
in every command. May import every room; no other room imports it, and nothing is computed here.
Heavy imports wait until a command needs them, so that ``--help`` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from shoal.cli import (
    clean,
    cluster,
    demo,
    evaluate,
    export,
    export_model,
    import_labels,
    mend,
    predict,
    report,
    review,
    search,
    train,
    vectors,
)
from shoal.cli.flags import in_flags, of_output
from shoal.cli.help import Group, grouped

app = typer.Typer(
    cls=Group,
    help="Sort a pile of unlabelled images, learning from that pile alone.",
    epilog="'shoal COMMAND --help' lists the options of a command, with an example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order of --help, each with an example.
COMMANDS: dict[str, dict[Callable[..., None], str]] = {
    "Start here": {
        train.run: "shoal run photos/ found/ -k 10 --minutes 15",
        demo.demo: "shoal demo",
        vectors.cluster: "shoal cluster embeddings.npy found/ --images photos/ -k auto",
        train.train: "shoal train trainX.npy best.pth --minutes 10",
    },
    "Look": {
        evaluate.info: "shoal info found/checkpoint.pth",
        evaluate.evaluate: "shoal evaluate valX.npy best.pth valY.npy",
        evaluate.splits: "shoal splits photos/ found/checkpoint.pth",
        cluster.clusters: "shoal clusters photos/ found/checkpoint.pth --to 30",
        cluster.tree: "shoal tree photos/ found/checkpoint.pth tree.json",
        search.similar: "shoal similar photos/ found/checkpoint.pth 2019/cat.jpg new.jpg -n 12",
        search.pairs: "shoal pairs photos/ found/checkpoint.pth same.csv --pairs pairs.csv",
        clean.outliers: "shoal outliers photos/ found/checkpoint.pth -n 100",
        clean.duplicates: "shoal duplicates photos/ --csv copies.csv --picture copies.png",
    },
    "Correct": {
        review.review: "shoal review found/",
        import_labels.import_labels: (
            "shoal import-labels photos/ found/checkpoint.pth labels.csv"
        ),
        mend.mend: "shoal mend found/checkpoint.corrections.jsonl",
        cluster.cut: "shoal cut tree.json prediction.csv --at 57,12,3",
        export.name: "shoal name found/table.parquet names.csv",
    },
    "Hand over": {
        predict.predict: "shoal predict new/ found/checkpoint.pth new.csv",
        export.export: "shoal export photos/ found/table.parquet sorted/ --as folders",
        export_model.export_model: "shoal export-model found/checkpoint.pth model.onnx",
    },
    "The assignment": {
        report.report: "shoal report trainX.npy best.pth report.pdf --before baseline.pth",
    },
}
for _title, _commands in COMMANDS.items():
    for _command, _example in _commands.items():
        app.command(cls=grouped(_title), epilog=f"Example: {_example}")(_command)


def in_words_of_the_command(message: str) -> str:
    """An error's message with the flags of the command that was typed, see `in_flags`."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    command = next((commands[word] for word in sys.argv[1:2] if word in commands), None)
    if command is None:
        return message
    options = {option for parameter in command.params for option in parameter.opts}
    fields = {word.partition("=")[0] for word in sys.argv[2:] if "=" in word}  # as --set takes them
    return of_output(in_flags(message, command.name, options, but=fields), options)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from shoal import __version__

        print(f"shoal {__version__}")
        raise typer.Exit
