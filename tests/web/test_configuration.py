"""web.config.file: what is taken, and what is refused with a place and what to write."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.web.configuration import LARGEST, WebConfigError, load

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
TLS = "tls_server_config:\n  cert_file: c.pem\n  key_file: k.pem\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "web.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    config = load(
        written(
            tmp_path,
            f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: /etc/ca.pem\n"
            "  client_allowed_sans: [prometheus]\n  min_version: TLS13\n"
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n  curve_preferences: [CurveP256]\n"
            "http_server_config:\n  http2: false\n  headers: {X-Frame-Options: deny}\n"
            f"basic_auth_users:\n  prometheus: {HASH}\n",
        )
    )
    assert config.tls is not None
    assert config.tls.cert_file == tmp_path / "c.pem"
    assert config.tls.client_ca_file == Path("/etc/ca.pem")
    assert config.tls.client_allowed_sans == ("prometheus",)
    assert config.headers == {"X-Frame-Options": "deny"}
    assert config.users == {"prometheus": HASH}
    assert HASH not in repr(config)


@pytest.mark.parametrize("text", ["", "# nothing\n", "basic_auth_users: {}\n"])
def test_a_file_that_asks_for_nothing_admits_everybody(tmp_path: Path, text: str) -> None:
    config = load(written(tmp_path, text))
    assert (config.tls, config.users) == (None, {})


BAD = {
    "no mapping": ("[]", "1:1: `the file` is a mapping"),
    "unknown key": (
        "basic_auth_user: {}",
        "1:1: unknown key `basic_auth_user`; did you mean `basic_auth",
    ),
    "unknown key within": (f"{TLS}  cert_fil: x\n", "4:3: unknown key `cert_fil`; did you mean `cert_file`?"),
    "twice": (f"{TLS}  key_file: other\n", "4:3: `key_file` is given twice"),
    "no key": (
        "tls_server_config: {cert_file: c.pem}",
        "1:20: the key of the certificate is `key_file` or `key`: neither is given",
    ),
    "two certificates": (
        f"{TLS}  cert: PEM\n",
        "2:3: the certificate is `cert_file` or `cert`: both",
    ),
    "nothing in it": (f"{TLS}  client_ca_file:\n", "4:18: `tls_server_config.client_ca_file` is a text"),
    "unverified": (
        f"{TLS}  client_auth_type: RequireAnyClientCert\n  client_ca_file: a\n",
        "4:21: Python's ssl asks for no certificate without verifying it; write VerifyClientCertIfGiven",
    ),
    "no such type": (
        f"{TLS}  client_auth_type: Always\n  client_ca_file: a\n",
        "4:21: `Always` is none of NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
    ),
    "no authority": (
        f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n",
        "2:3: `RequireAndVerifyClientCert` needs `client_ca_file`, to verify against",
    ),
    "authority for nobody": (
        f"{TLS}  client_ca_file: a\n",
        "2:3: no client certificates are asked for; client_auth_type: RequireAndVerifyClientCert does",
    ),
    "two authorities": (
        f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: a\n  client_ca: PEM\n",
        "2:3: the authority of clients is `client_ca_file` or `client_ca`: both are given",
    ),
    "names of nobody": (
        f"{TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: a\n"
        "  client_allowed_sans: [a]\n",
        "6:24: who shows no certificate has no name; write client_auth_type: RequireAndVerifyClientCert",
    ),
    "old": (f"{TLS}  min_version: TLS10\n", "4:16: TLS10 is broken and not spoken here; write TLS12"),
    "upside down": (
        f"{TLS}  min_version: TLS13\n  max_version: TLS12\n",
        "2:3: min_version TLS13 is above max_version TLS12",
    ),
    "no cipher": (f"{TLS}  cipher_suites: [RC4]\n", "4:18: `RC4` is none of TLS_ECDHE_ECDSA_WITH_AES_128"),
    "many curves": (
        f"{TLS}  curve_preferences: [X25519, CurveP256]\n",
        "4:22: Python's ssl takes one curve; write the first alone",
    ),
    "no flag": (f"{TLS}  prefer_server_cipher_suites: 1\n", "prefer_server_cipher_suites` is true or false"),
    "http2": (
        "http_server_config: {http2: true}",
        "1:29: HTTP/2 is not spoken here; write http2: false, or leave it out",
    ),
    "own header": (
        "http_server_config: {headers: {X-Mine: a}}",
        "1:32: unknown key `X-Mine`; known are",
    ),
    "two lines": (
        'http_server_config: {headers: {X-Frame-Options: "a\\r\\nSet-Cookie: b"}}',
        "`X-Frame-Options` is of printable characters on one line",
    ),
    "plain password": (
        "basic_auth_users: {me: hunter2}",
        "1:24: the password of `me` is no bcrypt hash; `htpasswd -nBC 10 ''` makes one",
    ),
    "dear": (
        f"basic_auth_users: {{me: {HASH.replace('$04$', '$31$')}}}",
        "the hash of `me` costs 31; 4",
    ),
    "colon": (f'basic_auth_users: {{"a:b": {HASH}}}', "a user has a name, without a colon"),
    "alias": ("a: &a {}\nb: *a\n", "2:4: aliases are not taken"),
    "deep": ("[" * 50 + "]" * 50, "1:9: nested deeper than 8 levels"),
    "two documents": ("a: 1\n---\nb: 2\n", "2:1: but found another document"),
    "no YAML": ("a: [", "did not find expected node content"),
    "no UTF-8": (b"a: \xff", "no UTF-8 at byte 3"),
    "large": (b"#" * (LARGEST + 1), f"larger than {LARGEST} bytes"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(WebConfigError) as raised:
        load(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(WebConfigError) as raised:
        load(written(tmp_path, f"{TLS}  min_version: SSL3\nbasic_auth_users: {{me: a}}\nthing: 1\n"))
    assert len(str(raised.value).splitlines()) == 3


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=60), st.text("{}[]:,-&* \n\"'ab_tls", max_size=60).map(str.encode)))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.mktemp("web"), data)
    with suppress(WebConfigError):
        load(path)


def test_the_page_about_listeners_shows_a_file_that_is_taken(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "web.md").read_text(encoding="utf-8")
    config = load(written(tmp_path, page.partition("```yaml\n")[2].partition("```")[0]))
    assert config.tls is not None
    assert list(config.users) == ["prometheus"]
