"""The benchmarks measure what they say: small sizes of each, for their ends and not for their times."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import core
from bench.report import END, Report
from bench.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("bench"), 3) as made:
        yield made


@pytest.mark.parametrize("is_demanding", [False, True])
def test_the_driver_of_the_core_keeps_all_workers_busy(is_demanding: bool) -> None:
    driver = core.Driver(core.Size(20, 0, clients=3, is_demanding=is_demanding))
    driver.feed(driver.submissions(60))
    driver.answer()
    driver.feed([])
    assert len(driver.ends(100)) == 20


def test_each_event_of_the_core_is_counted() -> None:
    found = core.measure(core.Size(20, 200), steady=300)
    assert found.steady_s > 0
    assert found.submitted_s > 0
    assert found.joined_s > 0


def test_agents_that_run_nothing_end_every_task_of_a_flood(site: Site) -> None:
    rate = site.flood(300, window=50)
    assert rate.tasks_per_s > 0


def test_a_second_flood_finds_the_agents_idle_again(site: Site) -> None:
    site.flood(100, window=200)
    assert site.flood(100, window=10).tasks_per_s > 0


def test_tasks_without_an_agent_stay_queued(tmp_path: Path) -> None:
    with Site(tmp_path, 0, pool=1) as site:
        assert site.queued(2000) > 0


def test_a_report_replaces_the_figures_of_its_own_command(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "<!-- figures: made by `{}` -->\n{}\n" + END + "\n"
    page.write_text("a\n" + marks.format("make one", "old") + marks.format("make two", "kept"))
    report = Report()
    report.table(["tool", "time"], [["x", "1 s"]])
    report.publish("make one", "medians", page)
    text = page.read_text()
    assert "old" not in text
    assert "| x | 1 s |" in text
    assert marks.format("make two", "kept") in text
    assert text.startswith("a\n")


def test_a_page_without_the_marks_is_said_to_have_none(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    with pytest.raises(SystemExit, match="has no line"):
        Report().publish("make one", "medians", page)
