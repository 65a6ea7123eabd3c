"""What learns and what judges it: arrays and frames in and out."""
