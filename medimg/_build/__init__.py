"""Build steps; nothing here runs in an installed medimg."""
