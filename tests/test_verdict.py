"""The verdict: never surer than its evidence, the same everywhere, and its commands run."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pypdf import PdfReader

from shoal.models.facts import Representation
from shoal.plural import counted, fill
from shoal.reports.wording import Wording
from shoal.scoring.accuracy import Estimate
from shoal.scoring.evidence import Evidence
from shoal.scoring.group_sizes import few_different
from shoal.scoring.signals import Signals
from shoal.scoring.training_command import parse_training
from shoal.scoring.verdict import Verdict, decide
from shoal.scoring.warnings import constant

OF_LIGHT = Signals(*[1.0] * 7, shown=0.2, light=0.95)
UNTOLD = Representation("learned", 0.0, {"learned": 0.01, "pixels": 0.0, "joined": 0.0})
GOOD = Evidence(500, 2, 2, estimate=Estimate(0.95, 0.8, 1.0), consistency=0.9, separations=(0.9,))


@pytest.mark.parametrize(
    ("evidence", "trust"),
    [
        (GOOD, "yes"),
        (replace(GOOD, consistency=0.6), "in part"),
        (replace(GOOD, consistency=0.1), "in part"),
        (replace(GOOD, estimate=Estimate(0.8, 0.6, 1.0)), "in part"),
        (replace(GOOD, estimate=Estimate(0.55, 0.5, 0.7)), "no"),
        (replace(GOOD, n_clusters=10, n_nonempty=10, estimate=Estimate(0.55, 0.4, 0.7)), "in part"),
        (replace(GOOD, consistency=0.3, signals=replace(OF_LIGHT, shown=0.99)), "yes"),  # alike
        (replace(GOOD, consistency=0.3, signals=replace(OF_LIGHT, shown=float("nan"))), "in part"),
        (
            replace(GOOD, signals=replace(OF_LIGHT, shown=0.99, view_agreement=0.89)),
            "in part",
        ),
        (replace(GOOD, warnings=("brightness alone tells the clusters apart",)), "in part"),
        (replace(GOOD, warnings=("they have collapsed, so the clusters mean nothing",)), "no"),
        (replace(GOOD, separations=(0.9, 0.89)), "in part"),
        (replace(GOOD, n_nonempty=1), "no"),
        (replace(GOOD, representation=UNTOLD), "no"),  # by chance, or by what was not looked for
        (
            replace(
                GOOD,
                representation=UNTOLD,
                warnings=("mean colour alone tells the clusters apart",),
            ),
            "in part",
        ),
        (replace(GOOD, representation=Representation("learned")), "yes"),
        (replace(GOOD, signals=OF_LIGHT), "in part"),
        (replace(GOOD, signals=replace(OF_LIGHT, light=0.39)), "yes"),
        (replace(GOOD, signals=OF_LIGHT, estimate=Estimate(0.55, 0.5, 0.9)), "in part"),
        (replace(GOOD, estimate=None, consistency=None), "not known"),
        (replace(GOOD, estimate=Estimate(float("nan"), 0.5, 1.0), consistency=None), "not known"),
    ],
)
def test_it_is_no_surer_than_the_weakest_of_its_evidence(evidence: Evidence, trust: str) -> None:
    found = decide(evidence)
    assert found.trust == trust
    assert found.warnings == evidence.warnings
    assert found.reasons
    assert found.next_steps
    assert str(found) == str(decide(evidence))


def test_learning_helped_only_where_it_clearly_did() -> None:
    def said(**scores: float) -> str:
        found = Representation("learned", 0.5, {"joined": 0.1, **scores})
        return str(decide(replace(GOOD, representation=found)))

    assert "Learning helped" in said(learned=0.34, pixels=0.30)
    assert "Learning hardly helped" in said(learned=0.31, pixels=0.30)
    nothing = said(learned=0.01, pixels=0.0)
    assert "does not tell the groups (0.01 of 1)" in nothing
    assert "Learning" not in nothing
    untold = replace(GOOD, representation=UNTOLD, tried_views="usual")
    assert "--intensity ignored" not in str(decide(untold))  # the run has tried that
    training = parse_training(["run", "photos", "found", "--intensity", "varies"])
    assert training is not None
    asked = replace(GOOD, representation=UNTOLD, training=training)
    assert "found-any-colour --intensity ignored" in str(decide(asked))


def test_groups_that_follow_light_and_colours_are_told_as_such_with_a_way_out() -> None:
    training = parse_training(["run", "photos", "found"])
    assert training is not None
    found = replace(GOOD, signals=OF_LIGHT, tried_views="usual", training=training)
    said = str(decide(found))
    assert "Light and colours alone tell the groups (0.95 of 1)" in said
    scores = {"learned": 0.2, "pixels": 0.04, "joined": 0.1}
    compared = replace(found, representation=Representation("learned", 0.1, scores))
    assert "Learning" not in str(decide(compared))
    assert "photos found-any-colour --intensity ignored" in said
    assert "photos found-by-light --intensity matters" in said
    asked = parse_training(["run", "photos", "found", "--intensity", "ignored"])
    assert asked is not None
    ignored = str(decide(replace(GOOD, training=asked)))
    assert "You asked for views that change light" in ignored
    assert "photos found-by-light --intensity matters" in ignored
    measured = str(decide(replace(found, colours=False, changed="light")))
    assert "turned and made a little brighter or darker" in measured
    told = str(decide(replace(found, changed="")))
    assert "stay in their group when they are cropped and turned a little; light and" in told
    assert "Intensity alone tells the groups (0.95 of 1)" in measured
    assert "photos found-any-intensity --intensity ignored" in measured
    assert "colour" not in measured
    kept = replace(GOOD, tried_views="stronger", training=training)
    said = str(decide(kept))
    assert "kinds that only light or colours tell apart are not found" in said
    assert "photos found-by-light --intensity matters" in said
    assert "--intensity ignored" not in said


NO = replace(
    GOOD, estimate=Estimate(0.55, 0.5, 0.7), epochs=13, recipe_epochs=38,
    training=replace(GOOD.training, verb="run", data="photos", out="found"),
)  # fmt: skip


def steps_of(evidence: Evidence) -> list[str]:
    """What each next step asks for, without the command's places."""
    found = decide(evidence)
    assert found.trust == "no"
    return [str(step) for step in found.next_steps]


