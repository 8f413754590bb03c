import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.config.quantities import (
    PortRange,
    parse_bytes,
    parse_memory_mib,
    parse_ports,
    parse_walltime_s,
)


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("512", 512),
        ("512M", 512),
        ("1G", 1024),
        ("1.5G", 1536),
        ("2T", 2 * 1024**2),
        ("1024K", 1),
        ("1025K", 2),
        ("1K", 1),
        ("0", 0),
        ("32g", 32 * 1024),
        ("0.1G", 103),
    ],
)
def test_memory_is_mib_rounded_up(text: str, mib: int) -> None:
    assert parse_memory_mib(text) == mib


def test_a_size_is_bytes_and_no_suffix_is_m() -> None:
    assert parse_bytes("1G") == 1024**3
    assert parse_bytes("3") == 3 * 1024**2


@pytest.mark.parametrize(
    "text",
    ["", "G", "-1G", "1GB", "1 GiB", "1e3", "0x10", "1,5G", ".5G", "5.", "inf", "١G", "9" * 9999],
)
def test_other_texts_are_no_memory(text: str) -> None:
    with pytest.raises(ValueError, match="a number with K, M, G or T"):
        parse_memory_mib(text)


def test_more_bytes_than_a_message_can_carry_are_no_memory() -> None:
    assert parse_bytes("8388607T") < 2**63
    with pytest.raises(ValueError, match="less than 8388608T"):
        parse_bytes("8388608T")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1:00", 3600), ("0:05", 300), ("08:30", 30600), ("100:00", 360000), ("90", 5400), ("0", 0)],
)
def test_a_walltime_is_hours_and_minutes_or_minutes(text: str, seconds: int) -> None:
    assert parse_walltime_s(text) == seconds


@pytest.mark.parametrize("text", ["", "1:5", "1:60", "1:00:00", "-5", "1.5", "1h", ":30", "٣"])
def test_other_texts_are_no_walltime(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        parse_walltime_s(text)


def test_a_walltime_of_more_than_68_years_is_refused() -> None:
    with pytest.raises(ValueError, match="less than"):
        parse_walltime_s("999999:00")


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("0", (0, 0)),
        ("40000", (40000, 40000)),
        ("40000-40100", (40000, 40100)),
        ("1 - 65535", (1, 65535)),
    ],
)
def test_ports_are_one_or_a_range(text: str, ports: tuple[int, int]) -> None:
    assert parse_ports(text) == PortRange(*ports)


@pytest.mark.parametrize(
    "text", ["", "-1", "65536", "40100-40000", "0-5", "1-2-3", "http", "1-70000"]
)
def test_other_texts_are_no_ports(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|65535|range"):
        parse_ports(text)


def test_ports_print_as_they_are_written() -> None:
    assert [str(PortRange(5, 5)), str(PortRange(5, 6))] == ["5", "5-6"]


@given(st.text())
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    for parse in (parse_bytes, parse_memory_mib, parse_walltime_s, parse_ports):
        try:
            parse(text)
        except ValueError:
            continue


@given(st.integers(0, 2**22), st.sampled_from("KMGT"))
def test_memory_never_rounds_down(number: int, suffix: str) -> None:
    size = parse_bytes(f"{number}{suffix}")
    assert 0 <= parse_memory_mib(f"{number}{suffix}") * 1024**2 - size < 1024**2
