"""TLS, client certificates and basic auth on a listener, against real clients."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest
import requests
import trustme
from aiohttp import web
from prometheus_client import CollectorRegistry

from airis_mon.web import Address, ListenError, application, serve
from tests.conftest import StartPrometheus
from tests.waiting import until
from tests.web.serving import serving

SECRET = "correct horse"
HASH = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(4)).decode()


@dataclass
class Files:
    """Certificates of an authority of the test's own, and the configuration that names them."""

    folder: Path
    authority: trustme.CA

    def issue(self, name: str = "127.0.0.1") -> None:
        issued = self.authority.issue_cert(name)
        for file, pem in (("cert.pem", issued.cert_chain_pems), ("key.pem", [issued.private_key_pem])):
            partial = self.folder / f"{file}.new"
            partial.write_bytes(b"".join(blob.bytes() for blob in pem))
            os.replace(partial, self.folder / file)

    def config(self, text: str) -> Path:
        path = self.folder / "web.yaml"
        partial = self.folder / "web.yaml.new"
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
        return path

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    def client(self, name: str) -> tuple[str, str]:
        issued = self.authority.issue_cert(name)
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        return str(cert), str(key)


TLS = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
MUTUAL = f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
USERS = f"basic_auth_users:\n  prometheus: {HASH}\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path, trustme.CA())
    made.authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    made.issue()
    return made


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def app(registry: CollectorRegistry) -> web.Application:
    made = application(name="thing", description="A thing.", registry=registry, ready=lambda: True)

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    made.router.add_post("/echo", echo)
    return made


def test_everything_is_spoken_over_tls(app: web.Application, files: Files) -> None:
    with serving(app, config=files.config(TLS)) as url:
        assert url.startswith("https://")
        answer = requests.post(f"{url}/echo", data=b"x" * 3_000_000, verify=files.ca, timeout=10)
        assert answer.content == b"x" * 3_000_000
        assert requests.get(f"{url}/metrics", verify=files.ca, timeout=10).status_code == 200
        with pytest.raises(requests.ConnectionError):
            requests.get(url.replace("https", "http"), timeout=10)


