"""What a person is told of a server that gives no answer: the system's own words, and no secret."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

import pytest
import requests
import trustme

from airis_mon.http import cause, shown


def failure(url: str, **options: float) -> requests.RequestException:
    with pytest.raises(requests.RequestException) as found:
        requests.get(url, **options)  # type: ignore[arg-type]
    return found.value


def test_nobody_listening_is_said_as_the_system_says_it(free_port: Callable[[], int]) -> None:
    assert cause(failure(f"http://127.0.0.1:{free_port()}/", timeout=5)) == "Connection refused"


def test_a_server_that_hangs_up_is_told_from_one_that_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = cause(failure(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.1))
    assert text == "timed out"


def test_a_name_that_nobody_knows_is_said() -> None:
    text = cause(failure("http://nowhere.invalid/", timeout=5))
    assert "name" in text.lower()


def test_a_certificate_that_nobody_vouches_for_is_said_without_the_place_in_openssl() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as there:

        def shake_hands() -> None:
            connection, _ = there.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=shake_hands)
        thread.start()
        text = cause(failure(f"https://127.0.0.1:{there.getsockname()[1]}/", timeout=5))
        thread.join()
    assert text.startswith("certificate verify failed: ")
    assert "_ssl.c" not in text


def test_what_was_raised_on_purpose_is_followed_before_what_was_being_handled() -> None:
    outer = RuntimeError("wrapped")
    outer.__context__ = ValueError("by the way")
    outer.__cause__ = OSError(111, "Connection refused")
    assert cause(outer) == "Connection refused"


def test_an_error_without_words_is_named() -> None:
    assert cause(TimeoutError()) == "TimeoutError"


def test_errors_that_point_at_each_other_come_to_an_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert cause(one) == "other"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://user:secret@host:9090/a", "http://host:9090/a"),
        ("http://user:se@cret@host/a", "http://host/a"),
        ("https://host/api/v1/write?token=secret#secret", "https://host/api/v1/write"),
        ("http://[::1]:9090", "http://[::1]:9090"),
    ],
)
def test_a_url_is_shown_without_what_is_secret_in_it(url: str, told: str) -> None:
    assert shown(url) == told
