"""What a visitor takes home from a page: pictures, clips, a page that plays, data and words."""
