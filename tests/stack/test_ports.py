import socket

import pytest

from airis_mon.stack import ports
from airis_mon.stack.ports import AddressTakenError


def test_port_zero_becomes_a_free_port_of_its_own_for_each_server() -> None:
    names = [f"server {number}" for number in range(20)]
    chosen = ports.choose(dict.fromkeys(names, "127.0.0.1:0"), dict.fromkeys(names, "--flag"))
    assert list(chosen) == names
    assert len(set(chosen.values())) == 20
    for address in chosen.values():
        with socket.create_server(ports.split(address)):
            pass


def test_a_fixed_port_is_kept() -> None:
    port = ports.free_port()
    assert ports.choose({"a": f":{port}"}, {"a": "--a"}) == {"a": f"127.0.0.1:{port}"}


def test_a_taken_port_names_the_server_the_address_and_the_flag() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(AddressTakenError) as raised:
            ports.choose({"Prometheus": f"127.0.0.1:{port}"}, {"Prometheus": "--prometheus.listen-address"})
        assert ports.is_taken(f"127.0.0.1:{port}")
    assert str(raised.value) == (
        f"Prometheus cannot listen on 127.0.0.1:{port}: another process does "
        f"(`ss -ltnp 'sport = :{port}'` shows which).\n"
        "End that process, or choose another address with "
        "--prometheus.listen-address HOST:PORT (port 0: any free one)"
    )
    assert not ports.is_taken(f"127.0.0.1:{port}")


def test_one_port_for_two_servers_is_taken() -> None:
    port = ports.free_port()
    flags = {"a": "--a", "b": "--b"}
    with pytest.raises(
        AddressTakenError, match=rf"^a and b were both given :{port}; .* --a or --b HOST:PORT"
    ):
        ports.choose({"a": f":{port}", "b": f":{port}"}, flags)
    with pytest.raises(AddressTakenError, match=r"^a and b were both given"):
        ports.choose({"a": f"0.0.0.0:{port}", "b": f":{port}"}, flags)


@pytest.mark.parametrize("address", ["", "9090", "127.0.0.1", "host:port", "host:70000", "host:-1"])
def test_what_is_no_address_is_told_with_an_example(address: str) -> None:
    with pytest.raises(ValueError, match=r"write host:port, such as 127\.0\.0\.1:9090"):
        ports.split(address)


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert ports.split("[::1]:9090") == ("::1", 9090)
    assert ports.join("::1", 9090) == "[::1]:9090"
