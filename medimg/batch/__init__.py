"""Many photos: scanning, pool, journal, run folder."""
