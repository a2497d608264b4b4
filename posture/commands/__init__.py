"""The commands of the command line: their options and help, and what they call. What they do is elsewhere."""