def test_a_certificate_within_the_document_will_do(app: web.Application, files: Files) -> None:
    def indented(name: str) -> str:
        return "".join(f"    {line}\n" for line in (files.folder / name).read_text().splitlines())

    text = f"tls_server_config:\n  cert: |\n{indented('cert.pem')}  key: |\n{indented('key.pem')}"
    with serving(app, config=files.config(text)) as url:
        assert requests.get(f"{url}/-/healthy", verify=files.ca, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("limits", "version", "good"),
    [
        ("  min_version: TLS13\n", ssl.TLSVersion.TLSv1_2, False),
        ("  max_version: TLS12\n", ssl.TLSVersion.TLSv1_3, False),
        ("", ssl.TLSVersion.TLSv1_2, True),
        ("", ssl.TLSVersion.TLSv1_3, True),
    ],
)
def test_only_versions_within_the_bounds_are_spoken(
    app: web.Application, files: Files, limits: str, version: ssl.TLSVersion, good: bool
) -> None:
    context = ssl.create_default_context(cafile=files.ca)
    context.minimum_version = context.maximum_version = version
    with serving(app, config=files.config(TLS + limits)) as url:
        host, _, port = url.removeprefix("https://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            if good:
                context.wrap_socket(plain, server_hostname=host).close()
            else:
                with pytest.raises(ssl.SSLError):
                    context.wrap_socket(plain, server_hostname=host)


def test_a_client_shows_a_certificate_of_the_authority(app: web.Application, files: Files) -> None:
    stranger = Files(files.folder, trustme.CA())
    with serving(app, config=files.config(MUTUAL)) as url:

        def get(cert: tuple[str, str] | None) -> int:
            return requests.get(f"{url}/-/healthy", verify=files.ca, cert=cert, timeout=10).status_code

        assert get(files.client("prometheus")) == 200
        for cert in (None, stranger.client("stranger")):
            with pytest.raises((requests.ConnectionError, requests.exceptions.SSLError)):
                get(cert)


def test_only_the_named_clients_are_admitted(app: web.Application, files: Files) -> None:
    text = f"{MUTUAL}  client_allowed_sans: [prometheus.example, api.example]\n"
    with serving(app, config=files.config(text)) as url:

        def get(name: str) -> int:
            cert = files.client(name)
            return requests.get(f"{url}/-/healthy", verify=files.ca, cert=cert, timeout=10).status_code

        assert get("prometheus.example") == 200
        with pytest.raises((requests.ConnectionError, requests.exceptions.SSLError)):
            get("other.example")


def test_a_certificate_for_many_names_is_none_of_them(app: web.Application, files: Files) -> None:
    text = f"{MUTUAL}  client_allowed_sans: [prometheus.example, '::1']\n"
    with serving(app, config=files.config(text)) as url:

        def get(name: str) -> int:
            cert = files.client(name)
            return requests.get(f"{url}/-/healthy", verify=files.ca, cert=cert, timeout=10).status_code

        assert get("::1") == 200
        with pytest.raises((requests.ConnectionError, requests.exceptions.SSLError)):
            get("*.example")


@pytest.mark.parametrize(("server", "taken"), [("true", 0), ("false", 1)])
def test_who_chooses_the_cipher_is_configured(
    app: web.Application, files: Files, server: str, taken: int
) -> None:
    go = ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    openssl = ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256")
    text = f"{TLS}  cipher_suites: [{', '.join(go)}]\n  prefer_server_cipher_suites: {server}\n"
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(reversed(openssl)))
    with serving(app, config=files.config(text)) as url:
        host, _, port = url.removeprefix("https://").rpartition(":")
        with (
            socket.create_connection((host, int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            cipher = secured.cipher()
            assert cipher is not None
            assert cipher[0] == openssl[taken]


def serial(url: str, ca: str) -> bytes:
    host, _, port = url.removeprefix("https://").rpartition(":")
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def changed(url: str, ca: str, before: bytes) -> None:
    until(lambda: serial(url, ca) != before)


def test_a_new_certificate_is_used_without_a_restart_and_a_bad_one_is_not(
    app: web.Application, files: Files, registry: CollectorRegistry
) -> None:
    with serving(app, config=files.config(TLS)) as url:
        first = serial(url, files.ca)
        files.issue()
        until(lambda: serial(url, files.ca) != first)
        second = serial(url, files.ca)
        (files.folder / "key.pem").write_text("no key")
        name = "thing_web_config_last_reload_successful"
        until(lambda: bool(serial(url, files.ca)) and registry.get_sample_value(name) == 0)
        assert serial(url, files.ca) == second
        files.issue()
        until(lambda: serial(url, files.ca) != second)
        assert registry.get_sample_value(name) == 1


def test_requests_go_on_while_certificates_change(app: web.Application, files: Files) -> None:
    done = threading.Event()
    statuses: list[int] = []

    def work(url: str) -> None:
        while not done.is_set():
            statuses.append(requests.get(f"{url}/-/healthy", verify=files.ca, timeout=10).status_code)

    with serving(app, config=files.config(TLS)) as url:
        thread = threading.Thread(target=work, args=(url,))
        thread.start()
        for _ in range(3):
            first = serial(url, files.ca)
            files.issue()
            changed(url, files.ca, first)
        done.set()
        thread.join()
    assert set(statuses) == {200}


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/nothing"])
def test_every_path_wants_a_name_and_a_password(
    app: web.Application, files: Files, registry: CollectorRegistry, path: str
) -> None:
    with serving(app, config=files.config(USERS)) as url:

        def get(auth: tuple[str, str] | None) -> requests.Response:
            return requests.get(url + path, auth=auth, timeout=10)

        assert get(("prometheus", SECRET)).status_code in (200, 404)
        for auth in (None, ("prometheus", "wrong"), ("nobody", SECRET), ("", ""), ("prometheus", "x" * 100)):
            for _ in range(2):  # the second time from what is remembered
                answer = get(auth)
                assert (answer.status_code, answer.text) == (401, "Unauthorized\n")
                assert answer.headers["WWW-Authenticate"] == 'Basic realm="airis-mon"'
        assert get(("prometheus", SECRET)).status_code in (200, 404)
    assert registry.get_sample_value("thing_http_unauthorized_total") == 10


def test_a_flood_of_wrong_passwords_keeps_nobody_out_who_was_in(
    app: web.Application, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airis_mon.web.access._REMEMBERED", 1)
    dear = bcrypt.hashpw(SECRET.encode(), bcrypt.gensalt(9)).decode()
    codes: list[int] = []

    def guess(url: str, word: int) -> None:
        codes.append(requests.get(f"{url}/metrics", auth=("prometheus", str(word)), timeout=20).status_code)

    config = files.config(f"basic_auth_users:\n  prometheus: {dear}\n")
    with serving(app, config=config) as url, requests.Session() as good:
        good.auth = ("prometheus", SECRET)
        assert good.get(f"{url}/-/healthy", timeout=10).status_code == 200
        threads = [threading.Thread(target=guess, args=(url, word)) for word in range(50)]
        for thread in threads:
            thread.start()
        until(lambda: {401, 503} <= set(codes))  # so many wait that no further password is looked at
        assert good.get(f"{url}/-/healthy", timeout=10).status_code == 200
        for thread in threads:
            thread.join()
    assert set(codes) == {401, 503}


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Basic /w==", "Bearer abc", "Basic " + "A" * 4000])
def test_a_header_that_is_none_is_no_password(app: web.Application, files: Files, header: str) -> None:
    with serving(app, config=files.config(USERS)) as url:
        answer = requests.get(f"{url}/metrics", headers={"Authorization": header}, timeout=10)
        assert answer.status_code == 401


def test_users_change_without_a_restart(app: web.Application, files: Files) -> None:
    other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()

    def status(password: str) -> int:
        return requests.get(f"{url}/-/healthy", auth=("prometheus", password), timeout=10).status_code

    with serving(app, config=files.config(USERS)) as url:
        assert (status(SECRET), status("other")) == (200, 401)
        files.config(f"basic_auth_users:\n  prometheus: {other}\n")
        until(lambda: status("other") == 200)
        assert status(SECRET) == 401
        files.config("basic_auth_users:\n  prometheus: nothing\n")
        until(lambda: "thing_web_config_last_reload_successful 0.0" in metrics(url))
        assert status("other") == 200


def metrics(url: str) -> str:
    return requests.get(f"{url}/metrics", auth=("prometheus", "other"), timeout=10).text


def test_headers_are_added_to_every_answer(app: web.Application, files: Files) -> None:
    text = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
    with serving(app, config=files.config(text)) as url:
        for path in ("/", "/nothing"):
            assert requests.get(url + path, timeout=10).headers["X-Frame-Options"] == "deny"


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (
            lambda folder: (folder / "key.pem").unlink(),
            "key.pem.* cannot be used: No such",
        ),
        (lambda folder: (folder / "cert.pem").write_text("no"), "cannot be used: "),
        (lambda folder: (folder / "web.yaml").write_text("a: 1"), "web.yaml:1:1: unknown key `a`"),
        (lambda folder: (folder / "web.yaml").unlink(), "web.yaml: No such file"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_told_at_the_start(
    app: web.Application, files: Files, break_it: Callable[[Path], object], message: str
) -> None:
    path = files.config(TLS)
    break_it(files.folder)
    log = logging.getLogger("tests")

    async def start() -> None:
        await serve(app, Address("127.0.0.1", 0), stop=asyncio.Event(), log=log, config=path)

    with pytest.raises(ListenError, match=message):
        asyncio.run(start())


def test_a_real_prometheus_scrapes_over_tls_with_a_password(
    app: web.Application, files: Files, prometheus_server: StartPrometheus
) -> None:
    cert, key = files.client("prometheus")
    with serving(app, config=files.config(MUTUAL + USERS)) as url:
        scrape = {
            "job_name": "thing",
            "scheme": "https",
            "scrape_interval": "500ms",
            "scrape_timeout": "500ms",
            "basic_auth": {"username": "prometheus", "password": SECRET},
            "tls_config": {"ca_file": files.ca, "cert_file": cert, "key_file": key},
            "static_configs": [{"targets": [url.removeprefix("https://")]}],
        }
        server = prometheus_server(config={"scrape_configs": [scrape]})

        def up() -> bool:
            answer = requests.get(
                f"{server.url}/api/v1/query", params={"query": "thing_build_info"}, timeout=10
            )
            return bool(answer.json()["data"]["result"])

        until(up)
