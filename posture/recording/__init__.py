"""A run kept as landmarks: the format, its writer and reader, and how it is played again."""
