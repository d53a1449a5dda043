"""Generated inputs for everything that reads what others wrote. ``make fuzz`` runs them all, for as long as wanted."""
