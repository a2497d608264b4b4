"""What was, kept: sessions, bouts, alerts, breaks and what the person said about them."""
