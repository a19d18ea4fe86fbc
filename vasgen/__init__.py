"""vasgen."""
