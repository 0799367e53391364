#!/bin/sh
# Every planted fault is found within a bounded number of seeds: planted.sh REGENT-SIM-PLANTED
set -u
failed=0
hunt() {
    found=$("$program" --planted "$@") || failed=1
    printf '%s\n' "$found" | grep -v '^replay' | tail -2
}
program=$1
hunt vote-not-durable --seeds 50
hunt no-promises --seeds 100
hunt early-ack --seeds 50
hunt deposed-acks --seeds 400
hunt stale-lease --seeds 2000
hunt empty-node-leads --seeds 1000
hunt keeps-diverged-log --seeds 1500
hunt ack-counted-twice --seeds 100
hunt half-transactions --seeds 2000
hunt disk-off-by-note --seeds 1000
hunt loses-aside --seeds 300
hunt ack-before-durable --seeds 2000
hunt believes-sync --seeds 1000
exit $failed
