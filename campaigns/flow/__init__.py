"""Call flows: their document, the pure engine that runs them, lint and text simulator; nothing here acts."""
