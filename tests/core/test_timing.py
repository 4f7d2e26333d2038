"""The measure that other tests hold readers of hostile text to."""

from tests.timing import takes_time_in_proportion


def test_time_that_grows_with_the_square_is_noticed() -> None:
    def quadratic(text: str) -> None:
        for start in range(0, len(text), 10):
            text[start:].count("x")

    assert not takes_time_in_proportion(quadratic, "y" * 60_000, seconds=0)
    assert takes_time_in_proportion(quadratic, "y" * 60_000, seconds=60)
