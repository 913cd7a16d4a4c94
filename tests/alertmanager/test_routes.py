from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.alertmanager.compile import artefacts
from airis_mon.alertmanager.receivers import FINGERPRINT
from airis_mon.spec import Bundle, SpecError
from airis_mon.stack.servers import Server
from tests.alertmanager.documents import (
    LEAD,
    ONCALL,
    STANDARD,
    build,
    bundle,
    cases_of,
    monitor,
    policy,
    receiver,
)

Config = dict[str, Any]

DOCUMENTS = (
    monitor("support-chat"),
    monitor("support"),
    monitor("quiet", None),
    ONCALL,
    LEAD,
    STANDARD,
)


def failures(amtool: Server, config: Path) -> list[dict[str, str]]:
    """Return the labels of every case that amtool says goes elsewhere."""
    cases = cases_of((config.parent / "routes.test.yaml").read_text())
    return [case["labels"] for case in cases if not routed(amtool, config, case)]


def routed(amtool: Server, config: Path, case: dict[str, Any]) -> bool:
    labels = [f"{name}={value}" for name, value in case["labels"].items()]
    expected = f"--verify.receivers={','.join(case['receivers'])}"
    command = [str(amtool.path), "config", "routes", "test", f"--config.file={config}", expected, *labels]
    return subprocess.run(command, cwd=amtool.cwd, capture_output=True, timeout=30).returncode == 0


def check(amtool: Server, config: Path) -> str:
    command = [str(amtool.path), "check-config", str(config)]
    done = subprocess.run(command, cwd=amtool.cwd, capture_output=True, text=True, timeout=30)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_amtool_accepts_the_configuration_and_every_case(amtool: Server, tmp_path: Path) -> None:
    config = build(bundle(*DOCUMENTS), tmp_path)
    assert check(amtool, config) == ""
    assert failures(amtool, config) == []


EVERY_WAY = """
  webhooks:
    - {url: 'https://host/a?b=c#d'}
    - {url: 'http://127.0.0.1:1/', username: am, password_file: /etc/alertmanager/password}
    - {url: 'http://127.0.0.1:1/', token_file: /etc/alertmanager/token}
  emails:
    - {to: a@example.com, from: b@example.com, smarthost: 'mx.example.com:587', username: user,
       password_file: /etc/alertmanager/password}
    - {to: c@example.com, from: b@example.com, smarthost: '[::1]:25', require_tls: false}
    - {to: c@example.com, from: b@example.com, smarthost: 'mx.example.com:465'}
    - {to: c@example.com, from: b@example.com, sendgrid: {api_key_file: /etc/alertmanager/key}}
    - {to: c@example.com, from: b@example.com,
       ses: {region: eu-west-1, username: AKIA1, password_file: /etc/alertmanager/key}}
  slack:
    - {api_url_file: /etc/alertmanager/slack-url}
    - {bot_token_file: /etc/alertmanager/slack-token, channel: "#oncall"}
  pagerduty:
    - {routing_key_file: /etc/alertmanager/key}
    - {routing_key_file: /etc/alertmanager/key, url: 'https://events.eu.pagerduty.com/v2/enqueue'}
  opsgenie:
    - {api_key_file: /etc/alertmanager/key}
    - {api_key_file: /etc/alertmanager/key, api_url: 'https://api.eu.opsgenie.com'}
  sns:
    - {topic_arn: 'arn:aws:sns:eu-west-1:123456789012:alerts.fifo'}
    - {topic_arn: 'arn:aws-cn:sns:cn-north-1:123456789012:alerts',
       role_arn: 'arn:aws:iam::123456789012:role/alerts'}
"""
LATER_WAYS = """
  webhooks: [{url_file: /etc/alertmanager/url}]
  teams: [{webhook_url_file: /etc/alertmanager/teams-url}]
  discord: [{webhook_url_file: /etc/alertmanager/discord-url}]
  telegram:
    - {bot_token_file: /etc/alertmanager/token, chat_id: -100123456789}
    - {bot_token_file: /etc/alertmanager/token, chat_id: 5, message_thread_id: 7}
  jira:
    - {url: 'https://example.atlassian.net', project: OPS, issue_type: Task, username: a@example.com,
       token_file: /etc/alertmanager/token, resolve_transition: Done, reopen_transition: Reopen}
    - {url: 'https://jira.example.com/jira', project: OPS, issue_type: Task,
       token_file: /etc/alertmanager/token}
"""


def test_every_kind_of_receiver_is_accepted(amtool: Server, tmp_path: Path) -> None:
    version = (amtool.version[0], amtool.version[1])
    ways = EVERY_WAY if version < (0, 29) else EVERY_WAY + LATER_WAYS.partition("]\n")[2]
    assert check(amtool, build(bundle(receiver("everything", ways)), tmp_path, target=version)) == ""


