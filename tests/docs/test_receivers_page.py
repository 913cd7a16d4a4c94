"""docs/receivers.md, held against the table that receivers are written from."""

from pathlib import Path

from airis_mon.alertmanager.integrations import INTEGRATIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "receivers.md").read_text(encoding="utf-8")


def test_every_way_and_its_versions_are_named() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert [row[0].strip() for row in rows] == [f"`{integration.key}`" for integration in INTEGRATIONS]
    for row, integration in zip(rows, INTEGRATIONS, strict=True):
        # A topic of a group is a small thing beside Telegram itself.
        limits = [limit for limit in integration.limits if limit.field != "message_thread_id"]
        for limit in limits:
            assert f"0.{limit.since[1]}" in " ".join(row)
        assert ("any" in row[2]) == (limits == [] or integration.key == "webhooks")
