"""A running monitor, told what to do from outside: commands, the channel they come by, one monitor per user."""
