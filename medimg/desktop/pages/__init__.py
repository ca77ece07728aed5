"""The steps of the window, one page each."""
