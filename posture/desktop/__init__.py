"""What surrounds the monitor: the lock, the battery, calls, do not disturb, and what follows from them."""
