"""A line process whose loopback engine rings scripted customers: ``python -m tests.dialer.far_line``."""

from __future__ import annotations

import sys

from dialer.line import main
from tests.dialer.customers import Exchange, FarEnd

SAYS_YES, RINGS, LISTENS = "+14155550101", "+14155550102", "+14155550103"


async def says_yes(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("yes")
    await customer.stay()


async def rings(customer: FarEnd) -> None:
    await customer.leg.answer(180)
    await customer.over.wait()


async def listens(customer: FarEnd) -> None:
    await customer.answer()
    await customer.stay()


if __name__ == "__main__":
    sys.exit(main(listener=Exchange({SAYS_YES: says_yes, RINGS: rings, LISTENS: listens})))