def test_relays_are_reached_as_their_owners_say() -> None:
    config = yaml.safe_load(artefacts(bundle(receiver("everything", EVERY_WAY)))[0].text)
    mails = config["receivers"][1]["email_configs"]
    servers = [(mail["smarthost"], mail["auth_username"], mail["require_tls"]) for mail in mails[3:]]
    assert servers == [
        ("smtp.sendgrid.net:587", "apikey", True),
        ("email-smtp.eu-west-1.amazonaws.com:587", "AKIA1", True),
    ]


def test_a_bot_of_slack_writes_with_the_token_of_its_file() -> None:
    config = yaml.safe_load(artefacts(bundle(receiver("everything", EVERY_WAY)))[0].text)
    bot = config["receivers"][1]["slack_configs"][1]
    assert (bot["api_url"], bot["channel"]) == ("https://slack.com/api/chat.postMessage", "#oncall")
    authorization = {"type": "Bearer", "credentials_file": "/etc/alertmanager/slack-token"}
    assert bot["http_config"] == {"authorization": authorization}


def test_tls_is_asked_for_once() -> None:
    config = yaml.safe_load(artefacts(bundle(receiver("everything", EVERY_WAY)))[0].text)
    mails = config["receivers"][1]["email_configs"][:3]
    # On port 465 it is there from the first byte, and 0.25 would refuse a server that offers it no more.
    assert [mail["require_tls"] for mail in mails] == [True, False, False]


def test_the_fingerprint_is_that_of_receivers_and_messages() -> None:
    def fingerprint(ways: str, grafana: str | None = None) -> str:
        config = yaml.safe_load(artefacts(bundle(receiver("now", ways)), grafana_url=grafana)[0].text)
        *others, last = config["receivers"]
        assert not any(other["name"].startswith(FINGERPRINT) for other in others)
        assert last.keys() == {"name"}  # it tells nobody, and no route leads to it
        assert last["name"] not in yaml.safe_dump(config["route"])
        return str(last["name"])

    one = "{webhooks: [{url: http://127.0.0.1/one}]}"
    assert re.fullmatch(FINGERPRINT + "[0-9a-f]{16}", fingerprint(one))
    found = {
        fingerprint(one),
        fingerprint(one.replace("one", "two")),
        fingerprint(one, "http://g.example.com"),
    }
    assert len(found) == 3
    with pytest.raises(SpecError, match="choose another name"):
        artefacts(bundle(receiver(f"{FINGERPRINT}0", one)))


def test_every_way_says_whether_it_tells_of_resolutions() -> None:
    every = bundle(receiver("now", EVERY_WAY), receiver("later", LATER_WAYS))
    told = yaml.safe_load(artefacts(every, target=(0, 29))[0].text)["receivers"][1:]
    items = [(key, item) for way in told for key, ways in way.items() if key != "name" for item in ways]
    assert len(items) == 23
    silent = [item for _, item in items if not item["send_resolved"]]
    # A resolution is a transition; without its name there is none.
    assert silent == [item for key, item in items if key == "jira_configs"][1:]


def test_a_newer_target_may_read_urls_from_files(amtool: Server, tmp_path: Path) -> None:
    chat = receiver("chat", "{webhooks: [{url_file: /etc/alertmanager/chat-url}]}")
    complaint = check(amtool, build(bundle(chat), tmp_path, target=(0, 26)))
    assert ("url_file not found" in complaint) == (amtool.version < (0, 26))


def test_no_documents_are_a_configuration_that_tells_nobody(amtool: Server, tmp_path: Path) -> None:
    config = build(Bundle(), tmp_path)
    assert check(amtool, config) == ""
    assert failures(amtool, config) == []


def test_each_alert_of_each_monitor_and_severity_is_a_case() -> None:
    texts = {artefact.path: artefact.text for artefact in artefacts(bundle(*DOCUMENTS))}
    cases = cases_of(texts["alertmanager/routes.test.yaml"])
    told = {
        (case["labels"].get("monitor"), case["labels"]["severity"], case["labels"]["alertname"]): case[
            "receivers"
        ]
        for case in cases
    }
    alerts = (
        "ModelErrorBudgetBurn",
        "ModelAnomaly",
        "ModelCapacityForecast",
        "ModelSignalAbsent",
        "ModelSignalImplausible",
        "ModelAlertUnready",
    )
    for alert in alerts:
        for name in ("support-chat", "support"):
            assert told[name, "page", alert] == ["oncall", "oncall", "lead", "lead"]
            assert told[name, "ticket", alert] == ["lead"]
        assert told["quiet", "page", alert] == ["airis-mon-unrouted"]
    assert told[None, "page", "Watchdog"] == ["airis-mon-unrouted"]


