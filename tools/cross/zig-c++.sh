#!/bin/sh
ZIG_DRIVER=c++ exec "$(dirname "$0")/zig-cc.sh" "$@"
