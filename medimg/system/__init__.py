"""What belongs to the operating system: files, locks, programs."""
