"""Starting the monitor with the desktop session: what each system wants to have written, and where."""
