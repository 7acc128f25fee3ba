"""What is drawn: still figures, colours, tables, results, and the stage on which racers move. Knows no page."""
