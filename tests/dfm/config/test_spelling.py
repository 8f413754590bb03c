from dfm.config.spelling import nearest


def test_the_nearest_name_wins() -> None:
    assert nearest("qeue", ["queue", "query", "project"]) == "queue"


def test_case_does_not_matter() -> None:
    assert nearest("QUEUE", ["queue"]) == "queue"


def test_nothing_near_is_none() -> None:
    assert nearest("zzz", ["queue"]) is None
