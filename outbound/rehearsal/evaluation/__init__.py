"""``outbound eval``: how well the product hears, understands and speaks here, by real engines on sound; no calls."""
