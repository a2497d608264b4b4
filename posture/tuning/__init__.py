"""Settings tried on labelled recordings, without inference: what each would have found, and which to take."""
