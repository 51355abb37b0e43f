"""Costs as ratios: each measurement compares two jobs of one run on one machine, beside the goal. Not a test."""
