"""Every form of lazy import that CPython 3.15 accepts, and `lazy` as a name."""
lazy import a, b.c as d
lazy from a import b
lazy from . import c
lazy from ..a.b import (c as d,
    e)
lazy \
    import f
lazy \
  from g import h
x = 1; lazy import i
if x: lazy from j import k
with open("/dev/null") as lazy:
    lazy import l
lazy = 1
lazy.x = {lazy: lazy}
import lazy
from lazy import lazy as lazy
def f():
    from lazy import lazy
for lazy in lazy:
    lazy from m.n import o
while lazy:
    lazy	import	p
match lazy:
    case 1:
        lazy import q
    case lazy: lazy import r
