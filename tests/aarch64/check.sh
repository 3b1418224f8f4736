#!/usr/bin/env bash
# Checks the C server of every machine that the package supports: its objects, and what it does.
#
# Needs gcc and libc headers for both machines, and qemu's user-mode emulation for the one that
# this is not (Debian, on x86_64: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user), and a
# PYTHON that has cffi, because ffi/build.py is what knows how our sources are compiled.
set -euo pipefail

python=$(command -v "${PYTHON:=python3}") || {
  echo "there is no $PYTHON (make machines names the right one)" >&2
  exit 2
}
python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
cd "$(dirname "$0")/../.."
here=$(uname -m)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
failed=0

bad() { # WHAT
  echo "FAIL  $1"
  failed=1
}

good() { # WHAT
  echo "ok    $1"
}

expect_nothing() { # WHAT OUTPUT
  if [ -z "$2" ]; then
    good "$1"
  else
    bad "$1"
    printf '%s\n' "$2" | head -20 | sed 's/^/        /'
  fi
}

compile() { # PREFIX MACHINE FFI-FOLDER TARGET
  mkdir -p "$4/stub"
  "$python" - "$@" <<'PROGRAM'
import sys
from pathlib import Path

prefix, machine, ffi, target = sys.argv[1:]
sys.path.insert(0, ffi)
from build import compile_objects, link_stub

compile_objects([prefix + "gcc"], machine, Path(target))
link_stub([prefix + "gcc"], machine, Path(target), Path(target, "stub"))
PROGRAM
}

# The server runs in a child that shares its parent's memory and thread register. So its objects
# may need nobody else's symbols, hold nothing that is written to, and never look at that register.
check_objects() { # PREFIX FOLDER MACHINE
  local prefix=$1 folder=$2 register
  local objects=("$folder/server.o" "$folder/entry_$3.o" "$folder/stub/stub.o"
    "$folder/stub/init.o" "$folder/stub/start_$3.o")
  case $3 in
    x86_64) register='%fs|%gs|fsbase|gsbase' ;;
    aarch64) register='tpidr' ;;
  esac
  "${prefix}nm" --defined-only --format=posix "${objects[@]}" | awk 'NF > 2 { print $1 }' |
    sort -u >"$folder/defined"
  # the offset table is the linker's own: it makes one, or makes do without
  "${prefix}nm" --undefined-only --format=posix "${objects[@]}" |
    awk 'NF > 1 && $1 != "_GLOBAL_OFFSET_TABLE_" { print $1 }' | sort -u >"$folder/undefined"
  grep -qx rs_serve "$folder/defined" || bad "server.o defines rs_serve"
  expect_nothing "no symbol is needed from outside" \
    "$(comm -13 "$folder/defined" "$folder/undefined")"
  # writable (W) or thread-local (T) sections that are not empty: .data .bss .data.rel.ro .tdata
  expect_nothing "no writable and no thread-local data" \
    "$("${prefix}readelf" -SW "${objects[@]}" | sed -n 's/^ *\[ *[0-9]*\] *//p' |
      awk '$1 ~ /^\./ && $7 ~ /[WT]/ && $5 !~ /^0+$/ { print $1, "size", $5 }')"
  expect_nothing "no relocation against thread-local storage" \
    "$("${prefix}readelf" -rW "${objects[@]}" | grep -E 'TLS|TPOFF|TPREL|GOTTP' || true)"
  expect_nothing "the thread register is not touched" \
    "$("${prefix}objdump" -d "${objects[@]}" | grep -E "$register" || true)"
  expect_nothing "no executable stack is asked for" \
    "$("${prefix}readelf" -SW "${objects[@]}" | grep -E '\.note\.GNU-stack.* X ' || true)"
}

# The stub is one segment, which is not written to; and it ends by itself when it was told nothing, or
# to put its memory where it lies itself.
check_stub() { # PREFIX FOLDER EMULATOR...
  local prefix=$1 stub=$2/stub/stub.elf status=0
  shift 2
  expect_nothing "the stub has one segment, not writable" \
    "$("${prefix}readelf" -lW "$stub" | awk '$1 == "LOAD" && (++n > 1 || / RW/ || /RWE/)')"
  "$@" "$stub" || status=$?
  [ "$status" = 102 ] || bad "the stub without an argument, status $status"
  status=0
  "$@" "$stub" 0:400000:1000:400000 || status=$?
  [ "$status" = 101 ] || bad "the stub with its memory where it lies, status $status"
  good "the stub begins and ends"
}

check_machine() { # MACHINE
  local machine=$1 prefix=$1-linux-gnu- emulator=() sources=ffi
  if [ "$machine" = "$here" ]; then
    echo "== $machine, this machine"
    prefix=
  else
    echo "== $machine, emulated"
    emulator=("qemu-$machine")
    # The emulation has no real-time signals above 62: the copy that it runs uses another one.
    sources=$work/ffi
    cp -r ffi "$sources"
    sed -i 's/^\(#define RS_INTERRUPT_SIGNAL\) 64$/\1 40/' "$sources/server/wire.h"
  fi
  local tool
  for tool in "${prefix}gcc" "${prefix}nm" "${prefix}readelf" "${prefix}objdump" \
    "${emulator[@]}"; do
    command -v "$tool" >/dev/null || {
      bad "there is no $tool on this machine"
      return 0
    }
  done
  local built=$work/$machine
  compile "$prefix" "$machine" ffi "$built" || {
    bad "ffi compiles for $machine"
    return 0
  }
  check_objects "$prefix" "$built" "$machine"
  check_stub "$prefix" "$built" "${emulator[@]}"
  if [ "$sources" != ffi ]; then
    built=$built.emulated
    compile "$prefix" "$machine" "$sources" "$built"
  fi
  "${prefix}gcc" -std=gnu11 -O2 -Wall -Wextra -Werror -static -I"$sources" \
    tests/aarch64/harness.c "$built"/*.o -o "$built/harness" || {
    bad "the harness builds for $machine"
    return 0
  }
  "${emulator[@]}" "$built/harness" || bad "the harness, status $?"
}

check_machine x86_64
check_machine aarch64
exit "$failed"
