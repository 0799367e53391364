"""What becomes of the figures: lines on the screen, a table in Markdown, JSON and a plot."""

import json

import rows


def line(row, results):
    """The medians of a row, and what its bound says of them."""
    figures = {kind: {name: rows.median(rounds, name) for name in rounds[0]}
               for kind, rounds in results.items()}
    ours, peer = figures["regent"][row.figure], figures["redis"][row.figure]
    ratio = ours / peer if peer else float("nan")
    entry = {"name": row.name, "unit": row.unit, "figure": row.figure, "regent": ours,
             "redis": peer, "ratio": ratio, "all": figures, "rounds": results}
    if row.bound and row.bound[1] is not None:
        kind, limit = row.bound
        entry["bound"] = {"kind": kind, "limit": limit,
                          "held": (ratio if kind == "ratio" else ours) <= limit}
    for kind in ("floor-uring", "floor-epoll"):
        if kind in figures:
            entry[kind] = figures[kind][row.figure]
    return entry


def number(value):
    return f"{value:.3f}" if value < 100 else f"{value:.0f}"


def bound_text(entry):
    bound = entry.get("bound")
    if not bound:
        return ""
    limit = f"{bound['limit']:.3g}"
    what = "ratio" if bound["kind"] == "ratio" else entry["unit"]
    return f"{what} ≤ {limit}: {'held' if bound['held'] else 'missed'}"


def text(entry):
    parts = [f"{entry['name']}: {number(entry['regent'])} against {number(entry['redis'])} "
             f"{entry['unit']}, ratio {entry['ratio']:.3f}"]
    if entry["ratio"] > 1:
        parts[0] += " (slower)"
    for kind in ("floor-uring", "floor-epoll"):
        if kind in entry:
            parts.append(f"{kind} {number(entry[kind])}")
    if entry.get("bound"):
        parts.append(bound_text(entry))
    parts.append(f"{len(entry['rounds']['regent'])} rounds, others {entry['others']:.0%}")
    return "; ".join(parts)


def readme_number(value, divide=1):
    value /= divide
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def readme(table):
    """The rows of README's table."""
    out = ["| row | Regent | Redis 7.0.15 | ratio | bound |", "|---|---|---|---|---|"]
    for entry in table:
        if "failed" in entry:
            out.append(f"| {entry['name']} | failed | | | |")
            continue
        bound = entry.get("bound")
        said = ""
        if bound:
            limit = f"{bound['limit']:,.4g}" if bound["kind"] == "ratio" else f"{bound['limit']:,}"
            said = "ratio " * (bound["kind"] == "ratio") + f"≤ {limit}: "
            said += "held" if bound["held"] else "**missed**"
        ratio = f"{entry['ratio']:.2f}"
        if entry["ratio"] > 1:
            ratio = f"**{ratio}, slower**"
        out.append(f"| {entry['name']} | {readme_number(entry['regent'])} | "
                   f"{readme_number(entry['redis'])} | {ratio} | {said} |")
    return "\n".join(out) + "\n"


def markdown(about, table):
    out = [f"Regent {about['regent']} beside redis-server {about['redis']}, {about['date']}: "
           f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}; medians of "
           f"{about['rounds']} alternating rounds; load before {about['load_before']:.2f}, after "
           f"{about['load_after']:.2f}; others than the benchmark had "
           f"{max((entry.get('others', 0) for entry in table), default=0):.0%} of the machine's CPU "
           f"time in the worst row, {sum(entry.get('others', 0) for entry in table) / max(len(table), 1):.0%} "
           "on average.", "",
           "| row | Regent | Redis | ratio | unit | bound |", "|---|---|---|---|---|---|"]
    for entry in table:
        if "failed" in entry:
            out.append(f"| {entry['name']} | failed | | | | |")
            continue
        out.append(f"| {entry['name']} | {number(entry['regent'])} | {number(entry['redis'])} | "
                   f"{entry['ratio']:.2f} | {entry['unit']} | {bound_text(entry)} |")
        for kind in ("floor-uring", "floor-epoll"):
            if kind in entry:
                out.append(f"| … {kind}: a server that parses nothing | {number(entry[kind])} | | "
                           f"| {entry['unit']} | |")
        details = {k: v for k, v in entry["all"]["regent"].items() if k.endswith("_us")}
        if len(details) > 1:
            for name in details:
                ours, peer = details[name], entry["all"]["redis"][name]
                out.append(f"| … {name[:-3]} | {number(ours)} | {number(peer)} | "
                           f"{ours / peer:.2f} | µs | |")
    return "\n".join(out) + "\n"


def plot(path, table):
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    entries = [entry for entry in table if "failed" not in entry][::-1]
    figure, axes = pyplot.subplots(figsize=(9, 0.32 * len(entries) + 1.4))
    colors = ["tab:blue" if entry["ratio"] <= 1 else "tab:red" for entry in entries]
    axes.barh([entry["name"] for entry in entries], [entry["ratio"] for entry in entries],
              color=colors)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xlabel("Regent divided by Redis (less is better)")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def merge(out, table, order):
    """The rows of this run, and of the one before those that it did not measure, in order."""
    entries = {}
    if (out / "bench.json").exists():
        with open(out / "bench.json", encoding="utf-8") as file:
            entries = {entry["name"]: entry for entry in json.load(file)["rows"]}
    entries.update({entry["name"]: entry for entry in table})
    return [entries[name] for name in order if name in entries]


def save(out, about, table):
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "bench.json", "w", encoding="utf-8") as file:
        json.dump({"about": about, "rows": table}, file, indent=1)
        file.write("\n")
    with open(out / "bench.md", "w", encoding="utf-8") as file:
        file.write(markdown(about, table))
    plot(out / "bench.png", table)
