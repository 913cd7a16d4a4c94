"""A secret that somebody wrote into a receiver by mistake is in no message, however it was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airis_mon.spec import decode

LITERALS = (
    "api_key", "api_token", "api_url", "app_token", "auth_password", "bearer_token", "bot_token", "password",
    "routing_key", "secret_key", "service_key", "token", "webhook_url", "http_config", "anything", "Token",
)  # fmt: skip
FILES = (
    "api_key_file", "api_url_file", "bot_token_file", "password_file", "routing_key_file", "token_file",
    "url_file", "webhook_url_file",
)  # fmt: skip
WAYS = (
    "webhooks", "emails", "slack", "teams", "pagerduty", "opsgenie", "discord", "telegram", "sns", "jira",
)  # fmt: skip
FLOW = ("s3cret", "'s3cret'", '"s3cret/\\u263a"', "[s3cret]", "{credentials: s3cret}", "https://s3cret@host")
BLOCK = (
    *FLOW,
    "|\n        s3cret",
    "\n        credentials: s3cret",
    "\n        - s3cret",
    ">-\n        s3cret",
)

KEYS = st.sampled_from((*LITERALS, *FILES))
SIDES = st.sampled_from(("from: 1", "to: [a]", "channel: ' '", "chat_id: x", "url: 5", "project: x"))


@st.composite
def receivers(draw: st.DrawFn) -> str:
    """Return a receiver with one way, its keys in a line or each in its own."""
    block = draw(st.booleans())
    values = st.sampled_from(BLOCK if block else FLOW)
    pairs = draw(st.lists(st.tuples(KEYS, values), min_size=1, max_size=4))
    written = [f"{key}: {value}" for key, value in pairs] + draw(st.lists(SIDES, max_size=2))
    keys = draw(st.permutations(written))
    way = "\n      ".join(keys) if block else "{" + ", ".join(keys) + "}"
    return f"""
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {{name: oncall}}
spec:
  {draw(st.sampled_from(WAYS))}:
    - {way}
"""


@given(text=receivers())
def test_no_message_repeats_what_may_be_a_secret(text: str) -> None:
    decoded = decode({"receiver.yaml": text})
    assert decoded.problems
    for problem in decoded.problems:
        assert "s3cret" not in str(problem)
