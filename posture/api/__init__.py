"""What `import posture` gives beside the pieces themselves: replays, cameras and tables in one call."""
