from dfm.wire.worker import WORKER_LINK


def test_a_number_keeps_its_message_for_ever() -> None:
    assert {number: kind.__name__ for number, kind in WORKER_LINK.kinds().items()} == {
        1: "Hello",
        2: "Welcome",
        3: "Refused",
        4: "Blob",
        5: "Run",
        6: "Started",
        7: "Finished",
        8: "Acknowledged",
        9: "Cancel",
        10: "Drop",
        11: "Forget",
        12: "Drain",
        13: "Beat",
        14: "Leaving",
        15: "Stop",
        16: "Recall",
        17: "Returned",
        18: "Draining",
    }
