"""What went wrong in a store: from the errors of many libraries to one plain sentence.

No text of an error of theirs is shown: it may hold the URL with its signature.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shoal.errors import DataError
from shoal.images.remote.location import Location

AWAY = "the store did not give it"
"""How the reason begins for which an image is missing that may be there the next time."""

_LOST = (
    "ClientPayloadError", "IncompleteRead", "IncompleteReadError", "ServerDisconnectedError",
    "ClientOSError", "ConnectionClosedError", "ResponseStreamingError", "ResponseParserError",
    "HTTPClientError", "ConnectionResetError", "ChunkedEncodingError", "ProtocolError",
    "ShortError",
)  # fmt: skip
_SILENT = (
    "TimeoutError", "ServerTimeoutError", "SocketTimeoutError", "ReadTimeoutError",
    "ConnectTimeoutError", "FSTimeoutError", "ConnectionTimeoutError", "AioReadTimeoutError",
)  # fmt: skip
_NO_HOST = ("gaierror", "ClientConnectorDNSError", "ClientConnectorNameError")
_REFUSED = ("ClientConnectorError", "EndpointConnectionError", "ConnectionRefusedError")
_NO_LOGIN = ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError")
_NO_PROFILE = ("ProfileNotFound",)
_SETTINGS = (
    "ConfigParseError",
    "ConfigNotFound",
    "InvalidConfigError",
    "InvalidProxiesConfigError",
)
_NO_REGION = ("NoRegionError", "InvalidRegionError")
_SSO = ("SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError",
        "LoginRefreshRequired")  # fmt: skip
_CODES = {
    "NoSuchBucket": "no bucket", "NoSuchKey": "missing", "InvalidAccessKeyId": "wrong login",
    "SignatureDoesNotMatch": "wrong login", "InvalidToken": "wrong login",
    "ExpiredToken": "expired", "TokenRefreshRequired": "expired",
    "RequestTimeTooSkewed": "wrong clock", "SlowDown": "busy", "AccessDenied": "denied",
    "AllAccessDisabled": "denied",
}  # fmt: skip
_FOR_NOW = ("busy", "lost", "silent", "no host", "refused")


class StoreError(DataError):
    """A store did not give what was asked for."""

    fault: Fault
    reason: str
    """What is wrong, as the rest of a sentence, without the name of the file."""


class AwayError(StoreError):
    """The store is away as a whole: it would be wrong to go on with what was read until then."""

    @classmethod
    def of(cls, place: Location, tried: str) -> AwayError:
        made = cls(
            f"{place.scheme}://{place.host} does not answer any more (the last: "
            f"{place.key}{tried}); run the command again when it does."
        )
        made.fault, made.reason = Fault("silent"), AWAY
        return made


class ShortError(OSError):
    """Fewer bytes arrived than were asked for."""


@dataclass(frozen=True)
class Fault:
    """What is wrong."""

    kind: str
    """missing, no bucket, denied, no login, no profile, settings, no region, sso, wrong login,
    expired, wrong clock, no host, refused, silent, busy, lost, or other."""
    detail: str = ""
    """A status or the name of an error."""

    @property
    def passes(self) -> bool:
        """Whether it may be over the next time."""
        return self.kind in _FOR_NOW


def fault_of(error: BaseException) -> Fault:
    """What an error says, by its kind and those that caused it."""
    chain = list(_chain(error))
    codes = [code for cause in chain if (code := _code(cause))]
    for code in codes:
        if code in _CODES:
            return Fault(_CODES[code], code)
    status = next((told for cause in chain if (told := _status(cause))), 0)
    names = {kind.__name__ for cause in chain for kind in type(cause).__mro__}
    before: dict[str, Sequence[str]] = {
        "no profile": _NO_PROFILE, "settings": _SETTINGS, "no region": _NO_REGION, "sso": _SSO,
        "no login": _NO_LOGIN, "no host": _NO_HOST,
    }  # fmt: skip
    for kind, of_kind in before.items():
        if names.intersection(of_kind):
            return Fault(kind)
    if status in (408, 425, 429) or status >= 500:
        return Fault("busy", str(status))
    if status in (401, 403, 407):
        return Fault("denied", str(status))
    if status in (404, 410):
        return Fault("missing", str(status))
    if status == 416:
        return Fault("lost", "it became shorter")
    later: dict[str, Sequence[str]] = {"silent": _SILENT, "refused": _REFUSED, "lost": _LOST}
    for kind, known in later.items():
        if names.intersection(known):
            return Fault(kind)
    if isinstance(error, FileNotFoundError):
        return Fault("missing")
    if isinstance(error, PermissionError):
        return Fault("denied")
    known_code = next(iter(codes), "")
    return Fault("other", known_code or (f"status {status}" if status else type(error).__name__))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner: Any = getattr(cause, "os_error", None)
        inner = inner if isinstance(inner, BaseException) else None
        waiting += [cause.__cause__, cause.__context__, inner]


def _status(error: BaseException) -> int:
    response: Any = getattr(error, "response", None)
    about = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    for value in (about.get("HTTPStatusCode"), getattr(error, "status", 0),
                  vars(error).get("code")):  # fmt: skip
        if str(value).isdigit() and 400 <= int(str(value)) < 600:
            return int(str(value))
    return 0


def _code(error: BaseException) -> str:
    response: Any = getattr(error, "response", None)
    about = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(about.get("Code", ""))


def is_error_of_store(error: BaseException) -> bool:
    """Whether an error comes from a store or the way there, not from a fault of shoal's own."""
    if isinstance(error, (OSError, asyncio.TimeoutError, TimeoutError, socket.gaierror)):
        return True
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    known = {"aiohttp", "botocore", "aiobotocore", "s3fs", "gcsfs", "google", "fsspec", "yarl"}
    return bool(modules & known)


