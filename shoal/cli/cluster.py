"""Questions about groups: how many there are (clusters), and how they lie in one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from shoal.cli.options import (
    PICTURE,
    ArrayName,
    AsJson,
    Channels,
    CheckpointPath,
    Composite,
    Data,
    Device,
    Force,
    NoCache,
    OpenOptions,
    Picture,
    Quiet,
)
from shoal.cli.outputs import check_outputs, replacing

_TREE = "The .json file of a tree"


def clusters(
    data: Data,
    checkpoint: CheckpointPath,
    low: Annotated[int, typer.Option("--from", help="The smallest number of clusters.")] = 2,
    high: Annotated[int, typer.Option("--to", help="The largest number of clusters.")] = 20,
    picture: Picture = Path("n_clusters.png"),
    as_json: AsJson = False,
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Weigh how many clusters there are.

    It prints what speaks for each number, and draws members of the best.
    """
    from shoal.cli import inference
    from shoal.cli.next_step import Words, say_next
    from shoal.cli.opening_as_learned import check_answer, open_with
    from shoal.clustering.choose_k import choose_n_clusters
    from shoal.clustering.n_clusters import check_range
    from shoal.images.files import free
    from shoal.plots import groups
    from shoal.plots.figures import write
    from shoal.progress import Reporter
    from shoal.scoring.label_free import verdict_on
    from shoal.scoring.own_number import beside_verdict
    from shoal.scoring.worth_asking import Known, known_of
    from shoal.search import summaries

    check_range(low, high)
    replaced = check_answer([], picture, data, checkpoint, force=force)
    report = Reporter(quiet=quiet or as_json)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(checkpoint, data, report, options)
    choice = choose_n_clusters(
        source, loaded, low=low, high=high, device=inference.ready(device), track=report
    )
    trust = verdict_on(loaded).trust
    choice = beside_verdict(choice, loaded, trust)
    write(groups.n_clusters(source, choice, track=report), picture)
    if as_json:
        print(json.dumps(choice.to_json(), indent=2))
        return
    if not quiet:
        print(inference.in_words_for(source, summaries.of_n_clusters(choice)))
    report.say(*replacing(replaced))
    report.say(f"written to {picture}")
    known = Known(len(source), indistinct=not choice.stands_out)
    own = loaded.recipe.n_clusters
    if choice.stands_out and choice.n_clusters == own:
        report.say(f"{checkpoint} has {own} clusters already")
    others = [k for k in (choice.n_clusters, *choice.tied[:2]) if k != own]
    for k in others:  # what is as good is not hidden
        out = free(Path(f"clusters-{k}.csv"))
        say_next(report, known, ["predict", data, checkpoint, out, "-k", k])
    if not others:
        known = known_of(len(source), loaded, indistinct=not choice.stands_out)
        after: Words = ["tree", data, checkpoint, free(Path("tree.json"))]
        if known.answers("tree") and trust == "no":
            after = ["info", checkpoint]  # which says what could change that
        say_next(report, known, after)


def tree(
    data: Data,
    checkpoint: CheckpointPath,
    out: Annotated[
        Path, typer.Argument(metavar="TREE", help=f"{_TREE} to write.", show_default=False)
    ],
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=PICTURE, show_default="TREE with the suffix .png"),
    ] = None,
    leaves: Annotated[
        int | None,
        typer.Option(help="How many fine groups.", show_default="30, or 1 for each 4 images"),
    ] = None,
    force: Force = False,
    device: Device = "auto",
    array: ArrayName = None,
    channels: Channels = None,
    composite: Composite = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
) -> None:
    """Grow a tree of fine groups, to be cut by 'shoal cut'."""
    from shoal.cli import inference
    from shoal.cli.next_step import say_next
    from shoal.cli.opening_as_learned import check_answer, open_with
    from shoal.clustering.build_tree import build_tree, check_leaves
    from shoal.clustering.tree import check_suffix
    from shoal.images.files import free
    from shoal.plots import groups
    from shoal.plots.figures import write
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known
    from shoal.search import summaries

    check_suffix(out)
    picture = out.with_suffix(".png") if picture is None else picture
    check_leaves(leaves)
    replaced = check_answer([out], picture, data, checkpoint, force=force)
    report = Reporter(quiet=quiet)
    options = OpenOptions(array, channels, composite, cache=not no_cache)
    source, loaded = open_with(checkpoint, data, report, options)
    grown = build_tree(
        source, loaded, n_leaves=leaves, device=inference.ready(device), track=report
    )
    figure = groups.tree(source, grown, track=report)
    grown.save(out, force=force)
    write(figure, picture)
    report.say(*replacing(replaced))
    text = inference.in_words_for(source, summaries.of_tree(grown))
    report.say(f"{text}\nwritten to {out} and {picture}")
    k = min(loaded.recipe.n_clusters, grown.n_leaves)
    known = Known(len(source), indistinct=grown.n_leaves < 2)
    say_next(report, known, ["cut", out, free(out.with_name("cut.csv")), "-k", k])


def cut(
    tree_file: Annotated[
        Path, typer.Argument(metavar="TREE", help=f"{_TREE}.", show_default=False)
    ],
    prediction: Annotated[
        Path,
        typer.Argument(metavar="PREDICTION", help="The CSV to write.", show_default=False),
    ],
    clusters: Annotated[
        int | None,
        typer.Option("-k", "--clusters", help="How many groups.", show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="NODE,NODE,…",
            help="Instead of -k: nodes, by their numbers in the picture. The images below each "
            "become a group; all others are one more group.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Cut a tree into groups, and write the group of each image."""
    from shoal.cli.next_step import say_next
    from shoal.clustering.tree import chosen_nodes, load_tree
    from shoal.images.files import free
    from shoal.progress import Reporter
    from shoal.scoring.worth_asking import Known
    from shoal.search import summaries

    grown = load_tree(tree_file)
    labels, nodes = grown.labels_at(chosen_nodes(grown, clusters, at))
    replaced = check_outputs([prediction], [tree_file], force=force)
    grown.write_prediction(labels, prediction, force=force)
    report = Reporter(quiet=quiet)
    report.say(*replacing(replaced))
    report.say(f"{summaries.of_cut(labels, nodes)}\nwritten to {prediction}")
    names = free(prediction.with_name("names.csv"))
    known = Known(len(labels), indistinct=len(nodes) < 2)
    say_next(report, known, ["name", prediction, "--template", names])
