"""YAML as people write it: read with the place of every value, edited in place, saved from a damaged file."""
