"""The command that shows what shoal does on handwritten digits, with nothing at hand."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Force, OutDir, Quiet, Seed


def demo(
    folder: OutDir = Path("demo"), seed: Seed = None, force: Force = False, quiet: Quiet = False
) -> None:
    """Sort 1,797 handwritten digits, and compare with k-means."""
    from shoal.cli import fit as training
    from shoal.cli import inference, opening
    from shoal.cli.demo_images import print_scores, write_digits
    from shoal.cli.next_step import say_next
    from shoal.cli.request import Request
    from shoal.cli.reviewed import review_of
    from shoal.cli.run_folder import already, open_run
    from shoal.progress import Reporter
    from shoal.reports.assembly import hand_over
    from shoal.scoring.worth_asking import known_of

    report = Reporter(quiet=quiet)
    # Whatever a demo left unfinished is gone on with: it has only one way to be run.
    resume = folder.exists() and not force
    request = Request("digits", seed=seed, device="cpu", resume=resume, force=force)
    with open_run(folder, folder / "digits.npy", request) as opened:
        data = write_digits(folder)
        source = opening.open_images(data)
        report.say(f"{len(source):,} handwritten digits, without their labels: {data}")
        report.say(f"$ shoal run {data} {folder} --recipe digits")
        run = opened.of(source, request, report)
        finished, table = training.train(source, run.checkpoint, request, report)
        result = table or inference.predict(source, finished, report, device="cpu")
        if run.done:
            report.say(*already(run))
        else:
            with run.results(result.ids, result.labels, report):
                hand_over(source, finished, result, folder, report, device="cpu")
    print_scores(source, result.labels, finished.origin.seconds)
    inference.say_verdict(finished, report)
    say_next(report, known_of(len(source), finished), review_of(folder, data))
