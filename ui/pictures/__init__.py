"""The pictures of README and of the home page: what each shows, how they are taken, and when they are stale."""
