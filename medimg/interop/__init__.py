"""Bridges to other systems: DICOM wrapping."""
