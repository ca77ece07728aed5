"""The worker processes: a batch, its workers, their limits and retries."""
