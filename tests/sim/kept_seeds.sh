#!/bin/sh
# Runs every seed of a list: kept_seeds.sh REGENT-SIM LIST
set -u
failed=0
while read -r line; do
    options=${line%%#*}
    [ -n "$(printf '%s' "$options" | tr -d ' \t')" ] || continue
    # shellcheck disable=SC2086: options are words
    "$1" --seed $options || failed=1
done < "$2"
exit $failed
