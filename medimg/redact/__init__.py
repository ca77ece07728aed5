"""Filling covers: samples (cover) and JPEG coefficients (jpeg_lossless)."""
