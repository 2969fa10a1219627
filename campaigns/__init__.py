"""What should happen next: pure decisions over plain data; no clock, input or output."""
