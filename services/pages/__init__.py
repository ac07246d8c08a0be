"""What every page of Etape has in common: its first HTML, its assets, its headers; `web/` holds its parts."""
