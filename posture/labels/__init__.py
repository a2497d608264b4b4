"""What is true of a clip, as a person saw it: intervals beside it, in a file."""
