#!/bin/sh
# One seed is one trace: determinism.sh REGENT-SIM. Each seed runs in two processes, alone and behind
# another one, and the hashes of everything that happened must be equal.
set -u
for seed in 3 14 159 2653; do
    first=$("$1" --seed $seed --trace | grep '^trace of seed')
    again=$("$1" --seed $((seed - 1)) --seeds 2 --trace | grep "^trace of seed $seed:")
    echo "$first"
    if [ "$first" != "$again" ]; then
        echo "but then: $again"
        exit 1
    fi
done
