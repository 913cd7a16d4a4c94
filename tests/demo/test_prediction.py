"""What the demo's last stage would not let pass."""

from __future__ import annotations

from airis_mon.demo.inboxes import Subject
from airis_mon.demo.prediction import Told, differences

PAGE = Subject("support-chat", "page", "signal time_to_first_token_p95")
TICKET = Subject("support-chat", "ticket", "signal error_ratio")


def told(at: float, *firing: Subject, resolved: tuple[Subject, ...] = (), channel: str = "http") -> Told:
    return Told(at, channel, frozenset(firing), frozenset(resolved))  # type: ignore[arg-type]


def test_equal_messages_at_about_the_same_time_are_no_difference_in_any_order() -> None:
    expected = [told(10, PAGE), told(10, PAGE, channel="smtp"), told(10, TICKET), told(40, resolved=(PAGE,))]
    real = [
        told(10.4, TICKET),
        told(10.5, PAGE, channel="smtp"),
        told(10.6, PAGE),
        told(41, resolved=(PAGE,)),
    ]
    assert differences(expected, real, until=100) == []


def test_what_one_side_alone_has_is_told() -> None:
    assert differences([told(10, PAGE)], [], 100) == [
        "predicted, and never came: 00:00:10 http support-chat signal time_to_first_token_p95"
    ]
    assert differences([], [told(10, resolved=(TICKET,))], 100) == [
        "came, and was not predicted: 00:00:10 http support-chat signal error_ratio (resolved)"
    ]
    assert len(differences([told(10, PAGE)], [told(20, PAGE)], 100)) == 2, "too late is another message"
    assert len(differences([told(10, PAGE)], [told(10, PAGE), told(11, PAGE)], 100)) == 1, "twice is not once"
    assert len(differences([told(10, PAGE)], [told(10, PAGE, TICKET)], 100)) == 2


def test_what_happens_at_the_very_end_may_be_on_either_side_of_it() -> None:
    assert differences([told(99, PAGE)], [told(101, PAGE)], until=100) == []
    assert differences([told(101, PAGE)], [told(99, PAGE)], until=100) == []
    assert len(differences([told(94, PAGE)], [], until=100)) == 1
