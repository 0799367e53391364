#!/bin/sh
# Installs what is missing of scripts/packages.txt, and says so. The argument names the step that
# needs it: build, demo (build too), test (both too) or bench (build too). Does nothing, silently,
# where all is there.
set -eu

step=${1:-build}
list=$(dirname "$0")/packages.txt
case $step in
build) sections='[build]' ;;
demo) sections='[build] [demo]' ;;
test) sections='[build] [demo] [test]' ;;
bench) sections='[build] [bench]' ;;
*)
    echo "usage: $0 build|demo|test|bench" >&2
    exit 2
    ;;
esac

wanted=$(awk -v sections=" $sections " '
    /^\[/ { wanted = index(sections, " " $1 " ") > 0; next }
    { sub(/#.*/, "") }
    wanted && NF { print $1 }' "$list")

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "install-packages: this is not Debian; please see to these packages yourself:" >&2
    echo "$wanted" >&2
    exit 0
fi

# A package counts as present where another one provides it (NodeSource's nodejs has npm inside).
present=$(dpkg-query -W -f='${db:Status-Status}|${Package}, ${Provides}\n' |
    sed -n 's/^installed|//p' | tr ',' '\n' | sed 's/(.*//; s/[[:space:]]//g')
missing=
for package in $wanted; do
    printf '%s\n' "$present" | grep -Fqx -- "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "install-packages: missing for '$step':$missing"
if [ "$(id -u)" -eq 0 ]; then
    root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    root='sudo -n'
else
    echo "install-packages: installing needs root: run as root, or give this user sudo, or run" >&2
    echo "    apt-get install$missing" >&2
    exit 1
fi

echo "install-packages: apt-get install --no-install-recommends$missing"
export DEBIAN_FRONTEND=noninteractive
# redis-server's package must not start a server of its own: the tests start theirs.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod 755 "$policy"
fi
status=0
$root apt-get update -q </dev/null || echo "install-packages: apt-get update failed; trying with the lists that are there" >&2
# shellcheck disable=SC2086 # the names are to be split
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing </dev/null ||
    status=$?
[ -z "$made_policy" ] || $root rm -f "$policy"
if [ "$status" -ne 0 ]; then
    echo "install-packages: apt-get failed with status $status; its words are above" >&2
    exit 1
fi
echo "install-packages: done"
