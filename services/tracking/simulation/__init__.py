"""A race that never was: riders who work, attack and crack on a real road, and the radio that loses some of them."""
