"""``mien evaluate NAME``: how well Mien does its work, on labelled data, beside its peers."""