def _monitor_route(config: Config) -> Config:
    route: Config = config["route"]["routes"][0]
    return route


def _drop_continue(config: Config) -> None:
    del _monitor_route(config)["routes"][0]["continue"]


def _drop_rung(config: Config) -> None:
    del _monitor_route(config)["routes"][1]


def _swap_rungs(config: Config) -> None:
    rungs = _monitor_route(config)["routes"]
    rungs[1], rungs[2] = rungs[2], rungs[1]


def _fall_through(config: Config) -> None:
    # Two monitors whose routes both take the alert.
    _monitor_route(config)["continue"] = True
    config["route"]["routes"][1]["matchers"] = ['monitor=~"support.*"']


def _other_severity(config: Config) -> None:
    _monitor_route(config)["routes"][0]["matchers"] = ['severity="ticket"']


def _any_severity(config: Config) -> None:
    _monitor_route(config)["routes"][-1]["matchers"] = ['severity=~".*"']


def _other_receiver(config: Config) -> None:
    _monitor_route(config)["routes"][0]["receiver"] = "lead"


def _unanchored(config: Config) -> None:
    config["route"]["routes"][1]["matchers"] = ['monitor=~"support.*"']
    config["route"]["routes"] = config["route"]["routes"][1:]


def _tell_everybody(config: Config) -> None:
    config["route"]["receiver"] = "oncall"


def _rung_never_matches(config: Config) -> None:
    _monitor_route(config)["routes"][3]["matchers"][1] = 'airis_rung="3"'


def _lost_monitor(config: Config) -> None:
    del config["route"]["routes"][1]


@pytest.mark.parametrize(
    "mutate",
    [
        _drop_continue,
        _drop_rung,
        _swap_rungs,
        _fall_through,
        _other_severity,
        _any_severity,
        _other_receiver,
        _unanchored,
        _tell_everybody,
        _rung_never_matches,
        _lost_monitor,
    ],
    ids=lambda mutate: mutate.__name__.strip("_"),
)
def test_a_broken_route_fails_a_case(
    mutate: Callable[[Config], None], amtool: Server, tmp_path: Path
) -> None:
    path = build(bundle(*DOCUMENTS), tmp_path)
    config = yaml.safe_load(path.read_text())
    broken = copy.deepcopy(config)
    mutate(broken)
    assert broken != config
    path.write_text(yaml.safe_dump(broken))
    assert check(amtool, path) == "", "a mutant that Alertmanager refuses proves nothing"
    assert failures(amtool, path) != []


def test_a_broken_template_is_refused(amtool: Server, tmp_path: Path) -> None:
    path = build(bundle(*DOCUMENTS), tmp_path)
    template = path.parent / "airis-mon.tmpl"
    template.write_text(template.read_text().replace("{{ end }}", "", 1))
    assert check(amtool, path) != ""


def test_rungs_wait_for_their_time_and_the_first_gathers() -> None:
    texts = {artefact.path: artefact.text for artefact in artefacts(bundle(*DOCUMENTS))}
    rungs = yaml.safe_load(texts["alertmanager/alertmanager.yaml"])["route"]["routes"][0]["routes"]
    assert [(rung["group_wait"], rung["group_by"]) for rung in rungs] == [
        ("30s", ["monitor", "alertname"]),
        ("15m", ["..."]),
        ("15m", ["..."]),
        ("30m", ["..."]),
        ("30s", ["monitor", "alertname"]),
    ]


def test_a_first_step_may_wait_too() -> None:
    patient = policy("patient", "{page: [{receivers: [oncall], after: 10m}]}")
    texts = artefacts(bundle(monitor("chat", "patient"), ONCALL, patient))[0].text
    rung = yaml.safe_load(texts)["route"]["routes"][0]["routes"][0]
    assert (rung["group_wait"], rung["group_by"]) == ("10m", ["..."])


def test_without_dependencies_only_tickets_are_inhibited() -> None:
    config = yaml.safe_load(artefacts(bundle(*DOCUMENTS))[0].text)
    assert config["inhibit_rules"]
    for rule in config["inhibit_rules"]:
        assert 'severity="ticket"' in rule["target_matchers"]
        assert 'monitor!=""' in rule["target_matchers"]
        assert "monitor" in rule["equal"]


def test_equal_documents_give_equal_bytes() -> None:
    assert artefacts(bundle(*DOCUMENTS)) == artefacts(bundle(*DOCUMENTS))
