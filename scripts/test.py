#!/usr/bin/python3
"""Runs every test of the project and ends with one line: N passed, N failed.

Three build directories, so that the whole stays affordable on two cores:
  build        gcc, optimized: unit tests, checks of the house, simulator, interop
  build-clang  clang, AddressSanitizer, UndefinedBehaviorSanitizer, libFuzzer: unit tests, fuzzing
  build-tsan   gcc, ThreadSanitizer: the tests of what has threads (src/io)
"""

import argparse
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"
JOBS = max(1, os.cpu_count() or 1)
STEPS = ["gcc", "clang", "tsan", "house", "unit", "sanitized", "threads", "sim", "fuzz", "interop"]

SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.failures = []

    def add(self, passed, failed, names=()):
        self.passed += passed
        self.failed += failed
        self.failures += names


TALLY = Tally()
STARTED = time.monotonic()


def say(text):
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"[{minutes:02d}:{seconds:02d}] {text}", flush=True)


def run(argv, timeout=None, env=None, cwd=ROOT):
    """Returns (status, output). A timeout is a failure that says so."""
    process = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**os.environ, **(env or {})},
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, output.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        text = output.decode("utf-8", "replace")
        return 124, text + f"\n# killed: it took more than {timeout} s\n"


def show_tail(output, lines=60):
    for line in output.rstrip().splitlines()[-lines:]:
        print("    " + line, flush=True)


# ---- Builds ----

def build(directory, options, env=None):
    path = os.path.join(ROOT, directory)
    status, output = 0, ""
    if not os.path.exists(os.path.join(path, "build.ninja")):
        status, output = run(["meson", "setup", directory, *options], env=env)
    if status == 0:
        status, output = run(["ninja", "-C", directory, f"-j{JOBS}"])
    ok = status == 0
    TALLY.add(int(ok), int(not ok), [] if ok else [f"build of {directory}"])
    say(f"{directory}: {'built' if ok else 'BUILD FAILED'}")
    if not ok:
        show_tail(output)
    return ok


def build_gcc():
    # The directory may be one that `make` set up with the user's own compiler; that is fine too.
    return build("build", [], {"CC": os.environ.get("CC", "gcc")})


def build_clang():
    return build("build-clang", ["-Dfuzz=true", "-Db_sanitize=address,undefined",
                                 "-Db_lundef=false"], {"CC": "clang"})


def build_tsan():
    return build("build-tsan", ["-Db_sanitize=thread"], {"CC": "gcc"})


# ---- Programs that print TAP ----

def introspect(directory):
    path = os.path.join(ROOT, directory, "meson-info", "intro-tests.json")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def count_tap(output):
    passed = len(re.findall(r"^ok\b", output, re.M))
    failed = len(re.findall(r"^not ok\b(?!.*# TODO)", output, re.M))
    plan = re.search(r"^1\.\.(\d+)", output, re.M)
    if plan is None or int(plan.group(1)) != passed + failed:
        failed += 1  # it ended before its plan: a crash counts once
    return passed, failed


def run_one(test, directory, scale):
    timeout = (test.get("timeout") or 30) * scale
    started = time.monotonic()
    status, output = run(test["cmd"], timeout, {**SANITIZER_ENV, **test.get("env", {})},
                         test.get("workdir") or os.path.join(ROOT, directory))
    if test["protocol"] == "tap":
        passed, failed = count_tap(output)
        if status != 0 and failed == 0:
            failed = 1
    else:
        passed, failed = int(status == 0), int(status != 0)
    return test, passed, failed, output, time.monotonic() - started


def run_tests(title, directory, choose, scale=1, jobs=JOBS):
    tests = [test for test in introspect(directory) if choose(test["name"])]
    if not tests:
        say(f"{title}: nothing to run")
        return
    say(f"{title}: {len(tests)} programs in {directory}")
    sum_passed = sum_failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run_one, test, directory, scale) for test in tests]
        for future in concurrent.futures.as_completed(futures):
            test, passed, failed, output, seconds = future.result()
            name = f"{directory}: {test['name']}"
            TALLY.add(passed, failed, [name] if failed else [])
            sum_passed += passed
            sum_failed += failed
            if failed:
                say(f"  {test['name']}: {passed} passed, {failed} FAILED ({seconds:.1f} s)")
                show_tail("\n".join(line for line in output.splitlines()
                                    if not re.match(r"ok \d", line)))
                print("    again: " + " ".join(test["cmd"]), flush=True)
            elif seconds > 5:
                say(f"  {test['name']}: {passed} passed ({seconds:.1f} s)")
                if is_sim(test["name"]) and output.strip():
                    show_tail(output, 3)
    say(f"{title}: {sum_passed} passed, {sum_failed} failed")


def is_house(name):
    return name.startswith("house/")


def is_sim(name):
    return name.startswith("sim/")


def is_unit(name):
    return not is_house(name) and not is_sim(name)


def is_sanitized(name):
    # That planted faults are found is shown once; a sanitizer adds minutes and nothing else.
    return is_unit(name) and not name.startswith("core/planted")


# ---- Fuzzing ----

def fuzz_one(binary, seconds):
    name = os.path.basename(binary)[len("fuzz_"):]
    work = os.path.join(ROOT, "build-clang", "fuzz", name)
    os.makedirs(os.path.join(work, "corpus"), exist_ok=True)
    committed = os.path.join(ROOT, "tests", "fuzz", "corpus", name)
    corpus = [os.path.join(work, "corpus")] + ([committed] if os.path.isdir(committed) else [])
    argv = [binary, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
            "-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={work}/", *corpus]
    status, output = run(argv, seconds + 120, SANITIZER_ENV)
    runs = re.search(r"number_of_executed_units:\s*(\d+)", output)
    return name, status, output, int(runs.group(1)) if runs else 0