def test_after_a_no_comes_what_it_may_mean_and_then_what_was_not_tried() -> None:
    steps = steps_of(NO)
    assert steps[0] == "It may be that the images form no groups at all."
    assert steps[1] == "Train longer: 'shoal run photos found-longer --epochs 38'."
    assert "--intensity ignored" in steps[2]
    assert "--intensity matters" in steps[3]
    assert not any("Look at" in step for step in steps[:4])
    assert not any("Train longer" in step for step in steps_of(replace(NO, epochs=38)))
    tried = replace(NO, tried_views="usual", keeps_light=True)
    assert not any("--intensity" in step for step in steps_of(tried))
    pixels = Representation("pixels", 0.9, {"learned": 0.1, "pixels": 0.3, "joined": 0.2})
    short = replace(NO, representation=pixels)
    assert "no help yet, in 13 of the recipe's 38 epochs" in str(decide(short))
    assert "Train longer" in steps_of(short)[1]
    whole = replace(short, epochs=38)
    assert "Learning was no help with this pile" in str(decide(whole))
    assert not any("Train longer" in step for step in steps_of(whole))
    helped = Representation("learned", 0.1, {"learned": 0.8, "pixels": 0.3, "joined": 0.2})
    assert "helped" not in str(decide(replace(NO, representation=helped)))
    noise = replace(NO, representation=UNTOLD, tried_views="usual")
    assert "Train longer" in steps_of(noise)[1]
    of_vectors = replace(NO, vectors=True, training=replace(NO.training, verb="cluster"))
    assert steps_of(of_vectors)[0] == "It may be that the vectors form no groups at all."
    k = NO.n_clusters  # another number is clear, so there are groups
    another = "\n".join(steps_of(replace(of_vectors, weighed={k: 0.2, k + 1: 1.0})))
    assert f"{k + 1} groups are found again" in another
    assert "no groups at all" not in another


