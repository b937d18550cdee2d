"""The sections of figures: credits, gaps, targets, national gaps, as plain data for the page."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gbi.report import facts
from gbi.report.grids import Box, Grid, Section, heads, named, number, source
from gbi.report.wording import DASH, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gbi.report.bundle import Item
    from gbi.report.facts import Line, Pair, Target, Trend


def credits_section(item: Item, words: Words) -> Section:
    """Return the credits by budget line: chart and all lines."""
    lines = facts.budget_lines(item.result)
    total = sum(line.total for line in lines)
    rows = tuple(_credit_row(line, total, words) for line in lines)
    whole = facts.Line(
        "", "", {n: sum(line.natures[n] for line in lines) for n in facts.NATURES},
        sum(line.commitments or 0 for line in lines), total,
    )  # fmt: skip
    foot = (
        Box(words("page.total"), head=True),
        number(DASH, "quiet"),
        number(DASH, "quiet"),
        *_credit_row(whole, total, words)[3:],
    )
    grid = Grid(
        words("captions.credits"),
        heads(words, "line", "#personnel", "#goods", "#operating", "#investment", "#total",
              "#share", "#commitments"),
        rows, foot, note=words("credits.note"),
    )  # fmt: skip
    return named("credits", words, figures=_figures(item), grids=(grid,))


def _credit_row(line: Line, total: float, words: Words) -> tuple[Box, ...]:
    personnel, goods, rest = (line.natures[n] for n in ("PERSONNEL", "GOODS", "OPERATING"))
    unsplit = not personnel and not goods and rest > 0
    printed = words.code("CL_MINISTRY", line.code, fallback=line.label) if line.code else ""
    return (
        Box(printed, head=True),
        number(DASH if unsplit else words.value(personnel), "quiet" if unsplit else ""),
        number(DASH if unsplit else words.value(goods), "quiet" if unsplit else ""),
        number(words.value(personnel + goods + rest)),
        number(words.value(line.natures["INVESTMENT"])),
        number(words.value(line.total), "strong"),
        number(words.share(line.total / total) if total else DASH),
        number(words.value(line.commitments)),
    )


def _figures(item: Item) -> tuple[str, ...]:
    return () if item.figure is None else (item.figure,)


def gaps_section(item: Item, words: Words) -> Section:
    """Return women's and men's values by department: chart, coverage, a table a department."""
    found = facts.pairs(item.result)
    ordered = sorted(found, key=lambda p: (p.department_label, p.department))
    grids = tuple(
        _gap_grid(list(members), words)
        for _, members in groupby(ordered, key=lambda p: (p.department_label, p.department))
    )
    tied = {p.pair_id for p in found}
    coverage = words(
        "gaps.coverage",
        pairs=len(tied),
        realised=sum(p.computed and p.kind == "REALISED" for p in found),
        targets=sum(p.computed and p.kind == "TARGET" for p in found),
    )
    return named("gaps", words, figures=_figures(item), texts=(coverage,), grids=grids)


def _gap_grid(members: list[Pair], words: Words) -> Grid:
    rows: list[tuple[Box, ...]] = []
    by_pair = groupby(members, key=lambda p: (p.indicator, p.pair_id, p.groups, p.objective))
    for _, group in by_pair:
        values = sorted(group, key=lambda p: (p.period, p.kind))
        first = values[0]
        unit = words.unit(first.unit, first.mult)
        label = source(first.indicator, head=True, rows=len(values), aside=first.group_name(words))
        for i, pair in enumerate(values):
            lead = (label,) if i == 0 else ()
            rows.append((*lead, *_gap_boxes(pair, unit, words)))
    caption = words("captions.gaps", department=members[0].department_name(words))
    return Grid(
        caption,
        heads(words, "indicator", "period", "unit", "#women", "#men", "#gap", "#parity"),
        tuple(rows),
    )


def _gap_boxes(pair: Pair, unit: str, words: Words) -> tuple[Box, ...]:
    kind = words.entry("kinds", pair.kind) if pair.kind else ""
    lead = (
        Box(f"{kind} {words.aside(words.period(pair.period))}".strip(), tone="short"),
        Box(unit),
        number(pair.shown(pair.women, words), "women"),
        number(pair.shown(pair.men, words), "men"),
    )
    if not pair.computed:
        unit_gap = words.gap(pair.distance, pair.unit, pair.places)
        distance = "" if pair.distance is None else words("gaps.distance", gap=unit_gap)
        return (*lead, Box(pair_reason(pair, words), columns=2, tone="quiet", aside=distance))
    return (
        *lead,
        number(pair.shown_gap(words), "strong"),
        number(words.value(pair.parity, decimals=2)),
    )


def pair_reason(pair: Pair, words: Words) -> str:
    """Return why a pair has no gap: the measure's reason, else which value is absent."""
    if pair.reason:
        return words.reason(pair.reason)
    absent = "both" if pair.women is None and pair.men is None else (
        "women" if pair.women is None else "men"
    )  # fmt: skip
    return words(f"gaps.absent.{absent}")


