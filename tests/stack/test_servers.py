import multiprocessing
import os
import shutil
import stat
from pathlib import Path

import pytest

from airis_mon.stack import debian, servers
from airis_mon.stack.servers import MissingServerError, Server

apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is not there")


def program(path: Path, output: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{output}'\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("name", list(servers.PROGRAMS))
def test_every_real_program_is_found_and_says_its_version(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(name)
    assert server.name == name
    assert len(server.version) == 3
    assert server.version >= (0, 25, 0)


def test_path_comes_before_debians_package(tmp_path: Path) -> None:
    binary = program(tmp_path / "bin/prometheus", "prometheus, version 3.14.0 (branch: HEAD)")
    found = servers.find("prometheus", search_path=str(binary.parent), cache=tmp_path)
    assert found == Server(binary, None, (3, 14, 0), "prometheus", "PATH")


@pytest.mark.parametrize("binary", ["alertmanager", "prometheus-alertmanager"])
def test_alertmanager_has_two_names_on_path(tmp_path: Path, binary: str) -> None:
    path = program(tmp_path / binary, "alertmanager, version 0.31.1 (branch: HEAD)")
    assert servers.find("alertmanager", search_path=str(tmp_path)).path == path


def test_a_program_on_path_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "prometheus-alertmanager", "failed to parse templates", 1)
    path = program(tmp_path / "alertmanager", "alertmanager, version 0.31.1")
    assert servers.find("alertmanager", search_path=str(tmp_path)).path == path


@apt
def test_a_missing_server_names_what_was_tried_and_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(MissingServerError) as raised:
        servers.find("alertmanager", search_path=str(tmp_path), unpack=False)
    assert str(raised.value) == (
        "alertmanager is not to be found:\n"
        "  - PATH has no prometheus-alertmanager\n"
        "  - PATH has no alertmanager\n"
        "What helps: apt-get install prometheus-alertmanager, or name the file with --alertmanager BIN"
    )


def test_a_given_path_is_the_only_one_tried(tmp_path: Path) -> None:
    with pytest.raises(MissingServerError, match="nowhere does not run: No such file or directory"):
        servers.find("prometheus", given=tmp_path / "nowhere")


def test_a_given_program_that_is_something_else_is_refused(tmp_path: Path) -> None:
    other = program(tmp_path / "prometheus", "hello")
    with pytest.raises(MissingServerError, match=f"^prometheus: {other} is no prometheus$"):
        servers.find("prometheus", given=other)


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingServerError, match="this is no Debian or Ubuntu machine") as raised:
        servers.find("prometheus", cache=tmp_path)
    assert "apt-get install" not in str(raised.value)


def test_a_given_bare_name_is_looked_up_in_path_and_then_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = program(tmp_path / "bin/prometheus", "prometheus, version 3.14.0")
    here = program(tmp_path / "here/prometheus", "prometheus, version 3.13.0")
    monkeypatch.chdir(here.parent)
    given, search_path = servers.argument("prometheus"), str(on_path.parent)
    assert servers.find("prometheus", given=given, search_path=search_path).path == on_path
    assert servers.find("prometheus", given=given, search_path=str(tmp_path)).path == here
    given = servers.argument("./prometheus")
    assert servers.find("prometheus", given=given, search_path=search_path).path == here
    with pytest.raises(MissingServerError) as raised:
        servers.find("prometheus", given=servers.argument("prom"), search_path=search_path)
    assert str(raised.value) == f"prometheus: PATH has no prom, and there is no file {here.parent}/prom"


PACKAGED = """#!/bin/sh
# Stands for apt-get and dpkg-deb: two packages whose programs say their versions.
case "$*" in
*download*) touch prometheus_9_all.deb prometheus-alertmanager_9_all.deb ;;
-x*)
    mkdir -p "$3/usr/bin"
    for name in prometheus promtool prometheus-alertmanager amtool; do
        printf '#!/bin/sh\\necho %s, version 9.9.9\\n' "${name#prometheus-}" > "$3/usr/bin/$name"
        chmod +x "$3/usr/bin/$name"
    done ;;
esac
"""


@pytest.mark.parametrize("damage", [b"", b"\x7fELF"])
def test_a_damaged_cache_is_unpacked_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(PACKAGED)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    cache = tmp_path / "cache"
    found = servers.find("promtool", search_path="", cache=cache)
    assert found.version == (9, 9, 9)
    found.path.write_bytes(damage)
    with pytest.raises(MissingServerError, match=f"{found.path} does not run"):
        servers.find("promtool", search_path="", cache=cache, fetch=False)
    said: list[str] = []
    assert servers.find("promtool", search_path="", cache=cache, notify=said.append) == found
    assert said[0] == f"{found.path.parents[2]} is damaged"
    names = sorted(path.name for path in (cache / "debian").iterdir())
    assert names == ["lock", "prometheus-alertmanager_9", "prometheus_9"]
    # Where it cannot be had again, the folder to remove is named.
    found.path.write_bytes(damage)
    (tmp_path / "bin/apt-get").write_text("#!/bin/sh\necho no mirror\nexit 1\n")
    with pytest.raises(MissingServerError, match=f"remove {found.path.parents[2]} and try again"):
        servers.find("promtool", search_path="", cache=cache)


def test_the_cache_follows_xdg() -> None:
    assert servers.default_cache({"XDG_CACHE_HOME": "/x"}) == Path("/x/airis-mon")
    assert servers.default_cache({"XDG_CACHE_HOME": "x"}) == Path.home() / ".cache/airis-mon"
    assert servers.default_cache({}) == Path.home() / ".cache/airis-mon"


def _unpack(cache: str, results: "multiprocessing.Queue[tuple[str, int]]") -> None:
    said: list[str] = []
    folder = debian.folder("prometheus-alertmanager", Path(cache), said.append)
    results.put((str(folder), sum("downloading" in line for line in said)))


@apt
def test_two_processes_that_unpack_at_once_share_one_download(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[str, int]] = context.Queue()
    children = [context.Process(target=_unpack, args=(str(tmp_path), results)) for _ in range(2)]
    for child in children:
        child.start()
    try:
        answers = [results.get(timeout=200) for _ in children]
    finally:
        for child in children:
            child.join(10)
    assert len({folder for folder, _ in answers}) == 1
    assert sorted(downloads for _, downloads in answers) == [0, 1]
    # Nothing but the two packages and the lock stays, and both work.
    names = sorted(name.split("_")[0] for name in os.listdir(tmp_path / "debian"))
    assert names == ["lock", "prometheus", "prometheus-alertmanager"]
    for name in servers.PROGRAMS:
        found = servers.find(name, search_path="", cache=tmp_path, notify=lambda line: pytest.fail(line))
        assert found.origin == "Debian package"
