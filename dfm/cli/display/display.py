"""What all ways to show a run have in common."""

from typing import Protocol

from dfm.engine.outcome import Observer


class Display(Observer, Protocol):
    """An observer that draws, for one run."""

    def refresh(self) -> None:
        """Draws what has changed: called several times a second."""

    def close(self) -> None:
        """Leaves the terminal as it was."""
