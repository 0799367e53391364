#!/usr/bin/python3
"""The rules of the house, as tests. usage: house.py BUILD_DIR CHECK; prints TAP."""

import concurrent.futures
import glob
import hashlib
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JOBS = max(1, os.cpu_count() or 1)
MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100

# Layers below the host: they hold no writable globals and reach for nothing outside.
PURE = ["base", "proto", "store", "log", "core", "sentinel", "cmd", "node"]

# What the pure layers may not call: clock, randomness, files, sockets, threads, environment.
IMPURE = set("""
time gettimeofday clock_gettime clock clock_getres times localtime localtime_r timespec_get ftime
rand random srand srandom drand48 lrand48 mrand48 rand_r getrandom getentropy arc4random
open openat open64 creat read pread write pwrite readv writev close fopen fopen64 fdopen freopen
fread fwrite fgets fgetc getc fputs fputc putc fprintf vfprintf printf vprintf puts putchar perror
fflush fclose stdin stdout stderr rename renameat unlink mkdir stat fstat lstat fsync fdatasync mmap
ftruncate opendir readdir dprintf syslog openlog
socket connect bind listen accept accept4 send sendto sendmsg recv recvfrom recvmsg poll select
epoll_create1 epoll_ctl epoll_wait getaddrinfo gethostbyname shutdown setsockopt getsockopt
fork execve execv execvp system popen signal sigaction kill pthread_create pthread_mutex_lock
sleep usleep nanosleep clock_nanosleep getenv secure_getenv setenv putenv getpid exit _exit atexit
setlocale syscall
""".split())
# The exceptions: the last words of a failed assertion, and memory that belongs to no file.
IMPURE_ALLOWED = {"panic.c.o": {"stderr", "fprintf", "vfprintf", "fputs", "fputc", "putc",
                                "fwrite", "fflush"},
                  "pages.c.o": {"mmap"}}

# Written in pieces, so that this file does not trip over itself.
WORDS = [
    (r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b|not imple" r"mented|unimple" r"mented",
     re.compile(r"^(src|sim|scripts|deploy|tests)/"), "a hole left open"),
    (r"(?<![\w.])/(wo" r"rk|ho" r"me|ro" r"ot)/|/tmp/[a-z]",
     re.compile(r""), "a path of somebody's machine"),
]


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, name, problems):
        self.count += 1
        if problems:
            self.failed += 1
        for problem in problems:
            print("# " + problem)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}", flush=True)


