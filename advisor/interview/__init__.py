"""The questions as a conversation: its state, its words, its plain form, its exports. Nothing here draws a screen."""
