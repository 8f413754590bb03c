"""The monitor's screen: places the parts, and passes keys and answers on. What they say is the view's."""

import asyncio
import signal
import time
from collections.abc import Callable

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from dfm.cli.monitor.feed import Feed
from dfm.cli.monitor.lines import Line, Look
from dfm.cli.monitor.view import Arrived, Gone, View

_STYLES = {
    Look.PLAIN: "",
    Look.HEAD: "reverse",
    Look.BAD: "bold red",
    Look.ALARM: "bold red reverse",
}
_TICK_S = 1.0


class Part(Widget):
    """Some lines of the screen."""

    def __init__(self, lines: Callable[[int, int], list[Line]], name: str) -> None:
        super().__init__(id=name)
        self._lines = lines
        self._shown: list[Line] = []

    def draw(self) -> None:
        """If there is something else to be seen: the terminal may be far away."""
        if self._lines(*self.size) != self._shown:
            self.refresh()

    def render(self) -> Text:
        width, height = self.size
        self._shown = self._lines(width, height)
        text = Text(no_wrap=True, end="")
        for number, line in enumerate(self._shown[:height]):
            text.append("\n" if number else "")
            text.append(line.text.ljust(width)[:width], style=_STYLES[line.look])
        return text


class News(Message):
    """From the feed's thread."""

    def __init__(self, news: Arrived | Gone) -> None:
        super().__init__()
        self.news = news


class MonitorApp(App[None]):
    """Runs until somebody detaches."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [  # noqa: RUF012 - declared so by the library
        Binding("q", "detach", "detach"),
        Binding("ctrl+c", "detach", "detach", priority=True),
    ]
    CSS = """
    Screen { background: ansi_default; color: ansi_default; layout: vertical; overflow: hidden; }
    Part { background: ansi_default; color: ansi_default; width: 100%; }
    #running { height: 2fr; }
    #ended { height: 1fr; }
    #status { height: 4; }
    """

    def __init__(self, view: View) -> None:
        super().__init__(ansi_color=True)  # the terminal's own colours, none of a theme
        self._view = view
        self.feed: Feed | None = None

    def compose(self) -> ComposeResult:
        yield Part(self._view.running, "running")
        yield Part(self._view.ended, "ended")
        yield Part(lambda width, _: self._view.status(width, time.monotonic()), "status")

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit)
        self.set_interval(_TICK_S, self._draw)
        if self.feed is not None:
            self.feed.start()

    def on_resize(self) -> None:
        if self.feed is not None:
            self.feed.rows = self.size.height

    def on_news(self, message: News) -> None:
        self._view.take(message.news, time.monotonic())
        self._draw()

    def action_detach(self) -> None:
        self.exit()

    def hear(self, news: Arrived | Gone) -> None:
        """Called by the feed, on its thread."""
        self.post_message(News(news))

    def _draw(self) -> None:
        for part in self.query(Part):
            part.draw()
