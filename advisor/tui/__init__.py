"""The interview as a Textual program. Nothing is decided here: it shows a Session and asks it for the next one."""
