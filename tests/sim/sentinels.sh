#!/bin/sh
# Simulated sentinels: fresh seeds, seeds that once failed, planted faults that must be found.
# sentinels.sh REGENT-SIM-SENTINEL REGENT-SIM-SENTINEL-PLANTED
set -u
failed=0
"$1" --seeds 150 || failed=1
# 70: a leader whose failover was overtaken by one back to the address before it.
for seed in 70; do
    "$1" --seed "$seed" || failed=1
done
"$2" --planted vote-twice --seeds 300 || failed=1
exit $failed
