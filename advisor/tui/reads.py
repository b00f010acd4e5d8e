"""Keys carry the time at which their bytes were read, not the time at which Textual had understood them.

A lone ESC, and ESC with a key behind it, are understood only when nothing has followed for a tenth of a second. By
then another question may have been drawn, and the key would be taken for an answer to it. A busy machine can delay the
later keys of one read in the same manner. Textual's parser is replaced in this one place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from textual._time import get_time  # the clock of `Message.time`
from textual._xterm_parser import XTermParser
from textual.message import Message

if sys.platform == "win32":
    from textual.drivers import win32 as driver
else:
    from textual.drivers import linux_driver as driver


class TimedParser(XTermParser):
    """Understands what a terminal sends; each message has the time of the read that its last byte came with."""

    def __init__(self, debug: bool = False) -> None:
        self.read_at = get_time()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """The messages of one read; all of them are there before the first is passed on. Raises ParseError."""
        self.read_at = get_time()
        return [self._timed(message) for message in super().feed(data)]

    def tick(self) -> Iterator[Message]:
        """What is understood because nothing has followed it."""
        for message in super().tick():
            yield self._timed(message)

    def _timed(self, message: Message) -> Message:
        message.time = self.read_at
        return message


def keep_times() -> None:
    """From now on, terminals that are opened read so."""
    driver.XTermParser = TimedParser  # type: ignore[attr-defined]  # the driver names no exports