@pytest.mark.parametrize("intensity", ["ignored", "varies"])
def test_the_command_that_a_warning_speaks_of_is_among_the_steps(intensity: str) -> None:
    told = f"brightness alone tells the clusters apart; train with --intensity {intensity}."
    training = parse_training(["run", "p", "found"])
    assert training is not None
    for evidence in (GOOD, NO):
        warned = replace(evidence, warnings=(told,), training=training)
        assert any(
            f"--intensity {intensity}'" in step for step in map(str, decide(warned).next_steps)
        )


def test_so_few_images_that_anything_is_possible_are_not_judged() -> None:
    few = replace(GOOD, n_images=16, estimate=Estimate(0.9, 0.55, 0.97))
    assert decide(few).trust == "not known"
    assert "so few images cannot be judged" in str(decide(few))
    assert decide(replace(few, estimate=Estimate(0.9, 0.72, 0.97))).trust == "yes"
    assert decide(replace(few, n_images=500)).trust == "yes"


def test_larger_images_are_advised_with_the_minutes_they_take_and_not_where_those_were_short() -> (
    None
):
    training = parse_training(["run", "p", "found", "--minutes", "5"])
    assert training is not None
    poor = replace(
        GOOD, estimate=Estimate(0.8, 0.6, 1.0), training=training, minutes=5.0, larger_size=64,
        epochs=28.0, recipe_epochs=28.0,
    )  # fmt: skip

    def larger(evidence: Evidence) -> list[str]:
        return [each for each in map(str, decide(evidence).next_steps) if "larger images" in each]

    assert larger(poor) == [
        "Train on larger images: 'shoal run p found-larger --size 64 --minutes 20'."
    ]
    assert larger(replace(poor, epochs=11.9)) == []
    untimed = parse_training(["run", "p", "found", "--epochs", "9"])
    assert untimed is not None
    assert larger(replace(poor, minutes=None, epochs=9.0, training=untimed)) == [
        "Train on larger images: 'shoal run p found-larger --epochs 9 --size 64'."
    ]


def test_nobody_is_sent_to_the_least_certain_where_all_are_equally_certain() -> None:
    assert "least sure of" in str(decide(GOOD))
    same = str(decide(replace(GOOD, equally_sure=True)))
    assert "least sure of" not in same
    assert "shoal is equally sure of all images." in same


def test_views_that_keep_light_are_named_where_light_tells_the_groups() -> None:
    both = replace(OF_LIGHT, shown=0.96, light=0.72)  # of dim images what is shown is grainier
    found = replace(GOOD, estimate=Estimate(0.8, 0.5, 0.9), signals=both)
    assert "--intensity matters" in str(decide(replace(found, training=NO.training)))
    assert "--intensity" not in str(decide(replace(found, keeps_light=True)))
    assert "--intensity" not in str(decide(replace(found, signals=replace(both, light=0.5))))


def test_a_no_has_its_reason() -> None:
    said = str(decide(replace(GOOD, estimate=Estimate(0.62, 0.5, 0.9), consistency=0.97)))
    assert "No." in said
    assert "less than 40% of the way from random groups" in said


