"""advisor: choose how to push data to clients in real time, see why, and get a kit that is proved to work."""

__version__ = "0.1.0"
