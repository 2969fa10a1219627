"""A line process whose loopback engine rings scripted customers: ``python -m tests.dialer.far_line``."""

from __future__ import annotations

import sys

from dialer.line import main
from tests.dialer.customers import Exchange, FarEnd, says_yes

SAYS_YES, RINGS, LISTENS, LEAVES = "+14155550101", "+14155550102", "+14155550103", "+14155550104"


async def rings(customer: FarEnd) -> None:
    await customer.leg.answer(180)
    await customer.over.wait()


async def listens(customer: FarEnd) -> None:
    await customer.answer()
    await customer.stay()


async def leaves(customer: FarEnd) -> None:
    await customer.answer()
    await customer.begins(300)
    await customer.hang_up()


if __name__ == "__main__":
    sys.exit(main(listener=Exchange({SAYS_YES: says_yes, RINGS: rings, LISTENS: listens, LEAVES: leaves})))
