"""From texts to values: what is read, what profiles give, and where each field is placed."""

from pathlib import Path

import pytest

from airis_mon.spec import (
    Alerting,
    Anomaly,
    Email,
    Errors,
    Latency,
    Location,
    PageBudget,
    Problem,
    Step,
    Webhook,
    decode,
)

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))

MONITOR = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: support-chat}
spec:
  model: {name: llama-3-70b}
  source: {contract: vllm, selector: {job: vllm}}
  objectives:
    - name: first-token
      target: 99.9%
      latency: {of: time_to_first_token, below: 500ms}
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_decode(path: Path) -> None:
    decoded = decode({path.name: path.read_text(encoding="utf-8")})

    assert decoded.problems == ()
    assert len(decoded.bundle.monitors) == 1


def test_quantities_become_base_units() -> None:
    (monitor,) = decode({"a.yaml": MONITOR}).bundle.monitors
    (objective,) = monitor.objectives

    assert objective.target == 0.999
    assert objective.window == 30 * 86400
    assert objective.indicator == Latency("time_to_first_token", 0.5)


def test_example_of_everything_is_read_field_by_field() -> None:
    path = next(path for path in EXAMPLES if path.stem == "02-llm-chat")
    bundle = decode({path.name: path.read_text(encoding="utf-8")}).bundle
    (monitor,) = bundle.monitors
    policy = bundle.policy("around-the-clock")
    oncall = next(receiver for receiver in bundle.receivers if receiver.name == "oncall")

    assert monitor.model.version == "1.2.0"
    assert monitor.source.selector == {"job": "vllm", "model_name": "llama-3-70b"}
    assert [objective.name for objective in monitor.objectives] == [
        "availability",
        "first-token",
        "whole-answer",
    ]
    assert monitor.objectives[0].indicator == Errors()
    assert monitor.anomalies[0] == Anomaly(
        "time_to_first_token_p95", 300, "up", "page", duration=600, history=14 * 86400
    )
    assert monitor.anomalies[2].by == ("instance",)
    assert monitor.forecasts[0].capacity == 1.0
    assert monitor.alerting == Alerting(
        "ml-platform",
        "around-the-clock",
        PageBudget(2, 7 * 86400),
        "https://runbooks.example.com/support-chat",
    )
    assert policy.page == (Step(("oncall",)), Step(("oncall", "lead"), 900))
    assert policy.repeat_interval == 4 * 3600
    assert oncall.webhooks == (Webhook(url="http://pager-relay.example.com:8080/alerts"),)
    assert oncall.emails == (
        Email(
            to="oncall@example.com",
            sender="alerts@example.com",
            smarthost="smtp.example.com:587",
            username="alerts@example.com",
            password_file="/etc/airis-mon/secrets/smtp-password",
        ),
    )


def test_fields_are_placed_where_their_values_stand() -> None:
    (monitor,) = decode({"a.yaml": MONITOR}).bundle.monitors

    assert monitor.origin.locate("spec.objectives[0].latency.below") == Location(
        "a.yaml", 10, 49, "      latency: {of: time_to_first_token, below: 500ms}", 5
    )
    assert monitor.origin.locate("metadata.name") == Location(
        "a.yaml", 3, 18, "metadata: {name: support-chat}", 12
    )


def test_a_value_on_later_lines_is_placed_at_its_key() -> None:
    (monitor,) = decode({"a.yaml": MONITOR}).bundle.monitors

    assert monitor.origin.locate("spec.objectives") == Location("a.yaml", 7, 3, "  objectives:", 10)


def test_profile_gives_what_the_monitor_leaves_out() -> None:
    text = MONITOR.replace("spec:\n", "spec:\n  profile: llm-serving\n")
    (monitor,) = decode({"a.yaml": text}).bundle.monitors

    assert [objective.name for objective in monitor.objectives] == ["first-token"]
    assert [anomaly.of for anomaly in monitor.anomalies] == [
        "time_to_first_token_p95",
        "error_ratio",
        "request_rate",
    ]
    assert [(forecast.of, forecast.horizon) for forecast in monitor.forecasts] == [("request_rate", 86400)]


def test_what_a_profile_gave_is_placed_at_the_line_that_names_it() -> None:
    text = MONITOR.replace("spec:\n", "spec:\n  profile: llm-serving\n")
    (monitor,) = decode({"a.yaml": text}).bundle.monitors
    place = monitor.origin.locate("spec.anomalies[1].of")

    assert place is not None
    assert (place.line, place.column, place.width) == (5, 12, len("llm-serving"))


def test_alerting_of_profile_and_monitor_is_merged_by_key() -> None:
    text = MONITOR.replace("spec:\n", "spec:\n  profile: ours\n  alerting: {team: chat}\n")
    profile = """\
apiVersion: airis.dev/v1alpha1
kind: Profile
metadata: {name: ours}
spec: {alerting: {team: platform, page_budget: 1 / 1d}}
"""
    (monitor,) = decode({"a.yaml": text, "ours.yaml": profile}).bundle.monitors
    place = monitor.origin.locate("spec.alerting.page_budget")

    assert monitor.alerting == Alerting("chat", page_budget=PageBudget(1, 86400))
    assert place is not None
    assert (place.file, place.line) == ("a.yaml", 5)


def test_documents_may_refer_to_other_files() -> None:
    path = next(path for path in EXAMPLES if path.stem == "02-llm-chat")
    parts = path.read_text(encoding="utf-8").split("\n---\n")
    together = decode({f"{index}.yaml": part for index, part in enumerate(parts)})

    assert together.problems == ()
    assert len(together.bundle.receivers) == 3


