"""A team's answers: reading a file, checking, writing back in place, and keeping them during an interview."""