def targets_section(item: Item, words: Words) -> Section:
    """Return targets against realised values: chart, counts by direction, the marked series."""
    found = facts.targets(item.result)
    both = sum(t.verdict is not None for t in found)
    coverage = words(
        "targets.coverage",
        series=len(found),
        both=both,
        no_realised=sum(t.realised is None for t in found),
        no_target=sum(t.target is None for t in found),
    )
    against = [t for t in found if t.against]
    every = Grid(
        words("captions.targets_all"), heads(words, *_TARGET_HEADS, "reason"),
        tuple(_target_row(t, words) for t in found),
    )  # fmt: skip
    grids = [_counts_grid(found, words)]
    if against:
        rows = tuple(_target_row(t, words)[:-1] for t in against)
        caption = words("captions.targets_against", n=len(against))
        grids.append(Grid(caption, heads(words, *_TARGET_HEADS), rows))
    return named(
        "targets", words, figures=_figures(item), texts=(coverage,), grids=tuple(grids),
        folded=(every,), folded_title=words("targets.all", n=len(found)),
    )  # fmt: skip


_TARGET_HEADS = ("department", "indicator", "direction", "unit", "#realised", "#target")


def _counts_grid(found: Sequence[Target], words: Words) -> Grid:
    counts = facts.target_counts(found)
    rows = []
    for direction in facts.DIRECTIONS:
        row = counts[direction]
        marked = {"UP": "below", "DOWN": "above"}.get(direction)
        rows.append(
            (
                Box(words(f"directions.{direction or 'none'}"), head=True),
                *(
                    number(words.value(row[v]), "strong" if v == marked else "")
                    for v in facts.VERDICTS
                ),
                number(words.value(sum(row.values()))),
            )
        )
    sums = [sum(counts[d][v] for d in facts.DIRECTIONS) for v in facts.VERDICTS]
    foot = (
        Box(words("page.total"), head=True),
        *(number(words.value(n)) for n in (*sums, sum(sums))),
    )
    names = ("direction", "#below", "#equal", "#above", "#both")
    return Grid(words("captions.targets"), heads(words, *names), tuple(rows), foot)


def _target_row(series: Target, words: Words) -> tuple[Box, ...]:
    aside = series.indicator if series.sub_indicator else ""
    direction = words(f"directions.{series.direction or 'none'}")
    reason = words.reason(series.reason) if series.reason else ""
    return (
        Box(series.department_name(words)),
        source(series.label, head=True, aside=aside),
        Box(direction, tone="short"),
        Box(words.unit(series.unit, series.mult)),
        number(series.shown(series.realised, words)),
        number(series.shown(series.target, words), "strong"),
        Box(reason, tone="quiet"),
    )


def national_section(item: Item, words: Words) -> Section:
    """Return the national gaps: small multiples, first and latest values."""
    rows = tuple(_trend_row(t, words) for t in facts.trends(item.result))
    names = ("indicator", "first", "#women", "#men", "#gap", "last", "#women", "#men", "#gap",
             "sources")  # fmt: skip
    grid = Grid(words("captions.national"), heads(words, *names), rows)
    return named("national", words, figures=_figures(item), grids=(grid,))


def _trend_row(trend: Trend, words: Words) -> tuple[Box, ...]:
    first, last = trend.points[0], trend.points[-1]
    sources = ", ".join(dict.fromkeys(p.source for p in trend.points if p.source))
    groups = (words.code(f"CL_{name}", code) for name, code in trend.groups)
    about = ", ".join((*groups, words.unit(trend.unit, trend.mult)))
    values: list[Box] = []
    for i, point in enumerate((first, last)):
        if i == 0 and len(trend.points) == 1:
            values += [Box(DASH, tone="quiet"), *(number(DASH, "quiet") for _ in range(3))]
            continue
        values += [
            Box(words.aside(words.period(point.period)), tone="short"),
            number(point.shown(point.women, words), "women"),
            number(point.shown(point.men, words), "men"),
            number(point.shown_gap(words), "strong"),
        ]
    return (
        Box(trend.indicator, "source", head=True, aside=about),
        *values,
        source(sources),
    )
