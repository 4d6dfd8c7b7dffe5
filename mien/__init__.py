"""Mien: real-time face recognition and emotion analysis for many IP cameras."""

__version__ = "0.1.0"
