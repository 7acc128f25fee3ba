"""What a teacher does with a set-up: hand it out, or hold a class on it."""