def test_whatever_is_not_a_yes_says_what_it_is_for() -> None:
    reasons = {
        "less than 90% are expected": replace(GOOD, estimate=Estimate(0.8, 0.6, 1.0)),
        "less than 40% of the way": replace(GOOD, estimate=Estimate(0.55, 0.5, 0.7)),
        "groups are not consistent enough": replace(GOOD, consistency=0.6),
        "the groups are not consistent.": replace(GOOD, estimate=None, consistency=0.2),
        "images show does not tell the groups": replace(GOOD, representation=UNTOLD),
        "images show hardly tells the groups": replace(GOOD, signals=OF_LIGHT),
        "other ways are about as clear": replace(GOOD, separations=(0.9, 0.89)),
        "because of the warning": replace(GOOD, warnings=("one cluster is tiny.",)),
    }
    assert "The answer is" not in str(decide(GOOD))
    for reason, evidence in reasons.items():
        said = decide(evidence)
        assert said.trust in ("in part", "no")
        assert f"The answer is {said.trust}" in str(said)
        assert reason in str(said), said
        assert str(said).count("The answer is") == 1


def test_where_a_number_was_chosen_and_its_groups_are_poor_another_clear_one_is_named() -> None:
    poor = replace(GOOD, estimate=Estimate(0.55, 0.5, 0.7), number_is_settled=True)
    assert "shoal clusters" not in str(decide(poor))
    assert "shoal clusters" in str(decide(replace(poor, others_are_clear=True)))


def test_where_another_number_is_clear_it_is_named_beside_a_yes() -> None:
    chosen = replace(GOOD, n_clusters=2, number_is_settled=True)
    assert decide(chosen).trust == "yes"
    assert "shoal clusters" not in str(decide(chosen))
    assert "shoal clusters" in str(decide(replace(chosen, others_are_clear=True)))


def test_where_a_number_was_given_and_another_is_clearly_better_it_is_named() -> None:
    given = replace(GOOD, weighed={2: 0.7, 3: 0.2, 4: 0.98})
    assert "4 groups are found again in other images more surely than 2" in str(decide(given))
    assert "found again" not in str(decide(replace(given, weighed={2: 0.7, 4: 0.65})))
    as_clear = str(decide(replace(given, weighed={2: 1.0, 4: 1.0})))
    assert "4 groups are found again in other images as surely as 2" in as_clear
    fewer = replace(GOOD, n_clusters=3, n_nonempty=3, weighed={2: 0.9, 3: 0.5})
    assert "found again" not in str(decide(fewer))  # few groups may well fall into more
    poor = decide(replace(fewer, estimate=Estimate(0.5, 0.4, 0.7), vectors=True))
    assert "2 groups are found again in other vectors more surely" in str(poor)


def test_what_is_expected_assumes_the_number_of_groups_and_says_so() -> None:
    for n in (30, 500):
        assert "in the right group, if there are 2 groups" in str(decide(replace(GOOD, n_images=n)))
    chinese = [Wording("zh-TW")(s.template, **dict(s.values)) for s in decide(GOOD).reasons]
    assert any("若有 2 個群組" in each for each in chinese)


def test_a_channel_that_tells_nothing_is_no_reason_to_doubt_the_groups() -> None:
    told = replace(GOOD, warnings=tuple(constant([1], 3)))
    assert decide(told).trust == "yes"
    assert "channel 2 of 3" in str(decide(told))
    doubted = replace(GOOD, warnings=(*told.warnings, "one cluster is tiny."))
    assert decide(doubted).trust == "in part"


def test_groups_of_which_no_more_than_by_chance_is_expected_are_a_no() -> None:
    clearer = replace(Signals(*[math.nan] * 7), beyond_noise=0.9)
    told = replace(GOOD, vectors=True, n_clusters=2, signals=clearer)
    no = decide(replace(told, estimate=Estimate(0.5, 0.5, 0.97), number_is_settled=True))
    assert no.trust == "no"
    assert "no groups at all" not in str(no)
    assert "shoal clusters" in str(no)
    assert decide(replace(told, estimate=Estimate(0.6, 0.5, 0.97))).trust == "in part"


