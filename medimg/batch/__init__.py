"""Many photos: each in a worker process, each step in a journal, so that nothing is lost and nothing is done twice."""
