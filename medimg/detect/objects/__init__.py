"""Objects that a small network of our own sees: codes, rulers, colour cards."""
