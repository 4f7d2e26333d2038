"""`newsletter doctor`: whether mail can go out and arrive, check by check, and what to do where it cannot."""
