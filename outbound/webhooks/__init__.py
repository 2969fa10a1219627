"""Events out by webhooks after the Standard Webhooks specification: spread, signed, posted, tried again; no calls."""
