"""What stands about in a city: trees, street furniture and parked cars."""
