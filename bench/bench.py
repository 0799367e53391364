#!/usr/bin/python3
"""Measures Regent beside redis-server: CPU time of the server per command, latency and memory.

The servers run on one core, the client on another. Each row alternates between them, as many rounds
as asked for, and shows medians; the ratio is Regent's figure divided by Redis'. Figures, a table and
a plot go to bench/results; the rows of README's table are printed at the end.

A row ends after so many seconds (--row-seconds) with the rounds that it has, three at least. What else
the machine did meanwhile is measured, too, and stands beside the figures: they are only as good as
that.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import time

import report
import rows
import servers

PORT = 21680


def say(text):
    print(text, flush=True)


def own_cpu_s():
    """CPU time of this process and of those that it started and that have ended."""
    return sum(used.ru_utime + used.ru_stime for used in
               (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def machine_cpu_s():
    """CPU time that the machine was at work, whoever for; stolen time is work of another machine."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = (int(n) for n in file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Others:
    """The share of the machine's time that went to others than the benchmark, while it measured."""

    def __enter__(self):
        self.began = time.monotonic(), own_cpu_s(), machine_cpu_s()
        self.share = 0.0
        return self

    def __exit__(self, *_):
        then, own, all_of_it = self.began
        foreign = machine_cpu_s() - all_of_it - (own_cpu_s() - own)
        elapsed = max(time.monotonic() - then, 0.01)
        self.share = max(0.0, foreign / elapsed / os.cpu_count())


def run_alternating(row, kinds, args):
    """{kind: [figures of each round]} with all servers up, one at a time at work."""
    enough = 3
    results = {kind: [] for kind in kinds}
    running = []
    try:
        for i, kind in enumerate(kinds):
            running.append(servers.start(kind, args.port + i, args.regent))
        for server in reversed(running):
            row.prepare(server, args.quick)
        end = time.monotonic() + args.row_seconds
        for number in range(args.rounds):
            if number >= enough and time.monotonic() > end:
                break
            # Neither is always the one that runs first.
            order = running if number % 2 == 0 else running[::-1]
            for server in order:
                results[server.kind].append(row.run(server, args.quick))
    finally:
        for server in running:
            server.stop()
    return results


def run_alone(row, kinds, args):
    results = {}
    for kind in kinds:
        with servers.start(kind, args.port, args.regent) as server:
            row.prepare(server, args.quick)
            results[kind] = [row.run(server, args.quick)]
    return results


def run_row(row, args):
    kinds = ["regent", "redis"]
    if row.floor:
        kinds += ["floor-uring", "floor-epoll"]
    if row.once:
        return run_alone(row, kinds, args)
    return run_alternating(row, kinds, args)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True,
                           check=True).stdout.split()[2]
    commit = subprocess.run(["git", "-C", str(servers.ROOT), "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"cpu": models[0] if models else "", "cores": os.cpu_count(),
            "kernel": platform.release(), "redis": redis, "regent": commit,
            "load_before": os.getloadavg()[0], "date": time.strftime("%Y-%m-%d %H:%M")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="only rows whose names hold one of these words, "
                        "separated by ';'")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row-seconds", type=float, default=60, metavar="S",
                        help="a row that took longer has no more rounds, but three at least")
    parser.add_argument("--divide", type=int, default=1, metavar="N",
                        help="an N-th of the requests in each round")
    parser.add_argument("--merge", action="store_true",
                        help="keeps the rows of the last run that this one does not measure")
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests, 1 round")
    parser.add_argument("--regent", type=pathlib.Path, default=servers.ROOT / "build" / "regent")
    parser.add_argument("--out", type=pathlib.Path, default=servers.HERE / "results")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--list", action="store_true", help="names the rows and ends")
    args = parser.parse_args()
    args.regent = args.regent.resolve()  # servers run in directories of their own
    wanted = [word.lower() for word in args.rows.split(";") if word]
    chosen = [row for row in rows.ROWS
              if not wanted or any(word in row.name.lower() for word in wanted)]
    if args.list:
        say("\n".join(row.name for row in chosen))
        return 0
    if args.quick:
        args.rounds = 1
    rows.Row.divide_by = args.divide
    servers.build_tools()
    about = machine()
    about["rounds"] = args.rounds
    say(f"Regent {about['regent']} beside Redis {about['redis']}, {about['cpu']}, "
        f"{about['cores']} cores, Linux {about['kernel']}, {args.rounds} rounds, "
        f"load {about['load_before']:.2f}")
    table = []
    for number, row in enumerate(chosen, 1):
        try:
            with Others() as others:
                results = run_row(row, args)
        except (subprocess.SubprocessError, RuntimeError, OSError) as error:
            detail = getattr(error, "stderr", "") or ""
            say(f"[{number}/{len(chosen)}] {row.name}: failed: {error} {detail.strip()}")
            table.append({"name": row.name, "failed": str(error)})
            continue
        table.append(report.line(row, results) | {"others": others.share})
        say(f"[{number}/{len(chosen)}] {report.text(table[-1])}")
    if args.merge:
        table = report.merge(args.out, table, [row.name for row in rows.ROWS])
    about["load_after"] = os.getloadavg()[0]
    report.save(args.out, about, table)
    say(f"saved to {args.out}; README's rows:\n")
    say(report.readme(table))
    return 1 if any("failed" in entry for entry in table) else 0


if __name__ == "__main__":
    sys.exit(main())
