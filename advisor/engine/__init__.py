"""The decision: answers into a verdict, with its caveats, costs and times, and what would change it."""
