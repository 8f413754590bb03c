from dfm.wire.client import CLIENT_LINK


def test_a_number_keeps_its_message_for_ever() -> None:
    assert {number: kind.__name__ for number, kind in CLIENT_LINK.kinds().items()} == {
        1: "Hello",
        2: "Welcome",
        3: "Refused",
        4: "Blob",
        5: "Submit",
        6: "Started",
        7: "Finished",
        8: "Acknowledged",
        9: "Lost",
        10: "Withdraw",
        11: "Withdrawn",
        12: "Cancel",
        13: "Workers",
        14: "AskStatus",
        15: "Status",
        16: "Stop",
        17: "Stopping",
        18: "Shape",
        19: "Settled",
        20: "Bye",
        21: "AskWhy",
        22: "Why",
        23: "Question",
        24: "Answer",
        30: "AskSnapshot",
        31: "Snapshot",
        36: "Ping",
        37: "Pong",
    }