def drawn(generator: np.random.Generator) -> Evidence:
    """Evidence that may come of images or of vectors: each fact by itself, whether known or not."""
    nan, k = math.nan, int(generator.choice([2, 3, 10]))

    def one_of(*values: Any) -> Any:
        return values[generator.integers(len(values))]

    vectors = one_of(False, False, True)
    views = nan if vectors else one_of(nan, 0.5, 0.89, 0.95)
    signals = Signals(
        neighbour_overlap=views, recognition=views, purity=0.9, stability=one_of(0.4, 0.95),
        method_agreement=0.9, view_agreement=views, consistency=views,
        shown=nan if vectors else one_of(nan, 0.02, 0.3, 0.9),
        light=nan if vectors else one_of(nan, 0.2, 0.9),
        beyond_noise=one_of(nan, 0.02, 0.1, 0.4, 0.9) if vectors else nan,
    )  # fmt: skip
    scores = {"learned": one_of(0.05, 0.3), "pixels": one_of(0.05, 0.5), "joined": 0.05}
    compared = [Representation("learned"), *(Representation(each, 0.5, scores) for each in scores)]
    right = one_of(nan, 1 / k, 0.55, 0.8, 0.95)
    estimate = one_of(None, Estimate(right, right - 0.15, min(1.0, right + 0.15)))
    return Evidence(
        n_images=one_of(30, 500), n_clusters=k, n_nonempty=k, estimate=estimate,
        signals=None if estimate is None else signals,
        consistency=None if vectors else one_of(None, 0.2, 0.5, 0.75, 0.9),
        separations=one_of((), (0.9,), (0.9, 0.89)),
        representation=None if vectors else one_of(None, *compared),
        warnings=one_of((), ("mean colour alone tells the clusters apart",), ("one is tiny.",)),
        epochs=one_of(13, 38), recipe_epochs=38, vectors=vectors,
        weighed=one_of({}, {k: 0.2, k + 1: 0.9}), training=NO.training,
    )  # fmt: skip


CONTRADICTIONS = [
    (r"says nothing against", r"not consistent"),
    (r"hardly change when", r"not consistent"),
    (r"hardly change when", r"[1-8]\d% of the images stay"),
    (r"change their group|depend on how", r"9\d% of the images stay|100% of the images stay"),
    (r"is in part because", r"trusted\? (Yes|No|That)"),
    (r"is no because", r"trusted\? (Yes|In|That)"),
    (r"mean nothing|nothing says", r"trusted\? (Yes|In)"),
    (r"Learning helped", r"trusted\? No|Learning was no help|hardly does|does not tell the"),
    (r"Learning was no help with", r"Train longer"),
    (r"does not tell (the groups|them)", r"What the images show tells"),
    (r"far clearer than those of random", r"hardly clearer|as clear as these"),
    (r"far clearer than those of random|found again in other \w+ more surely", r"no groups at all"),
    (r"far clearer than those of random", r"half of the \w+ do not"),
    (r"No other way to divide", r"other ways are|about as clear"),
    (r"no groups at all", r"Copy the images|trusted\? (Yes|In)"),
]
"""Two things of which no verdict says both."""


def contradicting(verdict: Verdict) -> list[tuple[str, str]]:
    said = str(verdict)
    return [pair for pair in CONTRADICTIONS if all(re.search(each, said) for each in pair)]


def test_no_verdict_contradicts_itself_whatever_was_measured() -> None:
    generator = np.random.default_rng(0)
    for _ in range(6000):
        evidence = drawn(generator)
        found = decide(evidence)
        assert not contradicting(found), f"{contradicting(found)}\n{evidence}\n{found}"
        assert str(found).count("The answer is") <= 1


def test_images_that_stay_are_enough_only_where_it_is_known_what_they_show() -> None:
    stays = replace(GOOD, n_images=50, consistency=0.5, signals=Signals(*[1.0] * 7))
    unknown = decide(stays)
    assert unknown.trust == "in part"
    assert "They stay in their group, but that alone is not enough" in str(unknown)
    known = decide(replace(stays, signals=Signals(*[1.0] * 7, shown=0.9)))
    assert known.trust == "yes"
    assert "that says nothing against it" in str(known)


