"""What the history adds up to, to look at: figures, a page, a summary in the terminal."""
