"""How well a run agrees with what a person says of it: false alerts, recall, delays, angle errors."""
