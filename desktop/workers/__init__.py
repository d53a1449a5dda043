"""The one way to run work off the GUI thread, and the long-lived feeds. `tasks` imports Qt, the feeds do not."""
