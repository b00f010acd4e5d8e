"""What people read: the verdict as text, Markdown, HTML and JSON, and what any id means."""
