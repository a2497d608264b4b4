"""An icon in the desktop's tray: a program of its own that asks the monitor how things stand."""
