"""What a visitor takes home from a page: pictures, clips, a page that plays, data, code and words."""