def store_error(place: Location, error: BaseException, tried: str = "") -> StoreError:
    """The error of a place in a store, for a person.

    Args:
        place: what was asked for.
        error: what a library raised.
        tried: how often and how long it was tried, if more than once.
    """
    fault = fault_of(error)
    reason = _reason(place, fault, tried)
    return error_with(place, fault, reason)


def error_with(place: Location, fault: Fault, reason: str) -> StoreError:
    """The error with a reason that is known."""
    made = StoreError(f"{place}: {reason}.")
    made.fault, made.reason = fault, reason
    return made


def _reason(place: Location, fault: Fault, tried: str) -> str:
    of_s3, of_web = place.scheme == "s3", place.scheme.startswith("http")
    bucket = f"the bucket {place.host}"
    login = (
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run 'aws configure'" if of_s3
        else "log in with 'gcloud auth application-default login'"
    )  # fmt: skip
    code = f" ({fault.detail})" if fault.detail else ""
    denied = (
        f"access is denied{code}; the link may have expired, or a user and a password are needed"
        if of_web
        else f"access is denied{code}; check that your credentials may read {bucket}, or {login}"
    )
    said = {
        "missing": "no such file; check the URL",
        "no bucket": f"there is no bucket {place.host}; check its name",
        "denied": denied,
        "no login": f"there are no credentials for {bucket}; {login}",
        "no profile": f"AWS_PROFILE names {os.environ.get('AWS_PROFILE', 'a profile')!r}, which "
        "there is not; give one of those that 'aws configure list-profiles' shows, or unset it",
        "settings": "the settings in ~/.aws cannot be read; mend them with 'aws configure'",
        "no region": "the region is missing or wrong; set AWS_DEFAULT_REGION",
        "sso": "nobody is logged in to AWS any more; run 'aws sso login'",
        "wrong login": f"the credentials are wrong{code}; {login}",
        "expired": f"the credentials have expired{code}; log in again",
        "wrong clock": "the clock of this machine is wrong; set it",
        "no host": f"there is no host {place.host}; check the URL and the network"
        if of_web
        else f"{_host(place)} cannot be reached; check the network",
        "refused": f"{_host(place)} cannot be reached; check the "
        f"{'URL and the ' if of_web else ''}network",
        "silent": f"{AWAY}: it did not answer{tried}",
        "busy": f"{AWAY}: it answered with {fault.detail or 'busy'}{tried}",
        "lost": f"{AWAY}: the connection was cut{tried}",
    }
    return said.get(fault.kind, f"it cannot be read{code}{tried}")


def _host(place: Location) -> str:
    if place.scheme.startswith("http"):
        return place.host
    return {"s3": "S3", "gs": "Google Cloud Storage"}.get(place.scheme, "the store")
