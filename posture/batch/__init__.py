"""Many clips: found, judged in several processes, kept as a dataset."""
