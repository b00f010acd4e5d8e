"""The interview as a Textual program. It contains no decisions: it shows a Session and asks it for the next one."""

import os

os.environ.setdefault("TEXTUAL_FPS", "120")  # read when textual is imported: an answer waits half as long for its paint
