"""What a customer meant by their words; it never decides what happens next."""
