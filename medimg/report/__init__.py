"""What a person reads: share sheet, record sheet, summaries."""
