# A thin front for habit; Meson and Ninja do the work. `make help` lists the targets.
PYTHON := /usr/bin/python3
SECONDS ?= 60
ROUNDS ?= 20
COMMANDS ?= 1000000
MEGABYTES ?= 5000
JOBS ?= $(shell nproc)

.PHONY: all release demo test soak fuzz bench lint format clean help

all:
	@scripts/install-packages.sh build
	@test -f build/build.ninja || meson setup build
	@ninja -C build -j$(JOBS)

release:
	@scripts/install-packages.sh build
	@test -f build-release/build.ninja || meson setup build-release -Dlto=true -Dtests=false
	@ninja -C build-release -j$(JOBS) regent

demo:
	@scripts/install-packages.sh demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) scripts/demo.py

test:
	@scripts/install-packages.sh test
	@$(PYTHON) scripts/test.py

soak:
	@scripts/install-packages.sh test
	@$(PYTHON) scripts/test.py --soak --seconds $(SECONDS) --rounds $(ROUNDS) \
		--commands $(COMMANDS) --megabytes $(MEGABYTES)

fuzz:
	@scripts/install-packages.sh test
	@$(PYTHON) scripts/test.py --only clang,fuzz --fuzz-seconds $(SECONDS)

bench:
	@scripts/install-packages.sh bench
	@$(MAKE) --no-print-directory release
	@$(PYTHON) bench/bench.py --regent build-release/regent $(BENCH)

lint:
	@scripts/install-packages.sh test
	@$(PYTHON) scripts/test.py --only gcc,house

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-release build-clang build-tsan build-gcc-asan

help:
	@echo 'make                 build/regent'
	@echo 'make release         build-release/regent, optimized at link time: what is measured and packed'
	@echo 'make demo            three nodes, a kill, a failover, nothing lost (HOLD=1 leaves them up)'
	@echo 'make test            every test; ends with "N passed, N failed"'
	@echo 'make soak SECONDS=n  the simulator on fresh seeds for n seconds, then ROUNDS process failovers,'
	@echo '                     and ten times as many kills of a server under load,'
	@echo '                     then COMMANDS random commands beside redis-server, then'
	@echo '                     MEGABYTES of log in a group whose nodes are killed in turn'
	@echo 'make fuzz SECONDS=n  each fuzz target for n seconds'
	@echo 'make bench           beside redis-server: CPU per command, latency, memory (BENCH="--rows ... --rounds n --quick --help")'
	@echo 'make lint            layers, symbols, headers, formatting, clang-tidy'
	@echo 'make format          clang-format in place'
	@echo 'make clean           removes the build directories'
