"""Taking it away: a prediction read back, named, and handed over with its images."""
