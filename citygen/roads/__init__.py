"""Streets: tensor fields, the network of avenues and streets, quarters, kerbs and sections."""
