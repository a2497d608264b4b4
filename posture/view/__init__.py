"""What the camera sees, made visible: the overlay, the preview window, annotated clips, charts."""
