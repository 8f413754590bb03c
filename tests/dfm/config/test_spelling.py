from dfm.config.spelling import nearest


def test_the_nearest_name_wins() -> None:
    assert nearest("qeue", ["queue", "query", "project"]) == "queue"


def test_case_does_not_matter() -> None:
    assert nearest("QUEUE", ["queue"]) == "queue"


def test_nothing_near_is_none() -> None:
    assert nearest("zzz", ["queue"]) is None


def test_a_part_of_a_name_is_near_it() -> None:
    assert nearest("port", ["bind", "worker_port", "tls"]) == "worker_port"
    assert nearest("slots", ["slots_per_worker", "walltime"]) == "slots_per_worker"
    assert nearest("infrastructure", ["infra"]) == "infra"
