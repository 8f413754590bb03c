"""A terminal, for programs that draw."""

import subprocess
import uuid

from tests.integration.conftest import Project, until


class Terminal:
    """A tmux session of a given size."""

    def __init__(
        self, project: Project, columns: int, rows: int, environment: str = "TERM=screen-256color"
    ) -> None:
        self._project = project
        self._server = ["tmux", "-L", f"dfm-test-{uuid.uuid4().hex[:8]}"]
        command = f"env PS1='ready> ' {environment} bash --norc --noprofile"
        subprocess.run(
            [*self._server, "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y",
             str(rows), "-c", str(project.folder), command],
            env=project.environment, check=True,
        )  # fmt: skip

    def type(self, text: str) -> None:
        subprocess.run([*self._server, "send-keys", "-l", text], check=True)
        self.press("Enter")

    def press(self, key: str) -> None:
        subprocess.run([*self._server, "send-keys", key], check=True)

    def screen(self) -> list[str]:
        shown = subprocess.run(
            [*self._server, "capture-pane", "-p"], check=True, capture_output=True, text=True
        )
        return shown.stdout.rstrip("\n").split("\n")

    def is_as_it_was(self) -> bool:
        """Shows its usual screen, with a cursor."""
        asked = [*self._server, "display", "-p", "#{cursor_flag} #{alternate_on}"]
        return subprocess.run(asked, check=True, capture_output=True).stdout == b"1 0\n"

    def styled(self) -> str:
        """The screen with its escape sequences."""
        words = [*self._server, "capture-pane", "-p", "-e"]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def resize(self, columns: int, rows: int) -> None:
        words = ["resize-window", "-x", str(columns), "-y", str(rows)]
        subprocess.run([*self._server, *words], check=True)

    def close(self) -> None:
        subprocess.run([*self._server, "kill-server"], check=True)
        until(lambda: not any("tmux" in line for line in self._project.leftovers()))
