"""The same work on many items: here, or on other machines."""
