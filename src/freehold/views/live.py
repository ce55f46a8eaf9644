"""The live part of `views.progress`, drawn by Rich: imported only when there is a terminal to draw on."""

from typing import TYPE_CHECKING

from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from freehold.views.terminal import Paper, Style, size_of, visible
from freehold.views.words import duration, resource

if TYPE_CHECKING:
    from freehold.views.progress import Progress, Running

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAMES_PER_SECOND = 8
_WIDEST_BAR = 40
_STYLES = {
    Style.GREEN: "green",
    Style.YELLOW: "yellow",
    Style.ALARM: "bold red",
    Style.CAUTION: "bold yellow",
}


class LiveDisplay:
    """A few lines at the bottom of the terminal that are drawn again and again while a run lasts."""

    def __init__(self, progress: "Progress", paper: Paper) -> None:
        self._progress = progress
        self._console = Console(
            file=paper.stream,
            force_terminal=True,
            color_system="standard" if paper.colour else None,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )
        self._paper = paper
        self._fit()
        self._live = Live(
            console=self._console,
            get_renderable=self._picture,
            refresh_per_second=_FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def start(self) -> None:
        self._live.start(refresh=True)

    def stop(self) -> None:
        self._live.stop()

    def above(self, head: str, text: str, style: Style) -> None:
        """Print a line that stays above the live part."""
        self._console.print(Text.assemble((head, "dim"), (text, _STYLES[style])), soft_wrap=True)

    def _fit(self) -> None:
        """Follow the size of the stream's own terminal, which people change."""
        size = size_of(self._paper.stream)
        self._console.size = ConsoleDimensions(size.columns, size.lines)

    def _picture(self) -> RenderableType:
        self._fit()
        running = list(self._progress.running.values())
        room = max(1, self._console.size.height - 3)
        lines: list[RenderableType] = [self._row(each) for each in running[:room]]
        if len(running) > room:
            lines.append(Text(f"  … and {len(running) - room} more", style="dim"))
        return Group(*lines, self._bar())

    def _row(self, running: "Running") -> Text:
        progress = self._progress
        frame = _FRAMES[int(progress.elapsed * _FRAMES_PER_SECOND) % len(_FRAMES)]
        seconds = progress.elapsed + progress.started - running.started
        said = ", ".join(visible(text) for text in (running.step, running.report) if text)
        return Text.assemble(
            (f"{frame} ", "cyan"),
            resource(running.change.address),
            (f"  {said}", "dim"),
            (f"  {duration(seconds)}", "dim"),
            no_wrap=True,
            overflow="ellipsis",
        )

    def _bar(self) -> Table:
        progress = self._progress
        width = max(4, min(_WIDEST_BAR, self._console.width - 20))
        grid = Table.grid(padding=(0, 1))
        grid.add_row(
            ProgressBar(
                total=progress.total,
                completed=progress.finished,
                width=width,
                complete_style="green",
                finished_style="green",
            ),
            Text(f"{progress.finished}/{progress.total}", no_wrap=True),
            Text(duration(progress.elapsed), style="dim", no_wrap=True),
        )
        return grid
