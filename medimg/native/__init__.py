"""The only places that load libraries with code of their own."""
