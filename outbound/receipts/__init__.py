"""Receipts: every decision to reach or to spare somebody, chained, verified, shown as evidence; they decide nothing."""
