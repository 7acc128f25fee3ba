"""What a visitor takes home from a page: files of the run, made on the server, and its description in words."""
