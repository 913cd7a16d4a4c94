from __future__ import annotations

import argparse

import pytest

from airis_mon.web import Address, add_listen_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9466", "127.0.0.1", 9466),
        (":9466", "", 9466),
        ("[::1]:0", "::1", 0),
        ("name:65535", "name", 65535),
    ],
)
def test_an_address_reads_and_writes_as_people_write_it(text: str, host: str, port: int) -> None:
    address = Address.parse(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "9466", "localhost", "host:", "host:x", "host:65536", "host:-1", "::1:80", "h:٣"]
)
def test_a_bad_address_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write HOST:PORT such as 127\.0\.0\.1:9466"):
        Address.parse(text)


def test_the_flag_shows_why_its_value_is_bad(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser(prog="x")
    add_listen_address(parser, "127.0.0.1:9466")
    assert parser.parse_args([]).listen_address == Address("127.0.0.1", 9466)
    with pytest.raises(SystemExit):
        parser.parse_args(["--web.listen-address=nowhere"])
    assert "`nowhere` is no address to listen on; write HOST:PORT" in capsys.readouterr().err
