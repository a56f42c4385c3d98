"""A sample."""
from __future__ import annotations
import os, os.path as path
from ..pkg.mod import (one, two as deux)
from . import sibling
from legacy import *

__all__ = ["Shape", "area_of"]
MAX_SIZE = 10
counter: int = 0
counter = 1
first, second = 1, 2


class Shape(base.Thing, Generic[T], metaclass=Meta):
    sides = 4
    LIMIT = 9

    @property
    def area(self) -> "float":
        local = compute(self.sides)
        return math.sqrt(local)

    async def _hidden(self, other: Shape | None, more: dict[str, Path]) -> Optional[x.Y]:
        try:
            await other.area()
        except (ValueError, os.error) as error:
            raise Failed(error)

        def inner():
            import json
            return json.dumps({})


if True:
    def area_of(shape):
        return a().b(c)[0].d()


@decorate
@app.route("/")
def unlisted():
    pass
