"""The rules folder: read, checked, compiled, proved, kept in a cache, and described for editors."""
