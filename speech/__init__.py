"""Audio into text and text into audio; it knows nothing of calls."""