@pytest.mark.parametrize("consistency", [0.2, 0.5])
def test_a_low_consistency_does_not_contradict_images_that_stay(consistency: float) -> None:
    signals = Signals(*[1.0] * 7, shown=0.9)
    said = str(decide(replace(GOOD, signals=signals, consistency=consistency)))
    assert "100% of the images stay in their group when" in said
    assert "change their group" not in said
    assert "depend on how" not in said
    assert "look so alike that they are not told from one another when shown" in said
    assert f"(consistency {consistency:.2f} of 1). They stay in their group" in said
    moved = replace(signals, view_agreement=0.7)
    said = str(decide(replace(GOOD, signals=moved, consistency=consistency)))
    assert "change their group" in said or "depend on how" in said


def test_vectors_are_called_vectors_in_any_language() -> None:
    signals = Signals(*[float("nan")] * 3, 0.93, *[float("nan")] * 3)
    found = decide(replace(GOOD, signals=signals, consistency=None, vectors=True))
    assert "About 95% of the vectors are probably in the right group" in str(found)
    assert "93% of the vectors get the same group when only half of the vectors" in str(found)
    assert not any("image" in str(reason) for reason in found.reasons)
    assert "the typical vectors of each" in str(found)
    chinese = [Wording("zh-TW")(each.template, **dict(each.values)) for each in found.reasons]
    assert all("向量" in each and "影像" not in each for each in chinese)


def test_halves_are_not_spoken_of_where_they_tell_nothing() -> None:
    signals = Signals(*[1.0] * 7)
    assert "half of the images" in str(decide(replace(GOOD, signals=signals)))
    assert "half of" not in str(decide(replace(GOOD, signals=signals, halves_tell=False)))


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (replace(GOOD, separations=(0.9, 0.86)), "No other way to divide the pile is nearly as"),
        (replace(GOOD, separations=(0.9, 0.88, 0.8)), "1 other way to divide the pile is about as"),
        (GOOD, None),
        (replace(GOOD, n_clusters=3, n_nonempty=3, separations=(0.9, 0.89)), None),
        (replace(GOOD, n_nonempty=1, separations=(0.9, 0.8)), None),
    ],
)
def test_it_says_how_sure_the_choice_among_the_ways_to_divide_a_pile_is(
    evidence: Evidence, said: str | None
) -> None:
    about = [str(reason) for reason in decide(evidence).reasons if "way chosen" in str(reason)]
    assert len(about) == (said is not None)
    assert all(each.startswith(said or "") for each in about)
    reasons = decide(evidence).reasons
    chinese = [Wording("zh-TW")(each.template, **dict(each.values)) for each in reasons]
    assert not any("pile" in each for each in chinese)


def test_few_images_get_a_range_and_no_number() -> None:
    few, many = (str(decide(replace(GOOD, n_images=n))) for n in (30, 500))
    assert "Between 80% and 100% of the images are probably in the right group, if" in few
    assert "95%" not in few
    assert "About 95% of the images are probably in the right group" in many


def noise(folder: Path) -> None:
    """120 images of which none is like another."""
    generator = np.random.default_rng(0)
    np.save(folder / "pile.npy", generator.integers(0, 256, (120, 8, 8, 3), dtype=np.uint8))


def alike(folder: Path) -> None:
    """60 copies of one image."""
    one = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    np.save(folder / "pile.npy", one.repeat(60, axis=0))