def files(*suffixes, under=("",)):
    """The project's own files, as git knows them, new ones included."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.splitlines()
    return sorted(path for path in set(listed)
                  if path.endswith(suffixes) and path.startswith(tuple(under))
                  and os.path.isfile(os.path.join(ROOT, path)))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return [problem for problems in pool.map(function, items) for problem in problems]


# ---- Layers ----

def layer_table():
    """Layer -> set of layers whose headers it may include, from docs/architecture.md."""
    table = {}
    for match in re.finditer(r"^\| `(?:src/)?(\w+)/?` \| ([^|]*) \|", read("docs/architecture.md"),
                             re.M):
        name, rule = match.group(1), match.group(2).strip()
        if rule == "all above":
            allowed = set(table)
        elif rule == "node and below":
            allowed = set(PURE)
        else:
            allowed = set(re.findall(r"\w+", rule))
        table[name] = allowed
    return table


def check_layers(tap, build):
    table = layer_table()
    tap.result("docs/architecture.md names every layer of src",
               [f"src/{name} is in no row of the table" for name in
                sorted({path.split("/")[1] for path in files(".c", ".h", under=["src/"])})
                if name not in table])
    for layer in sorted(table):
        folder = "sim/" if layer == "sim" else f"src/{layer}/"
        problems = []
        for path in files(".c", ".h", under=[folder]):
            for number, line in enumerate(read(path).splitlines(), 1):
                match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if match is None:
                    continue
                target = match.group(1).split("/")[0] if "/" in match.group(1) else None
                if target is None:
                    problems.append(f"{path}:{number}: {line.strip()}: not qualified by its layer")
                elif target != layer and target not in table[layer]:
                    problems.append(f"{path}:{number}: {layer} may not include {target}")
        tap.result(f"{layer} includes only what lies below it", problems)


# ---- Symbols ----

def check_symbols(tap, build):
    for layer in PURE:
        archives = sorted(glob.glob(os.path.join(build, "src", layer, "*.a")))
        problems = [] if archives or not files(".c", under=[f"src/{layer}/"]) else ["no library"]
        tap.result(f"{layer} is built", problems)
        tap.result(f"{layer} holds no writable globals",
                   [problem for path in archives for problem in writable_globals(path)])
        tap.result(f"{layer} reaches for no clock, file, socket or random source",
                   [problem for path in archives for problem in impure_calls(path)])


def writable_globals(path):
    output = subprocess.run(["nm", "-A", "-f", "sysv", "--defined-only", path], check=True,
                            capture_output=True, text=True).stdout
    problems = []
    for line in output.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) < 7 or not fields[2] or fields[2] not in "bBdDCsSgG":
            continue
        section = fields[6]
        if section.startswith((".data.rel.ro", ".rodata")) or fields[3] == "SECTION":
            continue
        problems.append(f"{fields[0].split('/')[-1]} in {section or 'common'}")
    return problems


def impure_calls(path):
    output = subprocess.run(["nm", "-A", "--undefined-only", path], check=True,
                            capture_output=True, text=True).stdout
    problems = []
    for line in output.splitlines():
        match = re.search(r"([^/:]+\.o):\s+[Uw] (\S+)$", line)
        if match is None:
            continue
        name = re.sub(r"^__(\w+)_chk$|^__isoc99_(\w+)$", lambda m: m[1] or m[2], match.group(2))
        allowed = next((names for suffix, names in IMPURE_ALLOWED.items()
                        if match.group(1).endswith(suffix)), set())
        if name in IMPURE and name not in allowed:
            problems.append(f"{match.group(1)} calls {name}")
    return problems


# ---- Headers ----

def check_headers(tap, build):
    headers = files(".h", under=["src/", "sim/", "tests/"])
    for compiler in ["gcc", "clang"]:
        def alone(header, compiler=compiler):
            done = subprocess.run(
                [compiler, "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                 "-Wno-unused-parameter", "-Wno-unused-function", "-D_GNU_SOURCE",
                 '-DRG_VERSION="x"', "-Isrc", "-I.", "-I" + os.path.join(build, "src"), "-x", "c", header],
                cwd=ROOT, capture_output=True, text=True, check=False)
            return [] if done.returncode == 0 else [f"{header}:"] + done.stderr.splitlines()[:6]
        tap.result(f"each header compiles alone with {compiler}", parallel(alone, headers))


# ---- Form ----

def check_format(tap, build):
    def formatted(path):
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", path], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        return [] if done.returncode == 0 else [f"{path}: run make format"]
    tap.result("clang-format has nothing to say", parallel(formatted, files(".c", ".h")))


def check_sizes(tap, build):
    long_files, long_functions = [], []
    for path in files(".c", ".h"):
        lines = read(path).splitlines()
        is_data = re.search(r"(_table|_data|_docs)\.c$", path)
        if len(lines) > MAX_FILE_LINES and not is_data:
            long_files.append(f"{path} has {len(lines)} lines")
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                if number - start > MAX_FUNCTION_LINES:
                    long_functions.append(f"{path}:{start}: a function of {number - start} lines")
                start = None
    tap.result(f"no file over {MAX_FILE_LINES} lines but tables of data", long_files)
    tap.result(f"no function over {MAX_FUNCTION_LINES} lines", long_functions)


def check_words(tap, build):
    paths = [path for path in files() if not path.startswith("tests/fuzz/corpus/")
             and not path.endswith(("package-lock.json", ".rdb"))]
    for pattern, where, what in WORDS:
        regex = re.compile(pattern)
        problems = []
        for path in paths:
            if not where.search(path):
                continue
            for number, line in enumerate(read(path).splitlines(), 1):
                if regex.search(line):
                    problems.append(f"{path}:{number}: {line.strip()[:100]}")
        tap.result(f"nowhere {what}", problems)


# ---- clang-tidy ----

def check_tidy(tap, build):
    """A file that passed is not read again until it, a header or the rules change."""
    sources = files(".c", under=["src/", "sim/"])
    database = read(os.path.relpath(os.path.join(build, "compile_commands.json"), ROOT))
    sources = [path for path in sources if f"/{path}\"" in database]
    common = hashlib.sha256(read(".clang-tidy").encode())
    for header in files(".h", under=["src/", "sim/"]):
        common.update(read(header).encode())
    cache = os.path.join(build, "tidy-passed")
    os.makedirs(cache, exist_ok=True)

    def tidy(path):
        digest = common.copy()
        digest.update(path.encode() + b"\0" + read(path).encode())
        mark = os.path.join(cache, digest.hexdigest())
        if os.path.exists(mark):
            return []
        done = subprocess.run(["clang-tidy", "-p", build, "--quiet",
                               "--extra-arg=-Wno-unknown-warning-option", path],
                              cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            with open(mark, "w", encoding="utf-8"):
                pass
            return []
        return [path + ":"] + (done.stdout + done.stderr).splitlines()[:30]

    tap.result(f"clang-tidy has nothing to say of {len(sources)} files", parallel(tidy, sources))
    for old in sorted(glob.glob(os.path.join(cache, "*")), key=os.path.getmtime)[:-2000]:
        os.unlink(old)


CHECKS = {
    "layers": check_layers,
    "symbols": check_symbols,
    "headers": check_headers,
    "format": check_format,
    "sizes": check_sizes,
    "words": check_words,
    "tidy": check_tidy,
}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in CHECKS:
        print(f"usage: {sys.argv[0]} BUILD_DIR {'|'.join(CHECKS)}", file=sys.stderr)
        return 2
    tap = Tap()
    CHECKS[sys.argv[2]](tap, os.path.abspath(sys.argv[1]))
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
