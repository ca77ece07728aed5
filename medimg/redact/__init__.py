"""Filling covers in samples. Those of a JPEG are filled in its coefficients (:mod:`medimg.formats.jpeg.lossless`)."""
