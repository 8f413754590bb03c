"""What all ways to show a run have in common."""

from typing import Protocol

from dfm.engine.outcome import Observer


class Display(Observer, Protocol):
    """An observer that draws, for one run."""

    is_cut_off: bool  # nobody reads any more what it prints, as behind `| head`

    def refresh(self) -> None:
        """Draws what has changed: called several times a second."""

    def close(self) -> None:
        """Leaves the terminal as it was."""