def fuzz(seconds):
    folder = os.path.join(ROOT, "build-clang", "tests", "fuzz")
    binaries = sorted(os.path.join(folder, file) for file in os.listdir(folder)
                      if file.startswith("fuzz_") and os.access(os.path.join(folder, file), os.X_OK)
                      and os.path.isfile(os.path.join(folder, file)))
    if not binaries:
        say("fuzz: no targets")
        return
    say(f"fuzz: {len(binaries)} targets, {seconds} s each")
    with concurrent.futures.ThreadPoolExecutor(min(2, JOBS)) as pool:
        for name, status, output, runs in pool.map(lambda binary: fuzz_one(binary, seconds),
                                                   binaries):
            ok = status == 0
            TALLY.add(int(ok), int(not ok), [] if ok else [f"fuzz target {name}"])
            say(f"  {name}: {runs} inputs{'' if ok else ', FAILED'}")
            if not ok:
                show_tail(output)


# ---- Interop and processes ----

def interop(rounds, select=None):
    folder = os.path.join(ROOT, "tests", "interop")
    if not os.path.isdir(folder):
        say("interop: no tests")
        return
    if shutil.which("npm") and not os.path.isdir(os.path.join(folder, "node_modules", "ioredis")):
        status, output = run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], 300,
                             cwd=folder)
        if status != 0:
            say("interop: npm ci failed; the tests of ioredis will fail")
            show_tail(output, 10)
    say("interop: pytest")
    report = os.path.join(ROOT, "build", "interop.xml")
    argv = [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--tb=short",
            f"--junitxml={report}", folder] + (["-k", select] if select else [])
    process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT,
                               env={**os.environ, "ROUNDS": str(rounds),
                                    "PYTHONDONTWRITEBYTECODE": "1"})
    output = []
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        output.append(line)
        print("    " + line, flush=True)
    status = process.wait()
    passed, failed = count_pytest(output[-1] if output else "")
    if status != 0 and failed == 0:
        failed = 1
    names = [line.split(" ")[1] for line in output if re.match(r"(FAILED|ERROR) ", line)]
    TALLY.add(passed, failed, names or (["interop"] if failed else []))
    say(f"interop: {passed} passed, {failed} failed")


def count_pytest(line):
    def number(word):
        match = re.search(rf"(\d+) {word}", line)
        return int(match.group(1)) if match else 0
    return number("passed"), number("failed") + number("error")


# ---- Soak ----

def soak(seconds, rounds, commands, megabytes):
    if not build_gcc():
        return
    program = os.path.join(ROOT, "build", "sim", "regent-sim")
    if os.path.exists(program):
        seed = random.randrange(1 << 20, 1 << 40)  # make test runs the first ones
        say(f"simulator: {seconds} s of seeds from {seed} on")
        ok = subprocess.run([program, "--seed", str(seed), "--seconds", str(seconds)], cwd=ROOT,
                            stdin=subprocess.DEVNULL, check=False).returncode == 0
        TALLY.add(int(ok), int(not ok), [] if ok else ["simulator"])
    if rounds > 0:
        interop(rounds, "failover or test_partition or test_crash or test_durability")
    if commands > 0:
        os.environ["COMMANDS"] = str(commands)
        interop(rounds, "test_differential or test_random_commands")
    if megabytes > 0:
        os.environ["MEGABYTES"] = str(megabytes)
        interop(rounds, "killed_in_turn")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="steps, separated by commas: " + ",".join(STEPS))
    parser.add_argument("--fuzz-seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", 30)))
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 2)))
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--commands", type=int, default=0, help="of a soak, random ones")
    parser.add_argument("--megabytes", type=int, default=0, help="of a soak, of the log on disk")
    args = parser.parse_args()
    os.chdir(ROOT)

    if args.soak:
        soak(args.seconds, args.rounds, args.commands, args.megabytes)
    else:
        steps = args.only.split(",") if args.only else STEPS
        unknown = set(steps) - set(STEPS)
        if unknown:
            parser.error("no such step: " + ", ".join(sorted(unknown)))
        run_steps(steps, args)

    if TALLY.failures:
        say("failed: " + "; ".join(TALLY.failures))
    print(f"{TALLY.passed} passed, {TALLY.failed} failed", flush=True)
    return 1 if TALLY.failed or TALLY.passed == 0 else 0


def run_steps(steps, args):
    """A step whose build failed is left out: the failed build is counted already."""
    builds = {"gcc": build_gcc, "clang": build_clang, "tsan": build_tsan}
    built = {name: builds[name]() if name in steps
             else os.path.exists(os.path.join(ROOT, directory, "build.ninja"))
             for name, directory in
             [("gcc", "build"), ("clang", "build-clang"), ("tsan", "build-tsan")]}
    plan = [
        ("house", "gcc", lambda: run_tests("house", "build", is_house, jobs=1)),
        ("unit", "gcc", lambda: run_tests("unit tests", "build", is_unit)),
        ("sanitized", "clang",
         lambda: run_tests("unit tests, sanitized", "build-clang", is_sanitized, scale=8)),
        ("threads", "tsan",
         lambda: run_tests("tests with threads", "build-tsan",
                           lambda name: name.startswith("io/"), scale=5)),
        ("sim", "gcc", lambda: run_tests("simulator", "build", is_sim)),
        ("fuzz", "clang", lambda: fuzz(args.fuzz_seconds)),
        ("interop", "gcc", lambda: interop(args.rounds)),
    ]
    for name, needs, action in plan:
        if name in steps and built[needs]:
            action()


if __name__ == "__main__":
    sys.exit(main())
