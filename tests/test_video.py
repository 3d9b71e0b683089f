"""Videos and animated pictures, encoded here by FFmpeg: their frames are the images of a pile."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shoal.cli.opening import open_images
from shoal.cli.options import OpenOptions
from shoal.errors import DataError
from shoal.images.open import open_source
from shoal.images.readers import video
from shoal.images.readers.frame_choice import Frame, chosen
from shoal.images.within import Within
from shoal.progress import Reporter

av = pytest.importorskip("av", reason="needs the extra shoal[video]")


def frame(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A picture of large squares, other ones for each number."""
    colours = np.random.default_rng(number).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return colours.repeat(height // 3, axis=0).repeat(width // 4, axis=1)


def clip(path: Path, frames: list[np.ndarray], rate: int = 10, **options: Any) -> Path:
    """A video of these frames, with a frame from which reading can begin every twelve."""
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream("mpeg4" if path.suffix != ".webm" else "libvpx-vp9", rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def changing(path: Path, seconds: int = 12) -> Path:
    """A video of ten frames a second that changes with each second."""
    return clip(path, [frame(number // 10) for number in range(10 * seconds)])


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov", ".webm"])
def test_frames_are_those_that_were_encoded(suffix: str, tmp_path: Path) -> None:
    path = changing(tmp_path / f"clip{suffix}")
    names = video.members(path)
    assert len(names) == 12
    order = [*range(12), 11, 3, 7, 7, 0, 10]  # and back, and again
    for number in order:
        pixels = video.read(path, names[number]).pixels
        assert np.abs(pixels.astype(int) - frame(number)).mean() < 12, names[number]
    video.close()
    source = open_source(path, cache=False)
    assert [name.partition("#")[2] for name in source.ids] == names
    assert source.shape == (48, 64, 3)
    read = source.read(np.arange(12))
    want = np.stack([frame(number) for number in range(12)])
    assert np.abs(read.astype(int) - want).mean() < 12


def test_every_says_how_many(tmp_path: Path) -> None:
    path = changing(tmp_path / "clip.mp4")
    assert video.members(path, every=3) == ["t=0", "t=3", "t=6", "t=9"]
    assert len(video.members(path, every=0.1)) == 12  # the others are near-identical
    shots = video.members(path, every="cuts")
    assert len(shots) == 12
    seconds = [float(name.removeprefix("t=")) for name in shots]
    assert [int(second) for second in seconds] == list(range(12))


@pytest.mark.parametrize(
    ("every", "said"),
    [
        (
            None,
            "2 videos: 13 frames, at most one every second; 2 more are left out as near-",
        ),
        (0.5, "2 videos: 13 frames, at most one every 0.5 seconds; 17 more are left out"),
        ("cuts", "2 videos: 13 frames, one of each shot; --every SECONDS takes others"),
    ],
)
def test_it_is_said_which_frames_were_taken_and_how_many_files_hold_them(
    every: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changing(tmp_path / "clip.mp4")
    clip(tmp_path / "still.mp4", [frame(3)] * 30)
    Image.fromarray(frame(5)).save(tmp_path / "a.png")
    options = OpenOptions(every=None if every is None else str(every), cache=False)
    for _ in range(2):
        open_images(tmp_path, options, report=Reporter())
    told = capsys.readouterr().err
    assert said in told
    assert "3 files hold 14 images\n" in told
    (tmp_path / "b.png").write_bytes(b"")
    open_images(tmp_path, options)
    assert capsys.readouterr().err.startswith("4 files: 3 hold 14 images, 1 left out\n  b.png: ")


def test_what_was_taken_of_an_animated_picture_is_said_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moving = [Image.fromarray(frame(number)) for number in range(6)]
    gif = tmp_path / "a.gif"
    moving[0].save(gif, save_all=True, append_images=moving[1:], duration=100)
    for _ in range(2):  # decoded, and from the cache
        open_images(gif, report=Reporter())
        assert "1 animated picture: 6 frames, all that it has;" in capsys.readouterr().err
    changing(tmp_path / "clip.mp4")
    open_images(tmp_path, OpenOptions(every="0.2", cache=False), report=Reporter())
    told = capsys.readouterr().err
    assert "1 animated picture: 3 frames, at most one every 0.2 seconds;" in told
    assert "1 video: 12 frames, at most one every 0.2 seconds; " in told


def test_a_still_video_is_one_image_and_slow_change_is_kept() -> None:
    still = np.full((32, 32, 3), 90, np.int16)

    def frames(levels: list[int]) -> list[Frame]:
        return [Frame(n * 0.5, lambda level=level: still + level) for n, level in enumerate(levels)]

    assert chosen(frames([0, 2, -3, 1] * 20), 0.5) == ([0.0], 79)
    assert chosen(frames(list(range(0, 40, 4))), 0.5) == ([0.0, 1.5, 3.0, 4.5], 6)
    assert chosen(frames([0] * 6 + [60] * 6), "cuts").times == [1.5, 4.25]
    assert chosen(frames(list(range(0, 120, 10))), "cuts").times == [2.75]  # a fade is no cut


def test_a_folder_with_videos(tmp_path: Path) -> None:
    changing(tmp_path / "b.mp4", 3)
    for name in ("a.png", "c.png"):
        Image.fromarray(frame(40)).save(tmp_path / name)
    (tmp_path / "broken.mov").write_bytes((tmp_path / "b.mp4").read_bytes()[:600])
    (tmp_path / "notes.txt").write_text("x")
    source = open_source(tmp_path, cache=False)
    assert list(source.ids) == ["a.png", "b.mp4#t=0", "b.mp4#t=1", "b.mp4#t=2", "c.png"]
    skipped = dict(source.skipped)
    assert "a video that cannot be read" in skipped["broken.mov"]
    assert str(tmp_path) not in skipped["broken.mov"]
    originals = source.originals
    assert originals.suffix(1) == ".png"
    assert originals.file(1) is None
    assert originals.size(2) == (64, 48)
    with Image.open(io.BytesIO(originals.content(2))) as image:
        assert np.abs(np.asarray(image).astype(int) - frame(1)).mean() < 12
    assert open_source(tmp_path, every=1.5, cache=False).ids[1:3] == ["b.mp4#t=0", "b.mp4#t=1.5"]
    kept = open_source(tmp_path)
    assert kept.digest() == source.digest() == open_source(tmp_path).digest()
    assert len(open_source(tmp_path, every=2.0)) == 4  # not those that the cache has of another


def test_a_video_in_an_archive(tmp_path: Path) -> None:
    path = changing(tmp_path / "clip.mp4", 4)
    with zipfile.ZipFile(tmp_path / "pile.zip", "w") as archive:
        archive.write(path, "x/clip.mp4")
    source = open_source(tmp_path / "pile.zip", cache=False)
    assert list(source.ids) == [f"x/clip.mp4#t={second}" for second in range(4)]
    with Image.open(io.BytesIO(source.originals.content(3))) as image:
        assert np.abs(np.asarray(image).astype(int) - frame(3)).mean() < 12
    assert source.originals.suffix(3) == ".png"


def test_a_video_in_a_table_is_its_first_frame(tmp_path: Path) -> None:
    path = changing(tmp_path / "clip.mp4", 2)
    assert np.abs(video.read(path.read_bytes()).pixels.astype(int) - frame(0)).mean() < 12


def test_a_checkpoint_knows_which_frames_it_saw(tmp_path: Path) -> None:
    from shoal import train
    from shoal.cli.opening_as_learned import asked_or_learned
    from shoal.cli.options import OpenOptions
    from shoal.models import checkpoint as checkpoints
    from shoal.recipes.named import BASELINE

    source = open_source(changing(tmp_path / "clip.mp4", 6), every=2, cache=False)
    first = next(train(source, BASELINE))
    checkpoints.save(first, tmp_path / "a.pth")
    last = checkpoints.load(tmp_path / "a.pth")
    assert last.within == Within(every=2)
    learned = OpenOptions(every="2", pages="auto", colours="auto")
    assert asked_or_learned(OpenOptions(), last, tmp_path) == learned
    asked = OpenOptions(every="cuts", pages="images")
    assert asked_or_learned(asked, last, tmp_path).pages == "images"


def test_an_animated_picture(tmp_path: Path) -> None:
    moving = [Image.fromarray(frame(number)) for number in range(5)]
    moving[0].save(tmp_path / "a.gif", save_all=True, append_images=moving[1:], duration=100)
    moving[0].save(tmp_path / "b.gif")
    assert list(open_source(tmp_path, cache=False).ids) == ["a.gif", "b.gif"]  # the first frames
    taken = open_source(tmp_path, every=0.1, cache=False)
    assert list(taken.ids) == [
        *(f"a.gif#t={t}" for t in ("0", "0.1", "0.2", "0.3", "0.4")),
        "b.gif",
    ]
    alone = open_source(tmp_path / "a.gif", cache=False)
    assert len(alone) == 5
    want = np.stack([frame(number) for number in range(5)])
    assert np.abs(alone.read(np.arange(5)).astype(int) - want).mean() < 20


def test_playlists_open_nothing(tmp_path: Path) -> None:
    """A playlist under the name of a video would have FFmpeg read files and addresses it names."""
    changing(tmp_path / "secret.ts", 2)
    text = f"#EXTM3U\n#EXTINF:2,\nfile://{tmp_path / 'secret.ts'}\n#EXT-X-ENDLIST\n"
    (tmp_path / "clip.mp4").write_text(text)
    with pytest.raises(ValueError, match="cannot be read"):
        video.members(tmp_path / "clip.mp4")


def test_a_missing_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changing(tmp_path / "clip.mp4", 1)
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("shoal.images.decoding.processes.Pool", _none)
    with pytest.raises(DataError, match=r"a video needs an extra: pip install 'shoal\[video\]'"):
        open_source(tmp_path, cache=False)


def _none(_: int) -> Any:
    """No processes: a library that a test hides is hidden from this process alone."""
    raise OSError


@pytest.mark.parametrize("every", [0, -1.0, float("nan"), float("inf"), "shots"])
def test_every_is_checked(every: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="every must be a number of seconds above 0, or 'cuts'"):
        open_source(tmp_path, every=every)


def test_what_is_within_has_one_default() -> None:
    assert Within.from_json(Within(every="cuts").to_json()) == Within(every="cuts")
    assert Within.from_json(Within().to_json()) == Within()
