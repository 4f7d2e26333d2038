"""What of a model's answer about a paper is used: cleaned, and held to what the paper itself says. Pure."""
