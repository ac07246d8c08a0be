"""What is known before a race: stage, start list, results, classification, weather and the rules of the groups."""
