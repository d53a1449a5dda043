"""The window around the pages: rail, top strip, status bar, toasts, shortcut sheet."""
