"""What needs pixels: with Pillow, which the layer `imaging` brings to a few functions alone."""
