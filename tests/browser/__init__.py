"""The pages in a real Chromium, against the functions themselves."""
