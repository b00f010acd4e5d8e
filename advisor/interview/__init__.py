"""The interview without screens: its state, its texts, the plain-text version and the exports."""
