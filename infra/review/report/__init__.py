"""Views of a review: terminal, Markdown, one HTML page. All are made from its JSON document and show its hash."""
