#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The binary interface of libicp is as client/libicp.abi says: test_abi.sh LIBRARY HEADERS KEPT.
# First the control: a struct that has grown and a function that is gone must be found. Exits with
# 77 (skipped) where there is no abidw.
#
# A change that is meant: see that it does no harm to programs that are built already (members only
# at the end of structs that begin with a size, new functions), or raise the major version; then
#     abidw $(sed -n 's/^flags="\(.*\)"$/\1/p' tests/unit/client/test_abi.sh) \
#         --headers-dir build/check/generated/installed --out-file client/libicp.abi \
#         build/check/client/libicp.so
set -eu
library=$1
headers=$2
kept=$3
flags="--exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-show-locs --drop-private-types"
command -v abidw >/dev/null && command -v abidiff >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

same() { # BEFORE AFTER
    abidiff "$1" "$2" >"$work/report"
}

# shellcheck disable=SC2086 # flags are words
abidw $flags --headers-dir "$headers" --out-file "$work/now.abi" "$library"
grep -q "name='icp_call'" "$work/now.abi" || { echo "abidw saw no function of libicp"; exit 1; }

sed '/<elf-symbol name=.icp_call_within. /d; /<function-decl name=.icp_call_within. /,/<\/function-decl>/d' \
    "$work/now.abi" >"$work/fewer.abi"
if same "$work/now.abi" "$work/fewer.abi"; then
    echo "abidiff does not find a function that is gone"
    exit 1
fi
sed "s/\(<class-decl name='icp_options' size-in-bits='\)[0-9]*/\18/" "$work/now.abi" >"$work/grown.abi"
cmp -s "$work/now.abi" "$work/grown.abi" && { echo "the control changed nothing"; exit 1; }
if same "$work/now.abi" "$work/grown.abi"; then
    echo "abidiff does not find a struct of another size"
    exit 1
fi

if ! same "$kept" "$work/now.abi"; then
    cat "$work/report"
    echo "the binary interface has changed; $0 says what to do if that is meant"
    exit 1
fi
echo "the binary interface is as it was"
