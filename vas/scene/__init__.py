"""What waves meet: materials, planes and wedges, antennas, and rays to ask."""
