"""The view says whose numbers it shows, and how old they are."""

from dfm.cli.monitor.lines import Look
from dfm.cli.monitor.view import Arrived, Gone, View
from tests.dfm.cli.monitor.conftest import ended, running, snapshot


def view() -> View:
    return View("/p", "…", 0.0)


def first(view: View, now: float) -> str:
    return view.status(80, now)[0].text


def test_before_the_first_answer_there_is_nothing_to_show() -> None:
    shown = view()
    assert len(shown.status(80, 0.1)) == 1
    assert len(shown.running(80, 10)) == len(shown.ended(80, 10)) == 1


def test_an_answer_fills_the_screen() -> None:
    shown = view()
    shown.take(Arrived(7, "local", snapshot(67.0, [ended(1)], runs=[running("p.now")])), 1.0)
    assert first(shown, 1.0).startswith("uptime   1:07   local, pid 7   /p ")
    assert len(shown.status(80, 1.0)) == 4
    assert "p.now" in shown.running(80, 10)[1].text
    assert "p.t1" in shown.ended(80, 10)[1].text


def test_a_daemon_that_is_gone_is_said_and_its_last_numbers_stay() -> None:
    shown = view()
    shown.take(Arrived(7, "local", snapshot(runs=[running()])), 1.0)
    shown.take(Gone("connection closed"), 5.0)
    shown.take(Gone("none runs"), 9.0)
    assert first(shown, 12.0).startswith("THE DAEMON IS GONE, trying again for 0:07 (none runs)")
    assert shown.status(80, 12.0)[0].look is Look.ALARM
    assert shown.is_gone
    assert len(shown.running(80, 10)) == 2
    shown.take(Arrived(7, "local", snapshot()), 13.0)
    assert first(shown, 13.0).startswith("uptime")
    assert not shown.is_gone


def test_another_daemon_begins_with_no_ends() -> None:
    shown = view()
    shown.take(Arrived(7, "local", snapshot(100.0, [ended(9), ended(8)])), 1.0)
    shown.take(Gone("connection closed"), 2.0)
    shown.take(Arrived(8, "local", snapshot(1.0, [ended(1, "p.new")])), 3.0)
    assert shown.pid == 8
    assert [line.text.split()[-1] for line in shown.ended(80, 10)[1:]] == ["p.new"]
    assert "0.0/s" in shown.status(80, 3.0)[2].text


def test_silence_is_said() -> None:
    shown = view()
    shown.take(Arrived(7, "local", snapshot()), 1.0)
    assert "NO ANSWER" not in first(shown, 3.0)
    assert first(shown, 11.0).startswith("NO ANSWER for 0:10")
