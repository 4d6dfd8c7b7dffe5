"""Pure functions on pixels: boxes, alignment, quality, JPEG. No input, no output, no models."""
