"""The starter kit: which templates, with which values, quoted for each language."""
