"""Measurements that anyone can repeat with one command, and the tables made from them."""
