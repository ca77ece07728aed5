"""The run folder: layout, journal, decisions, release, register."""
