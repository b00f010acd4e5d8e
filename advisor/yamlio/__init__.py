"""YAML as people write it: reading with the position of every value, editing in place, recovering damaged files."""
