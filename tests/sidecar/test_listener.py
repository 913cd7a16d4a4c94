"""The sidecar's own process, on its own event loop, behind TLS and a password."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
import pytest
import requests
import trustme

from tests.sidecar.conftest import metric
from tests.sidecar.test_process import COMMAND, running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    path = tmp_path / "web.yaml"
    path.write_text(
        "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
        f"basic_auth_users: {{sender: {hashed}}}\n"
    )
    return path


def test_items_are_taken_over_tls_from_who_knows_the_password(tmp_path: Path, config: Path) -> None:
    arguments = ("--web.listen-address=127.0.0.1:0", f"--web.config.file={config}")
    with running(*arguments) as (_, address), requests.Session() as session:
        # Before what the environment may say of authorities.
        session.trust_env = False
        session.verify = str(tmp_path / "ca.pem")
        url = f"https://{address}/v1/metrics"
        items = [metric(metric_type="counter", tags={"filling": "x" * 900}) for _ in range(5_000)]
        assert session.post(url, json=items, timeout=30).status_code == 401
        session.auth = ("sender", "secret")
        for _ in range(3):
            assert session.post(url, json=items, timeout=30).json()["accepted"] == 5_000
        text = session.get(f"https://{address}/metrics", timeout=30).text
    assert "} 15000.0\n" in text
    assert "airis_sidecar_http_unauthorized_total 1.0" in text
    assert "secret" not in text


def test_a_bad_configuration_ends_the_process_with_1(config: Path) -> None:
    config.write_text("tls_server_confg: {}\n")
    run = subprocess.run(
        [*COMMAND, "--web.listen-address=127.0.0.1:0", f"--web.config.file={config}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [json.loads(line)["msg"] for line in run.stderr.splitlines()]
    assert run.returncode == 1
    assert f"{config}:1:1: unknown key `tls_server_confg`; did you mean `tls_server_config`?" in said[-1]


def test_clients_that_come_at_once_all_shake_hands(tmp_path: Path, config: Path) -> None:
    # Their first packets are there before the listener has looked at the connections.
    def status(address: str) -> int:
        with requests.Session() as session:
            session.trust_env = False
            url, ca = f"https://{address}/-/healthy", str(tmp_path / "ca.pem")
            return session.get(url, auth=("sender", "secret"), verify=ca, timeout=8).status_code

    arguments = ("--web.listen-address=127.0.0.1:0", f"--web.config.file={config}")
    with running(*arguments) as (_, address), ThreadPoolExecutor(16) as pool:
        assert set(pool.map(status, [address] * 160)) == {200}