@pytest.mark.parametrize("make", [noise, alike])
def test_it_stands_wherever_people_look_and_its_commands_run(
    make: Callable[[Path], None], fast: tuple[str, ...], run_cli: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    result = run_cli("run", "pile.npy", "found", *fast)
    assert result.code == 0, result.err
    before, answer, last = result.err.rpartition("Can these groups be trusted? No.")
    assert answer
    assert "written to found" in before
    said = (answer + last).splitlines()
    if make is noise:  # copies of one image leave nothing to review
        assert said.pop().startswith("next: shoal review")
    told = [line.strip() for line in said]
    info = run_cli("info", "found/checkpoint.pth")
    assert [line.strip() for line in info.out.splitlines()[-len(told) :]] == told  # its end
    known = json.loads(pq.read_schema("found/table.parquet").metadata[b"shoal.verdict"])
    assert known["trust"] == "no"
    assert [*known["reasons"], *known["next_steps"]] == [
        line for line in told[1:] if line != "What to do next:" and "warning" not in line
    ]
    page = Path("found/report.html").read_text(encoding="utf-8")
    body = page[page.index('<main id="text">') :]
    assert body.index("Can these groups be trusted? No.") < body.index("data-explorer")
    export = run_cli("export", "pile.npy", "found/table.parquet", "e.parquet", "--as", "parquet")
    assert export.code == 0, export.err
    assert json.loads(pq.read_schema("e.parquet").metadata[b"shoal.verdict"]) == known
    advised = re.findall(r"'shoal ([^']+)'", last)
    assert advised or make is alike  # of copies, nothing can be told by another run
    for command in advised:
        words = [word if word != "28" else "1" for word in shlex.split(command)]
        result = run_cli(*words)
        assert result.code == 0, (command, result.err)


def test_a_chinese_report_begins_with_it(
    trained_pile: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "r.pdf"
    result = run_cli(
        "report", trained_pile / "pile.npy", trained_pile / "c.pth", path,
        "--lang", "zh-TW", "--quiet",
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")
    text = "".join(page.extract_text() for page in PdfReader(path).pages)
    assert text.index("可信嗎") < text.index("找到了什麼")


@pytest.fixture(scope="module")
def trained_pile(
    images: np.ndarray, fast: tuple[str, ...], run_cli: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """A folder with pile.npy and c.pth, whose history is long enough for a report."""
    folder = tmp_path_factory.mktemp("verdict")
    np.save(folder / "pile.npy", images)
    options = [*fast, "--set", "checkpoints=10", "--epochs", "2"]
    assert run_cli("train", folder / "pile.npy", folder / "c.pth", *options).code == 0
    return folder


def test_commands_keep_the_options_and_take_another_place() -> None:
    words = shlex.split("run 'my photos' found --epochs 2 -k 3 --set views.hue=0.5 --resume")
    training = parse_training(words)
    assert training is not None
    assert training.again("longer", epochs="8") == (
        "'shoal run \"my photos\" found-longer -k 3 --set views.hue=0.5 --epochs 8'"
    )
    assert training.checkpoint == "found/checkpoint.pth"
    assert parse_training(["report", "x.pdf"]) is None


def test_one_is_not_many() -> None:
    assert [counted(n, "copy", "copies") for n in (0, 1, 2)] == ["0 copies", "1 copy", "2 copies"]
    assert fill("{n:,} {n:image|images} by {name}", n=1, name="{x}") == "1 image by {x}"


def test_of_too_few_different_images_nothing_is_known() -> None:
    told = replace(GOOD, n_images=16, warnings=tuple(few_different(np.arange(16))))
    said = decide(told)
    assert said.trust == "not known"
    assert "%" not in str(said)
    assert "divide" not in str(said)
    assert len(said.next_steps) == 1
    assert decide(replace(told, warnings=tuple(few_different(np.arange(20))))).trust != "not known"


def test_that_no_number_of_groups_is_clear_stands_in_the_verdict() -> None:
    assert "none is clear" not in str(decide(GOOD))
    said = str(decide(replace(GOOD, unclear=0.31)))
    assert "none is clear: 2 groups are found again in other images with a strength of 0.31" in said
