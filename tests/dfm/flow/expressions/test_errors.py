from dfm.flow.expressions.errors import ExpressionError, NameUnknown, near_matches


def test_the_innermost_place_stays() -> None:
    error = ExpressionError("no")
    error.locate(7)
    error.locate(1)
    assert error.offset == 7


def test_offset_zero_is_a_place() -> None:
    error = ExpressionError("no", 0)
    error.locate(3)
    assert error.offset == 0


def test_an_unknown_name_says_its_path() -> None:
    error = NameUnknown(("env", "HOME"))
    assert (str(error), error.path, error.offset) == (
        "`env.HOME` is not defined",
        ("env", "HOME"),
        None,
    )


def test_near_matches_are_a_question_and_none_are_no_hint() -> None:
    assert near_matches("seeed", ["seed", "top"]) == "did you mean `seed`?"
    assert near_matches("xyz", ["seed", "top"]) == ""
