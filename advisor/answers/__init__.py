"""A team's answers: read from a file, checked, written back in place, kept while they are being given."""
