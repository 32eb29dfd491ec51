"""How each operator becomes a layer: one file for each family, one table for all."""

from ..node import Rule
from . import activation, arithmetic, conv, loss, norm, optimizer, pool, reduce, shape

RULES: dict[str, Rule] = {
    name: rule
    for family in (activation, arithmetic, conv, loss, norm, optimizer, pool, reduce, shape)
    for name, rule in family.RULES.items()
}
