"""What several containers share: EXIF, XMP, IPTC, ICC, ISO boxes."""
