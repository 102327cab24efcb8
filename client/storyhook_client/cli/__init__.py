"""The command `storyhook`."""
