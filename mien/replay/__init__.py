"""What cameras showed, kept on disk for a while, and shown again by virtual cameras."""