def test_problems_of_all_files_are_told_at_once_in_their_order() -> None:
    texts = {
        "b.yaml": MONITOR.replace("99.9%", "0.999").replace("llama-3-70b}", "[]}"),
        "a.yaml": "a: [",
        "c.yaml": MONITOR,
    }
    decoded = decode(texts)
    places = [
        (problem.location.file, problem.location.line) for problem in decoded.problems if problem.location
    ]

    assert places == [("b.yaml", 5), ("b.yaml", 9), ("a.yaml", 1), ("c.yaml", 3)]


def test_duplicate_names_across_files_name_both_places() -> None:
    (problem,) = decode({"one.yaml": MONITOR, "two.yaml": MONITOR}).problems

    assert str(problem) == (
        "error: two documents of kind ModelMonitor are named `support-chat`\n"
        "  --> two.yaml:3:18  (metadata.name)\n"
        "3 | metadata: {name: support-chat}\n"
        "                     ^^^^^^^^^^^^\n"
        "  = the other is at one.yaml:3:18; rename one of them"
    )


def test_sound_documents_stand_beside_refused_ones() -> None:
    decoded = decode({"good.yaml": MONITOR, "bad.yaml": MONITOR.replace("support-chat", "No")})

    assert [monitor.name for monitor in decoded.bundle.monitors] == ["support-chat"]
    assert len(decoded.problems) == 1


def test_reference_to_a_refused_document_is_no_second_problem() -> None:
    policy = """\
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: standard}
spec: {page: []}
"""
    text = MONITOR + "  alerting: {escalation: standard}\n"
    decoded = decode({"a.yaml": text, "b.yaml": policy})

    assert [problem.message for problem in decoded.problems] == ["there is no step here"]


def test_documents_before_a_syntax_error_are_read() -> None:
    decoded = decode({"a.yaml": MONITOR + "---\nspec: [\n"})

    assert len(decoded.bundle.monitors) == 1
    assert len(decoded.problems) == 1


def test_anchors_are_followed() -> None:
    text = (
        MONITOR.replace("{job: vllm}", "&labels {job: vllm}")
        + "  anomalies: [{of: error_ratio, by: &by [zone]}]\n"
    )
    text += "  forecasts: [{of: request_rate, horizon: 1d, by: *by}]\n"
    (monitor,) = decode({"a.yaml": text}).bundle.monitors

    assert monitor.forecasts[0].by == ("zone",)


def test_byte_order_mark_and_windows_line_ends_are_no_trouble() -> None:
    (monitor,) = decode({"a.yaml": "\ufeff" + MONITOR.replace("\n", "\r\n")}).bundle.monitors
    place = monitor.origin.locate("spec.objectives[0].target")

    assert place is not None
    assert (place.line, place.column, place.text) == (9, 15, "      target: 99.9%")


def test_labels_and_annotations_of_kubernetes_are_accepted() -> None:
    extra = "{name: support-chat, namespace: chat, labels: {a/b: ''}, annotations: {c: 'two\\nlines'}}"

    assert decode({"a.yaml": MONITOR.replace("{name: support-chat}", extra)}).problems == ()


def test_a_defect_in_a_key_of_a_list_does_not_hide_its_neighbours() -> None:
    text = MONITOR.replace("99.9%", "99.9") + "    - {name: first-token, target: 1%, errors: {}}\n"
    messages = [problem.message for problem in decode({"a.yaml": text}).problems]

    assert messages == [
        "`99.9` has no unit; a target is written in percent",
        "there are two objectives `first-token`",
    ]


def test_caret_stands_under_wide_characters_and_tabs() -> None:
    place = Location("a.yaml", 7, 5, "日\ta: b", 1)
    lines = str(Problem("no", location=place)).splitlines()

    assert lines[2:] == ["7 | 日\ta: b", "      \t  ^"]


def test_long_lines_are_cut_around_the_place_and_control_characters_are_not_shown() -> None:
    place = Location("a.yaml", 1, 5001, "x" * 5000 + "here" + "\x1b[31m" + "y" * 5000, 4)
    message = str(Problem("no", location=place))
    excerpt, caret = message.splitlines()[2:]

    assert len(excerpt) < 200
    assert "\x1b" not in message
    assert excerpt[caret.index("^") :].startswith("here")


@pytest.mark.parametrize(("engine", "days"), [("analyzer", 28), ("rules", 7)])
def test_history_that_is_not_written_is_what_the_engine_was_measured_with(engine: str, days: int) -> None:
    text = f"""\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {{name: chat}}
spec:
  engine: {engine}
  model: {{name: m}}
  source: {{contract: vllm, selector: {{job: vllm}}}}
  anomalies: [{{of: request_rate}}, {{of: kv_cache_usage, history: 3d}}]
  forecasts: [{{of: request_rate, horizon: 1d}}]
  thresholds: [{{of: queue_length, above_band: {{}}}}, {{of: queue_length, above: 9}}]
"""
    (monitor,) = decode({"chat.yaml": text}).bundle.monitors
    found = [
        [monitor.history(one) / 86400 for one in monitor.anomalies],
        [monitor.history(one) / 86400 for one in monitor.forecasts],
        [monitor.history(one) / 86400 for one in monitor.thresholds],
    ]
    assert found == [[days, 3], [days], [days, 0]]
