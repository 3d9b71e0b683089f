"""Piles in stores: an S3 server and a plain web server on this machine, with what goes wrong."""

from __future__ import annotations

import base64
import contextlib
import importlib
import io
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from shoal.distributed import opening
from shoal.errors import DataError
from shoal.images.open import open_source
from shoal.images.remote import files, given_up, patience, store
from shoal.images.remote.listing import only, shards_of
from shoal.images.remote.location import Location, location, without_secrets
from shoal.images.vectors.open import open_vectors
from shoal.pipeline import fit
from shoal.recipes.named import DIGITS

pytest.importorskip("s3fs", reason="needs the extra remote")
moto = pytest.importorskip("moto.server", reason="needs moto's S3 server")

SECRET = "SECRETKEYdoNOTshow42"
N_SHARDS, PER_SHARD = 3, 12


def picture(number: int) -> bytes:
    random = np.random.default_rng(number)
    pixels = random.integers(0, 255, (40 + number % 3, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as shards of each kind, and as a folder; and arrays."""
    root = tmp_path_factory.mktemp("pile")
    pictures = [picture(number) for number in range(N_SHARDS * PER_SHARD)]
    (root / "folder").mkdir()
    for shard in range(N_SHARDS):
        rows = range(shard * PER_SHARD, (shard + 1) * PER_SHARD)
        with tarfile.open(root / f"t-{shard}.tar", "w") as archive:
            for row in rows:
                info = tarfile.TarInfo(f"{row:04d}.png")
                info.size = len(pictures[row])
                archive.addfile(info, io.BytesIO(pictures[row]))
        with zipfile.ZipFile(root / f"z-{shard}.zip", "w") as archive:
            for row in rows:
                archive.writestr(f"kind{row % 2}/{row}.png", pictures[row])
        images = [{"bytes": pictures[row], "path": None} for row in rows]
        pq.write_table(pa.table({"image": images}), root / f"p-{shard}.parquet", row_group_size=5)
        for row in rows:
            (root / "folder" / f"kind{row % 2}").mkdir(exist_ok=True)
            (root / "folder" / f"kind{row % 2}" / f"{row} é.png").write_bytes(pictures[row])
        vectors = np.random.default_rng(shard).normal(size=(10, 4)).astype(np.float32)
        ids = [f"{shard}-{row}" for row in range(10)]
        pq.write_table(
            pa.table({"id": ids, "embedding": list(vectors)}), root / f"v-{shard}.parquet"
        )
    (root / "folder" / "without-suffix").write_bytes(pictures[0])
    (root / "folder" / "notes").write_text("no picture")
    pixels = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 3), dtype=np.uint8)
    np.save(root / "a.npy", pixels)
    np.savez(root / "a.npz", x=pixels, y=pixels[:3])
    np.save(root / "v.npy", np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32))
    frames = [Image.open(io.BytesIO(pictures[row])).resize((40, 40)) for row in (0, 3, 6)]
    frames[0].save(root / "pages.tif", save_all=True, append_images=frames[1:])
    return root


@pytest.fixture(scope="module")
def s3_server(pile: Path) -> Iterator[str]:
    boto3 = pytest.importorskip("boto3", reason="needs moto's S3 server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x",
        region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket="pile")
    for file in pile.rglob("*"):
        if file.is_file():
            client.upload_file(str(file), "pile", f"d/{file.relative_to(pile).as_posix()}")
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store that tries again within milliseconds; nothing is known of stores."""
    quick = patience.Patience(total=8.0, first=0.01, longest=0.1, answer=1.0, connect=4.0)
    monkeypatch.setattr(patience, "PATIENCE", quick)
    monkeypatch.setattr(store, "PATIENCE", quick)
    patience._reached.clear()
    patience._failed.clear()
    given_up._in_vain.clear()
    given_up._left_alone.clear()
    store._file_system.cache_clear()
    yield
    store._file_system.cache_clear()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return "s3://pile/d/"


class Web(ThreadingHTTPServer):
    """A plain web server; the first folder of a URL says what goes wrong."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.root = root
        self.seen: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no error."""


class Answer(BaseHTTPRequestHandler):
    server: Web
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        _, how, name = path.split("/", 2)
        self.server.seen[path] += 1
        times, asked = self.server.seen[path], self.headers.get("Range")
        if (how == "busy" and times % 3 == 1) or (how == "down" and "-1." in name):
            self.send_error(503)
        elif how == "signed" and query != f"X-Amz-Signature={SECRET}":
            self.send_error(403)
        elif how == "login" and self.headers.get("Authorization") != (
            "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
        ):
            self.send_error(401)
        elif how == "dead" and ("-1." in name or "all" in query) and asked != "bytes=0-0":
            self.send_error(503)
        elif not (self.server.root / name).is_file():
            self.send_error(404)
        else:
            self._give(name, how, times, asked if how != "whole" else None)

    def _give(self, name: str, how: str, times: int, asked: str | None) -> None:
        content = (self.server.root / name).read_bytes()
        total = len(content)
        if asked:
            first, last = (int(number or total) for number in asked[6:].split("-"))
            content = content[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{first + len(content) - 1}/{total}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{total}-{(self.server.root / name).stat().st_mtime_ns}"')
        cut = how == "cut" and times % 2 == 0
        if not cut:  # before the headers leave: whoever asks for a size reads no further than them
            self.server.sent[name] += len(content)
        self.end_headers()
        if how == "slow" and times == 2 and name == "t-1.tar":
            time.sleep(1.5)
        if cut:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        else:
            self.wfile.write(content)


@pytest.fixture
def web(pile: Path) -> Iterator[Web]:
    server = Web(pile)
    yield server
    server.shutdown()
    server.server_close()


def assert_same(remote: Any, local: Any) -> None:
    assert list(remote.ids) == list(local.ids)
    assert remote.digest() == local.digest()
    assert list(remote.skipped) == list(local.skipped)
    assert remote.class_names == local.class_names


# --- the same pile as on this machine ------------------------------------------------------------

SAME = (
    "t-*.tar", "t-{0..2}.tar", "t-1.tar", "z-*.zip", "p-*.parquet", "p-0.parquet:image", "folder",
    "a.npy", "a.npz:x", "pages.tif",
)  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_a_pile_in_s3_is_that_of_this_machine(name: str, pile: Path, s3: str) -> None:
    local, remote = open_source(pile / name), open_source(s3 + name)
    assert_same(remote, local)
    assert str(remote.originals.path) == s3 + name.removesuffix(":image")
    assert remote.originals.content(3 % len(local)) == local.originals.content(3 % len(local))
    assert remote.originals.size(1) == local.originals.size(1)
    again = open_source(Path(s3 + name))  # a Path loses a slash
    assert_same(again, local)
    assert_same(pickle.loads(pickle.dumps(remote)), local)


@pytest.mark.parametrize("how", ["plain", "whole", "busy", "slow", "cut"])
def test_a_pile_on_the_web_is_that_of_this_machine(how: str, pile: Path, web: Web) -> None:
    names = ("t-{0..2}.tar", "p-{0..2}.parquet", "a.npy")
    for name in names[:1] if how == "slow" else names:
        assert_same(open_source(f"{web.address}/{how}/{name}"), open_source(pile / name))


def test_a_file_url_is_a_path_and_memory_is_a_store(pile: Path) -> None:
    import fsspec

    assert location(f"file://{pile}/t-0.tar") == pile / "t-0.tar"
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/x/t-0.tar", (pile / "t-0.tar").read_bytes())
    assert_same(open_source("memory://x/t-0.tar"), open_source(pile / "t-0.tar"))


def test_an_unchanged_pile_is_not_fetched_again(pile: Path, web: Web, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes((pile / "t-0.tar").read_bytes())
    web.root = tmp_path
    url = f"{web.address}/plain/x.tar"
    first = open_source(url)
    sent = web.sent["x.tar"]
    assert sent < 1.1 * (tmp_path / "x.tar").stat().st_size
    assert open_source(url).digest() == first.digest()
    assert web.sent["x.tar"] == sent + 1  # the byte by which its size is asked for
    (tmp_path / "x.tar").write_bytes((pile / "t-1.tar").read_bytes())
    assert open_source(url).digest() != first.digest()


def test_of_a_zip_and_of_parquet_the_end_is_fetched_and_of_a_picture_its_part(
    web: Web, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as archive:
        for row in range(40):
            archive.writestr(f"{row}.bmp", os.urandom(200_000))
        archive.writestr("a.png", picture(1))
    web.root = tmp_path
    source = open_source(f"{web.address}/plain/large.zip", cache=False)
    assert list(source.ids) == ["a.png"]
    files.parts().__init__(files.SIZE * 8)  # type: ignore[misc]  # as a new process
    before = web.sent["large.zip"]
    assert source.originals.content(0) == picture(1)
    assert web.sent["large.zip"] - before < 1_200_000


def test_shards_by_themselves_have_the_ids_of_the_whole(pile: Path, s3: str, web: Web) -> None:
    for name in ("t-*.tar", "p-*.parquet"):
        shards = pickle.loads(pickle.dumps(shards_of(s3 + name)))
        assert [shard.name for shard in shards] == [f"{name[0]}-{i}{name[3:]}" for i in range(3)]
        whole = open_source(s3 + name)
        part = open_source(
            pickle.loads(pickle.dumps(only(s3 + name, shards[1:]))),
            image_shape=whole.shape, fit=whole.fit, pixel_range=whole.pixel_range,
        )  # fmt: skip
        assert list(part.ids) == list(whole.ids)[PER_SHARD:]
        rows = np.arange(PER_SHARD, len(whole))
        assert (part.read(np.arange(len(part))) == whole.read(rows)).all()
    assert [shard.n_images for shard in shards] == [PER_SHARD] * 3
    assert [shard.first for shard in shards] == [0, PER_SHARD, 2 * PER_SHARD]
    url = f"{web.address}/plain/t-{{0..2}}.tar"
    open_source(only(url, shards_of(url)[2:]))
    assert web.sent["t-0.tar"] == 2  # its size was asked for twice


def test_vectors_in_s3_are_those_of_this_machine(pile: Path, s3: str) -> None:
    for name in ("v-*.parquet", "v-0.parquet", "v.npy"):
        local, remote = open_vectors(pile / name), open_vectors(s3 + name)
        assert list(remote.ids) == list(local.ids)
        assert remote.digest() == local.digest()


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_shard_that_stays_unreadable_is_left_out(
    pile: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience.PATIENCE.total = 0.7
    url = f"{web.address}/dead/t-{{0..2}}.tar"
    source = open_source(url)
    local = open_source(pile / "t-{0..2}.tar")
    assert list(source.ids) == [name for name in local.ids if not name.startswith("t-1.tar")]
    ((name, reason),) = source.skipped
    assert name == "t-1.tar"
    assert re.fullmatch(
        r"the store did not give it: it answered with 503, tried \d+ times in \d s", reason
    )
    web.seen.clear()
    open_source(url)  # the shard may be there now: it is asked for again, and not waited for
    assert web.seen["/dead/t-1.tar"] == 2
    monkeypatch.setattr(given_up, "_FORGOTTEN", 0.0)
    open_source(url)
    assert web.seen["/dead/t-1.tar"] > 4


@pytest.mark.parametrize("how", ["dead", "down"])
@pytest.mark.parametrize("kind", ["tar", "parquet"])
@pytest.mark.parametrize("machine", ["this", "another"])
def test_workers_do_not_ask_for_what_the_command_did_without(
    how: str, kind: str, machine: str, web: Web, tmp_path: Path, run_cli: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    patience.PATIENCE.total = 0.5
    url = f"{web.address}/{how}/{kind[0]}-{{0..2}}.{kind}"
    dead, asked = f"/{how}/{kind[0]}-1.{kind}", 0

    class OtherProcess:
        """An `Engine` without Ray, whose worker knows nothing of what the command waited for."""

        workers, device, where = 1, "cpu", "this process"

        def do(self, function: Callable[..., Any], tasks: Any) -> Iterator[tuple[Any, Any]]:
            nonlocal asked
            if machine == "another":
                monkeypatch.setattr(opening.platform, "node", lambda: machine)
            for task in tasks:
                given_up._in_vain.clear()
                before = web.seen[dead]
                yield task, function(*task)
                asked += web.seen[dead] - before

    inside = contextlib.nullcontext(OtherProcess())
    monkeypatch.setattr("shoal.cli.sharded.connect", lambda *_, **__: inside)
    checkpoint, plain, out = (tmp_path / name for name in ("best.pth", "plain.csv", "out.csv"))
    fit(open_source(url), checkpoint, replace(DIGITS, epochs=1, n_clusters=3))
    assert run_cli("predict", url, checkpoint, plain).code == 0
    assert run_cli("predict", url, checkpoint, out, "--ray").code == 0
    assert out.read_bytes() == plain.read_bytes()
    skipped = (tmp_path / "out.skipped.csv").read_text()
    assert f"{kind[0]}-1.{kind},the store did not give it: it answered with 503" in skipped
    assert asked == 0


def test_a_damaged_shard_is_left_out_and_the_rest_is_kept(
    pile: Path, web: Web, tmp_path: Path
) -> None:
    for kind in ("t-{}.tar", "z-{}.zip", "p-{}.parquet"):
        for shard in range(N_SHARDS):
            content = (pile / kind.format(shard)).read_bytes()
            content = content[: len(content) // 2] if shard == 1 else content
            (tmp_path / kind.format(shard)).write_bytes(content)
    web.root = tmp_path
    for kind in ("t-{0..2}.tar", "z-{0..2}.zip", "p-{0..2}.parquet"):
        source = open_source(f"{web.address}/plain/{kind}")
        assert len(source) == 2 * PER_SHARD
        ((name, reason),) = source.skipped
        assert name == kind.replace("{0..2}", "1")
        assert "damaged" in reason
        assert_same(source, open_source(tmp_path / kind))
        alone = open_source(tmp_path / kind.replace("..2", "..1"))  # ids as if both were whole
        assert list(alone.ids) == [*source.ids][:PER_SHARD]
        for path in (f"{web.address}/plain/{name}", tmp_path / name):
            with pytest.raises(DataError, match=r"is truncated, damaged or not a"):
                open_source(path)


def test_a_store_that_goes_away_stops_the_work(web: Web) -> None:
    patience.PATIENCE.total = 0.7
    with pytest.raises(DataError, match=r"does not answer any more .*; run the command again"):
        open_source(f"{web.address}/dead/t-{{0..2}}.tar?all")


BAD = {
    "s4://pile/t-0.tar": r"^s4://pile/t-0.tar: shoal knows no store s4://; give s3://, gs://",
    "s3://": r"^s3://: the name of the bucket is missing",
    "s3://nobucket/x.tar": r"there is no bucket nobucket; check its name\.",
    "s3://nobucket/folder": r"there is no bucket nobucket; check its name\.",
    "s3://pile/none.tar": r"no such file; check the URL\.",
    "s3://pile/none": r"no such file or folder; check the URL\.",
    "s3://pile/d/none-*.tar": r"no file matches this pattern; check the URL\.",
    "s3://pile/d/t-{0..3}.tar": r"but 1 of them does not exist \(the first is t-3.tar",
    "s3://pile/list.csv": r"is not a pile of images",
    "http://no-such-host.invalid/x.tar": r"there is no host no-such-host.invalid",
    "http://127.0.0.1:9/x.tar": r"127.0.0.1:9 cannot be reached; check the URL and the network\.",
    "https://host/x-*.tar": r"https has no listing; name the files, .*braces",
    "https://host/folder": r"https has no listing",
    "WEB/plain/none.tar": r"no such file; check the URL\.",
    "WEB/signed/t-0.tar?X-Amz-Signature=0utdated": r"access is denied \(403\); the link may have ",
    "WEB/login/t-0.tar": r"access is denied \(401\); .*a user and a password",
}


@pytest.mark.parametrize("url", BAD)
def test_what_is_wrong_is_one_plain_sentence(url: str, s3: str, web: Web) -> None:
    with pytest.raises(DataError, match=BAD[url]) as caught:
        open_source(url.replace("WEB", web.address))
    message = str(caught.value)
    assert message.count("\n") == 0
    assert "0utdated" not in message
    assert caught.value.__cause__ is None  # a traceback would show a library's own text


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("InvalidAccessKeyId", 403, "the credentials are wrong (InvalidAccessKeyId); set AWS_ACC"),
        ("SignatureDoesNotMatch", 403, "the credentials are wrong (SignatureDoesNotMatch)"),
        ("ExpiredToken", 400, "the credentials have expired (ExpiredToken); log in again"),
        ("AccessDenied", 403, "access is denied (AccessDenied); check that your credentials may"),
    ],
)
def test_wrong_credentials_are_said(
    code: str, status: int, expected: str, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    with pytest.raises(DataError) as caught:
        open_source("s3://pile/d/t-*.tar")
    server.shutdown()
    assert expected in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_profile_that_there_is_not_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(DataError, match=r"AWS_PROFILE names 'nobody', which there is not; give"):
        open_source("s3://pile/x.tar")


def test_a_missing_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = importlib.import_module("fsspec.registry")
    monkeypatch.delitem(registry._registry, "s3", raising=False)
    for library in ("s3fs", "fsspec"):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(DataError, match=r"s3:// needs an extra: pip install 'shoal\[remote\]'"):
            open_source("s3://pile/x.tar")


def test_outputs_stay_on_this_machine(s3: str, run_cli: Callable[..., Any], pile: Path) -> None:
    result = run_cli("run", pile / "t-0.tar", "s3://pile/out")
    assert result.code == 2
    assert (
        "cannot write s3://pile/out/checkpoint.pth: shoal writes to this machine alone"
        in result.err
    )
    result = run_cli("train", pile / "t-0.tar", "gs://b/x.pth")
    assert "cannot write gs://b/x.pth: shoal writes to this machine alone" in result.err


# --- secrets --------------------------------------------------------------------------------------


def test_what_is_secret_is_not_shown() -> None:
    for url in (f"https://me:{SECRET}@host/x.tar", f"https://host/x.tar?sig={SECRET}",
                f"s3://AK:{SECRET}@bucket/x.tar", f"https://m:{SECRET}/a@host/x.tar"):  # fmt: skip
        place = location(url)
        assert isinstance(place, Location)
        for text in (str(place), repr(place), os.fspath(place), place.name, str(place.parent)):
            assert SECRET not in text
        assert SECRET not in without_secrets(f"shoal run --images={url} 'out'")
        assert str(place).endswith("/x.tar")
        assert pickle.loads(pickle.dumps(place)) == place


def test_a_run_on_s3_and_a_signed_link_leaves_no_secret(
    s3: str, web: Web, tmp_path: Path, run_cli: Callable[..., Any],
    fast: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    signed = f"{web.address}/signed/t-{{0..2}}.tar?X-Amz-Signature={SECRET}"
    monkeypatch.setattr(sys, "argv", ["shoal", "run", signed, "out"])
    said = ""
    result = run_cli("run", s3 + "t-*.tar", tmp_path / "a", "-k", "2", *fast)
    assert result.code == 0, result.err
    said += result.out + result.err
    record = json.loads((tmp_path / "a/shoal.json").read_text())
    assert record["data"] == s3 + "t-*.tar"
    assert s3 + "t-*.tar" in record["command"]
    assert "s3:/p" not in said
    result = run_cli("train", signed, tmp_path / "b.pth", "-k", "2", *fast)
    assert result.code == 0, result.err
    said += result.out + result.err + run_cli("info", tmp_path / "b.pth").out
    assert f"shoal train {str(location(signed))!r}" in said
    result = run_cli("predict", s3 + "t-*.tar", tmp_path / "a/checkpoint.pth", tmp_path / "p.csv")
    assert result.code == 0, result.err
    assert (tmp_path / "p.csv").read_text() == (tmp_path / "a/prediction.csv").read_text()
    result = run_cli("export", s3 + "t-*.tar", tmp_path / "a/table.parquet", tmp_path / "sorted")
    assert result.code == 0, result.err
    pictures = list((tmp_path / "sorted").rglob("*.png"))
    assert len(pictures) == N_SHARDS * PER_SHARD
    said += result.out + result.err
    patience.PATIENCE.total = 0.7
    for data in (signed.replace(SECRET, f"{SECRET}x"), web.address + "/dead/t-1.tar?" + SECRET):
        result = run_cli("run", data, tmp_path / "c", *fast)
        assert result.code == 2
        said += result.out + result.err
    assert SECRET not in said
    for file in tmp_path.rglob("*"):
        assert SECRET not in file.name
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


# --- being stopped --------------------------------------------------------------------------------


def test_ctrl_c_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(30)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/x.tar"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    code = "from shoal.images.open import open_source; print('begun', flush=True); "
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}open_source({url!r})"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(1.0)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    server.shutdown()
    assert time.monotonic() - began < 5
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_half_copied_goes(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    half = tmp_path / "shoal/images/.shoal-1-half.tif"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    open_source(s3 + "pages.tif")
    assert not half.exists()
    assert [path.suffix for path in half.parent.glob("copy-*")] == [".tif"]
