"""What a page can be set to: its settings, their link, their presets and their widgets. Knows no page."""
